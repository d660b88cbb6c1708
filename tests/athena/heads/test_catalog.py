"""Heads come out of the catalog's own files, and damage is told apart from absence."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena.dataset import Column, DataType
from athena.errors import Damaged, Failed
from athena.heads import Head
from athena.heads.catalog import CatalogFile

METADATA = {
    "current-snapshot-id": 7,
    "current-schema-id": 1,
    "schemas": [
        {"schema-id": 0, "fields": []},
        {
            "schema-id": 1,
            "fields": [
                {"id": 1, "name": "fare", "type": "decimal(12, 2)", "required": False},
                {"id": 4, "name": "_line", "type": "long", "required": False, "doc": "first physical line"},
            ],
        },
    ],
    "snapshots": [
        {"snapshot-id": 5, "timestamp-ms": 1, "summary": {}},
        {
            "snapshot-id": 7,
            "timestamp-ms": 1_772_366_400_250,
            "summary": {"total-records": "12", "lakegate.data-version": "5"},
        },
    ],
    "properties": {
        "lakegate.columns": '{"1": {"unit": "€", "sensitive": true, "required": true, "allowed": ["1.00"]}}',
        "lakegate.description": "Fares",
    },
}


def catalog_with(folder: Path, location: str) -> CatalogFile:
    """A catalog of one table, in the layout of pyiceberg's SQL catalog."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        connection.execute(
            "CREATE TABLE iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, "
            "previous_metadata_location, iceberg_type)"
        )
        connection.execute("INSERT INTO iceberg_tables VALUES ('lake', 'lake', 'fares', ?, NULL, 'TABLE')", (location,))
        connection.execute("INSERT INTO iceberg_tables VALUES ('lake', 'other', 'more', ?, NULL, 'TABLE')", (location,))
        connection.commit()
    return CatalogFile(folder / "catalog.sqlite", "lake")


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_head_is_all_that_the_metadata_says(tmp_path: Path, prefix: str) -> None:
    location = f"{prefix}{tmp_path}/m.json"
    (tmp_path / "m.json").write_text(json.dumps(METADATA))
    catalog = catalog_with(tmp_path, location)
    assert catalog.head("fares") == Head(
        dataset="fares",
        snapshot_id="7",
        data_version="5",
        metadata_location=location,
        committed_at=datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
        rows=12,
        columns=(
            Column("fare", DataType("decimal", 12, 2), True, "€", None, True, ("1.00",), 1),
            Column("_line", DataType("long"), description="first physical line", field_id=4),
        ),
        description="Fares",
    )
    assert (catalog.head("more"), catalog.datasets()) == (None, ("fares",))


def test_a_table_without_a_snapshot_has_no_head(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps({**METADATA, "current-snapshot-id": -1}))
    assert catalog_with(tmp_path, str(tmp_path / "m.json")).head("fares") is None


def test_without_a_catalog_there_are_no_tables(tmp_path: Path) -> None:
    catalog = CatalogFile(tmp_path / "catalog.sqlite", "lake")
    assert (catalog.head("fares"), catalog.datasets()) == (None, ())
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "catalog.sqlite").close()
    assert catalog.datasets() == ()


def test_a_damaged_catalog_is_damage(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(Damaged, match=r"catalog\.sqlite is damaged") as damage:
        CatalogFile(tmp_path / "catalog.sqlite", "lake").head("fares")
    assert "lakegate doctor" in damage.value.remedy


@pytest.mark.parametrize("content", ["", "{", "[]", '{"current-snapshot-id": 7}'])
def test_damaged_metadata_is_damage(tmp_path: Path, content: str) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(Damaged):
        catalog_with(tmp_path, str(tmp_path / "m.json")).head("fares")


def test_metadata_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be read"):
        catalog_with(tmp_path, str(tmp_path / "gone.json")).head("fares")
