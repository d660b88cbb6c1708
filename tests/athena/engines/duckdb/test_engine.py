"""The engine as a whole: children that die, hang or stay idle."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from athena.engines import Broken, Finished, Job, Progress, Running
from athena.engines.duckdb.engine import DuckDBEngine
from athena.engines.duckdb.pool import Pool, Ride
from athena.results.local import LocalResults
from athena.settings import Settings
from tests.clock import SetClock
from tests.lakes import eventually

ENDLESS = (
    "SELECT count(*) AS n FROM UNNEST(sequence(1, 10000)) AS a (i) CROSS JOIN UNNEST(sequence(1, 10000)) AS b (j)"
    " CROSS JOIN UNNEST(sequence(1, 10000)) AS c (k)"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    settings = Settings(home=tmp_path, engine_workers=1, engine_threads=1)
    made = DuckDBEngine(settings, LocalResults(settings.results, kept_seconds=1000), SetClock())
    yield made
    made.close()


def start(engine: DuckDBEngine, sql: str, *, timeout_seconds: float = 200) -> str:
    return engine.start(Job(sql, ("n",), {}, False, 10, secrets.token_hex(32), timeout_seconds))


def ran(engine: DuckDBEngine, sql: str, *, timeout_seconds: float = 200) -> Progress:
    return engine.wait(start(engine, sql, timeout_seconds=timeout_seconds), seconds=120)


def children() -> set[int]:
    """The processes that this one has started."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # threads end
            found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


def ended(pid: int) -> bool:
    try:
        # Its first thread may be gone before the others are, and before anybody can wait for it.
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return threads == 1 and ") Z" in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def kill(children: set[int]) -> None:
    """Ends them, and waits until they have ended."""
    for child in children:
        os.kill(child, signal.SIGKILL)
        eventually(partial(ended, child))


def test_no_child_runs_before_the_first_job(engine: DuckDBEngine) -> None:
    before = children()
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)
    assert len(children() - before) == 1


def test_a_killed_child_fails_its_query_and_is_replaced(engine: DuckDBEngine, tmp_path: Path) -> None:
    before = children()
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)
    execution = start(engine, ENDLESS)
    eventually(lambda: any((tmp_path / "results" / "staging").iterdir()))
    kill(children() - before)
    assert engine.wait(execution, seconds=120) == Broken("engine-lost")
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)


def test_an_idle_child_that_died_is_replaced_before_the_next_query(engine: DuckDBEngine) -> None:
    before = children()
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)
    kill(children() - before)
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)


def test_a_query_over_its_deadline_ends_and_the_next_one_runs(engine: DuckDBEngine) -> None:
    assert ran(engine, ENDLESS, timeout_seconds=1) == Broken("query-timeout")
    assert isinstance(ran(engine, "SELECT 1 AS n"), Finished)


def test_nothing_is_left_in_the_staging_folder(engine: DuckDBEngine, tmp_path: Path) -> None:
    ran(engine, "SELECT 1 AS n")
    ran(engine, "SELECT CAST('x' AS integer) AS n")
    ran(engine, ENDLESS, timeout_seconds=1)
    assert list((tmp_path / "results" / "staging").iterdir()) == []
    assert len(list((tmp_path / "results").glob("??/*.parquet"))) == 1


def test_closing_ends_everything(tmp_path: Path) -> None:
    before = children()
    settings = Settings(home=tmp_path, engine_workers=2, engine_threads=1)
    engine = DuckDBEngine(settings, LocalResults(settings.results, kept_seconds=1000), SetClock())
    executions = [start(engine, ENDLESS) for _ in range(4)]
    eventually(lambda: len(children() - before) == 2)
    engine.close()
    assert children() - before == set()
    assert all(isinstance(engine.wait(execution, seconds=1), Broken) for execution in executions)


def test_a_result_folder_that_cannot_be_written_fails_the_query(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where a folder should be")
    settings = Settings(home=tmp_path, engine_workers=1)
    engine = DuckDBEngine(settings, LocalResults(settings.results, kept_seconds=1000), SetClock())
    assert ran(engine, "SELECT 1 AS n") == Broken("results-unavailable")
    engine.close()


def test_one_partners_endless_queries_do_not_keep_others_waiting(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine_workers=2, engine_threads=1)
    made = DuckDBEngine(settings, LocalResults(settings.results, kept_seconds=1000), SetClock())

    def begun(sql: str, partner: str | None) -> str:
        return made.start(Job(sql, ("n",), {}, False, 10, secrets.token_hex(32), 60, partner=partner))

    try:
        endless = [begun(ENDLESS, "united") for _ in range(5)]
        assert isinstance(made.wait(begun("SELECT 1 AS n", "delta"), seconds=120), Finished)
        assert isinstance(made.wait(begun("SELECT 2 AS n", None), seconds=120), Finished)
        assert [isinstance(made.wait(one, seconds=0), Running) for one in endless] == [True] * 5
    finally:
        made.close()


def test_a_free_child_goes_to_whoever_has_least_running_then_to_the_oldest() -> None:
    pool = Pool(lambda: pytest.fail("no child is needed"), slots=3)
    rides = {
        name: Ride(lambda: pytest.fail(""), lambda _, __: None, 1.0, partner=name[0]) for name in ("a1", "a2", "b1")
    }
    pool._riding.append(rides["a1"])
    pool._waiting.extend([rides["a2"], rides["b1"]])
    assert pool._turn() is rides["b1"]
    pool._waiting.remove(rides["b1"])
    assert pool._turn() is rides["a2"]
    pool._riding.append(rides["a2"])
    assert pool._turn() is None
