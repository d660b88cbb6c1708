"""Rows → Parquet as every file of a lake is: zstd, small row groups, encodings by what the values are like."""

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 131_072
_ZSTD_LEVEL = 3
_SAMPLE_ROWS = 16_384
# A dictionary of values that hardly repeat is made in vain: it takes as long again, and is thrown away.
_MOSTLY_DIFFERENT = 0.75


def parquet_writer(where: Path | BinaryIO, first: pa.Table) -> pq.ParquetWriter:
    """A writer of files with the schema of `first`, the first rows, which tell how columns are best encoded."""
    plain = [name for name in first.schema.names if _hardly_repeats(first[name])]
    differences = {name: "DELTA_BINARY_PACKED" for name in plain if _is_whole(first.schema.field(name).type)}
    return pq.ParquetWriter(
        where,
        first.schema,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        version="2.6",
        use_dictionary=[name for name in first.schema.names if name not in plain],
        column_encoding=differences or None,
        store_decimal_as_integer=True,
        store_schema=False,
    )


def _hardly_repeats(column: pa.ChunkedArray) -> bool:
    if not (_is_whole(column.type) or pa.types.is_floating(column.type)):
        return False
    sample = column.slice(0, _SAMPLE_ROWS)
    if pa.types.is_decimal(column.type):
        sample = sample.cast(pa.decimal128(column.type.precision, column.type.scale))
    return bool(pc.count_distinct(sample).as_py() > _MOSTLY_DIFFERENT * len(sample))


def _is_whole(kind: pa.DataType) -> bool:
    """Whether Parquet holds the values as whole numbers of 32 or 64 bits."""
    if pa.types.is_decimal(kind):
        return bool(kind.precision <= 18)
    return bool(pa.types.is_integer(kind) or pa.types.is_temporal(kind))
