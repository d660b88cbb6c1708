"""Flights in the home's `cache.sqlite`: one row per (fingerprint, attempt), with the first page as finished bytes."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from athena.engines import Job
from athena.errors import Damaged, Failed
from athena.flights import Flight
from athena.flights.step import expired, next_step
from athena.lake import Clock
from athena.memo import Memo
from athena.question import Page, Receipt, State
from athena.records import decode, encode, recall
from athena.sqlite import Database

# What nobody finishes or asks for again is forgotten after a day.
UNFINISHED_SECONDS = 86_400
_PURGED_AT_ONCE = 20
# What each process remembers of finished answers: most first pages have less than 100 KB.
REMEMBERED_BYTES = 32 * 1024 * 1024
_FLIGHT_BYTES = 4096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS flights (
    fingerprint TEXT NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL, leader TEXT NOT NULL,
    lease_expires_at INTEGER NOT NULL, execution TEXT, error_code TEXT, expires_at INTEGER NOT NULL,
    receipt BLOB, page_rows INTEGER, next_offset INTEGER, fragment BLOB, work BLOB,
    PRIMARY KEY (fingerprint, attempt));
CREATE INDEX IF NOT EXISTS flights_by_end ON flights (expires_at);
CREATE TABLE IF NOT EXISTS askers (
    fingerprint TEXT NOT NULL, attempt INTEGER NOT NULL, asker TEXT NOT NULL, waits INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, attempt, asker)) WITHOUT ROWID;
"""
_MARK = "attempt, state, leader, expires_at"
_LIGHT = "fingerprint, attempt, state, leader, lease_expires_at, execution, error_code, expires_at"
_WHOLE = f"{_LIGHT}, receipt, page_rows, next_offset, fragment, work"
_OWNED = "fingerprint = :fingerprint AND attempt = :attempt AND leader = :leader AND state = 'RUNNING'"
_WAITING = (
    "EXISTS (SELECT 1 FROM askers WHERE askers.fingerprint = :fingerprint AND askers.attempt = :attempt AND waits = 1)"
)
_KEY = "fingerprint = ? AND attempt = ?"


