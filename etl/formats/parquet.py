"""Parquet files of others: their types are taken at their word. The unit is the row.

What Iceberg cannot hold is told: nested values become JSON, bytes hexadecimal text, nanoseconds are cut to
microseconds. Text that is not UTF-8 and instants outside of the years 1 to 9999 are rejects.
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
from etl.report import Reject

_ROWS = 65_536
_MAX_PRECISION = 38
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_DAY_SECONDS = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# What pyarrow raises for single values, instead of an error of its own.
_ODD_VALUE = (OverflowError, UnicodeDecodeError, ValueError)


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
        return Told(tuple(field.name for field in fields), declared=declared, notes=notes)

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some ten thousand rows each."""
        number = 1
        try:
            with self._opened(stream) as file:
                for batch in file.iter_batches(batch_size=_ROWS):
                    yield _sheaf(batch, number)
                    number += batch.num_rows
        except (OSError, pa.ArrowException, *_ODD_VALUE) as error:
            raise self._damaged(error) from error

    def _opened(self, stream: BinaryIO) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(stream, pre_buffer=False, page_checksum_verification=True)
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Refused:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        return Refused(f"{self._name} is damaged: {what.rstrip('.')}.", "Drop it again, whole.", code="unreadable")


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
    if pa.types.is_time(kind) or (pa.types.is_decimal(kind) and declared_type(kind).name == "string"):
        return f"{field.name} is {kind} in the file: it is loaded as text."
    if pa.types.is_duration(kind):
        return f"{field.name} is {kind} in the file: it is loaded as text, a count of {kind.unit}."
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return f"{field.name} has nanoseconds in the file: it is cut to microseconds."
    return None


def _sheaf(batch: pa.RecordBatch, first: int) -> Sheaf:
    numbers = list(range(first, first + batch.num_rows))
    bad = sorted({row for column in batch.columns for row in _no_text(column)})
    rejects = tuple(_undecodable(batch, row, numbers[row]) for row in bad)
    units = batch.num_rows
    if bad:
        kept = [row for row in range(units) if row not in set(bad)]
        batch, numbers = batch.take(pa.array(kept, pa.int64())), [numbers[row] for row in kept]
    columns = zip(batch.schema, batch.columns, strict=True)
    cells = {f"{at}\0{field.name}": _cells(column) for at, (field, column) in enumerate(columns)}
    return Sheaf(units, numbers, cells, lambda row: (0, 0, _raw(batch, row)), rejects)


def _no_text(column: pa.Array) -> list[int]:
    """The rows in which a column of text holds bytes that are none."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return []
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return [row for row, value in enumerate(_bytes(column)) if value is not None and not _is_utf8(value)]
    return []


def _bytes(column: pa.Array) -> list[bytes | None]:
    binary = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
    found: list[bytes | None] = column.view(binary).to_pylist()
    return found


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(batch: pa.RecordBatch, row: int, number: int) -> Reject:
    column = next(
        name for name, one in zip(batch.schema.names, batch.columns, strict=True) if _no_text(one.slice(row, 1))
    )
    return Reject(number, number, 0, 0, column, "encoding", "The bytes are not UTF-8.", _raw(batch, row))


def _raw(batch: pa.RecordBatch, row: int) -> str:
    names = batch.schema.names
    values = {name: _shown(column.slice(row, 1)) for name, column in zip(names, batch.columns, strict=True)}
    return json.dumps(values, default=str, ensure_ascii=False)


def _shown(one: pa.Array) -> Any:
    try:
        return one.to_pylist()[0]
    except _ODD_VALUE:
        if pa.types.is_string(one.type) or pa.types.is_large_string(one.type):
            return (_bytes(one)[0] or b"").decode("utf-8", "backslashreplace")
        return pc.cast(one, pa.string()).to_pylist()[0] if not pa.types.is_nested(one.type) else "…"


def _cells(column: pa.Array) -> Cells:
    if _is_beyond_years(column):
        return Cells(pc.cast(column, pa.string()))
    native = _native(column)
    if pa.types.is_string(native.type):
        return Cells(native, pa.repeat(pa.scalar(False), len(native)))
    return Cells(pc.cast(native, pa.string()), None, native)


def _is_beyond_years(column: pa.Array) -> bool:
    """Whether some instant or date is none of the years 1 to 9999, which nobody else could read."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        unit = _PER_SECOND[kind.unit]
        least, most = _FIRST_SECOND * unit, (_LAST_SECOND + 1) * unit - 1
        ends = pc.min_max(column.cast(pa.int64())).as_py()
    elif pa.types.is_date32(kind):
        least, most = _FIRST_SECOND // _DAY_SECONDS, _LAST_SECOND // _DAY_SECONDS
        ends = pc.min_max(column.cast(pa.int32())).as_py()
    else:
        return False
    return ends["min"] is not None and not least <= ends["min"] <= ends["max"] <= most


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
