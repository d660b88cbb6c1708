"""Parquet files of others: their types are taken at their word. The unit is the row.

What Iceberg cannot hold is told: nested values become JSON, bytes hexadecimal text, nanoseconds are cut to
microseconds.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from athena.arrow import arrow_type
from athena.dataset import DataType
from athena.errors import Refused
from etl.formats import Cells, Sheaf, Told

_ROWS = 65_536
_MAX_PRECISION = 38


class ParquetRows:
    """See `etl.formats.Reader`."""

    seeks = True

    def __init__(self, name: str) -> None:
        self._name = name

    def tell(self, stream: BinaryIO) -> Told:
        """Names and types of the columns."""
        with self._opened(stream) as file:
            fields = list(file.schema_arrow)
        notes = tuple(note for field in fields if (note := _note(field)))
        declared = {f"{place}\0{field.name}": declared_type(field.type) for place, field in enumerate(fields)}
        return Told(tuple(field.name for field in fields), declared, notes)

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some ten thousand rows each."""
        number = 1
        try:
            with self._opened(stream) as file:
                for batch in file.iter_batches(batch_size=_ROWS):
                    yield _sheaf(batch, number)
                    number += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from error

    def _opened(self, stream: BinaryIO) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(stream, pre_buffer=False)
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Refused:
        what = str(error).splitlines()[0]
        return Refused(f"{self._name} is damaged: {what}.", "Drop it again, whole.", code="unreadable")


def declared_type(kind: pa.DataType) -> DataType:
    """Our type for one of Arrow's.

    >>> [str(declared_type(kind)) for kind in (pa.int16(), pa.uint64(), pa.timestamp("ns", "UTC"), pa.list_(pa.int8()))]
    ['int', 'decimal(20,0)', 'timestamptz', 'string']
    """
    if pa.types.is_dictionary(kind):
        return declared_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return DataType("boolean")
    if pa.types.is_integer(kind):
        if kind == pa.uint64():
            return DataType("decimal", 20, 0)
        return DataType("long" if kind.bit_width == 64 or kind == pa.uint32() else "int")
    if pa.types.is_floating(kind):
        return DataType("double" if kind.bit_width == 64 else "float")
    if pa.types.is_decimal(kind) and kind.precision <= _MAX_PRECISION and 0 <= kind.scale <= kind.precision:
        return DataType("decimal", kind.precision, kind.scale)
    if pa.types.is_date(kind):
        return DataType("date")
    if pa.types.is_timestamp(kind):
        return DataType("timestamptz" if kind.tz else "timestamp")
    return DataType("string")


def _note(field: pa.Field) -> str | None:
    kind = field.type
    if pa.types.is_nested(kind):
        return f"{field.name} is {kind} in the file: it is loaded as JSON, as text."
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"{field.name} is {kind} in the file: it is loaded as hexadecimal text."
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return f"{field.name} has nanoseconds in the file: it is cut to microseconds."
    return None


def _sheaf(batch: pa.RecordBatch, first: int) -> Sheaf:
    columns = zip(batch.schema, batch.columns, strict=True)
    cells = {f"{at}\0{field.name}": _cells(column) for at, (field, column) in enumerate(columns)}
    return Sheaf(
        batch.num_rows,
        range(first, first + batch.num_rows),
        cells,
        lambda row: (0, 0, json.dumps(batch.slice(row, 1).to_pylist()[0], default=str, ensure_ascii=False)),
    )


def _cells(column: pa.Array) -> Cells:
    native = _native(column)
    if pa.types.is_string(native.type):
        return Cells(native, pa.repeat(pa.scalar(False), len(native)))
    return Cells(pc.cast(native, pa.string()), None, native)


def _native(column: pa.Array) -> pa.Array:
    """The values in the Arrow type of their declared type."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _native(column.dictionary_decode())
    target = arrow_type(declared_type(kind))
    if target != pa.string():
        return column.cast(target, safe=not pa.types.is_timestamp(kind))
    if pa.types.is_nested(kind):
        return pa.array([_json(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
