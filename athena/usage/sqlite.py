"""Usage in the home's `state.sqlite`, so that neither a restart nor an emptied cache forgets it."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from athena.lake import Clock
from athena.sqlite import Database
from athena.usage import Quota, Taken, Window

_SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    partner TEXT NOT NULL, window TEXT NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (partner, window, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slots (
    partner TEXT NOT NULL, holder TEXT NOT NULL, ends_at INTEGER NOT NULL,
    PRIMARY KEY (partner, holder)) WITHOUT ROWID;
"""


class SqliteUsage:
    """Every change is one immediate transaction."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._database = Database(path, _SCHEMA)
        self._clock = clock

    def take(self, quota: Quota, *, wanted: int, least: int) -> Taken:
        """See the port."""
        with self._database.write() as connection:
            used = self._used(connection, quota)
            given = min(wanted, quota.most - used)
            if given < max(least, 1):
                return Taken(0, used)
            self._count(connection, quota.partner, quota.window, {quota.name: given})
        return Taken(given, used + given)

    def add(self, partner: str, window: Window, counts: Mapping[str, int]) -> None:
        """See the port."""
        with self._database.write() as connection:
            self._count(connection, partner, window, counts)

    def counts(self, partner: str, window: Window) -> dict[str, int]:
        """See the port."""
        query = "SELECT name, amount FROM usage WHERE partner = ? AND window = ?"
        with self._database.read() as connection:
            return dict(connection.execute(query, (partner, window.name)).fetchall())

    def enter(self, partner: str, holder: str, *, most: int, seconds: float) -> bool:
        """See the port."""
        with self._database.write() as connection:
            now = self._clock()
            connection.execute("DELETE FROM slots WHERE partner = ? AND ends_at <= ?", (partner, _micros(now)))
            held = connection.execute("SELECT count(*) FROM slots WHERE partner = ?", (partner,)).fetchone()[0]
            if held >= most:
                return False
            _hold(connection, partner, holder, now + timedelta(seconds=seconds))
        return True

    def stay(self, partner: str, holder: str, *, seconds: float) -> None:
        """See the port."""
        with self._database.read() as connection:
            _hold(connection, partner, holder, self._clock() + timedelta(seconds=seconds))

    def leave(self, partner: str, holder: str) -> None:
        """See the port."""
        with self._database.read() as connection:
            connection.execute("DELETE FROM slots WHERE partner = ? AND holder = ?", (partner, holder))

    def _used(self, connection: sqlite3.Connection, quota: Quota) -> int:
        query = "SELECT amount FROM usage WHERE partner = ? AND window = ? AND name = ?"
        row = connection.execute(query, (quota.partner, quota.window.name, quota.name)).fetchone()
        return 0 if row is None else int(row[0])

    def _count(self, connection: sqlite3.Connection, partner: str, window: Window, counts: Mapping[str, int]) -> None:
        known = "SELECT 1 FROM usage WHERE partner = ? AND window = ?"
        if connection.execute(known, (partner, window.name)).fetchone() is None:
            over = (partner, _micros(self._clock()))
            connection.execute("DELETE FROM usage WHERE partner = ? AND kept_until <= ?", over)
        connection.executemany(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (partner, window, name) DO UPDATE SET amount = amount + excluded.amount",
            [(partner, window.name, name, amount, _micros(window.kept_until)) for name, amount in counts.items()],
        )


def _hold(connection: sqlite3.Connection, partner: str, holder: str, ends_at: datetime) -> None:
    connection.execute("INSERT OR REPLACE INTO slots VALUES (?, ?, ?)", (partner, holder, _micros(ends_at)))


def _micros(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)
