"""Rows without SQL: the same rows, the same cache and the same secrets as with it; pages by the last row's values."""

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

from api.parts import Parts
from tests.api.asker import Asker, body, told
from tests.lakes import Home

NAN, INF = math.nan, math.inf
AT = datetime(2026, 1, 1, 12, 0, 0, 123456)
THINGS = pa.table(
    {
        "carrier": ["UA", "AA", None, "it's", "", "U%", "a,b", "eq.x"],
        "limit": pa.array([1, 2, 3, None, 5, 6, 7, 8], pa.int32()),
        "n": pa.array([2**60, -(2**60), 0, 1, 2, 3, 4, None], pa.int64()),
        "x": pa.array([0.30000000000000004, 1e300, NAN, -INF, INF, -0.0, 0.0, None], pa.float64()),
        "ok": [True, False, None, True, False, True, False, True],
        "fare": pa.array([Decimal("1.50"), *[None] * 7], pa.decimal128(12, 2)),
        "day": [date(2026, 1, 1), date(1, 1, 1), *[None] * 6],
        "at": pa.array([AT, *[None] * 7], pa.timestamp("us")),
        "seen": pa.array([AT.replace(tzinfo=UTC), *[None] * 7], pa.timestamp("us", "UTC")),
        "secret": ["s"] * 8,
    }
)
# Many rows that are equal in one column, some that are equal in all.
TIES = [
    {"a": at % 3 or None, "b": [1.5, NAN, None, -INF, INF, -0.0, 0.0][at % 7], "c": ["x", "", None, "ü"][at % 4]}
    for at in range(60)
] * 2


