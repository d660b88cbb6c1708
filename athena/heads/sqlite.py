"""Heads in the home's `state.sqlite`."""

import json
import sqlite3
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from athena.dataset import Column, parse_type
from athena.heads import Head
from athena.sqlite import Database

# An intent may stand before there is a head, so the two have tables of their own. FULL: what is published
# must survive a power cut, as the catalog does.
_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS head (
    dataset TEXT PRIMARY KEY, snapshot_id TEXT NOT NULL, data_version TEXT NOT NULL, metadata_location TEXT NOT NULL,
    committed_at TEXT NOT NULL, rows INTEGER NOT NULL, columns TEXT NOT NULL, description TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (dataset TEXT PRIMARY KEY, commit_id TEXT NOT NULL) WITHOUT ROWID;
"""
_SELECT = "SELECT head.*, intent.commit_id AS intent FROM head LEFT JOIN intent USING (dataset)"


class SqliteHeads:
    """One row per table; an open intent is a row beside it. Who finds one asks `CatalogFile.head`."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def get(self, dataset: str) -> Head | None:
        """The head as last published, with the open intent if there is one."""
        with self._database.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE dataset = ?", (dataset,)).fetchone()
        return None if row is None else _head(row)

    def all(self) -> tuple[Head, ...]:
        """Every head, by name."""
        with self._database.read() as connection:
            return tuple(_head(row) for row in connection.execute(f"{_SELECT} ORDER BY dataset"))

    def intend(self, dataset: str, commit_id: str) -> None:
        """Record that `commit_id` is about to happen."""
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO intent VALUES (?, ?)", (dataset, commit_id))

    def abandon(self, dataset: str, commit_id: str) -> None:
        """Forget this intent; another one is left alone."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM intent WHERE dataset = ? AND commit_id = ?", (dataset, commit_id))

    def publish(self, head: Head) -> None:
        """Replace the head and clear the intent, in one transaction."""
        row = (
            head.dataset,
            head.snapshot_id,
            head.data_version,
            head.metadata_location,
            head.committed_at.isoformat(),
            head.rows,
            json.dumps([_told(column) for column in head.columns]),
            head.description,
        )
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute("DELETE FROM intent WHERE dataset = ?", (head.dataset,))

    def pending(self, dataset: str) -> str | None:
        """The open intent, also of a table without a head."""
        with self._database.read() as connection:
            row = connection.execute("SELECT commit_id FROM intent WHERE dataset = ?", (dataset,)).fetchone()
        return None if row is None else str(row["commit_id"])


def _told(column: Column) -> dict[str, Any]:
    return {**asdict(column), "type": str(column.type)}


def _head(row: sqlite3.Row) -> Head:
    columns = (
        Column(
            **{
                **told,
                "type": parse_type(told["type"]),
                "allowed": None if told["allowed"] is None else tuple(told["allowed"]),
            }
        )
        for told in json.loads(row["columns"])
    )
    return Head(
        dataset=row["dataset"],
        snapshot_id=row["snapshot_id"],
        data_version=row["data_version"],
        metadata_location=row["metadata_location"],
        committed_at=datetime.fromisoformat(row["committed_at"]),
        rows=row["rows"],
        columns=tuple(columns),
        description=row["description"],
        intent=row["intent"],
    )
