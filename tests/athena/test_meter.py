import logging
from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import LimitExceeded
from athena.grants import Grant, Limits
from athena.meter import SLICES, Meter
from athena.usage import Quota, Taken
from athena.usage.sqlite import SqliteUsage
from athena.usage.windows import day_of, minute_of
from tests.clock import SetClock


def grant(partner: str = "united", **limits: int) -> Grant:
    return Grant(partner, "", {}, replace(Limits(), **limits), "")


class CountingUsage(SqliteUsage):
    """The real store, and how often a rate was taken from it."""

    taken = 0

    def take(self, quota: Quota, *, wanted: int, least: int) -> Taken:
        self.taken += 1
        return super().take(quota, wanted=wanted, least=least)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def usage(tmp_path: Path, clock: SetClock) -> CountingUsage:
    return CountingUsage(tmp_path / "state.sqlite", clock)


def admitted(meter: Meter, given: Grant, *, times: int) -> int:
    """How many of so many questions are."""
    count = 0
    for _ in range(times):
        try:
            meter.admit(given)
        except LimitExceeded:
            continue
        count += 1
    return count


def test_no_limit_costs_no_look_up(usage: CountingUsage, clock: SetClock) -> None:
    assert Meter(usage, clock).admit(grant()).most is None
    assert usage.taken == 0


def test_the_rate_is_kept_to_the_question_and_mostly_in_this_process(usage: CountingUsage, clock: SetClock) -> None:
    meter = Meter(usage, clock)
    assert admitted(meter, grant(queries_per_minute=160), times=200) == 160
    assert usage.taken < 160 / 2


def test_processes_never_exceed_the_rate_together(usage: CountingUsage, clock: SetClock) -> None:
    meters = [Meter(usage, clock) for _ in range(3)]
    counts = [admitted(meter, grant(queries_per_minute=64), times=1) for meter in meters for _ in range(40)]
    assert 64 - 2 * 64 // SLICES <= sum(counts) <= 64


def test_used_up_slices_of_all_add_up_to_the_rate(usage: CountingUsage, clock: SetClock) -> None:
    meters = [Meter(usage, clock) for _ in range(3)]
    assert sum(admitted(meters[at % 3], grant(queries_per_minute=64), times=1) for at in range(200)) == 64


def test_a_new_minute_is_a_new_quota(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(queries_per_minute=2)
    assert admitted(meter, given, times=5) == 2
    clock.move(seconds=60)
    assert admitted(meter, given, times=5) == 2


def test_what_is_left_counts_down_and_says_when_it_is_renewed(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(queries_per_minute=3)
    clock.move(seconds=17.5)
    assert [meter.admit(given).left for _ in range(3)] == [2, 1, 0]
    with pytest.raises(LimitExceeded) as caught:
        meter.admit(given)
    assert (caught.value.code, caught.value.retry_after_seconds, caught.value.most_a_minute) == ("rate-limit", 43, 3)
    assert "3 questions a minute" in caught.value.message and "Retry-After" in caught.value.remedy


def test_a_refusal_costs_the_store_nothing(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(queries_per_minute=1)
    admitted(meter, given, times=2)
    before = usage.taken
    assert admitted(meter, given, times=50) == 0
    assert usage.taken == before


def test_an_edited_limit_holds_from_the_next_question_on(usage: CountingUsage, clock: SetClock) -> None:
    meter = Meter(usage, clock)
    assert admitted(meter, grant(queries_per_minute=100), times=10) == 10
    assert admitted(meter, grant(queries_per_minute=5), times=10) == 0
    assert admitted(meter, grant(queries_per_minute=0), times=1) == 0


def test_spare_asks_no_store(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(queries_per_minute=64)
    assert meter.spare(given) is None
    meter.admit(given)
    assert [meter.spare(given) is not None for _ in range(5)] == [True, True, True, False, False]
    assert usage.taken == 1


def test_bytes_of_the_day_are_taken_whole_or_not(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(bytes_scanned_per_day=25_000_000)
    assert meter.reserve(given, 1) == 10_000_000
    assert meter.reserve(given, 0) == 0
    with pytest.raises(LimitExceeded) as caught:
        meter.reserve(given, 10_000_001)
    assert caught.value.code == "daily-bytes"
    assert caught.value.retry_after_seconds == 12 * 3600
    assert meter.reserve(given, 10_000_000) == 10_000_000


def test_bytes_that_nobody_knows_before_are_settled_after(usage: CountingUsage, clock: SetClock) -> None:
    meter, given = Meter(usage, clock), grant(bytes_scanned_per_day=10)
    assert meter.reserve(given, None) == 0
    meter.count("united", "bytes_scanned", 10)
    meter.flush()
    with pytest.raises(LimitExceeded, match="one day"):
        meter.reserve(given, None)


def test_what_cannot_be_written_is_counted_with_the_next_flush(
    tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    usage = SqliteUsage(tmp_path / "not yet" / "state.sqlite", clock)
    meter = Meter(usage, clock)
    meter.count("united", "hit", 2)
    with caplog.at_level(logging.WARNING):
        meter.flush()
    assert "state-unavailable" in caplog.text
    (tmp_path / "not yet").mkdir()
    meter.count("united", "hit")
    meter.flush()
    meter.flush()
    assert usage.counts("united", day_of(clock.now)) == {"hit": 3}


def test_while_the_store_is_away_questions_are_answered(tmp_path: Path, clock: SetClock) -> None:
    meter = Meter(SqliteUsage(tmp_path / "nowhere" / "state.sqlite", clock), clock)
    given = grant(queries_per_minute=1, concurrent_queries=1, bytes_scanned_per_day=1)
    assert admitted(meter, given, times=3) == 3
    meter.enter(given, "a", seconds=10)
    assert meter.reserve(given, 10**12) == 0


def test_old_minutes_are_forgotten(usage: CountingUsage, clock: SetClock) -> None:
    meter, first = Meter(usage, clock), minute_of(clock.now)
    meter.admit(grant(queries_per_minute=5))
    assert usage.counts("united", first)
    clock.move(seconds=600)
    meter.admit(grant(queries_per_minute=5))
    assert not usage.counts("united", first)
