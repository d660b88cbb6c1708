"""A table's head, rebuilt from the Iceberg catalog alone: SQLite and one JSON file, no Iceberg library.

This is what a reader asks when a head carries an intent, and what `doctor --repair` rebuilds heads from.
The properties and summary keys below are written by `etl/commit.py`; together with the Iceberg schema they hold
all that a head says. Table metadata: https://iceberg.apache.org/spec/#table-metadata
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from athena.dataset import Column, parse_type
from athena.errors import Damaged, Failed
from athena.heads import Head

# Snapshot summary: which commit made it, and the last snapshot that changed rows.
COMMIT_ID = "lakegate.commit-id"
DATA_VERSION = "lakegate.data-version"
# Table properties: what Iceberg's schema cannot say. COLUMNS is a JSON object by field id.
COLUMNS = "lakegate.columns"
DESCRIPTION = "lakegate.description"
# What was last changed when, see `athena/changes.py`.
CHANGES = "lakegate.changes"

_DOCTOR = "Stop Lakegate and run `lakegate doctor` on this home: it says what can be rebuilt."


class CatalogFile:
    """Read-only look into the SQL catalog at `path`, whose tables live in the namespace `lake`."""

    def __init__(self, path: Path, lake: str) -> None:
        self.path = path
        self.lake = lake

    def head(self, dataset: str) -> Head | None:
        """The head of the current snapshot; None without table or snapshot. Raises `Damaged`, `Failed`."""
        rows = self._query("AND table_name = ?", (dataset,))
        return head_of(dataset, rows[0][1]) if rows else None

    def history(self, dataset: str) -> tuple[Head, ...]:
        """The table as of each snapshot that is kept, oldest first; none without a table."""
        rows = self._query("AND table_name = ?", (dataset,))
        return history_in(dataset, rows[0][1], _content(rows[0][1])) if rows else ()

    def location(self, dataset: str) -> str:
        """Where the current metadata of a table lies; `KeyError` for one that is not there."""
        rows = self._query("AND table_name = ?", (dataset,))
        if not rows:
            raise KeyError(dataset)
        return rows[0][1]

    def datasets(self) -> tuple[str, ...]:
        """Every table of the lake, by name, rejects tables included."""
        return tuple(name for name, _ in self._query("ORDER BY table_name", ()))

    def _query(self, condition: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
        if not self.path.exists():
            return []
        statement = (
            "SELECT table_name, metadata_location FROM iceberg_tables "
            f"WHERE catalog_name = ? AND table_namespace = ? {condition}"
        )
        try:
            with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
                return list(connection.execute(statement, (self.lake, self.lake, *values)))
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise Failed(
                f"{self.path.name} could not be read: {error}.",
                "Check the disk and permissions.",
                code="state-unavailable",
            ) from error
        except sqlite3.DatabaseError as error:
            raise Damaged(f"{self.path.name} is damaged: {error}.", _DOCTOR, code="state-damaged") from error


def head_of(dataset: str, metadata_location: str) -> Head | None:
    """The head that one Iceberg metadata file describes; None when it has no snapshot yet."""
    return head_in(dataset, metadata_location, _content(metadata_location))


def head_in(dataset: str, metadata_location: str, content: bytes) -> Head | None:
    """The same from the file's content, wherever it was read."""
    heads = _heads(dataset, metadata_location, content, most=1)
    return heads[0] if heads else None


def history_in(dataset: str, metadata_location: str, content: bytes) -> tuple[Head, ...]:
    """The table as of each snapshot that led to the current one and is kept, oldest first."""
    return tuple(reversed(_heads(dataset, metadata_location, content, most=None)))


def _heads(dataset: str, location: str, content: bytes, *, most: int | None) -> list[Head]:
    try:
        metadata = json.loads(content)
        return [_head(dataset, location, metadata, one) for one in islice(_lineage(metadata), most)]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise Damaged(f"{location} is damaged: {error!r}.", _DOCTOR, code="state-damaged") from error


def _lineage(metadata: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The snapshots from the current one back to the oldest that is kept."""
    kept = {one["snapshot-id"]: one for one in metadata.get("snapshots", [])}
    current = metadata.get("current-snapshot-id")
    if current is None or current == -1:
        return
    snapshot: dict[str, Any] | None = kept[current]
    while snapshot is not None:
        yield snapshot
        snapshot = kept.get(snapshot.get("parent-snapshot-id"))


def _content(location: str) -> bytes:
    try:
        return _local(location).read_bytes()
    except OSError as error:
        raise Failed(f"{location} cannot be read: {error.strerror}.", _DOCTOR, code="state-unavailable") from error


def _local(location: str) -> Path:
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(location)


def _head(dataset: str, location: str, metadata: dict[str, Any], snapshot: dict[str, Any]) -> Head:
    current = snapshot["snapshot-id"]
    # The current table may have columns that the current snapshot was written without.
    is_current = current == metadata["current-snapshot-id"]
    schema_id = metadata["current-schema-id"] if is_current else snapshot.get("schema-id", 0)
    schema = next(one for one in metadata["schemas"] if one["schema-id"] == schema_id)
    properties = metadata.get("properties", {})
    told = json.loads(properties.get(COLUMNS, "{}"))
    summary = snapshot.get("summary", {})
    return Head(
        dataset=dataset,
        snapshot_id=str(current),
        data_version=summary.get(DATA_VERSION) or str(current),
        metadata_location=location,
        committed_at=datetime.fromtimestamp(snapshot["timestamp-ms"] / 1000, UTC),
        rows=int(summary.get("total-records", 0)),
        columns=tuple(column_of(one, told.get(str(one["id"]), {})) for one in schema["fields"]),
        description=properties.get(DESCRIPTION, ""),
        changes=properties.get(CHANGES, ""),
    )


def column_of(field: dict[str, Any], told: dict[str, Any]) -> Column:
    """One column from Iceberg's field (`id`, `name`, `type`, `doc`) and what the property COLUMNS says of it.

    >>> column_of({"id": 1, "name": "delay", "type": "double"}, {"unit": "min"}).unit
    'min'
    """
    column = Column(field["name"], parse_type(field["type"]), field_id=field["id"])
    allowed = told.get("allowed")
    return replace(
        column,
        required=told.get("required", False),
        unit=told.get("unit"),
        description=told.get("description", field.get("doc")),
        sensitive=told.get("sensitive", False),
        allowed=None if allowed is None else tuple(allowed),
    )
