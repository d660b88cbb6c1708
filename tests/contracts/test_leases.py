"""What every store of leases promises."""

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from athena.leases import Lease, Leases
from athena.leases.dynamodb import DynamoLeases
from athena.leases.sqlite import SqliteLeases, _started, is_gone, is_here
from tests.clock import SetClock
from tests.cloud import Cloud


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "dynamodb"])
def leases(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Leases:
    if request.param == "sqlite":
        return SqliteLeases(tmp_path / "state.sqlite", clock)
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoLeases(cloud.table(), clock)


def held(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def test_one_holds_and_the_other_waits(leases: Leases, clock: SetClock) -> None:
    lease = held(leases.acquire("flights", "a", seconds=10))
    assert (lease.name, lease.holder) == ("flights", "a")
    assert lease.expires_at == clock.now + timedelta(seconds=10)
    assert leases.acquire("flights", "b", seconds=10) is None
    assert leases.current("flights") == lease


def test_a_holder_cannot_hold_twice(leases: Leases) -> None:
    leases.acquire("flights", "a", seconds=10)
    assert leases.acquire("flights", "a", seconds=10) is None


def test_names_are_apart(leases: Leases) -> None:
    assert leases.acquire("flights", "a", seconds=10)
    assert leases.acquire("weather", "b", seconds=10)


def test_after_the_end_the_next_holder_has_a_higher_token(leases: Leases, clock: SetClock) -> None:
    first = held(leases.acquire("flights", "a", seconds=10))
    clock.move(seconds=10)
    assert leases.current("flights") is None
    second = held(leases.acquire("flights", "b", seconds=10))
    assert second.token > first.token


def test_a_late_holder_can_neither_renew_nor_release_its_heirs_lease(leases: Leases, clock: SetClock) -> None:
    first = held(leases.acquire("flights", "a", seconds=10))
    clock.move(seconds=11)
    second = held(leases.acquire("flights", "b", seconds=10))
    assert leases.renew(first, seconds=10) is None
    leases.release(first)
    assert leases.current("flights") == second


def test_renewing_moves_the_end(leases: Leases, clock: SetClock) -> None:
    lease = held(leases.acquire("flights", "a", seconds=10))
    clock.move(seconds=8)
    renewed = held(leases.renew(lease, seconds=10))
    assert (renewed.token, renewed.expires_at) == (lease.token, clock.now + timedelta(seconds=10))
    clock.move(seconds=8)
    assert leases.acquire("flights", "b", seconds=10) is None


def test_a_lease_that_ended_without_an_heir_can_still_be_renewed(leases: Leases, clock: SetClock) -> None:
    lease = held(leases.acquire("flights", "a", seconds=10))
    clock.move(seconds=60)
    assert leases.renew(lease, seconds=10) is not None


def test_what_was_released_is_free_at_once_and_cannot_be_renewed(leases: Leases) -> None:
    lease = held(leases.acquire("flights", "a", seconds=10))
    leases.release(lease)
    assert leases.current("flights") is None
    assert leases.renew(lease, seconds=10) is None
    assert held(leases.acquire("flights", "b", seconds=10)).token > lease.token


def test_of_many_at_once_exactly_one_gets_it(leases: Leases) -> None:
    barrier = threading.Barrier(8)

    def attempt(number: int) -> Lease | None:
        barrier.wait()
        return leases.acquire("flights", f"holder-{number}", seconds=10)

    with ThreadPoolExecutor(8) as pool:
        won = [lease for lease in pool.map(attempt, range(8)) if lease is not None]
    assert len(won) == 1


def test_a_process_that_ended_is_gone_even_while_nobody_has_asked_for_its_end() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = f"process:{socket.gethostname()}:{child.pid}:{_started(child.pid)}:x"
    assert (is_here(holder), is_gone(holder)) == (True, False)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays in the list
    assert (is_here(holder), is_gone(holder)) == (False, True)
    child.communicate()
