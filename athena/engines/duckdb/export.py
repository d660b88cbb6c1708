"""The rows of a query → one zstd Parquet file and its first page, streaming. Runs in a child."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from athena.engines.duckdb.errand import Done, Errand
from athena.engines.duckdb.fault import QueryFault
from athena.question import Page
from athena.results.arrow import first_page, result_columns

# Small row groups, so that a page far behind costs no more than the first.
ROWS_PER_GROUP = 16_384
_NESTED = ("[]", "STRUCT(", "MAP(", "UNION(", "INTERVAL", "BLOB", "BIT", "VARIANT", "GEOMETRY")

_TARGETS: dict[str, pa.DataType] = {
    "TINYINT": pa.int32(),
    "SMALLINT": pa.int32(),
    "UTINYINT": pa.int32(),
    "USMALLINT": pa.int32(),
    "UINTEGER": pa.int64(),
    "UBIGINT": pa.int64(),
    "HUGEINT": pa.int64(),
    "UHUGEINT": pa.int64(),
    "TIMESTAMP_S": pa.timestamp("us"),
    "TIMESTAMP_MS": pa.timestamp("us"),
    "TIMESTAMP_NS": pa.timestamp("us"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "TIME": pa.string(),
    '"NULL"': pa.string(),
}


def export(connection: duckdb.DuckDBPyConnection, errand: Errand) -> tuple[Done, bytes]:
    """Run the errand's SQL; what became of it and the first page's JSON. Raises `QueryFault` and DuckDB's errors."""
    relation = connection.sql(errand.sql)
    schema = _target_schema([str(kind) for kind in relation.types], errand.output)
    written = _Written(_Sink(Path(errand.staged), errand.result_bytes), schema, errand)
    with (
        written.sink,
        pq.ParquetWriter(
            written.sink, schema, compression="zstd", compression_level=1, write_page_checksum=True
        ) as writer,
    ):
        for batch in _conformed(relation.to_arrow_reader(ROWS_PER_GROUP), schema):
            if not written.take(batch, writer):
                break
    page = written.page()
    done = Done(
        columns=result_columns(schema),
        row_count=written.rows,
        truncated=written.truncated,
        size_bytes=written.sink.size,
        sha256=written.sink.digest.hexdigest(),
        warnings=written.warnings(),
        page_rows=page.row_count,
        page_next=page.next_offset,
        page_bytes=len(page.fragment),
    )
    return done, page.fragment


class _Sink:
    """A new file that hashes what it is given and refuses more than `most` bytes."""

    closed = False

    def __init__(self, path: Path, most: int) -> None:
        self._file = path.open("xb")
        self._most = most
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.size += len(data)
        if self.size > self._most:
            raise QueryFault("result-too-large")
        self.digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
        self.closed = True

    def __enter__(self) -> "_Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class _Written:
    """What has been written so far, and what the first page and the warnings need of it."""

    sink: _Sink
    schema: pa.Schema
    errand: Errand
    rows: int = 0
    truncated: bool = False
    head: list[pa.RecordBatch] = field(default_factory=list)
    not_finite: set[int] = field(default_factory=set)

    def take(self, batch: pa.RecordBatch, writer: pq.ParquetWriter) -> bool:
        """Write the batch, as far as the row limit goes; False when there is no room for another row."""
        room = self.errand.row_limit - self.rows
        if batch.num_rows > room:
            self.truncated = True
            batch = batch.slice(0, room)
        if batch.num_rows:
            writer.write_batch(batch)
        if self.rows < self.errand.page_rows:
            self.head.append(batch)
        self.rows += batch.num_rows
        self._look_for_not_finite(batch)
        return not self.truncated

    def page(self) -> Page:
        table = pa.Table.from_batches(self.head, self.schema)
        columns = result_columns(self.schema)
        return first_page(columns, table, rows=self.errand.page_rows, more=self.rows > table.num_rows)

    def warnings(self) -> tuple[str, ...]:
        names = [self.schema.field(index).name for index in sorted(self.not_finite)]
        return tuple(f"Column {name} holds NaN or infinite values; JSON shows them as null." for name in names)

    def _look_for_not_finite(self, batch: pa.RecordBatch) -> None:
        for index, column in enumerate(batch.columns):
            if pa.types.is_floating(column.type) and index not in self.not_finite:
                finite = pc.all(pc.is_finite(column), skip_nulls=True).as_py()
                if finite is False:
                    self.not_finite.add(index)


def _target_schema(kinds: list[str], names: tuple[str, ...]) -> pa.Schema:
    if len(names) != len(kinds):
        raise QueryFault("query-unsupported")
    return pa.schema([(name, _target(kind)) for name, kind in zip(names, kinds, strict=True)])


def _target(kind: str) -> pa.DataType:
    if kind.endswith("]") or kind.startswith(_NESTED):
        raise QueryFault("result-type-unsupported")
    if kind.startswith("DECIMAL("):
        precision, scale = kind[8:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    if kind.startswith(("ENUM(", "VARCHAR")):
        return pa.string()
    return _TARGETS.get(kind) or _SAME.get(kind, pa.string())


_SAME: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}


def _conformed(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        columns = [_as(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _as(column: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        found = column if column.type == target else pc.cast(column, target)
    except pa.ArrowInvalid as error:
        raise QueryFault("out-of-range") from error
    if pa.types.is_temporal(target) and len(found) > found.null_count:
        _check_years(found)
    return found


def _check_years(column: pa.Array) -> None:
    """Years 1 to 9999 are what answers can show; DuckDB also knows infinity and others."""
    least, greatest = _BOUNDS["days" if column.type == pa.date32() else "micros"]
    width = pa.int32() if column.type == pa.date32() else pa.int64()
    found = pc.min_max(column.view(width)).as_py()
    if found["min"] < least or found["max"] >= greatest:
        raise QueryFault("out-of-range")


_DAYS = (-719_162, 2_932_897)  # 0001-01-01 and 10000-01-01 since 1970
_MICROS_PER_DAY = 86_400_000_000
_BOUNDS = {"days": _DAYS, "micros": (_DAYS[0] * _MICROS_PER_DAY, _DAYS[1] * _MICROS_PER_DAY)}
