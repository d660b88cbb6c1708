"""Saved questions: whose they are, what they take, and that a run is checked like any other question."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from api.parts import Parts
from api.response import Reply
from athena.saved import KEPT_VERSIONS
from tests.api.asker import Asker, told
from tests.lakes import Home

ROWS = pa.table(
    {
        "carrier": ["UA", "AA"],
        "n": pa.array([1, 2], pa.int64()),
        "fare": pa.array([Decimal("1.50"), Decimal("2.00")], pa.decimal128(12, 2)),
        "day": [date(2026, 1, 1), date(2026, 1, 2)],
        "secret": ["a", "b"],
    }
)
BY_DAY: dict[str, Any] = {
    "sql": "SELECT carrier FROM things WHERE day >= :since AND fare < :most ORDER BY carrier",
    "parameters": {"since": {"type": "date"}, "most": {"type": "decimal(12,2)", "default": "9.99"}},
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Parts]]:
    home = Home(tmp_path_factory.mktemp("saved"))
    with home.opened() as (lake, _):
        home.publish(lake, home.tables.append("things", ROWS))
        home.grant("united", '[datasets.things]\ncolumns = ["*", "!secret"]')
        home.grant("other", "[datasets.things]")
        yield home, Parts.embedded(lake)
    home.tables.close()


@pytest.fixture
def united(lake: tuple[Home, Parts]) -> Iterator[Asker]:
    asker = Asker(lake[1], "united")
    yield asker
    for question in json.loads(asker.get("/v1/saved").body)["saved"]:
        assert asker.send("DELETE", f"/v1/saved/{question['name']}").status == 204


def put(asker: Asker, name: str = "by-day", **changes: Any) -> Reply:
    return asker.send("PUT", f"/v1/saved/{name}", {**BY_DAY, **changes})


def run(asker: Asker, name: str = "by-day", query: str = "", **fields: Any) -> Reply:
    return asker.send("POST", f"/v1/saved/{name}/runs{query}", fields)


def test_a_saved_question_is_run_with_typed_values(united: Asker) -> None:
    assert put(united).status == 201
    answer = json.loads(run(united, parameters={"since": "2026-01-02"}).body)
    assert (answer["state"], answer["rows"]) == ("SUCCEEDED", [["AA"]])
    assert json.loads(run(united, parameters={"since": "2026-01-01", "most": 2}).body)["rows"] == [["UA"]]
    sheet = united.send("POST", "/v1/saved/by-day/runs", {"parameters": {"since": "2026-01-01"}}, accept="text/csv")
    assert told(sheet)["Content-Type"].startswith("text/csv")


def test_a_run_shares_its_answer_with_the_same_question_in_sql(united: Asker) -> None:
    put(united)
    run(united, parameters={"since": "2026-01-01"})
    sql = "SELECT carrier FROM things WHERE day >= DATE '2026-01-01' AND fare < 9.99 ORDER BY carrier"
    assert json.loads(united.ask(sql).body)["cache"] == "hit"


def test_a_run_heeds_cache_control(united: Asker) -> None:
    assert put(united).status == 201
    values = {"parameters": {"since": "2025-07-07"}}
    given: list[dict[str, str]] = [{}, {}, {"cache_control": "no-cache"}, {"cache_control": "max-age=600"}]
    replies = [united.send("POST", "/v1/saved/by-day/runs", values, **headers) for headers in given]
    assert [json.loads(reply.body)["cache"] for reply in replies] == ["miss", "hit", "miss", "hit"]


def test_versions_are_kept_and_the_same_again_is_none(united: Asker) -> None:
    assert json.loads(put(united).body)["version"] == 1
    assert json.loads(put(united).body)["version"] == 1
    changed = put(united, sql="SELECT n FROM things WHERE day >= :since AND fare < :most")
    assert (changed.status, json.loads(changed.body)["versions"]) == (200, [1, 2])
    values = {"since": "2026-01-02"}
    assert json.loads(run(united, parameters=values).body)["rows"] == [["2"]]
    assert json.loads(run(united, parameters=values, version=1).body)["rows"] == [["AA"]]
    assert run(united, parameters=values, version=3).status == 404
    assert json.loads(united.get("/v1/saved/by-day?version=1").body)["sql"] == BY_DAY["sql"]
    for limit in range(1, KEPT_VERSIONS + 3):
        put(united, limit=limit)
    versions = json.loads(united.get("/v1/saved/by-day").body)["versions"]
    assert versions == list(range(versions[-1] - KEPT_VERSIONS + 1, versions[-1] + 1))


def test_a_question_is_its_partners_alone(united: Asker) -> None:
    put(united)
    other = Asker(united.parts, "other")
    assert json.loads(other.get("/v1/saved").body) == {"saved": []}
    assert other.get("/v1/saved/by-day").status == 404
    assert run(other, parameters={"since": "2026-01-01"}).status == 404
    assert other.send("DELETE", "/v1/saved/by-day").status == 404
    assert [one["name"] for one in json.loads(united.get("/v1/saved").body)["saved"]] == ["by-day"]


def test_each_run_is_checked_against_the_grant_of_now(united: Asker, lake: tuple[Home, Parts]) -> None:
    home, _ = lake
    put(united)
    home.grant("united", '[datasets.things]\ncolumns = ["carrier"]')
    try:
        assert run(united, parameters={"since": "2026-01-01"}).status == 404
    finally:
        home.grant("united", '[datasets.things]\ncolumns = ["*", "!secret"]')
    assert run(united, parameters={"since": "2026-01-01"}).status == 200


@pytest.mark.parametrize(
    ("changes", "status", "found"),
    [
        ({"sql": "SELEC 1"}, 400, "sql-syntax"),
        ({"sql": "DROP TABLE things"}, 400, "sql-unsupported"),
        ({"sql": "SELECT secret FROM things", "parameters": {}}, 404, "not-found"),
        ({"sql": "SELECT nothing FROM things", "parameters": {}}, 404, "not-found"),
        ({"sql": "SELECT ?", "parameters": {}}, 400, "/sql"),
        ({"sql": "SELECT :a", "parameters": {}}, 400, "/parameters/a"),
        ({"sql": "SELECT 1"}, 400, "/parameters/most"),
        ({"parameters": {"since": {"type": "day"}}}, 400, "/parameters/since/type"),
        ({"parameters": {"since": "date"}}, 400, "/parameters/since"),
        ({"parameters": {"since": {"type": "date", "default": "soon"}}}, 400, "/parameters/since/default"),
        ({"parameters": {"since": {"type": "date", "optional": 1}}}, 400, "/parameters/since/optional"),
        ({"limit": 0}, 400, "/limit"),
        ({"description": 7}, 400, "/description"),
        ({"more": 7}, 400, "/more"),
        ({"description": "half \ud83d"}, 400, "/description"),
        (
            {"sql": "SELECT :a", "parameters": {"a": {"type": "string", "default": "half \ud83d"}}},
            400,
            "/parameters/a/default",
        ),
    ],
)
def test_what_cannot_be_asked_cannot_be_saved(united: Asker, changes: dict[str, Any], status: int, found: str) -> None:
    reply = put(united, **changes)
    document = json.loads(reply.body)
    assert (reply.status, found in (document["code"], document.get("pointer"))) == (status, True), document
    assert united.get("/v1/saved/by-day").status == 404


@pytest.mark.parametrize("name", ["By-Day", "1", "a b", "ü", "a" * 64])
def test_a_name_is_plain(united: Asker, name: str) -> None:
    reply = put(united, name)
    assert (reply.status, json.loads(reply.body)["pointer"]) == (400, "/name")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/parameters/since"),
        ({"parameters": {"since": None}}, "/parameters/since"),
        ({"parameters": {"since": "2026-02-30"}}, "/parameters/since"),
        ({"parameters": {"since": 20260101}}, "/parameters/since"),
        ({"parameters": {"since": "2026-01-01", "most": True}}, "/parameters/most"),
        ({"parameters": {"since": "2026-01-01", "most": "1e3"}}, "/parameters/most"),
        ({"parameters": {"since": "2026-01-01", "until": "x"}}, "/parameters/until"),
        ({"parameters": []}, "/parameters"),
        ({"version": "1"}, "/version"),
        ({"sql": "SELECT 1"}, "/sql"),
    ],
)
def test_a_run_takes_the_values_that_were_described(united: Asker, fields: dict[str, Any], pointer: str) -> None:
    put(united)
    reply = run(united, **fields)
    assert reply.status == 400
    assert json.loads(reply.body)["pointer"] == pointer
