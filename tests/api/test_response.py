import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.response import Reply, answered, dataset_body, finished, pending
from athena.catalogue import Listing
from athena.dataset import Column, DataType
from athena.question import Answer, Page, Receipt, ResultColumn, SnapshotRef, State

AT = datetime(2026, 11, 21, 3, 0, 0, 123_456, tzinfo=UTC)
FINGERPRINT = "ab" * 32
RUNNING = Answer(
    id="q_1",
    state=State.RUNNING,
    cache="miss",
    fingerprint=FINGERPRINT,
    snapshots={},
    submitted_at=AT,
    expires_at=AT,
)
DONE = replace(
    RUNNING,
    state=State.SUCCEEDED,
    cache="hit",
    snapshots={"flights": SnapshotRef("17", AT)},
    receipt=Receipt("r", (ResultColumn("carrier", DataType("string")),), 336, True, 10, 20, "cd" * 32, AT),
    page=Page(b'"columns":[{"name":"carrier","type":"string"}],"rows":[["\xc3\xbc",1e2]]', 1, 1),
    next="token",
)


def headers(reply: Reply) -> dict[str, str]:
    assert len(dict(reply.headers)) == len(reply.headers)
    return dict(reply.headers)


def test_an_answer_is_the_documented_envelope_around_finished_bytes() -> None:
    reply = answered(DONE)
    assert b'"rows":[["\xc3\xbc",1e2]]' in reply.body
    assert json.loads(reply.body) == {
        "id": "q_1",
        "state": "SUCCEEDED",
        "cache": "hit",
        "columns": [{"name": "carrier", "type": "string"}],
        "rows": [["ü", 100.0]],
        "row_count": 336,
        "truncated": True,
        "next": "token",
        "snapshots": {"flights": {"id": "17", "committed_at": "2026-11-21T03:00:00.123Z"}},
        "submitted_at": "2026-11-21T03:00:00.123Z",
        "expires_at": "2026-11-21T03:00:00.123Z",
    }
    assert headers(reply) == {
        "Content-Type": "application/json",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{FINGERPRINT}"',
    }


def test_an_answer_that_is_not_there_says_where_it_will_be() -> None:
    reply = pending(RUNNING)
    assert reply.status == 202
    assert headers(reply)["Location"] == "/v1/queries/q_1"
    assert headers(reply)["Retry-After"] == "1"
    assert "ETag" not in headers(reply)
    assert set(json.loads(reply.body)) == {"id", "state", "cache", "snapshots", "submitted_at", "expires_at"}
    looked = answered(RUNNING)
    assert (looked.status, headers(looked)["Retry-After"]) == (200, "1")


def test_a_failed_answer_tells_code_and_remedy_without_values() -> None:
    document = json.loads(answered(replace(RUNNING, state=State.FAILED, error_code="division-by-zero")).body)
    assert document["state"] == "FAILED"
    assert document["error"]["code"] == "division-by-zero"
    assert document["error"]["detail"] and document["error"]["remedy"]


def test_warnings_are_told() -> None:
    assert json.loads(answered(replace(DONE, warnings=("NaN became null",))).body)["warnings"] == ["NaN became null"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f'"{FINGERPRINT}"', 304),
        (f'W/"{FINGERPRINT}"', 304),
        (f'"other", "{FINGERPRINT}"', 304),
        ("*", 304),
        ('"other"', 200),
        (FINGERPRINT, 200),
        (None, 200),
    ],
)
def test_who_has_the_answer_already_gets_304(given: str | None, status: int) -> None:
    reply = answered(DONE, if_none_match=given)
    assert reply.status == status
    assert headers(reply)["ETag"] == f'"{FINGERPRINT}"'
    assert bool(reply.body) == (status == 200)


@pytest.mark.parametrize("answer", [replace(DONE, cache="bypass"), replace(RUNNING, state=State.CANCELLED)])
def test_what_may_differ_next_time_has_no_tag(answer: Answer) -> None:
    reply = answered(answer, if_none_match="*")
    assert (reply.status, "ETag" in headers(reply)) == (200, False)


@pytest.mark.parametrize(
    ("origin", "origins", "allowed"),
    [
        ("https://a.example", ("https://a.example",), "https://a.example"),
        ("https://b.example", ("https://a.example",), None),
        ("https://a.example.evil", ("https://a.example",), None),
        ("null", ("https://a.example",), None),
        ("https://b.example", ("*",), "https://b.example"),
        ("https://a.example", (), None),
        (None, ("https://a.example",), None),
    ],
)
def test_only_configured_origins_may_read(origin: str | None, origins: tuple[str, ...], allowed: str | None) -> None:
    found = headers(finished(Reply(500), request_id="r", origin=origin, origins=origins))
    assert found.get("Access-Control-Allow-Origin") == allowed
    assert found["Vary"] == "Accept, Accept-Encoding" + (", Origin" if origins else "")
    assert found["X-Request-Id"] == "r"


def test_a_dataset_is_told_with_units_and_without_a_count_that_is_hidden() -> None:
    columns = (Column("dep_delay", DataType("double"), unit="min", description="negative = early"),)
    listing = Listing("flights", "Flights", columns, "17", AT, None)
    assert json.loads(dataset_body(listing)) == {
        "name": "flights",
        "description": "Flights",
        "columns": [
            {
                "name": "dep_delay",
                "type": "double",
                "required": False,
                "unit": "min",
                "description": "negative = early",
            }
        ],
        "snapshot": {"id": "17", "committed_at": "2026-11-21T03:00:00.123Z"},
    }
    assert json.loads(dataset_body(replace(listing, rows=3)))["rows"] == 3
