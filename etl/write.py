"""Good rows → Parquet files that Iceberg can take as they are: field ids, zstd, sorted and partitioned by the layout.

The rows of a large content never share a file with another's, so that a replacement drops whole files. Memory is
bounded: without a layout by two row groups, of which one is encoded while the other fills, with one by a run of
`RUN_BYTES`; within a run rows are sorted whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO

from athena.dataset import Column
from athena.errors import Damaged
from etl._beside import Beside
from etl._parquet import ROW_GROUP_ROWS, parquet_writer
from etl.contract import Layout
from etl.disk import writing
from etl.files import Folder
from etl.iceberg import iceberg_type, transform_of
from etl.partition import parse_partition
from etl.plan import WrittenFile
from etl.transform import arrow_schema, of_types, repeating, stored_schema

ROW_GROUP_BYTES = 64 * 1024 * 1024  # of Arrow memory, for very wide tables
RUN_BYTES = 96 * 1024 * 1024
FILE_BYTES = 256 * 1024 * 1024
OPEN_FILES = 64
MAKE_ROOM = (
    "Make room on the disk (or make it writable) and load again: "
    "the landing file is where it was, and nothing was changed."
)
_PROMOTED = {(pa.int32(), pa.int64()), (pa.float32(), pa.float64())}


class ContentWriter:
    """Writes rows to files `<stem>-<n>.parquet` of a table's folder; `one_content` says that all are of the same."""

    def __init__(
        self,
        folder: Folder,
        stem: str,
        columns: Sequence[Column],
        layout: Layout | None = None,
        *,
        one_content: bool = False,
    ) -> None:
        self.rows = 0
        self._folder = folder
        self._stem = stem
        # What is required is checked row by row before; in the table everything is optional.
        self._columns = [replace(column, required=False) for column in columns]
        self._layout = layout or Layout()
        self._arranged = self._layout != Layout()
        self._schema = arrow_schema(self._columns) if self._arranged else stored_schema(self._columns)
        if one_content and not self._arranged:
            self._schema = repeating(self._schema)
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = 0
        self._open: dict[tuple[object, ...], _OpenFile] = {}
        self._written: list[WrittenFile] = []
        self._number = 0
        self._encoding = Beside()

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows in (all columns, in order). Raises `Failed` ("disk")."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        self._waiting.append(pa.RecordBatch.from_arrays(of_types(batch.columns, self._schema), schema=self._schema))
        self._waiting_bytes += batch.nbytes
        if self._arranged and self._waiting_bytes < RUN_BYTES:
            return
        waiting_rows = sum(one.num_rows for one in self._waiting)
        if self._arranged or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush(waiting_rows)
        elif waiting_rows >= ROW_GROUP_ROWS:
            self._flush(waiting_rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS)

    def close(self) -> tuple[WrittenFile, ...]:
        """Write what waits; the finished files, fsynced (none for no rows)."""
        self._encoding.wait()
        self._encoding.close()
        if self._waiting:
            self._put(pa.Table.from_batches(self._waiting, self._schema))
            self._waiting.clear()
        for partition in list(self._open):
            self._finish(partition)
        return tuple(self._written)

    def abort(self) -> None:
        """Remove what was written: nobody knows of it yet."""
        self._encoding.close()
        for file in self._open.values():
            file.abort()
        self._folder.remove(written.path for written in self._written)
        self._open.clear()
        self._written.clear()

    def _flush(self, rows_now: int) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema)
        self._waiting = table.slice(rows_now).to_batches()
        self._waiting_bytes = sum(one.nbytes for one in self._waiting)
        if self._arranged:
            self._put(table.slice(0, rows_now))  # two runs at once would take too much memory
        else:
            self._encoding.do(self._put, table.slice(0, rows_now))

    def _put(self, table: pa.Table) -> None:
        for partition, rows in arranged(table, self._layout, self._columns):
            self._file(partition, rows).write(rows)
            if self._open[partition].size_bytes >= FILE_BYTES:
                self._finish(partition)

    def _file(self, partition: tuple[object, ...], first: pa.Table) -> "_OpenFile":
        if partition not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._finish(next(iter(self._open)))
            self._number += 1
            self._open[partition] = _OpenFile(self._folder, f"{self._stem}-{self._number:05d}.parquet", first)
        return self._open[partition]

    def _finish(self, partition: tuple[object, ...]) -> None:
        rows, size_bytes, location = self._open.pop(partition).close()
        self._written.append(WrittenFile(location, rows, size_bytes, partition))


