"""Data files that a commit adds and removes → what the table says of its changes (`athena/changes.py`)."""

import math
import struct
from collections.abc import Sequence
from typing import Any

from pyiceberg.manifest import DataFile
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.types import IcebergType

from athena.changes import Changes, Region, Span, read_changes, written
from athena.dataset import SYSTEM_NAMES
from athena.heads.catalog import CHANGES, DATA_VERSION
from etl.regions import folded

# Bounds are kept of so many columns: those that partition, then days and instants, then the others as they stand.
MOST_COLUMNS = 12
MOST_BYTES = 64 * 1024
_TEMPORAL = ("date", "timestamp", "timestamptz")
_WHOLE = ("int", "long", *_TEMPORAL)


def told(metadata: TableMetadata, version: str, added: Sequence[DataFile], removed: Sequence[DataFile]) -> str:
    """The changes of the table once these files are added and removed under data version `version`.

    `metadata` is the table as it is before. At most `MOST_BYTES`: columns are left out until it fits.
    """
    before, order = _before(metadata, version), _order(metadata)
    while True:
        kinds = {field.field_id: field.field_type for field in metadata.schema().fields if field.field_id in order}
        boxes = [_box(file, version, kinds) for file in (*added, *removed)]
        kept = None if before is None else _only(before, order)
        text = written(folded(kept, version, boxes, order))
        if len(text.encode()) <= MOST_BYTES or not order:
            return text
        order = order[: len(order) // 2]


def _before(metadata: TableMetadata, version: str) -> Changes | None:
    """What the table says of its changes so far; None when that is not of its current data version."""
    snapshot = metadata.current_snapshot()
    if snapshot is None:
        return Changes(version, version)
    summary = snapshot.summary
    now = (summary.get(DATA_VERSION) if summary is not None else None) or str(snapshot.snapshot_id)
    return read_changes(metadata.properties.get(CHANGES, ""), now)


def _only(changes: Changes, order: Sequence[int]) -> Changes:
    regions = (
        Region(
            one.version,
            {number: span for number, span in one.spans.items() if number in order},
            one.weight,
            one.partition,
        )
        for one in changes.regions
    )
    return Changes(changes.version, changes.floor, tuple(regions))


def _order(metadata: TableMetadata) -> list[int]:
    fields = metadata.schema().fields
    partition = [field.source_id for field in metadata.spec().fields]
    own = [field for field in fields if field.name not in SYSTEM_NAMES]
    temporal = [field.field_id for field in own if str(field.field_type) in _TEMPORAL]
    rest = [field.field_id for field in own]
    system = [field.field_id for field in fields if field.name in SYSTEM_NAMES]
    return list(dict.fromkeys([*partition, *temporal, *rest, *system]))[:MOST_COLUMNS]


def _box(file: DataFile, version: str, kinds: dict[int, IcebergType]) -> Region:
    spans = {number: _span(file, number, str(kind)) for number, kind in kinds.items()}
    known = {number: span for number, span in spans.items() if span is not None}
    return Region(version, known, partition=_partition(file))


def _partition(file: DataFile) -> str:
    values = [file.partition[place] for place in range(len(file.partition))]
    return repr(values) if values else ""


def _span(file: DataFile, number: int, kind: str) -> Span | None:
    """What a file's statistics say of one column; None when they say nothing that narrows it down."""
    nulls = (file.null_value_counts or {}).get(number)
    if nulls is not None and nulls == file.record_count:
        return Span(values=False)
    low = _value((file.lower_bounds or {}).get(number), kind)
    high = _value((file.upper_bounds or {}).get(number), kind)
    if low is None and high is None and nulls != 0:
        return None
    return Span(low, high, nulls=nulls != 0)


def _value(raw: bytes | None, kind: str) -> Any:
    """A bound as `athena/changes.py` keeps it; None when there is none. A file of before its column was widened has
    shorter numbers. https://iceberg.apache.org/spec/#binary-single-value-serialization"""
    if raw is None:
        return None
    if kind == "string":
        return _text(raw)
    if kind == "boolean":
        return raw != b"\x00"
    if kind.startswith("decimal"):
        return int.from_bytes(raw, "big", signed=True)
    if kind in ("float", "double"):
        (value,) = struct.unpack("<f" if len(raw) == 4 else "<d", raw)
        return value if math.isfinite(value) else None
    return int.from_bytes(raw, "little", signed=True) if kind in _WHOLE else None


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
