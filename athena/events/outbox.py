"""The outbox in the home's `state.sqlite`."""

import json
import sqlite3
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from athena.events import DatasetUpdated
from athena.sqlite import Database

_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL);
"""


class SqliteOutbox:
    """Events that nobody was told yet, in the order in which they were put."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def put(self, event: DatasetUpdated) -> None:
        """Keep it until delivered; the same id again changes nothing."""
        told = {**asdict(event), "committed_at": event.committed_at.isoformat()}
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO outbox (id, event) VALUES (?, ?)", (event.id, json.dumps(told)))

    def undelivered(self) -> tuple[DatasetUpdated, ...]:
        """Oldest first."""
        with self._database.read() as connection:
            return tuple(_event(row) for row in connection.execute("SELECT event FROM outbox ORDER BY number"))

    def delivered(self, event_id: str) -> None:
        """Take it off; without effect when it is not there."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM outbox WHERE id = ?", (event_id,))


def _event(row: sqlite3.Row) -> DatasetUpdated:
    told = json.loads(row["event"])
    return DatasetUpdated(**{**told, "committed_at": datetime.fromisoformat(told["committed_at"])})
