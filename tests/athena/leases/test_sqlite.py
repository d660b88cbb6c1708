"""Leases of processes that are gone are free at once, on the machine where that can be told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from athena.leases.sqlite import SqliteLeases, is_gone, process_holder
from tests.clock import SetClock

SAY_HOLDER = "from athena.leases.sqlite import process_holder; print(process_holder())"


def holder_of_the_dead() -> str:
    """The name under which a process held leases that has ended since."""
    done = subprocess.run([sys.executable, "-c", SAY_HOLDER], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_lease_of_a_dead_process_is_free_at_once(tmp_path: Path) -> None:
    leases = SqliteLeases(tmp_path / "state.sqlite", SetClock())
    dead = f"{holder_of_the_dead()}:turn-1"
    first = leases.acquire("flights", dead, seconds=60)
    assert first is not None
    assert leases.current("flights") is None
    second = leases.acquire("flights", process_holder(), seconds=60)
    assert second is not None
    assert second.token > first.token
    assert leases.renew(first, seconds=60) is None


def test_the_lease_of_a_living_process_is_kept(tmp_path: Path) -> None:
    leases = SqliteLeases(tmp_path / "state.sqlite", SetClock())
    mine = leases.acquire("flights", process_holder(), seconds=60)
    assert leases.acquire("flights", process_holder(), seconds=60) is None
    assert leases.current("flights") == mine


def test_a_later_process_of_the_same_number_is_another_one() -> None:
    mark, host, pid, started, rest = process_holder().split(":")
    assert is_gone(f"{mark}:{host}:{pid}:{int(started) - 1}:{rest}")
    assert not is_gone(f"{mark}:{host}:{pid}::{rest}")


@pytest.mark.parametrize("holder", ["", "somebody", "process:elsewhere:1:2:3", "process:x"])
def test_what_cannot_be_told_is_not_gone(holder: str) -> None:
    assert not is_gone(holder)


def test_a_process_of_another_host_is_not_gone() -> None:
    assert not is_gone(f"process:elsewhere:{os.getpid()}")
