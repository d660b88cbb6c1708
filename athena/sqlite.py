"""One way to open SQLite: WAL, one connection per thread, damage told as such.

Two files live in a home: `state.sqlite` (heads, leases, ledger, outbox, credentials), which must survive,
and `cache.sqlite` (flights and answers), which may be thrown away at any time.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from athena.errors import Damaged, Failed
from athena.versions import bring_up

BUSY_TIMEOUT_SECONDS = 30.0


class Database:
    """A SQLite file shared by threads and processes; `schema` is run when a thread first connects."""

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self._schema = schema
        self._local = threading.local()

    def row(self, query: str, values: tuple[object, ...]) -> sqlite3.Row | None:
        """The first row of a look-up by key; what every request does, so without the cost of a context."""
        try:
            found: sqlite3.Row | None = self._connection().execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise _told(self.path, error) from error
        return found

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection in autocommit, for look-ups and single statements."""
        with _translated(self.path):
            yield self._connection()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection inside BEGIN IMMEDIATE; committed at the end, rolled back on any exception."""
        with _translated(self.path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = self._local.pid = None

    def _connection(self) -> sqlite3.Connection:
        # A forked child must not touch its parent's connection.
        if getattr(self._local, "pid", None) != os.getpid():
            connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            bring_up(connection, self.path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(self._schema)
            self._local.connection, self._local.pid = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise _told(path, error) from error


def _told(path: Path, error: sqlite3.Error) -> Failed | Damaged:
    if isinstance(error, sqlite3.OperationalError):
        return Failed(
            f"{path.name} could not be used: {error}.",
            "Check that the disk has room, that the folder is writable, and that no other program locks it.",
            code="state-unavailable",
        )
    return Damaged(
        f"{path.name} is damaged: {error}.",
        "Stop Lakegate and run `lakegate doctor` on this home: it says what can be rebuilt.",
        code="state-damaged",
    )