class SqliteFlights:
    """Every change is one conditional UPDATE or one immediate transaction, so that processes may share the file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._database = Database(path, _SCHEMA)
        self._clock = clock
        self._succeeded: Memo[Flight] = Memo(REMEMBERED_BYTES, _weight)

    def get(self, fingerprint: str, attempt: int | None = None) -> Flight | None:
        """The current record, or that of `attempt`; None when it is expired."""
        row = self._database.row(*_query(_MARK, fingerprint, attempt))
        if row is None:
            return None
        # What has succeeded changes no more, but for its end, and no two leaders have one name: what was read once
        # is right as long as these are the same.
        key = (fingerprint, *row)
        flight = self._succeeded.known(key)
        if flight is None:
            with self._database.read() as connection:
                flight = _find(connection, fingerprint, row["attempt"])
            if flight is not None and row["state"] == State.SUCCEEDED:
                self._succeeded.keep(key, flight)
        return None if flight is None or expired(flight, self._clock()) else flight

    def standing(self, fingerprints: Sequence[str]) -> tuple[Flight, ...]:
        """The current records, without work, receipt and page."""
        marks = ",".join("?" * len(fingerprints))
        query = f"SELECT {_LIGHT}, max(attempt) FROM flights WHERE fingerprint IN ({marks}) GROUP BY fingerprint"
        with self._database.read() as connection:
            rows = connection.execute(query, tuple(fingerprints)).fetchall()
        now = self._clock()
        return tuple(flight for flight in map(_light, rows) if not expired(flight, now))

    def lead(
        self, fingerprint: str, *, leader: str, lease_seconds: float, asker: str, work: bytes, anew: int | None = None
    ) -> Flight:
        """See the port."""
        with self._database.write() as connection:
            now = self._clock()
            lease_ends = now + timedelta(seconds=lease_seconds)
            current = _find(connection, fingerprint, None)
            step = next_step(current, now, anew=anew)
            if step == "begin" or current is None:
                attempt = 1 if current is None else current.attempt + 1
                current = Flight(fingerprint, attempt, State.RUNNING, leader, lease_ends, work=work)
                _purge(connection, now)
                _insert(connection, current, now)
            elif step == "take over":
                current = _handed_over(connection, current, leader, lease_ends)
            if step != "use":
                row = (fingerprint, current.attempt, asker)
                connection.execute("INSERT OR REPLACE INTO askers VALUES (?, ?, ?, 1)", row)
        return current

    def take_over(self, fingerprint: str, attempt: int, *, leader: str, lease_seconds: float) -> Flight | None:
        """See the port."""
        with self._database.write() as connection:
            now = self._clock()
            held = _find(connection, fingerprint, attempt)
            if held is None or next_step(held, now, anew=None) != "take over":
                return None
            return _handed_over(connection, held, leader, now + timedelta(seconds=lease_seconds))

    def beat(self, flight: Flight, *, lease_seconds: float) -> bool:
        """See the port."""
        now = self._clock()
        changes: dict[str, object] = {"lease_expires_at": _micros(now + timedelta(seconds=lease_seconds))}
        changes["expires_at"] = _micros(now + timedelta(seconds=UNFINISHED_SECONDS))
        return self._update(flight, changes, also=f"AND {_WAITING}" if lease_seconds else "")

    def note(self, flight: Flight, execution: str) -> None:
        """See the port."""
        self._update(flight, {"execution": execution})

    def finish(self, flight: Flight, receipt: Receipt, page: Page, *, expires_at: datetime) -> bool:
        """See the port."""
        changes: dict[str, object] = {
            "state": State.SUCCEEDED.value,
            "receipt": encode(receipt),
            "page_rows": page.row_count,
            "next_offset": page.next_offset,
            "fragment": page.fragment,
            "expires_at": _micros(expires_at),
            "work": None,
        }
        return self._update(flight, changes)

    def fail(self, flight: Flight, error_code: str, *, state: State = State.FAILED) -> bool:
        """See the port."""
        changes: dict[str, object] = {"state": state.value, "error_code": error_code, "work": None}
        return self._update(flight, changes, also=f"AND NOT {_WAITING}" if state is State.CANCELLED else "")

    def lose(self, fingerprint: str, attempt: int) -> None:
        """See the port."""
        with self._database.read() as connection:
            connection.execute(
                f"UPDATE flights SET expires_at = ? WHERE {_KEY} AND state = 'SUCCEEDED'",
                (_micros(self._clock()), fingerprint, attempt),
            )

    def leave(self, fingerprint: str, attempt: int, asker: str) -> int:
        """See the port."""
        key = (fingerprint, attempt)
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO askers VALUES (?, ?, ?, 0)", (*key, asker))
            left = connection.execute(f"SELECT count(*) FROM askers WHERE {_KEY} AND waits = 1", key).fetchone()[0]
        return int(left)

    def has_left(self, fingerprint: str, attempt: int, asker: str) -> bool:
        """Whether this asker cancelled."""
        query = f"SELECT 1 FROM askers WHERE {_KEY} AND asker = ? AND waits = 0"
        with self._database.read() as connection:
            return connection.execute(query, (fingerprint, attempt, asker)).fetchone() is not None

    def _update(self, flight: Flight, changes: dict[str, object], *, also: str = "") -> bool:
        assignments = ", ".join(f"{name} = :{name}" for name in changes)
        fence = {"fingerprint": flight.fingerprint, "attempt": flight.attempt, "leader": flight.leader}
        with self._database.read() as connection:
            done = connection.execute(f"UPDATE flights SET {assignments} WHERE {_OWNED} {also}", {**fence, **changes})
            return done.rowcount == 1


def pinned_snapshots(path: Path, clock: Clock) -> frozenset[str]:
    """The snapshots that running questions read, by the flights in the file at `path`; none while it cannot be used
    (then no question finds its flight there either)."""
    if not path.exists():
        return frozenset()
    query = "SELECT work FROM flights WHERE state = ? AND expires_at > ? AND work IS NOT NULL"
    try:
        with Database(path, _SCHEMA).read() as connection:
            works = connection.execute(query, (State.RUNNING.value, _micros(clock()))).fetchall()
    except (Failed, Damaged):
        return frozenset()
    jobs = [decode(Job, row["work"]) for row in works]
    return frozenset(head.snapshot_id for job in jobs for head in job.pins.values())


def _find(connection: sqlite3.Connection, fingerprint: str, attempt: int | None) -> Flight | None:
    row = connection.execute(*_query(_WHOLE, fingerprint, attempt)).fetchone()
    if row is None:
        return None
    fragment = row["fragment"]
    return replace(
        _light(row),
        work=row["work"],
        receipt=None if row["receipt"] is None else recall(Receipt, row["receipt"]),
        page=None if fragment is None else Page(fragment, row["page_rows"], row["next_offset"]),
    )


def _query(columns: str, fingerprint: str, attempt: int | None) -> tuple[str, tuple[str | int, ...]]:
    if attempt is None:
        return f"SELECT {columns} FROM flights WHERE fingerprint = ? ORDER BY attempt DESC LIMIT 1", (fingerprint,)
    return f"SELECT {columns} FROM flights WHERE {_KEY}", (fingerprint, attempt)


def _weight(flight: Flight) -> int:
    return _FLIGHT_BYTES + (0 if flight.page is None else len(flight.page.fragment))


def _light(row: sqlite3.Row) -> Flight:
    state = State(row["state"])
    return Flight(
        fingerprint=row["fingerprint"],
        attempt=row["attempt"],
        state=state,
        leader=row["leader"],
        lease_expires_at=_instant(row["lease_expires_at"]),
        execution=row["execution"],
        error_code=row["error_code"],
        expires_at=_instant(row["expires_at"]),
    )


def _insert(connection: sqlite3.Connection, flight: Flight, now: datetime) -> None:
    ends = _micros(now + timedelta(seconds=UNFINISHED_SECONDS))
    connection.execute(
        "INSERT INTO flights (fingerprint, attempt, state, leader, lease_expires_at, expires_at, work)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            flight.fingerprint,
            flight.attempt,
            flight.state.value,
            flight.leader,
            _micros(flight.lease_expires_at),
            ends,
            flight.work,
        ),
    )


def _handed_over(connection: sqlite3.Connection, held: Flight, leader: str, lease_ends: datetime) -> Flight:
    row = (leader, _micros(lease_ends), held.fingerprint, held.attempt)
    connection.execute(f"UPDATE flights SET leader = ?, lease_expires_at = ? WHERE {_KEY}", row)
    return replace(held, leader=leader, lease_expires_at=lease_ends)


def _purge(connection: sqlite3.Connection, now: datetime) -> None:
    over = connection.execute(
        "SELECT fingerprint, attempt FROM flights WHERE expires_at <= ? LIMIT ?", (_micros(now), _PURGED_AT_ONCE)
    ).fetchall()
    keys = [(row["fingerprint"], row["attempt"]) for row in over]
    connection.executemany(f"DELETE FROM flights WHERE {_KEY}", keys)
    connection.executemany(f"DELETE FROM askers WHERE {_KEY}", keys)


def _micros(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
