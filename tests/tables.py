"""Small Iceberg tables for tests of the read side, made without the write story."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

from athena.dataset import Column, parse_type
from athena.heads import Head


class Tables:
    """Tables of a lake named `lake` under a folder; every append is one data file and one snapshot."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._catalog: Catalog = SqlCatalog(
            "lake", uri=f"sqlite:///{folder}/catalog.sqlite", warehouse=f"file://{folder}"
        )
        self._catalog.create_namespace_if_not_exists("lake")

    @classmethod
    def in_glue(cls, catalog: Catalog) -> "Tables":
        """The same in a catalog that stands already and has the namespace `lake`."""
        made = cls.__new__(cls)
        made._catalog = catalog
        return made

    def create(self, name: str, schema: pa.Schema) -> Head:
        """A table without rows."""
        self._catalog.create_table(f"lake.{name}", schema=schema)
        return self._head(name)

    def append(self, name: str, rows: pa.Table, *, row_group_rows: int | None = None) -> Head:
        """The head after `rows` were added (the table is made when there is none)."""
        properties = {} if row_group_rows is None else {"write.parquet.row-group-limit": str(row_group_rows)}
        table = self._catalog.create_table_if_not_exists(f"lake.{name}", schema=rows.schema, properties=properties)
        table.append(rows)
        return self._head(name)

    def evolve(self, name: str, *, add: dict[str, Any], rename: dict[str, str]) -> Head:
        """The head after columns were added (Iceberg types) and renamed."""
        with self._catalog.load_table(f"lake.{name}").update_schema() as update:
            for column, kind in add.items():
                update.add_column(column, kind)
            for old, new in rename.items():
                update.rename_column(old, new)
        return self._head(name)

    def close(self) -> None:
        """Let go of the catalog's file."""
        if isinstance(self._catalog, SqlCatalog):
            self._catalog.engine.dispose()

    def _head(self, name: str) -> Head:
        table = self._catalog.load_table(f"lake.{name}")
        snapshot = table.current_snapshot()
        number = "" if snapshot is None else str(snapshot.snapshot_id)
        columns = tuple(
            Column(field.name, parse_type(str(field.field_type).replace(" ", "")), field_id=field.field_id)
            for field in table.schema().fields
        )
        at = datetime(2026, 3, 1, tzinfo=UTC)
        return Head(name, number, number, table.metadata_location, at, 0, columns)
