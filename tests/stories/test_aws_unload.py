"""Whole answers as Parquet on AWS: written once, equal to the pages in rows and types, or refused with why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import urllib3

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.parts import Parts
from athena import ask
from athena.errors import LakegateError, Refused
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.lake import Lake
from athena.notices.dynamodb import DynamoNotices
from athena.question import OWNER, Caller, Question
from athena.settings_aws import AwsSettings
from athena.unload import leave, unload
from lakegate.client import Query
from lakegate.client.answer import LazyAnswer
from lakegate.client.home import ProcessLink
from tests.cloud import Cloud
from tests.gateway import CLAIMS, Gateway, Response

DAY, AT = date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3, 456000)
TEN = pa.table(
    {
        "s": pa.array(["", None, 'say "x",\n', "ä"], pa.string()),
        "b": pa.array([True, False, None, True], pa.bool_()),
        "i": pa.array([-(2**31), None, 0, 2**31 - 1], pa.int32()),
        "l": pa.array([2**63 - 1, -(2**63), None, 0], pa.int64()),
        "f": pa.array([0.1, None, -3.5, 1e-30], pa.float32()),
        "d": pa.array([0.1, 1e300, None, -0.0], pa.float64()),
        "n": pa.array([Decimal("1.50"), None, Decimal("-0.01"), Decimal("9999999999.99")], pa.decimal128(12, 2)),
        "day": pa.array([DAY, None, date(1, 1, 1), date(9999, 12, 31)], pa.date32()),
        "t": pa.array([AT, None, AT.replace(microsecond=0), datetime(1970, 1, 1)], pa.timestamp("us")),
        "z": pa.array([AT.replace(tzinfo=UTC), None, None, AT.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")),
    }
)
INFINITE = pa.table({"d": [float("inf"), float("nan"), None]})
FINE = pa.table({"t": pa.array([AT.replace(microsecond=456789)], pa.timestamp("us"))})
ALL = "SELECT s, b, i, l, f, d, n, day, t, z FROM ten"


@dataclass
class Place:
    """One stage with a table of all ten types, and two partners who see the same of it."""

    cloud: Cloud
    settings: AwsSettings
    lake: Lake

    def link(self, *, unload_rows: int) -> ProcessLink:
        return ProcessLink(self.lake, where="here", partner=None, load=None, unload_rows=unload_rows)

    def table(self, sql: str, *, unload_rows: int) -> pa.Table:
        return LazyAnswer(self.link(unload_rows=unload_rows), Query(sql)).arrow()

    def instance(self) -> Gateway:
        lake = self.cloud.lake(self.settings)
        state = self.cloud.state(self.settings)
        notices = DynamoNotices(state, lake.clock)
        return Gateway(lambda: Parts(lake, Claims(DynamoClients(state)), notices))

    def unloads(self) -> list[str]:
        texts = [one.request["QueryString"] for one in self.cloud.started(self.settings)]
        return [text for text in texts if text.startswith("UNLOAD")]


@pytest.fixture
def place(cloud: Cloud) -> Iterator[Place]:
    settings = cloud.settings()
    with cloud.lake(settings) as lake:
        tables = cloud.tables()
        lake.heads.publish(tables.append("ten", TEN))
        lake.heads.publish(tables.append("fine", FINE))
        lake.heads.publish(tables.append("infinite", INFINITE))
        assert isinstance(lake.grants, DynamoGrants)
        clients = DynamoClients(cloud.state(settings))
        for number, partner in enumerate(("one", "two"), 1):
            lake.grants.put(Grant(partner, "", {"ten": DatasetGrant(None, ("*",))}, Limits(), ""))
            clients.put(Client(f"machine{number}", partner))
        cloud.emulator.athena.rows_per_file = 2
        yield Place(cloud, settings, lake)
    cloud.emulator.athena.seconds = 0.0
    cloud.emulator.athena.rows_per_file = 100_000


def downloaded(place: Place, instance: Gateway, answer_id: str, client: str = "machine1") -> Response:
    """What the link leads to, once it is there."""
    claims, query = {**CLAIMS, "client_id": client}, {"format": ["parquet"]}
    for _ in range(60):
        found = instance.call("GET", "/v1/queries/{id}/download", id=answer_id, query=query, claims=claims)
        if found.status != 202:
            return found
        assert found.headers["retry-after"] == "1"
        assert found.headers["location"] == f"/v1/queries/{answer_id}/download?format=parquet"
    raise AssertionError("never written")


def fetched(url: str) -> pa.Table:
    with urllib3.PoolManager() as pool:
        content = pool.request("GET", url).data
    return pq.read_table(BytesIO(content), coerce_int96_timestamp_unit="ms")


def sorted_rows(table: pa.Table) -> list[str]:
    return sorted(repr(row) for row in table.to_pylist())


def test_an_analysts_table_has_equal_rows_and_types_both_ways(place: Place) -> None:
    paged = place.table(ALL, unload_rows=1_000)
    assert place.unloads() == []
    unloaded = place.table(ALL, unload_rows=1)
    assert len(place.unloads()) == 1
    assert unloaded.schema == paged.schema
    assert sorted_rows(unloaded) == sorted_rows(paged)
    assert place.table(ALL, unload_rows=1).num_rows == 4
    assert len(place.unloads()) == 1, "the files are there already"


def test_what_json_has_no_number_for_is_there_in_parquet(place: Place) -> None:
    found = place.table("SELECT d FROM infinite", unload_rows=1)["d"].to_pylist()
    assert sorted(map(str, found)) == ["None", "inf", "nan"]


def test_two_partners_with_equal_grants_get_the_links_of_one_unload(place: Place) -> None:
    instance = place.instance()
    found = []
    for client in ("machine1", "machine2"):
        asked = instance.ask(ALL, claims={**CLAIMS, "client_id": client})
        found.append(downloaded(place, instance, asked.json["id"], client))
    assert [one.status for one in found] == [200, 200]
    told = found[0].json
    assert [part["rows"] for part in told["parts"]] == [2, 2]
    assert told["row_count"] == 4
    tables = [fetched(part["url"]) for part in told["parts"]]
    assert [len(part["url"]) > 0 and part["size_bytes"] > 100 for part in told["parts"]] == [True, True]
    whole = pa.concat_tables(tables)
    assert whole.column_names == TEN.column_names
    assert str(whole.schema.field("n").type) == "decimal128(12, 2)"
    assert sorted_rows(whole.drop_columns(["z"])) == sorted_rows(TEN.drop_columns(["z"]))
    assert whole["z"].to_pylist()[0] == AT, "an instant is written in UTC, without a zone"
    assert len(place.unloads()) == 1


def test_one_file_is_a_redirect_as_in_an_embedded_home(place: Place) -> None:
    place.cloud.emulator.athena.rows_per_file = 100
    instance = place.instance()
    found = downloaded(place, instance, instance.ask(ALL).json["id"])
    assert found.status == 303
    assert found.headers["location"] == found.json["url"]
    assert fetched(found.json["url"]).num_rows == 4


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT i FROM ten ORDER BY i", "an order"),
        ("SELECT i FROM ten LIMIT 2", "cut at 2 rows"),
        ("SELECT i FROM ten WHERE i = 5", "no rows"),
        ("SELECT i, row_number() OVER (ORDER BY s) AS n FROM ten", "among equals"),
        ("SELECT i, random() AS r FROM ten", "not kept"),
        ("SELECT t FROM fine", "finer than a millisecond"),
    ],
)
def test_what_cannot_be_unloaded_is_refused_with_why_and_read_by_pages(place: Place, sql: str, why: str) -> None:
    answer = ask.ask(place.lake, Question(OWNER, sql))
    ask.wait(place.lake, OWNER, answer.id, seconds=120)
    with pytest.raises(Refused, match=why) as refused:
        while unload(place.lake, OWNER, answer.id, seconds=60) is None:
            pass
    assert refused.value.code == "format-unavailable"
    assert "CSV" in refused.value.remedy
    by_pages, either = place.table(sql, unload_rows=1_000), place.table(sql, unload_rows=0)
    if "random" not in sql:
        assert either.equals(by_pages)
    assert len(place.unloads()) == ("fine" in sql), "what failed for good is not tried again"


def test_files_that_are_gone_are_written_anew(place: Place) -> None:
    place.table(ALL, unload_rows=1)
    store = place.cloud.client("s3")
    bucket = place.settings.results.split("/")[2]
    for one in store.list_objects_v2(Bucket=bucket, Prefix="answers/unloads/")["Contents"][:1]:
        store.delete_object(Bucket=bucket, Key=one["Key"])
    assert place.table(ALL, unload_rows=1).num_rows == 4
    first, second = place.unloads()
    assert first != second, "each run has an empty place of its own"


def test_a_run_that_its_instance_let_go_is_brought_to_its_end_by_another(place: Place) -> None:
    asked = place.instance().ask(ALL)
    place.cloud.emulator.athena.seconds = 7.0
    query = {"format": ["parquet"]}
    begun = place.instance().call("GET", "/v1/queries/{id}/download", id=asked.json["id"], query=query)
    assert begun.status == 202
    assert downloaded(place, place.instance(), asked.json["id"]).status == 200
    assert len(place.unloads()) == 1


def test_who_stops_waiting_leaves_nothing_running(place: Place) -> None:
    answer = ask.ask(place.lake, Question(OWNER, ALL))
    ask.wait(place.lake, OWNER, answer.id, seconds=120)
    place.cloud.emulator.athena.seconds = 30.0
    assert unload(place.lake, OWNER, answer.id, seconds=0.1) is None
    leave(place.lake, OWNER, answer.id)
    place.cloud.emulator.athena.seconds = 0.0
    while unload(place.lake, OWNER, answer.id, seconds=60) is None:
        pass
    states = [one.state for one in place.cloud.started(place.settings)]
    assert states in (["SUCCEEDED", "CANCELLED", "SUCCEEDED"], ["SUCCEEDED", "SUCCEEDED"])


def test_a_foreign_or_withdrawn_answer_has_no_files(place: Place) -> None:
    instance = place.instance()
    asked = instance.ask(ALL)
    assert downloaded(place, instance, asked.json["id"], "machine2").status == 404
    assert isinstance(place.lake.grants, DynamoGrants)
    place.lake.grants.put(Grant("one", "", {"ten": DatasetGrant("i > 5", ("*",))}, Limits(), ""))
    gone = downloaded(place, instance, asked.json["id"])
    assert (gone.status, gone.json["code"]) == (410, "grant-changed")


def test_a_partners_limits_hold_for_it_too(place: Place) -> None:
    assert isinstance(place.lake.grants, DynamoGrants)
    limits = Limits(concurrent_queries=1)
    place.lake.grants.put(Grant("one", "", {"ten": DatasetGrant(None, ("*",))}, limits, ""))
    caller = Caller("one")
    answer = ask.ask(place.lake, Question(caller, ALL))
    ask.wait(place.lake, caller, answer.id, seconds=120)
    place.cloud.emulator.athena.seconds = 5.0
    running = ask.ask(place.lake, Question(caller, "SELECT count(*) AS n FROM ten"))
    with pytest.raises(LakegateError) as refused:
        unload(place.lake, caller, answer.id, seconds=0)
    assert refused.value.code == "too-many-running"
    ask.cancel(place.lake, caller, running.id)
