"""Heads in the home's `state.sqlite`."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from athena.errors import Damaged
from athena.heads import Head, conflict
from athena.records import encode, recall
from athena.sqlite import Database

# An intent may stand before there is a head, so the two have tables of their own. FULL: what is published
# must survive a power cut, as the catalog does.
_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS head (dataset TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (dataset TEXT PRIMARY KEY, changes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (dataset TEXT PRIMARY KEY, commit_id TEXT NOT NULL) WITHOUT ROWID;
"""
_SELECT = "SELECT dataset, head, commit_id FROM head LEFT JOIN intent USING (dataset)"
_SELECT_ONE = f"{_SELECT} WHERE dataset = ?"


class SqliteHeads:
    """One row per table; an open intent is a row beside it. Who finds one asks `CatalogFile.head`."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def get(self, dataset: str) -> Head | None:
        """The head as last published, with the open intent if there is one."""
        row = self._database.row(_SELECT_ONE, (dataset,))
        return None if row is None else _head(row)

    def some(self, datasets: Sequence[str]) -> dict[str, Head]:
        """Those that have a head, by name."""
        found = ((dataset, self.get(dataset)) for dataset in datasets)
        return {dataset: head for dataset, head in found if head is not None}

    def all(self) -> tuple[Head, ...]:
        """Every head, by name."""
        with self._database.read() as connection:
            return tuple(_head(row) for row in connection.execute(f"{_SELECT} ORDER BY dataset"))

    def intend(self, dataset: str, commit_id: str) -> None:
        """Record that `commit_id` is about to happen. Raises `Failed` while another intent is open."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO intent VALUES (?, ?)", (dataset, commit_id))
            if _pending(connection, dataset) != commit_id:
                raise conflict(dataset)

    def abandon(self, dataset: str, commit_id: str) -> None:
        """Forget this intent; another one is left alone."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM intent WHERE dataset = ? AND commit_id = ?", (dataset, commit_id))

    def publish(self, head: Head) -> None:
        """Replace the head and clear the intent, in one transaction; with `head.intent` only while it is open."""
        row = (head.dataset, encode(replace(head, intent=None, changes="")))
        with self._database.write() as connection:
            if head.intent is not None and _pending(connection, head.dataset) != head.intent:
                return
            connection.execute("INSERT OR REPLACE INTO head VALUES (?, ?)", row)
            connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (head.dataset, head.changes))
            connection.execute("DELETE FROM intent WHERE dataset = ?", (head.dataset,))

    def changes(self, dataset: str) -> str:
        """The changes of the head as last published."""
        with self._database.read() as connection:
            row = connection.execute("SELECT changes FROM changes WHERE dataset = ?", (dataset,)).fetchone()
        return "" if row is None else str(row["changes"])

    def pending(self, dataset: str) -> str | None:
        """The open intent, also of a table without a head."""
        with self._database.read() as connection:
            return _pending(connection, dataset)


def _pending(connection: sqlite3.Connection, dataset: str) -> str | None:
    row = connection.execute("SELECT commit_id FROM intent WHERE dataset = ?", (dataset,)).fetchone()
    return None if row is None else str(row["commit_id"])


def _head(row: sqlite3.Row) -> Head:
    try:
        head: Head = recall(Head, row["head"])
        return head if row["commit_id"] is None else replace(head, intent=row["commit_id"])
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(
            f"The head of {row['dataset']} cannot be read: {error}.",
            "Run `lakegate doctor --repair`: it is made anew from the catalog.",
            code="state-damaged",
        ) from error
