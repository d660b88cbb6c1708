"""What every store of flights promises."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athena.dataset import DataType
from athena.flights import Flight, Flights
from athena.flights.dynamodb import DynamoFlights
from athena.flights.memory import MemoryFlights
from athena.flights.sqlite import SqliteFlights
from athena.lake import Clock
from athena.question import Page, Receipt, ResultColumn, SnapshotRef, State
from tests.clock import SetClock
from tests.cloud import Cloud

KEY = "ab" * 32
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = Page(b'"columns":[],"rows":[]', 1, None)
RECEIPT = Receipt(
    result_id="r1",
    columns=(ResultColumn("n", DataType("decimal", 12, 2)),),
    row_count=1,
    truncated=False,
    size_bytes=10,
    bytes_scanned=20,
    sha256="00",
    finished_at=AT,
    warnings=("careful",),
    snapshots={"flights": SnapshotRef("1", AT, "1")},
)

Open = Callable[[Clock], Flights]


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same store for whoever asks; a memory store is one for all."""
    if request.param == "sqlite":
        return lambda clock: SqliteFlights(tmp_path / "cache.sqlite", clock)
    if request.param == "dynamodb":
        cloud: Cloud = request.getfixturevalue("cloud")
        table, bucket = cloud.table(), cloud.bucket()
        return lambda clock: DynamoFlights(table, bucket, clock)
    made: list[Flights] = []

    def one(clock: Clock) -> Flights:
        if not made:
            made.append(MemoryFlights(clock))
        return made[0]

    return one


@pytest.fixture
def clock() -> SetClock:
    return SetClock(AT)


@pytest.fixture
def flights(open_store: Open, clock: SetClock) -> Flights:
    return open_store(clock)


def lead(flights: Flights, leader: str, asker: str, *, anew: int | None = None, key: str = KEY) -> Flight:
    return flights.lead(key, leader=leader, lease_seconds=10, asker=asker, work=b"work", anew=anew)


def finish(flights: Flights, flight: Flight, *, days: float = 7) -> bool:
    return flights.finish(flight, RECEIPT, PAGE, expires_at=AT + timedelta(days=days))


def test_the_first_leads_and_the_others_join(flights: Flights) -> None:
    first, second = lead(flights, "l1", "a1"), lead(flights, "l2", "a2")
    assert (first.leader, first.attempt, first.state, first.work) == ("l1", 1, State.RUNNING, b"work")
    assert (second.leader, second.attempt) == ("l1", 1)


