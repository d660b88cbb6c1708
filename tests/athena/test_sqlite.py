"""Opening a file that somebody else has in hand waits for them, and not for ever."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from athena.errors import Failed
from athena.sqlite import BUSY_TIMEOUT_SECONDS, Database


def test_the_switch_to_the_log_waits_for_whoever_writes(tmp_path: Path) -> None:
    path, pauses = tmp_path / "some.sqlite", list[float]()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                writer.execute("ROLLBACK")

        database = Database(path, "CREATE TABLE IF NOT EXISTS u (n);", sleep=sleep)
        with closing(database), database.read() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert len(pauses) == 3


def test_a_file_that_stays_locked_is_told_as_such_in_the_end(tmp_path: Path) -> None:
    path, now = tmp_path / "some.sqlite", [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        database = Database(path, "CREATE TABLE IF NOT EXISTS u (n);", sleep=sleep, timer=lambda: now[0])
        with pytest.raises(Failed, match=r"some\.sqlite could not be used: database is locked") as failed:
            database.row("SELECT 1", ())
    assert failed.value.code == "state-unavailable" and "no other program locks it" in failed.value.remedy
    assert now[0] == pytest.approx(BUSY_TIMEOUT_SECONDS, abs=0.1)