@pytest.fixture(scope="module")
def united(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    home = Home(tmp_path_factory.mktemp("browse"))
    with home.opened() as (lake, _):
        things = '[datasets.things]\ncolumns = ["*", "!secret"]'
        home.grant("united", things, '[datasets.ties]\nrows = "a IS NULL OR a >= 1"')
        schema = pa.schema([("a", pa.int32()), ("b", pa.float64()), ("c", pa.string())])
        home.publish(lake, home.tables.append("things", THINGS))
        home.publish(lake, home.tables.append("ties", pa.Table.from_pylist(TIES, schema)))
        home.publish(lake, home.tables.append("hidden", pa.table({"a": [1]})))
        yield Asker(Parts.embedded(lake), "united")
    home.tables.close()


def found(united: Asker, query: str, column: str = "limit") -> list[Any]:
    reply = united.get(f"/v1/datasets/things/rows?select={column}&order={column}&{query}")
    assert reply.status == 200, reply.body
    return [row[0] for row in json.loads(reply.body)["rows"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("carrier=UA", [1]),
        ("carrier=eq.UA", [1]),
        ("carrier=it's", [None]),
        ("carrier=", [5]),
        ("carrier=eq.eq.x", [8]),
        ("carrier=is.null", [3]),
        ("carrier=is.not_null&col.limit=lt.3", [1, 2]),
        ("carrier=in.UA,AA", [1, 2]),
        ('carrier=in."a,b",AA', [2, 7]),
        ("carrier=like.U%25", [1, 6]),
        ("carrier=ne.UA&col.limit=in.1,2", [2]),
        ("col.limit=gte.2&col.limit=lte.3", [2, 3]),
        ("n=1152921504606846976", [1]),
        ("n=lt.0", [2]),
        ("x=0.30000000000000004", [1]),
        ("x=gt.1e299", [2, 5]),
        ("ok=true&col.limit=lt.6", [1]),
        ("ok=is.false", [2, 5, 7]),
        ("fare=1.5", [1]),
        ("fare=gt.-2", [1]),
        ("day=2026-01-01", [1]),
        ("day=lt.2000-01-01", [2]),
        ("at=2026-01-01T12:00:00.123456", [1]),
        ("seen=2026-01-01T12:00:00.123456Z", [1]),
        ("seen=" + quote("2026-01-01T13:00:00.123456+01:00"), [1]),
        ("seen=gt.2026-01-01T12:00:00.123456Z", []),
    ],
)
def test_filters_find_what_they_say(united: Asker, query: str, expected: list[Any]) -> None:
    assert found(united, query) == expected


def test_rows_are_the_answer_to_the_same_question_in_sql(united: Asker) -> None:
    reply = json.loads(united.get("/v1/datasets/things/rows?select=carrier,n&n=gt.0&order=-n&limit=3").body)
    sql = 'SELECT "carrier", "n" FROM things WHERE n > 0 ORDER BY n DESC, carrier LIMIT 3'
    asked = json.loads(united.ask(sql).body)
    assert (asked["cache"], asked["rows"]) == ("hit", reply["rows"][:2])  # a page of this home has two rows
    assert reply["rows"] == [["UA", str(2**60)], ["a,b", "4"], ["U%", "3"]]
    assert set(reply) >= {"id", "state", "cache", "columns", "rows", "row_count", "truncated", "next", "snapshots"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("secret=s", "/secret"),
        ("nothing=s", "/nothing"),
        ("select=secret", "/select"),
        ("select=carrier,nothing", "/select"),
        ("select=carrier,carrier", "/select"),
        ("order=-secret", "/order"),
        ("select=carrier&order=n", "/order"),
        ("order=n,-n", "/order"),
        ("select=n&select=n", "/select"),
        ("n=1.5", "/n"),
        ("n=9223372036854775808", "/n"),
        ("col.limit=2147483648", "/col.limit"),
        ("n=" + quote("1 OR 1=1"), "/n"),
        ("n=%D9%A1", "/n"),
        ("x=1e999", "/x"),
        ("x=nan", "/x"),
        ("fare=1e2", "/fare"),
        ("ok=yes", "/ok"),
        ("day=2026-02-30", "/day"),
        ("day=20260101", "/day"),
        ("at=2026-01-01T12:00:00Z", "/at"),
        ("seen=2026-01-01T12:00:00", "/seen"),
        ("n=like.1", "/n"),
        ("n=is.true", "/n"),
        ("carrier=is.nothing", "/carrier"),
        ("carrier=in.%22a", "/carrier"),
        ("carrier=%00", "/carrier"),
        ("limit=0", "/limit"),
        ("limit=10001", "/limit"),
        ("limit=x", "/limit"),
        ("shape=rows", "/shape"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(united: Asker, query: str, pointer: str) -> None:
    reply = united.get(f"/v1/datasets/things/rows?{query}")
    assert (reply.status, json.loads(reply.body).get("pointer")) == (400, pointer)


def test_a_hidden_column_and_an_absent_one_are_told_alike(united: Asker) -> None:
    hidden, absent = (united.get(f"/v1/datasets/things/rows?{name}=1").body for name in ("secret", "absent"))
    assert hidden.replace(b"secret", b"absent") == absent
    hidden, absent = (united.get(f"/v1/datasets/{name}/rows").body for name in ("hidden", "absent"))
    assert hidden == absent
    assert json.loads(hidden)["code"] == "not-found"


def test_texts_of_strangers_stay_values(united: Asker) -> None:
    for text in ("' OR 1=1 --", '"', "\\", "?", ":a", "--", "/*", "\n"):
        assert found(united, f"carrier={quote(text)}") == []


def pages(united: Asker, query: str, accept: str = "application/json") -> list[Any]:
    rows: list[Any] = []
    path: str | None = f"/v1/datasets/ties/rows?{query}"
    while path is not None:
        assert len(rows) <= len(TIES)
        reply = united.get(path, accept=accept)
        assert reply.status == 200, reply.body
        rows.append(body(reply))
        link = told(reply).get("Link")
        path = None if link is None else link.partition(">")[0][1:]
    return rows


@pytest.mark.parametrize("order", ["", "a", "-a", "b", "-b", "c,-b", "-c,a,b"])
@pytest.mark.parametrize("limit", [7, 50])
def test_pages_are_complete_in_order_and_each_row_comes_once(united: Asker, order: str, limit: int) -> None:
    query = f"order={order}&" if order else ""
    whole = json.loads(pages(united, f"{query}limit=1000")[0])["rows"]
    assert len(whole) == len(TIES)
    parts = [json.loads(page) for page in pages(united, f"{query}limit={limit}")]
    assert [row for part in parts for row in part["rows"]] == whole
    assert all(part["row_count"] == len(part["rows"]) and not part["truncated"] for part in parts)
    assert parts[-1]["next"] is None


def test_pages_of_csv_make_one_file(united: Asker) -> None:
    content = b"".join(pages(united, "order=c,-b&limit=50", "text/csv")).decode()
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert (rows[0], len(rows)) == (["a", "b", "c"], len(TIES) + 1)


def test_a_place_belongs_to_one_question_of_one_partner(united: Asker) -> None:
    token = json.loads(pages(united, "order=a&limit=50")[0])["next"]
    rows = "/v1/datasets/ties/rows?"
    assert united.get(f"{rows}order=a&limit=10&page={token}").status == 200
    for other in ("order=-a", "order=b", "order=a&a=1", "order=a&select=a"):
        assert united.get(f"{rows}{other}&page={token}").status == 404
    for at in range(len(token)):
        forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert united.get(f"{rows}order=a&page={forged}").status == 404, at


def test_rows_can_be_objects_and_are_tagged(united: Asker) -> None:
    path = "/v1/datasets/things/rows?carrier=UA&select=carrier,limit&shape=objects"
    reply = united.get(path)
    assert json.loads(reply.body)["rows"] == [{"carrier": "UA", "limit": 1}]
    assert united.get(path, if_none_match=told(reply)["ETag"]).status == 304


def test_rows_heed_cache_control(united: Asker) -> None:
    given: list[dict[str, str]] = [{}, {}, {"cache_control": "no-cache"}, {"cache_control": "max-age=600"}]
    replies = [united.get("/v1/datasets/things/rows?carrier=ZZ&limit=7", **headers) for headers in given]
    assert [json.loads(reply.body)["cache"] for reply in replies] == ["miss", "hit", "miss", "hit"]