class _OpenFile:
    def __init__(self, folder: Folder, name: str, first: pa.Table) -> None:
        self._name = name
        self._rows = 0
        with writing(f"The data file {name}", MAKE_ROOM):
            self._file = folder.create(name)
            self._writer = parquet_writer(self._file.stream, first)

    @property
    def size_bytes(self) -> int:
        return self._file.stream.tell()

    def write(self, rows: pa.Table) -> None:
        with writing(f"The data file {self._name}", MAKE_ROOM):
            self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        self._rows += rows.num_rows

    def close(self) -> tuple[int, int, str]:
        with writing(f"The data file {self._name}", MAKE_ROOM):
            self._writer.close()
            size_bytes = self.size_bytes
            self._file.keep()
        return self._rows, size_bytes, self._file.location

    def abort(self) -> None:
        # Or it would end its file when it is collected, and complain on stderr that this is closed.
        self._writer.is_open = False
        self._file.drop()


def arranged(
    table: pa.Table, layout: Layout, columns: Sequence[Column]
) -> Iterator[tuple[tuple[object, ...], pa.Table]]:
    """The rows sorted as the layout says, one table per partition with its (transformed) values."""
    names = [f"\0{number}" for number in range(len(layout.partition))]
    kinds = {column.name: iceberg_type(column.type) for column in columns}
    keyed = table
    for name, text in zip(names, layout.partition, strict=True):
        partition = parse_partition(text)
        values = transform_of(partition).pyarrow_transform(kinds[partition.column])(table[partition.column])
        keyed = keyed.append_column(name, values)
    order = [(name, "ascending") for name in (*names, *layout.sort)]
    keyed = keyed.sort_by(order) if order else keyed
    rows = keyed.select(table.schema.names)
    start = 0
    for values, count in _runs(keyed.select(names), rows.num_rows):
        yield values, rows.slice(start, count)
        start += count


def _runs(keys: pa.Table, rows: int) -> Iterator[tuple[tuple[object, ...], int]]:
    if not keys.num_columns:
        yield (), rows
        return
    grouped = keys.group_by(keys.schema.names, use_threads=False).aggregate([([], "count_all")])
    for row in grouped.to_pylist():
        *values, count = (row[name] for name in grouped.schema.names)
        yield tuple(values), count


def check_footer(path: str, columns: Sequence[Column], io: FileIO) -> pq.FileMetaData:
    """The footer of a file that is about to be registered, once it is known to be what the table expects.

    Iceberg takes files with wrong or missing field ids and then reads NULL or swapped columns: raises `Damaged`.
    """
    with io.new_input(path).open() as stream:
        metadata = pq.read_metadata(stream)
    expected = _expected(tuple(columns))
    for field in metadata.schema.to_arrow_schema():
        field_id = (field.metadata or {}).get(b"PARQUET:field_id", b"").decode()
        if field.name not in expected or field_id != expected[field.name][0]:
            raise _misfit(path, f"its column {field.name!r} has field id {field_id or 'none'}")
        if not _fits(field.type, expected[field.name][1]):
            raise _misfit(path, f"its column {field.name!r} is {field.type}")
    return metadata


@lru_cache(maxsize=8)
def _expected(columns: tuple[Column, ...]) -> dict[str, tuple[str, pa.DataType]]:
    """Field id and type by name; one commit asks for each of its files."""
    return {c.name: (str(c.field_id), field.type) for c, field in zip(columns, arrow_schema(columns), strict=True)}


def _fits(stored: pa.DataType, expected: pa.DataType) -> bool:
    """Whether Iceberg reads `stored` as `expected`: equal, or promoted since (by a later file of the same commit)."""
    if pa.types.is_decimal(stored) and pa.types.is_decimal(expected):
        return bool(stored.scale == expected.scale and stored.precision <= expected.precision)
    return stored == expected or (stored, expected) in _PROMOTED


def _misfit(path: str, why: str) -> Damaged:
    return Damaged(
        f"{path} does not fit its table: {why}.", "Load the file again; nothing was committed.", code="footer-mismatch"
    )
