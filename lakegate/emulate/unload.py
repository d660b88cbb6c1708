"""UNLOAD as Athena's clients write it, and the Parquet files that it leaves.

https://docs.aws.amazon.com/athena/latest/ug/unload.html
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena

from lakegate.emulate.query import QueryFailed
from lakegate.emulate.result import Type

if TYPE_CHECKING:
    import pyarrow as pa

_STATEMENT = re.compile(
    r"\s*UNLOAD\s*\((?P<select>.*)\)\s*TO\s*'(?P<to>[^']*)'\s*WITH\s*\((?P<options>[^()]*)\)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(r"\s*(\w+)\s*=\s*'([^']*)'\s*")
_CODECS = {"": "gzip", "gzip": "gzip", "snappy": "snappy", "zstd": "zstd", "none": "none", "lz4": "lz4"}
# What Hive's Parquet, and so UNLOAD, has no place for.
_UNWRITABLE = frozenset(["timestamp with time zone", "time", "unknown", "interval day to second", "json"])


@dataclass(frozen=True, slots=True)
class Unload:
    """What is selected, where its files go (`s3://bucket/prefix/`), and how they are compressed."""

    select: str
    to: str
    compression: str


def unload_of(sql: str) -> Unload | None:
    """The UNLOAD that a statement is, None when it is another; raises `QueryFailed` for one that is none of ours.

    >>> unload_of("UNLOAD (SELECT 1 AS a) TO 's3://b/p/' WITH (format = 'PARQUET', compression = 'ZSTD')")
    Unload(select='SELECT 1 AS a', to='s3://b/p/', compression='zstd')
    >>> unload_of("SELECT 'UNLOAD (x)'") is None
    True
    """
    if sql.lstrip()[:6].upper() != "UNLOAD":
        return None
    match = _STATEMENT.fullmatch(sql)
    if match is None:
        raise QueryFailed("SYNTAX_ERROR: UNLOAD is not written as UNLOAD (SELECT …) TO 's3://…' WITH (…)")
    options = dict(_options(match["options"]))
    if options.pop("format", "").lower() != "parquet":
        raise QueryFailed("NOT_SUPPORTED: only UNLOAD to Parquet runs here")
    codec = _CODECS.get(options.pop("compression", "").lower())
    if codec is None or options:
        raise QueryFailed("NOT_SUPPORTED: only format and compression of UNLOAD are known here")
    if not match["to"].startswith("s3://"):
        raise QueryFailed(f"INVALID_ARGUMENTS: Invalid S3 location: {match['to']}")
    return Unload(match["select"], match["to"].rstrip("/") + "/", codec)


def check_columns(unload: Unload, columns: Sequence[tuple[str, Type]]) -> None:
    """Raises `QueryFailed` for what cannot be written, in Athena's words."""
    # By the text: DuckDB has given equal names different ones by then.
    tree = sqlglot.parse_one(unload.select, read=Athena)
    names = [name.lower() for name in tree.named_selects if name != "*"] if isinstance(tree, exp.Query) else []
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise QueryFailed(f"SYNTAX_ERROR: Column name '{twice}' specified more than once")
    for _, kind in columns:
        if kind.name in _UNWRITABLE:
            raise QueryFailed(f"NOT_SUPPORTED: Unsupported Hive type: {kind.name}")


def parquet_files(batches: "Iterable[pa.RecordBatch]", *, compression: str, most_rows: int) -> Iterator[bytes]:
    """The files, none of an empty result, each with at most so many rows. Instants are INT96, as Hive writes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for some in _filled(batches, most_rows):
        sink = BytesIO()
        pq.write_table(pa.Table.from_batches(some), sink, compression=compression, use_deprecated_int96_timestamps=True)
        yield sink.getvalue()


def _options(text: str) -> Iterator[tuple[str, str]]:
    for word in text.split(","):
        match = _OPTION.fullmatch(word)
        if match is None:
            raise QueryFailed(f"SYNTAX_ERROR: {word.strip()!r} is no option of UNLOAD")
        yield match[1].lower(), match[2]


def _filled(batches: "Iterable[pa.RecordBatch]", most_rows: int) -> "Iterator[list[pa.RecordBatch]]":
    """The batches in groups of so many rows; the last one may have fewer."""
    some: list[pa.RecordBatch] = []
    room = most_rows
    for batch in batches:
        _check_milliseconds(batch)
        start = 0
        while start < batch.num_rows:
            some.append(batch.slice(start, room))
            start += some[-1].num_rows
            room -= some[-1].num_rows
            if room == 0:
                yield some
                some, room = [], most_rows
    if some:
        yield some


def _check_milliseconds(batch: "pa.RecordBatch") -> None:
    """Hive's timestamps have milliseconds: a column of Iceberg's finer ones is refused there by its type, here by what
    is in it, as DuckDB has one type for both."""
    import pyarrow as pa

    for column in batch.columns:
        if pa.types.is_timestamp(column.type):
            try:
                column.cast(pa.timestamp("ms"))
            except pa.ArrowInvalid as error:
                raise QueryFailed(
                    "NOT_SUPPORTED: Incorrect timestamp precision for timestamp(6); "
                    "the configured precision is MILLISECONDS"
                ) from error
