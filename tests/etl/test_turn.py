"""Writers of one table take turns; a turn that was lost is noticed, and nobody waits for ever."""

from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import Busy, Failed
from athena.leases.sqlite import SqliteLeases
from etl.intake import Intake
from etl.turn import WAIT_SECONDS, turn_at
from tests.clock import SetClock
from tests.home import intake_at


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def intake(tmp_path: Path, clock: SetClock) -> Intake:
    made = intake_at(tmp_path / "home", clock=clock, sleep=lambda seconds: clock.move(seconds=seconds))
    return replace(made, leases=SqliteLeases(made.settings.state, clock))


def test_a_turn_is_held_for_the_block_and_given_back(intake: Intake) -> None:
    with turn_at(intake, "t") as held:
        assert intake.leases.current("t") == held.lease
        assert intake.leases.current("u") is None
    assert intake.leases.current("t") is None


def test_a_turn_is_given_back_when_the_block_fails(intake: Intake) -> None:
    with pytest.raises(ZeroDivisionError), turn_at(intake, "t"):
        _ = 1 / 0
    assert intake.leases.current("t") is None


def test_who_comes_second_waits_until_the_lease_ends(intake: Intake, clock: SetClock) -> None:
    began = clock.now
    intake.leases.acquire("t", "somebody on another machine", seconds=7)
    with turn_at(intake, "t"):
        assert 7 <= (clock.now - began).total_seconds() < 9


def test_two_turns_of_one_process_exclude_each_other(intake: Intake, clock: SetClock) -> None:
    with turn_at(intake, "t") as first:
        clock.move(seconds=1)
        assert intake.leases.acquire("t", intake.holder, seconds=1) is None
        first.check()


def test_nobody_waits_for_ever(intake: Intake, clock: SetClock) -> None:
    intake.leases.acquire("t", "somebody on another machine", seconds=2 * WAIT_SECONDS)
    with pytest.raises(Busy, match="written by somebody else") as busy, turn_at(intake, "t"):
        pass
    assert (busy.value.code, busy.value.retry_after_seconds) == ("table-busy", 60)


def test_keeping_renews_in_time_and_not_more_often(intake: Intake, clock: SetClock) -> None:
    seconds = intake.settings.table_lease_seconds
    with turn_at(intake, "t") as held:
        first = held.lease
        held.keep()
        assert held.lease == first
        for _ in range(10):
            clock.move(seconds=0.4 * seconds)
            held.keep()
            assert held.lease.expires_at > clock.now
        assert held.lease.token == first.token


def test_a_turn_that_was_lost_is_noticed(intake: Intake, clock: SetClock) -> None:
    with turn_at(intake, "t") as held:
        clock.move(seconds=2 * intake.settings.table_lease_seconds)
        heir = intake.leases.acquire("t", "heir", seconds=60)
        for step in (held.keep, held.check):
            with pytest.raises(Failed, match="was lost to another writer") as lost:
                step()
            assert lost.value.code == "lease-lost"
    assert intake.leases.current("t") == heir
