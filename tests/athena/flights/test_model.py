"""DynamoDB over a line that breaks does what a dictionary in memory does, whatever happens in whatever order."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dynamodb import Table
from athena.flights import Flight, Flights
from athena.flights.dynamodb import DynamoFlights
from athena.flights.memory import MemoryFlights
from athena.question import State
from athena.s3 import Bucket
from tests.clock import SetClock
from tests.cloud import AT_ONCE, Cloud, Fault, Faults, answer_lost, no_fault, request_lost, server_error, throttled
from tests.contracts.test_flights import AT, PAGE, RECEIPT

ACTIONS = ("lead", "refresh", "take over", "beat", "give up", "note", "finish", "fail", "cancel", "leave", "get")


@dataclass(frozen=True)
class Step:
    """Somebody does something after a while, and something happens to the writes."""

    action: str
    who: int
    seconds: float
    faults: tuple[Fault, ...]


STEPS = st.builds(
    Step,
    action=st.sampled_from(ACTIONS),
    who=st.integers(min_value=0, max_value=2),
    seconds=st.sampled_from([0.0, 1.0, 6.0, 11.0, 30.0]),
    faults=st.lists(st.sampled_from([no_fault, throttled, server_error, request_lost, answer_lost]), max_size=3).map(
        tuple
    ),
)


class Two:
    """The same done to both stores by leaders and askers who know what they were last told."""

    def __init__(self, flights: DynamoFlights, faults: Faults, clock: SetClock) -> None:
        self.clock = clock
        self.faults = faults
        self.stores: tuple[Flights, Flights] = (flights, MemoryFlights(clock))
        self.known: dict[int, tuple[Flight, Flight]] = {}
        self.key = secrets.token_hex(32)
        self.leaders = 0

    def do(self, step: Step) -> None:
        self.clock.move(seconds=step.seconds)
        self.faults.instead(*step.faults)
        if step.action in ("lead", "refresh"):
            self._lead(step)
        elif step.action == "take over":
            self._take_over(step)
        elif step.action == "get":
            first, second = (store.get(self.key) for store in self.stores)
            assert _told(first) == _told(second)
        elif step.who in self.known:
            self._own(step)

    def _lead(self, step: Step) -> None:
        now = self.stores[1].get(self.key)
        anew = now.attempt if step.action == "refresh" and now is not None else None
        self.leaders += 1
        found = [
            store.lead(
                self.key, leader=f"l{self.leaders}", lease_seconds=10, asker=f"a{step.who}", work=b"w", anew=anew
            )
            for store in self.stores
        ]
        self._agreed(step.who, found[0], found[1])

    def _take_over(self, step: Step) -> None:
        now = self.stores[1].get(self.key)
        if now is None:
            return
        self.leaders += 1
        first, second = (
            store.take_over(self.key, now.attempt, leader=f"l{self.leaders}", lease_seconds=10) for store in self.stores
        )
        assert _told(first) == _told(second)
        if first is not None and second is not None:
            self._agreed(step.who, first, second)

    def _agreed(self, who: int, first: Flight, second: Flight) -> None:
        assert _told(first) == _told(second)
        self.known[who] = (first, second)

    def _own(self, step: Step) -> None:
        first, second = (
            _done(store, step, flight, self.clock())
            for store, flight in zip(self.stores, self.known[step.who], strict=True)
        )
        assert first == second


def _done(store: Flights, step: Step, flight: Flight, now: datetime) -> object:
    if step.action == "beat":
        return store.beat(flight, lease_seconds=10)
    if step.action == "give up":
        return store.beat(flight, lease_seconds=0)
    if step.action == "note":
        store.note(flight, f"e{step.who}")
        return None
    if step.action == "finish":
        return store.finish(flight, RECEIPT, PAGE, expires_at=now + timedelta(seconds=20))
    if step.action in ("fail", "cancel"):
        state = State.CANCELLED if step.action == "cancel" else State.FAILED
        return store.fail(flight, "query-failed", state=state)
    standing = store.get(flight.fingerprint, flight.attempt)
    if standing is None or standing.state is not State.RUNNING:
        return None  # nobody leaves what is over
    asker = f"a{step.who}"
    left = store.leave(flight.fingerprint, flight.attempt, asker)
    return left, store.has_left(flight.fingerprint, flight.attempt, asker)


def _told(flight: Flight | None) -> Flight | None:
    # What is over needs its work no more, and what is not finished expires when the store likes.
    return None if flight is None else replace(flight, work=None, expires_at=None)


@pytest.fixture(scope="module")
def line(cloud: Cloud) -> tuple[Table, Bucket, Faults]:
    client = cloud.client("dynamodb")
    table = Table(client, cloud.table().name, AT_ONCE)
    return table, cloud.bucket(), Faults.on(client, "UpdateItem")


def check(line: tuple[Table, Bucket, Faults], steps: list[Step]) -> None:
    table, bucket, faults = line
    clock = SetClock(AT)
    two = Two(DynamoFlights(table, bucket, clock), faults, clock)
    for step in steps:
        two.do(step)


@given(steps=st.lists(STEPS, max_size=12))
@settings(max_examples=60)
def test_a_broken_line_changes_nothing(line: tuple[Table, Bucket, Faults], steps: list[Step]) -> None:
    check(line, steps)


@pytest.mark.long
@given(steps=st.lists(STEPS, max_size=25))
@settings(max_examples=200)
def test_a_broken_line_changes_nothing_at_length(line: tuple[Table, Bucket, Faults], steps: list[Step]) -> None:
    check(line, steps)
