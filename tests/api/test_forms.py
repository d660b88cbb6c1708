"""Every form of an answer over the routes: by `Accept`, with what JSON tells in its envelope told in headers."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.parts import Parts
from athena.errors import NotFound
from athena.lake import Lake
from tests.api.asker import Asker, body, told
from tests.lakes import Home

ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
ROWS = pa.table({"name": ["=ü", "", None], "n": pa.array([2**60, None, -1], pa.int64()), "x": [0.1, 2.0, None]})
ALL = "SELECT name, n, x FROM things ORDER BY x NULLS LAST"
CSV = 'name,n,x\r\n=ü,1152921504606846976,0.1\r\n"",,2.0\r\n,-1,\r\n'


@pytest.fixture(scope="module")
def united(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    home = Home(tmp_path_factory.mktemp("forms"))
    with home.opened() as (lake, _):
        for partner in ("united", "other"):
            home.grant(partner, "[datasets.things]", "[limits]\nresult_rows = 100")
        home.publish(lake, home.tables.append("things", ROWS))
        yield Asker(Parts.embedded(lake), "united")
    home.tables.close()


@pytest.fixture(scope="module")
def answer_id(united: Asker) -> str:
    return str(json.loads(united.ask(ALL).body)["id"])


def test_the_first_answer_comes_in_every_form(united: Asker) -> None:
    expected = ROWS.to_pylist()
    document = json.loads(united.ask(ALL).body)
    assert (document["rows"], document["row_count"]) == ([["=ü", str(2**60), 0.1], ["", None, 2.0]], 3)
    sheet = united.ask(ALL, accept="text/csv")
    assert body(sheet).decode() == CSV
    assert pa.ipc.open_stream(body(united.ask(ALL, accept=ARROW))).read_all().to_pylist() == expected
    assert pq.read_table(io.BytesIO(body(united.ask(ALL, accept=PARQUET)))).to_pylist() == expected
    headers = told(sheet)
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (headers["Lakegate-Cache"], headers["Lakegate-Row-Count"], headers["Lakegate-Truncated"]) == (
        "hit",
        "3",
        "false",
    )
    again = united.get(f"/v1/queries/{headers['Lakegate-Answer']}", accept="text/csv")
    assert body(again).decode() == CSV


def test_each_form_has_a_tag_of_its_own(united: Asker) -> None:
    tags = {told(united.ask(ALL, accept=accept))["ETag"] for accept in ("application/json", "text/csv", ARROW, PARQUET)}
    assert len(tags) == 4
    tag = told(united.ask(ALL, accept="text/csv"))["ETag"]
    assert united.ask(ALL, accept="text/csv", if_none_match=tag).status == 304
    assert united.ask(ALL, if_none_match=tag).status == 200


@pytest.mark.parametrize("accept", ["text/csv", ARROW, PARQUET, "application/json"])
def test_pages_in_every_form_make_the_whole(united: Asker, answer_id: str, accept: str) -> None:
    rows: list[dict[str, Any]] = []
    path: str | None = f"/v1/queries/{answer_id}/rows?limit=1"
    header = ""
    while path is not None:
        page = united.get(path, accept=accept)
        assert page.status == 200, page.body
        content = body(page)
        if accept == "text/csv":
            header = header or content.decode().partition("\r\n")[0] + "\r\n"
            lines = content.decode() if content.decode().startswith(header) else header + content.decode()
            rows += list(csv.DictReader(io.StringIO(lines, newline="")))
        elif accept == ARROW:
            rows += pa.ipc.open_stream(content).read_all().to_pylist()
        elif accept == PARQUET:
            rows += pq.read_table(io.BytesIO(content)).to_pylist()
        else:
            document = json.loads(content)
            assert (document["row_count"], document["truncated"]) == (3, False)
            names = [column["name"] for column in document["columns"]]
            rows += [dict(zip(names, row, strict=True)) for row in document["rows"]]
        link = told(page).get("Link")
        path = None if link is None else link.partition(">")[0][1:]
    assert len(rows) == 3
    assert [row["name"] or "" for row in rows] == ["=ü", "", ""]
    if accept in (ARROW, PARQUET):
        assert rows == ROWS.to_pylist()


def test_a_row_can_be_an_object(united: Asker, answer_id: str) -> None:
    first = {"name": "=ü", "n": str(2**60), "x": 0.1}
    assert json.loads(united.ask(ALL, query="?shape=objects").body)["rows"][0] == first
    page = united.get(f"/v1/queries/{answer_id}/rows?limit=1&shape=objects")
    assert json.loads(page.body)["rows"] == [first]
    assert "shape=objects" in told(page)["Link"]


def test_formulas_are_guarded_on_request_alone(united: Asker, answer_id: str) -> None:
    path = f"/v1/queries/{answer_id}/rows?guard=formulas"
    assert body(united.get(path, accept="text/csv")).decode() == CSV.replace("=ü", "'=ü")
    assert "guard=formulas" in told(united.get(path + "&limit=1", accept="text/csv"))["Link"]


@pytest.mark.parametrize(
    ("query", "accept", "pointer"),
    [
        ("?shape=rows", "application/json", "/shape"),
        ("?shape=objects", "text/csv", "/shape"),
        ("?guard=all", "text/csv", "/guard"),
        ("?guard=formulas", "application/json", "/guard"),
        ("?limits=1", "text/csv", "/limits"),
    ],
)
def test_what_makes_no_sense_together_is_refused(united: Asker, query: str, accept: str, pointer: str) -> None:
    reply = united.ask(ALL, query=query, accept=accept)
    assert (reply.status, json.loads(reply.body)["pointer"]) == (400, pointer)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv;q=0.2, application/json;q=0.9", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
        (f"text/html, {ARROW};q=0.5, */*;q=0.1", ARROW),
        ("application/*;q=0.5, text/csv;q=0.4", "application/json"),
        ("application/json;q=0, */*", "text/csv; charset=utf-8"),
    ],
)
def test_the_best_liked_form_is_given(united: Asker, accept: str, expected: str) -> None:
    assert told(united.ask(ALL, accept=accept))["Content-Type"] == expected


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", "image/png, text/csv;q=0"])
def test_who_takes_nothing_of_ours_is_told_what_there_is(united: Asker, accept: str) -> None:
    reply = united.ask(ALL, accept=accept)
    document = json.loads(reply.body)
    assert (reply.status, document["code"]) == (406, "not-acceptable")
    assert all(kind in document["remedy"] for kind in ("application/json", "text/csv", ARROW, PARQUET))


def test_a_row_limit_is_told_in_every_form(united: Asker) -> None:
    many = "SELECT a.n FROM things a CROSS JOIN things b CROSS JOIN things c CROSS JOIN things d CROSS JOIN things e"
    document = json.loads(united.ask(many).body)
    assert (document["row_count"], document["truncated"]) == (100, True)
    headers = told(united.ask(many, accept="text/csv"))
    assert (headers["Lakegate-Row-Count"], headers["Lakegate-Truncated"]) == ("100", "true")


def test_a_failure_is_a_problem_whatever_was_accepted(united: Asker) -> None:
    reply = united.ask("SELECT n / 0 FROM things WHERE n = -1", accept="text/csv")
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "division-by-zero")


@pytest.mark.parametrize(("coding", "accepted"), [("gzip", "gzip"), ("zstd", "gzip;q=0.5, zstd"), ("zstd", "*")])
def test_bodies_are_compressed_for_who_takes_it(united: Asker, coding: str, accepted: str) -> None:
    sql = f"SELECT name, '{'long ' * 300}' AS text FROM things"
    for accept in ("application/json", "text/csv", ARROW):
        plain, packed = (united.ask(sql, accept=accept, accept_encoding=one) for one in ("identity", accepted))
        assert told(packed)["Content-Encoding"] == coding
        assert "Accept-Encoding" in told(packed)["Vary"]
        content = body(packed)
        read = (
            gzip.decompress(content)
            if coding == "gzip"
            else pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
        )
        if accept == "application/json":
            assert json.loads(read)["rows"] == json.loads(plain.body)["rows"]
        else:
            assert read == body(plain)


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip;q=nonsense", ""])
def test_bodies_stay_as_they_are_for_who_does_not(united: Asker, accepted: str) -> None:
    reply = united.ask(ALL, accept="text/csv", accept_encoding=accepted)
    assert "Content-Encoding" not in told(reply)
    assert body(reply).decode() == CSV


@pytest.mark.parametrize(("form", "kind"), [("csv", "text/csv; charset=utf-8"), ("arrow", ARROW), ("parquet", PARQUET)])
def test_the_whole_is_a_link_that_needs_no_token(united: Asker, answer_id: str, form: str, kind: str) -> None:
    reply = united.get(f"/v1/queries/{answer_id}/download?format={form}")
    assert (reply.status, told(reply)["Cache-Control"]) == (303, "no-store")
    link = told(reply)["Location"]
    assert json.loads(reply.body)["url"] == link
    file = united.get(link, authorization="")
    assert (file.status, told(file)["Content-Type"]) == (200, kind)
    assert told(file)["Content-Disposition"].startswith('attachment; filename="q_')
    content = body(file)
    assert content == body(united.get(f"/v1/queries/{answer_id}/rows", accept=kind))
    if form == "parquet":
        assert told(file)["Content-Length"] == str(len(content))


def test_a_link_dies_after_a_minute_with_the_grant_and_with_any_other_letter(united: Asker, answer_id: str) -> None:
    link = told(united.get(f"/v1/queries/{answer_id}/download"))["Location"]
    for at in range(len("/v1/downloads/"), len(link), 7):
        forged = link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :]
        assert united.get(forged, authorization="").status == 404
    lake: Lake = united.parts.lake
    late = replace(lake, clock=lambda: lake.clock() + timedelta(seconds=61))
    later = Asker(replace(united.parts, lake=late), "united")
    gone = later.get(link, authorization="")
    assert (gone.status, json.loads(gone.body)["code"]) == (410, "link-expired")


def test_pages_and_links_are_their_askers_alone(united: Asker, answer_id: str) -> None:
    other = Asker(united.parts, "other")
    page = json.loads(united.get(f"/v1/queries/{answer_id}/rows?limit=1").body)["next"]
    assert other.get(f"/v1/queries/{answer_id}/download").status == 404
    assert other.get(f"/v1/queries/{answer_id}/rows?page={page}").status == 404
    own = json.loads(other.ask(ALL).body)["id"]
    assert other.get(f"/v1/queries/{own}/rows?page={page}").status == 404
    second = json.loads(united.ask("SELECT name FROM things").body)["id"]
    assert united.get(f"/v1/queries/{second}/rows?page={page}").status == 404
    for at in range(len(page)):
        forged = page[:at] + ("A" if page[at] != "A" else "B") + page[at + 1 :]
        assert united.get(f"/v1/queries/{answer_id}/rows?page={forged}").status == 404, at
    # The size of a page is the asker's to change from one page to the next.
    rest = json.loads(united.get(f"/v1/queries/{answer_id}/rows?page={page}&limit=5").body)
    assert (len(rest["rows"]), rest["next"]) == (2, None)


def test_what_is_not_there_has_no_link(united: Asker) -> None:
    reply = united.get("/v1/queries/q_nobody/download")
    assert (reply.status, json.loads(reply.body)["code"]) == (404, NotFound.code)
