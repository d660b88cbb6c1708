"""Arrow ↔ the ten column types: what the result store reads and the engine's child writes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from athena.arrow import arrow_type, data_type
from athena.dataset import DataType
from athena.forms import Form
from athena.page import Values, csv_header, json_fragment
from athena.question import Page, ResultColumn
from athena.results.lines import csv_lines

# A page is shorter than asked for rather than larger than this.
PAGE_BYTES = 8 * 1024 * 1024
_SAMPLE_ROWS = 500


def result_columns(schema: pa.Schema) -> tuple[ResultColumn, ...]:
    """The columns of a stored result."""
    return tuple(ResultColumn(field.name, data_type(field.type) or DataType("string")) for field in schema)


def values_of(table: pa.Table) -> Values:
    """Python values, one list per column. A float is the shortest number that rounds to it."""
    return [_values(column) for column in table.columns]


def binary(columns: Sequence[ResultColumn], values: Values, form: Form) -> bytes:
    """Python values, one list per column, as an Arrow stream or a Parquet file."""
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
    arrays = [pa.array(given, field.type) for given, field in zip(values, schema, strict=True)]
    return _page(columns, pa.Table.from_arrays(arrays, schema=schema), form, header=True)


def first_page(columns: Sequence[ResultColumn], table: pa.Table, *, rows: int, more: bool) -> Page:
    """The first `rows` of `table` as finished JSON; `more` says that the result goes on behind `table`."""
    fragment, count = fitted(columns, table.slice(0, rows))
    goes_on = more or count < table.num_rows
    return Page(fragment, count, count if goes_on else None)


def fitted(
    columns: Sequence[ResultColumn], table: pa.Table, form: Form = Form.JSON, *, header: bool = True
) -> tuple[bytes, int]:
    """As many of the rows as make at most `PAGE_BYTES` (one at least), and how many they are."""
    count = table.num_rows
    if count > _SAMPLE_ROWS:
        sample = _page(columns, table.slice(0, _SAMPLE_ROWS), form, header=header)
        count = max(1, min(count, _SAMPLE_ROWS * PAGE_BYTES // len(sample)))
    while True:
        page = _page(columns, table.slice(0, count), form, header=header)
        if len(page) <= PAGE_BYTES or count <= 1:
            return page, count
        count = max(1, min(count - 1, count * PAGE_BYTES // len(page)))


def written(
    columns: Sequence[ResultColumn], schema: pa.Schema, tables: Iterable[pa.Table], form: Form, *, header: bool
) -> Iterator[bytes]:
    """All rows of `tables` in a form, with no more than one of them in memory."""
    if form.is_csv:
        if header:
            yield csv_header(columns, guarded=form is Form.GUARDED_CSV)
        yield from (csv_lines(table, guarded=form is Form.GUARDED_CSV) for table in tables)
        return
    sink = _Taken()
    if form is Form.ARROW:
        writer = pa.ipc.new_stream(sink, schema)
    else:
        writer = pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1)
    with writer:
        for table in tables:
            writer.write_table(table)
            yield sink.take()
    yield sink.take()


def _page(columns: Sequence[ResultColumn], table: pa.Table, form: Form, *, header: bool) -> bytes:
    if form is Form.JSON:
        return json_fragment(columns, values_of(table))
    return b"".join(written(columns, table.schema, [table], form, header=header))


class _Taken:
    """A file whose bytes are taken away while it is being written."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        """What was written since it was last asked."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _values(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_float32(column.type):
        texts = pc.cast(column, pa.string()).to_pylist()
        return [None if text is None else float(text) for text in texts]
    given: list[object] = column.to_pylist()
    return given
