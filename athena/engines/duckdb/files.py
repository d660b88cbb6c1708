"""The data files of a pinned snapshot, with their column bounds, read from Iceberg metadata and remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from athena.dataset import DataType, parse_type
from athena.errors import Failed

# Plans of so many snapshots stay in memory; one of 5,000 files takes about 10 MB.
PLANS_KEPT = 64


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file. `bounds` holds the least and the greatest value by column name, where they are known:
    days for dates, microseconds for timestamps; a string's may be shortened (outwards). `column_bytes` holds what each
    column takes, where that is known."""

    path: str
    size_bytes: int
    rows: int
    bounds: Mapping[str, tuple[Any, Any]]
    column_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column by its Iceberg field id."""

    field_id: int
    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class TableFiles:
    """Everything that one snapshot consists of."""

    columns: tuple[PlannedColumn, ...]
    files: tuple[DataFile, ...]


@lru_cache(maxsize=PLANS_KEPT)
def table_files(metadata_location: str, snapshot_id: str) -> TableFiles:
    """The files of a snapshot; raises `Failed` with code `snapshot-gone` when it cannot be read any more.

    Both arguments name immutable things, so that the answer never has to be asked again.
    """
    from pyiceberg.exceptions import ValidationError
    from pyiceberg.table import StaticTable

    try:
        table = StaticTable.from_metadata(metadata_location)
        columns = _columns(table.schema())
        wanted = int(snapshot_id) if snapshot_id else None
        if wanted is not None and table.snapshot_by_id(wanted) is None:
            raise FileNotFoundError(metadata_location)
        tasks = list(table.scan(snapshot_id=wanted).plan_files()) if table.metadata.snapshots else []
    except (OSError, ValidationError, ValueError) as error:
        raise Failed(f"Snapshot {snapshot_id} cannot be read any more.", "Ask again.", code="snapshot-gone") from error
    if any(task.delete_files for task in tasks):
        raise Failed("The table has delete files, which this engine does not read.", "Run `lakegate maintain`.")
    kinds = {field.field_id: (field.name, field.field_type) for field in table.schema().fields}
    return TableFiles(columns, tuple(_data_file(task.file, kinds) for task in tasks))


def local_path(location: str) -> str:
    """The path of a `file:` location, or the path that it is already: whatever stands in it, `#` and `?` as well.

    >>> local_path("/home/a#b/50%?/x.parquet")
    '/home/a#b/50%?/x.parquet'
    >>> local_path("file:///home/a b/x.parquet")
    '/home/a b/x.parquet'
    """
    return location.removeprefix("file://")


def _columns(schema: Any) -> tuple[PlannedColumn, ...]:
    return tuple(
        PlannedColumn(field.field_id, field.name, parse_type(str(field.field_type).replace(" ", "")))
        for field in schema.fields
    )


def _data_file(file: Any, kinds: Mapping[int, tuple[str, Any]]) -> DataFile:
    from pyiceberg.conversions import from_bytes

    bounds = {}
    lower, upper = file.lower_bounds or {}, file.upper_bounds or {}
    for field_id, (name, kind) in kinds.items():
        if field_id in lower and field_id in upper:
            bounds[name] = (from_bytes(kind, lower[field_id]), from_bytes(kind, upper[field_id]))
    sizes = file.column_sizes or {}
    taken = {name: sizes[field_id] for field_id, (name, _) in kinds.items() if field_id in sizes}
    path = str(Path(local_path(file.file_path)))
    return DataFile(path, file.file_size_in_bytes, file.record_count, bounds, taken)
