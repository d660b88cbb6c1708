"""Leases in the home's `state.sqlite`."""

import os
import secrets
import socket
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from athena.leases import Lease
from athena.sqlite import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires_at TEXT NOT NULL
) WITHOUT ROWID;
"""
_MARK = "process"


def process_holder() -> str:
    """A holder's name that says which process it is, so that others on this machine can tell when it is gone."""
    return f"{_MARK}:{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}:{secrets.token_hex(4)}"


def is_gone(holder: str) -> bool:
    """Whether `holder` named a process of this machine that has ended; False whenever that cannot be told.

    >>> is_gone(process_holder()), is_gone("somebody")
    (False, False)
    """
    pid, started = _named(holder)
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return started not in ("", _started(int(pid)))


def is_here(holder: str) -> bool:
    """Whether `holder` names a process of this machine that lives. One of another machine, or of a container that is
    called otherwise than this one, may live, and may be gone for ever.

    >>> is_here(process_holder()), is_here("somebody"), is_here("process:a-container-of-before:7:12345:x")
    (True, False, False)
    """
    return _named(holder)[0].isdecimal() and not is_gone(holder)


def _named(holder: str) -> tuple[str, str]:
    """Number and start of the process of this machine that `holder` names, both empty where it names none."""
    mark, _, rest = holder.partition(":")
    host, pid, started, *_ = [*rest.split(":"), "", "", ""]
    return (pid, started) if mark == _MARK and host == socket.gethostname() else ("", "")


def _started(pid: int) -> str:
    # Field 22 of /proc/<pid>/stat tells one process from a later one of the same number; one that has ended stays in
    # the list, in state Z, until its parent asks for it (proc(5)).
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def is_held_in(connection: sqlite3.Connection, lease: Lease) -> bool:
    """Whether nobody else has had the lease since, its end passed or not: asked within a transaction of its file."""
    held = "SELECT 1 FROM lease WHERE name = ? AND holder = ? AND token = ? AND expires_at != ''"
    return connection.execute(held, (lease.name, lease.holder, lease.token)).fetchone() is not None


class SqliteLeases:
    """One row per name, kept after its end so that tokens rise.

    A holder named by `process_holder` whose process is gone counts as expired at once: after a crash nobody waits.
    """

    def __init__(self, state: Path, clock: Callable[[], datetime]) -> None:
        self._database = Database(state, _SCHEMA)
        self._clock = clock

    def acquire(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """The lease with a new token, or None while somebody (the same holder included) holds it."""
        with self._database.write() as connection:
            row = connection.execute("SELECT * FROM lease WHERE name = ?", (name,)).fetchone()
            now = self._clock()
            if row is not None and self._is_held(row["expires_at"], row["holder"], now):
                return None
            lease = Lease(name, holder, 1 + (row["token"] if row else 0), now + timedelta(seconds=seconds))
            connection.execute(
                "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)",
                (lease.name, lease.holder, lease.token, lease.expires_at.isoformat()),
            )
        return lease

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """The lease with a later end, or None when another holder (or a later self) has it."""
        expires_at = self._clock() + timedelta(seconds=seconds)
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE lease SET expires_at = ? WHERE name = ? AND holder = ? AND token = ? AND expires_at != ''",
                (expires_at.isoformat(), lease.name, lease.holder, lease.token),
            ).rowcount
        return Lease(lease.name, lease.holder, lease.token, expires_at) if changed else None

    def release(self, lease: Lease) -> None:
        """End the lease early; without effect when it was lost."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE lease SET expires_at = '' WHERE name = ? AND holder = ? AND token = ?",
                (lease.name, lease.holder, lease.token),
            )

    def current(self, name: str) -> Lease | None:
        """Whoever holds it now."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM lease WHERE name = ?", (name,)).fetchone()
        if row is None or not self._is_held(row["expires_at"], row["holder"], self._clock()):
            return None
        return Lease(row["name"], row["holder"], row["token"], datetime.fromisoformat(row["expires_at"]))

    @staticmethod
    def _is_held(expires_at: str, holder: str, now: datetime) -> bool:
        return expires_at != "" and datetime.fromisoformat(expires_at) > now and not is_gone(holder)
