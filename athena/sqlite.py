"""One way to open SQLite: WAL, one connection per thread, damage told as such.

Two files live in a home: `state.sqlite` (heads, leases, ledger, outbox, credentials), which must survive,
and `cache.sqlite` (flights and answers), which may be thrown away at any time.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from athena.errors import Damaged, Failed
from athena.versions import bring_up

BUSY_TIMEOUT_SECONDS = 30.0
_PAUSE_SECONDS = 0.01


class Database:
    """A SQLite file shared by threads and processes; `schema` is run when a thread first connects.

    `sleep` and `timer`, in seconds, are for opening a file that others are making at the same instant."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._schema = schema
        self._local = threading.local()
        self._sleep, self._timer = sleep, timer

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
        with translated(self.path):
            yield self._connection()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection inside BEGIN IMMEDIATE; committed at the end, rolled back on any exception."""
        with translated(self.path):
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
            self._local.connection, self._local.pid = self._opened(), os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            bring_up(connection, self.path)
            self._log_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def _log_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch the file to WAL, in which it then stays.

        This statement alone does not wait for others, whatever the timeout: where two switch at once, one fails with
        "database is locked" (the busy handler is not called where waiting could deadlock:
        https://sqlite.org/c3ref/busy_handler.html). So it is tried again here.
        """
        until = self._timer() + BUSY_TIMEOUT_SECONDS
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self._timer() >= until:
                    raise
            self._sleep(_PAUSE_SECONDS)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Whatever SQLite says of the file in the block as our own error: `Damaged`, or `Failed` where it may be whole and
    cannot be used just now (a full disk, permissions, a lock)."""
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
