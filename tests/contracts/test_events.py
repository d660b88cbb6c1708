"""What every outbox promises."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena.events import DatasetUpdated, Events, LoadFailed, packed, unpacked
from athena.events.eventbridge import DynamoOutbox
from athena.events.outbox import SqliteOutbox
from athena.records import encode
from tests.clock import SetClock
from tests.cloud import Cloud

EVENT = DatasetUpdated("c1", "flights", "12", "11", datetime(2026, 3, 1, 12, tzinfo=UTC), 100, 3)
FAILURE = LoadFailed(
    "l1", "flights", "flights/a.csv", "empty-file", "It is empty.", "Drop it again.", EVENT.committed_at
)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "dynamodb"])
def events(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Events:
    if request.param == "sqlite":
        return SqliteOutbox(tmp_path / "state.sqlite")
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoOutbox(cloud.table(), clock)


def test_an_event_stays_until_it_is_delivered(events: Events) -> None:
    events.put(EVENT)
    assert events.undelivered() == (EVENT,)
    events.delivered("c1")
    assert events.undelivered() == ()


def test_the_same_event_put_twice_is_kept_once(events: Events) -> None:
    events.put(EVENT)
    events.put(replace(EVENT, rows_added=7))
    assert events.undelivered() == (EVENT,)


def test_events_come_in_the_order_in_which_they_were_put(events: Events, clock: SetClock) -> None:
    for name in ("c3", "c1", "c2"):
        events.put(replace(EVENT, id=name))
        clock.move(seconds=1)
    assert [event.id for event in events.undelivered()] == ["c3", "c1", "c2"]


def test_delivering_what_is_not_there_changes_nothing(events: Events) -> None:
    events.put(EVENT)
    events.delivered("c9")
    assert events.undelivered() == (EVENT,)


def test_failed_loads_are_kept_beside_commits_in_one_order(events: Events, clock: SetClock) -> None:
    events.put(FAILURE)
    clock.move(seconds=1)
    events.put(EVENT)
    assert events.undelivered() == (FAILURE, EVENT)
    events.delivered("l1")
    assert events.undelivered() == (EVENT,)


def test_what_an_older_release_left_is_still_told() -> None:
    assert unpacked(encode(EVENT)) == EVENT
    assert unpacked(packed(FAILURE)) == FAILURE
