"""Arrow ↔ the ten column types: what the result store reads and the engine's child writes."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from athena.dataset import DataType
from athena.page import Values, json_fragment
from athena.question import Page, ResultColumn

# A page is shorter than asked for rather than larger than this.
PAGE_BYTES = 8 * 1024 * 1024
_SAMPLE_ROWS = 500

_PLAIN: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamptz",
}


def data_type(arrow: pa.DataType) -> DataType | None:
    """The column type of an Arrow type; None when it is none of the ten."""
    if pa.types.is_decimal128(arrow):
        return DataType("decimal", arrow.precision, arrow.scale)
    name = _PLAIN.get(arrow)
    return None if name is None else DataType(name)


def result_columns(schema: pa.Schema) -> tuple[ResultColumn, ...]:
    """The columns of a stored result."""
    return tuple(ResultColumn(field.name, data_type(field.type) or DataType("string")) for field in schema)


def values_of(table: pa.Table) -> Values:
    """Python values, one list per column. A float is the shortest number that rounds to it."""
    return [_values(column) for column in table.columns]


def first_page(columns: Sequence[ResultColumn], table: pa.Table, *, rows: int, more: bool) -> Page:
    """The first `rows` of `table` as finished JSON; `more` says that the result goes on behind `table`."""
    fragment, count = fitted(columns, table.slice(0, rows))
    goes_on = more or count < table.num_rows
    return Page(fragment, count, count if goes_on else None)


def fitted(columns: Sequence[ResultColumn], table: pa.Table) -> tuple[bytes, int]:
    """As many of the rows as make at most `PAGE_BYTES` of JSON (one at least), and how many they are."""
    count = table.num_rows
    if count > _SAMPLE_ROWS:
        sample = json_fragment(columns, values_of(table.slice(0, _SAMPLE_ROWS)))
        count = max(1, min(count, _SAMPLE_ROWS * PAGE_BYTES // len(sample)))
    while True:
        fragment = json_fragment(columns, values_of(table.slice(0, count)))
        if len(fragment) <= PAGE_BYTES or count <= 1:
            return fragment, count
        count = max(1, min(count - 1, count * PAGE_BYTES // len(fragment)))


def _values(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_float32(column.type):
        texts = pc.cast(column, pa.string()).to_pylist()
        return [None if text is None else float(text) for text in texts]
    given: list[object] = column.to_pylist()
    return given
