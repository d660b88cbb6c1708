"""The outbox in the home's `state.sqlite`."""

from pathlib import Path

from athena.events import Event, packed, unpacked
from athena.sqlite import Database

_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event BLOB NOT NULL);
"""


class SqliteOutbox:
    """Events that nobody was told yet, in the order in which they were put."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def put(self, event: Event) -> None:
        """Keep it until delivered; the same id again changes nothing."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO outbox (id, event) VALUES (?, ?)", (event.id, packed(event)))

    def undelivered(self) -> tuple[Event, ...]:
        """Oldest first."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT event FROM outbox ORDER BY number").fetchall()
        return tuple(unpacked(row["event"]) for row in rows)

    def delivered(self, event_id: str) -> None:
        """Take it off; without effect when it is not there."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM outbox WHERE id = ?", (event_id,))
