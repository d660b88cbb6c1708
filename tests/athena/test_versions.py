"""A home's files carry their version: older ones are brought up whole, newer ones are not touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from athena.errors import Refused
from athena.sqlite import Database
from athena.versions import FORMS, Form, as_it_is, bring_up
from etl.doctor import examine
from etl.ingest import reconcile, retract
from etl.maintain import maintain
from tests.home import drop, intake_at, reports_of, values_of

FIRST_STATE = Path(__file__).parents[1] / "cases/homes/first-state.sql"


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def as_the_first_version_had_it(state: Path) -> None:
    """Let the file be as the first version of Lakegate made it: its tables, its columns, no version."""
    with closing(sqlite3.connect(state.with_name("old.sqlite"))) as old:
        old.executescript(FIRST_STATE.read_text())
        old.execute("ATTACH ? AS now", (str(state),))
        for (table,) in old.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if (
                table.startswith("sqlite_")
                or not old.execute("SELECT 1 FROM now.sqlite_master WHERE name = ?", (table,)).fetchone()
            ):
                continue
            names = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
            old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM now.{table}")
        old.commit()
        old.execute("DETACH now")
    for companion in ("-wal", "-shm"):
        state.with_name(state.name + companion).unlink(missing_ok=True)
    state.with_name("old.sqlite").replace(state)


def test_a_home_of_the_first_version_goes_on(tmp_path: Path) -> None:
    intake = intake_at(tmp_path / "home")
    for number in range(3):
        drop(intake, f"t/f{number}.csv", f"n\n{number}\n")
    reports_of(reconcile(intake))
    as_the_first_version_had_it(intake.settings.state)
    assert version(intake.settings.state) == 0
    again = intake_at(tmp_path / "home")
    assert reports_of(reconcile(again)) == ()
    drop(again, "t/late.csv", "n\n9\n")
    reports_of(reconcile(again))
    retract(again, "t/f1.csv")
    maintain(again)
    assert values_of(again, "t", "n") == [0, 2, 9]
    assert [one for one in examine(again.settings.home) if one.level == "error"] == []
    assert version(intake.settings.state) == FORMS["state.sqlite"].version


@pytest.mark.parametrize("name", ["state.sqlite", "cache.sqlite"])
def test_a_file_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(Refused, match="has version 99") as refusal, Database(path, "CREATE TABLE t (n);").read():
        pass
    assert refusal.value.code == "home-version"
    assert path.read_bytes() == before


def test_steps_are_made_once_and_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    made: list[str] = []
    forms = {path.name: Form((as_it_is, lambda _: made.append("second"), lambda _: made.append("third")))}
    for _ in range(2):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA user_version = 1") if not made else None
            bring_up(connection, path, forms)
    assert (made, version(path)) == (["second", "third"], 3)


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (n)")
        raise OSError("the disk is full")

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(OSError, match="the disk is full"):
            bring_up(connection, path, {path.name: Form((as_it_is, fail))})
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert version(path) == 0
