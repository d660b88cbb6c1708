"""A new home is opened by any number of threads and processes at once: every file in it is made once, for all."""

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from athena.lake import Lake
from athena.sqlite import Database
from etl.intake import Intake
from lakegate.home import init_home

PROCESSES, THREADS = 3, 4
_SCHEMA = "CREATE TABLE IF NOT EXISTS opened (who TEXT PRIMARY KEY); CREATE INDEX IF NOT EXISTS late ON opened (who);"
_together: list[Barrier] = []


def begin_with(barrier: Barrier) -> None:
    """Let this process meet the others there."""
    _together.append(barrier)


@pytest.fixture(scope="module")
def openers() -> Iterator[ProcessPoolExecutor]:
    """Processes that begin each round together."""
    context = get_context("spawn")
    barrier = context.Barrier(PROCESSES, timeout=60)
    with ProcessPoolExecutor(PROCESSES, context, initializer=begin_with, initargs=(barrier,)) as pool:
        yield pool


def open_files(folder: Path, process: int) -> list[str]:
    """Open both files on several threads of this process, and write to them."""
    here = threading.Barrier(THREADS, timeout=60)

    def opened(thread: int) -> str:
        here.wait()
        for name in ("state.sqlite", "cache.sqlite"):
            database = Database(folder / name, _SCHEMA)
            with database.write() as connection:
                connection.execute("INSERT INTO opened VALUES (?)", (f"{process}-{thread}",))
            database.close()
        return f"{process}-{thread}"

    _together[0].wait()
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(opened, range(THREADS)))


def open_home(home: Path, process: int) -> tuple[bytes, int]:
    """Open whatever a home consists of; its secret, and the token of a lease that is given back."""
    _together[0].wait()
    with Lake.embedded(home) as lake:
        intake = Intake.embedded(lake)
        assert not intake.catalog.list_tables("lake") and lake.heads.get("t") is None and intake.ledger.datasets() == ()
        lease = lake.leases.acquire(f"l{process}", "me", seconds=60)
        assert lease is not None and lake.flights.get("f") is None
        lake.leases.release(lease)
        return lake.secret, lease.token


def rounds_of_files(openers: ProcessPoolExecutor, folder: Path, rounds: int) -> None:
    for number in range(rounds):
        made = folder / str(number)
        made.mkdir()
        found = [one for who in openers.map(open_files, [made] * PROCESSES, range(PROCESSES)) for one in who]
        with Database(made / "state.sqlite", _SCHEMA).read() as connection:
            kept = [row["who"] for row in connection.execute("SELECT who FROM opened")]
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert sorted(kept) == sorted(found) and len(found) == PROCESSES * THREADS


def rounds_of_homes(openers: ProcessPoolExecutor, folder: Path, rounds: int) -> None:
    for number in range(rounds):
        home = init_home(folder / str(number)).home
        found = list(openers.map(open_home, [home] * PROCESSES, range(PROCESSES)))
        assert len(set(found)) == 1 and found[0][1] == 1


def test_new_files_are_opened_by_many_at_once(openers: ProcessPoolExecutor, tmp_path: Path) -> None:
    rounds_of_files(openers, tmp_path, 10)


def test_a_new_home_is_opened_by_many_at_once(openers: ProcessPoolExecutor, tmp_path: Path) -> None:
    rounds_of_homes(openers, tmp_path, 8)


@pytest.mark.long
def test_many_new_files_are_opened_by_many_at_once(openers: ProcessPoolExecutor, tmp_path: Path) -> None:
    rounds_of_files(openers, tmp_path, 500)


@pytest.mark.long
def test_many_new_homes_are_opened_by_many_at_once(openers: ProcessPoolExecutor, tmp_path: Path) -> None:
    rounds_of_homes(openers, tmp_path, 200)
