"""What every store of usage promises."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from athena.usage import Quota, Usage
from athena.usage.dynamodb import DynamoUsage
from athena.usage.sqlite import SqliteUsage
from athena.usage.windows import day_of, minute_of
from tests.clock import SetClock
from tests.cloud import Cloud


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "dynamodb"])
def usage(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Usage:
    if request.param == "sqlite":
        return SqliteUsage(tmp_path / "state.sqlite", clock)
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoUsage(cloud.table(), clock)


def quota(clock: SetClock, *, most: int, partner: str = "united") -> Quota:
    return Quota(partner, minute_of(clock.now), "questions", most)


def test_takes_up_to_the_quota_and_no_further(usage: Usage, clock: SetClock) -> None:
    whole = quota(clock, most=10)
    assert [usage.take(whole, wanted=4, least=1).given for _ in range(4)] == [4, 4, 2, 0]
    assert usage.take(whole, wanted=4, least=1).used == 10


def test_takes_all_or_nothing_when_all_is_the_least(usage: Usage, clock: SetClock) -> None:
    whole = quota(clock, most=10)
    assert usage.take(whole, wanted=7, least=7).given == 7
    assert usage.take(whole, wanted=7, least=7).given == 0
    assert usage.take(whole, wanted=3, least=3).given == 3


def test_partners_and_windows_are_apart(usage: Usage, clock: SetClock) -> None:
    assert usage.take(quota(clock, most=1), wanted=1, least=1).given == 1
    assert usage.take(quota(clock, most=1, partner="delta"), wanted=1, least=1).given == 1
    clock.move(seconds=60)
    assert usage.take(quota(clock, most=1), wanted=1, least=1).given == 1


def test_a_lowered_quota_gives_nothing(usage: Usage, clock: SetClock) -> None:
    usage.take(quota(clock, most=10), wanted=8, least=1)
    assert usage.take(quota(clock, most=5), wanted=1, least=1).given == 0


def test_many_at_once_take_the_quota_exactly(usage: Usage, clock: SetClock) -> None:
    whole = quota(clock, most=25)
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: usage.take(whole, wanted=3, least=1).given, range(12)))
    assert sum(given) == 25


def test_counts_add_up_and_can_be_given_back(usage: Usage, clock: SetClock) -> None:
    day = day_of(clock.now)
    usage.add("united", day, {"hit": 2, "miss": 1})
    usage.add("united", day, {"hit": 3, "bytes_scanned": 10})
    usage.add("united", day, {"bytes_scanned": -4})
    usage.add("united", day, {})
    assert usage.counts("united", day) == {"hit": 5, "miss": 1, "bytes_scanned": 6}
    assert usage.counts("delta", day) == {}


def test_slots_are_as_many_as_they_are(usage: Usage) -> None:
    entered = [usage.enter("united", holder, most=2, seconds=10) for holder in ("a/1", "b/2", "c/3")]
    assert entered == [True, True, False]
    assert usage.enter("delta", "d/4", most=1, seconds=10)
    usage.leave("united", "a/1")
    usage.leave("united", "nobody")
    assert usage.enter("united", "c/3", most=2, seconds=10)
    assert not usage.enter("united", "a/1", most=2, seconds=10)


def test_no_slot_at_all(usage: Usage) -> None:
    assert not usage.enter("united", "a", most=0, seconds=10)


def test_a_slot_ends_by_itself_unless_its_holder_stays(usage: Usage, clock: SetClock) -> None:
    usage.enter("united", "dead", most=2, seconds=10)
    usage.enter("united", "alive", most=2, seconds=10)
    clock.move(seconds=9)
    usage.stay("united", "alive", seconds=10)
    clock.move(seconds=1)
    assert usage.enter("united", "next", most=2, seconds=10)
    assert not usage.enter("united", "one more", most=2, seconds=10)


def test_who_takes_a_run_over_holds_a_slot_beyond_all_bounds(usage: Usage) -> None:
    usage.enter("united", "a", most=1, seconds=10)
    usage.stay("united", "heir", seconds=10)
    usage.leave("united", "a")
    assert not usage.enter("united", "b", most=1, seconds=10)


def test_many_at_once_hold_the_slots_exactly(usage: Usage) -> None:
    with ThreadPoolExecutor(6) as threads:
        entered = list(threads.map(lambda at: usage.enter("united", f"h{at}", most=3, seconds=10), range(10)))
    assert sum(entered) == 3