def test_of_many_at_once_exactly_one_leads(open_store: Open, clock: SetClock) -> None:
    store = open_store(clock)
    found: list[Flight] = []
    start = threading.Barrier(8)

    def ask(number: int) -> None:
        start.wait()
        found.append(lead(store, f"l{number}", f"a{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({flight.leader for flight in found}) == 1
    assert {flight.attempt for flight in found} == {1}


def test_what_was_finished_is_found_as_it_was(flights: Flights) -> None:
    flight = lead(flights, "l1", "a1")
    flights.note(flight, "e1")
    assert finish(flights, flight)
    found = flights.get(KEY)
    assert found is not None
    assert (found.state, found.receipt, found.page, found.execution) == (State.SUCCEEDED, RECEIPT, PAGE, "e1")
    assert found.expires_at == AT + timedelta(days=7)
    assert lead(flights, "l2", "a2").state is State.SUCCEEDED


def test_an_unknown_fingerprint_is_absent(flights: Flights) -> None:
    assert flights.get(KEY) is None
    assert flights.standing([KEY]) == ()
    assert flights.take_over(KEY, 1, leader="l1", lease_seconds=10) is None


def test_a_lease_that_is_beaten_cannot_be_taken_over(flights: Flights, clock: SetClock) -> None:
    flight = lead(flights, "l1", "a1")
    for _ in range(3):
        clock.move(seconds=8)
        assert flights.beat(flight, lease_seconds=10)
    assert flights.take_over(KEY, 1, leader="l2", lease_seconds=10) is None
    assert lead(flights, "l3", "a3").leader == "l1"


def test_when_the_leader_dies_exactly_one_follower_takes_over(flights: Flights, clock: SetClock) -> None:
    flights.note(lead(flights, "l1", "a1"), "e1")
    clock.move(seconds=11)
    heir = flights.take_over(KEY, 1, leader="l2", lease_seconds=10)
    assert heir is not None
    assert (heir.leader, heir.attempt, heir.execution, heir.work) == ("l2", 1, "e1", b"work")
    assert flights.take_over(KEY, 1, leader="l3", lease_seconds=10) is None
    assert lead(flights, "l4", "a4").leader == "l2"


def test_who_asks_after_the_leaders_death_takes_over(flights: Flights, clock: SetClock) -> None:
    lead(flights, "l1", "a1")
    clock.move(seconds=11)
    heir = lead(flights, "l2", "a2")
    assert (heir.leader, heir.attempt) == ("l2", 1)


def test_a_lease_given_up_can_be_taken_over_at_once(flights: Flights) -> None:
    flight = lead(flights, "l1", "a1")
    assert flights.beat(flight, lease_seconds=0)
    assert flights.take_over(KEY, 1, leader="l2", lease_seconds=10) is not None


def test_late_finisher_cannot_overwrite_its_heir(flights: Flights, clock: SetClock) -> None:
    late = lead(flights, "l1", "a1")
    clock.move(seconds=11)
    heir = flights.take_over(KEY, 1, leader="l2", lease_seconds=10)
    assert heir is not None
    assert not finish(flights, late)
    assert not flights.fail(late, "query-failed")
    assert not flights.beat(late, lease_seconds=10)
    flights.note(late, "stale")
    found = flights.get(KEY)
    assert found is not None
    assert (found.state, found.leader, found.execution) == (State.RUNNING, "l2", None)
    assert finish(flights, heir)
    assert not finish(flights, late)


def test_a_failure_is_not_served_to_a_new_question(flights: Flights) -> None:
    assert flights.fail(lead(flights, "l1", "a1"), "cast-failed")
    again = lead(flights, "l2", "a2")
    assert (again.leader, again.attempt) == ("l2", 2)
    failed = flights.get(KEY, 1)
    assert failed is not None
    assert (failed.state, failed.error_code) == (State.FAILED, "cast-failed")


def test_of_two_who_see_a_failure_one_leads_the_next_attempt(flights: Flights) -> None:
    flights.fail(lead(flights, "l1", "a1"), "cast-failed")
    assert lead(flights, "l2", "a2").leader == lead(flights, "l3", "a3").leader == "l2"


def test_refresh_begins_anew_and_the_old_answer_stays_for_its_pages(flights: Flights) -> None:
    finish(flights, lead(flights, "l1", "a1"))
    anew = lead(flights, "l2", "a2", anew=1)
    assert (anew.leader, anew.attempt, anew.state) == ("l2", 2, State.RUNNING)
    old, current = flights.get(KEY, 1), flights.get(KEY)
    assert old is not None and current is not None
    assert (old.state, old.receipt) == (State.SUCCEEDED, RECEIPT)
    assert current.attempt == 2


def test_refresh_of_an_attempt_that_has_a_successor_uses_the_successor(flights: Flights) -> None:
    finish(flights, lead(flights, "l1", "a1"))
    finish(flights, lead(flights, "l2", "a2", anew=1))
    assert lead(flights, "l3", "a3", anew=1).attempt == 2


def test_an_expired_answer_counts_as_absent_while_it_is_still_there(flights: Flights, clock: SetClock) -> None:
    finish(flights, lead(flights, "l1", "a1"), days=1)
    clock.move(seconds=86_401)
    assert flights.get(KEY) is None
    assert flights.get(KEY, 1) is None
    assert flights.standing([KEY]) == ()
    assert lead(flights, "l2", "a2").leader == "l2"


def test_an_answer_whose_result_is_lost_counts_as_absent_and_begins_anew(flights: Flights) -> None:
    first = lead(flights, "a", "x")
    flights.lose(KEY, first.attempt)
    assert flights.get(KEY) is not None, "what is under way cannot be lost"
    assert finish(flights, first)
    assert flights.get(KEY) is not None
    flights.lose(KEY, first.attempt)
    assert flights.get(KEY) is None
    second = lead(flights, "b", "y")
    assert (second.attempt, second.leader) == (2, "b")
    flights.lose(KEY, first.attempt)
    flights.lose("f" * 64, 1)
    assert finish(flights, second)
    assert flights.get(KEY) is not None


def test_the_engine_may_stop_only_when_nobody_waits(flights: Flights) -> None:
    flight = lead(flights, "l1", "a1")
    lead(flights, "l2", "a2")
    assert flights.leave(KEY, 1, "a1") == 1
    assert flights.leave(KEY, 1, "a1") == 1
    assert flights.has_left(KEY, 1, "a1")
    assert not flights.has_left(KEY, 1, "a2")
    assert flights.beat(flight, lease_seconds=10)
    assert not flights.fail(flight, "cancelled", state=State.CANCELLED)
    assert flights.leave(KEY, 1, "a2") == 0
    assert not flights.beat(flight, lease_seconds=10)
    assert flights.fail(flight, "cancelled", state=State.CANCELLED)
    found = flights.get(KEY)
    assert found is not None
    assert found.state is State.CANCELLED
    assert lead(flights, "l3", "a3").attempt == 2


def test_who_joins_a_flight_that_all_have_left_keeps_it_in_the_air(flights: Flights) -> None:
    flight = lead(flights, "l1", "a1")
    flights.leave(KEY, 1, "a1")
    assert lead(flights, "l2", "a2").leader == "l1"
    assert not flights.fail(flight, "cancelled", state=State.CANCELLED)
    assert flights.beat(flight, lease_seconds=10)


def test_standing_tells_of_many_without_their_pages(flights: Flights) -> None:
    other = "cd" * 32
    finish(flights, lead(flights, "l1", "a1"))
    lead(flights, "l2", "a2", anew=1)
    lead(flights, "l3", "a3", key=other)
    found = {flight.fingerprint: flight for flight in flights.standing([KEY, other, "ef" * 32])}
    assert set(found) == {KEY, other}
    assert (found[KEY].attempt, found[KEY].state) == (2, State.RUNNING)
    assert all((flight.work, flight.receipt, flight.page) == (None, None, None) for flight in found.values())


def test_another_opener_sees_the_same_flights(open_store: Open, clock: SetClock) -> None:
    mine, theirs = open_store(clock), open_store(clock)
    flight = lead(mine, "l1", "a1")
    assert lead(theirs, "l2", "a2").leader == "l1"
    finish(mine, flight)
    found = theirs.get(KEY)
    assert found is not None
    assert found.page == PAGE
