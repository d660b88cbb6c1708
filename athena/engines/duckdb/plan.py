"""A job → the DuckDB statement, a view per table over the fewest files of its pinned snapshot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.duckdb import DuckDB

from athena.dataset import Column, DataType
from athena.engines import Job
from athena.engines.duckdb.errand import TableView
from athena.engines.duckdb.files import DataFile, PlannedColumn, TableFiles, table_files
from athena.engines.duckdb.prune import kept_files
from athena.engines.duckdb.text import quoted
from athena.engines.duckdb.translate import Translated, columns_of, translated
from athena.trino.text import write

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What an errand needs of a job. `size_bytes` is the size of the named columns in the files, an upper bound of
    what is read."""

    sql: str
    setup: tuple[str, ...]
    views: tuple[TableView, ...]
    files: tuple[str, ...]
    size_bytes: int


def planned(job: Job) -> Plan:
    """The plan; raises `Failed` (`snapshot-gone`) and `Refused` (`sql-unsupported`)."""
    tables = {name: table_files(head.metadata_location, head.snapshot_id) for name, head in job.pins.items()}
    return _plan(sqlglot.parse_one(job.sql, read=Athena), tables, translated(job.sql, columns_of(job.pins)))


def scan_bytes(job: Job, row_filters: Mapping[str, str]) -> int:
    """See `Engine.estimate`; raises `Failed` (`snapshot-gone`)."""
    tree, size_bytes = sqlglot.parse_one(job.sql, read=Athena), 0
    for name, head in job.pins.items():
        whole = table_files(head.metadata_location, head.snapshot_id)
        types = {column.name: column.type for column in whole.columns}
        rows = row_filters.get(name)
        filters = tree if rows is None else sqlglot.parse_one(f'SELECT 1 FROM "{name}" WHERE {rows}', read=Athena)
        size_bytes += _size_bytes(tree, kept_files(filters, name, types, whole.files))
    return size_bytes


def plan_of(tree: exp.Expr, tables: Mapping[str, TableFiles]) -> Plan:
    """The plan of an Athena statement over these tables, by dataset."""
    columns = {
        name: tuple(Column(column.name, column.type) for column in whole.columns) for name, whole in tables.items()
    }
    return _plan(tree, tables, translated(write(tree), columns))


def _plan(tree: exp.Expr, tables: Mapping[str, TableFiles], duckdb: Translated) -> Plan:
    views: list[TableView] = []
    files: list[DataFile] = []
    for name, whole in sorted(tables.items()):
        types = {column.name: column.type for column in whole.columns}
        kept = kept_files(tree, name, types, whole.files)
        views.append(TableView(name, _select(whole.columns, kept)))
        files.extend(kept)
    return Plan(
        sql=duckdb.sql,
        setup=duckdb.setup,
        views=tuple(views),
        files=tuple(file.path for file in files),
        size_bytes=_size_bytes(tree, files),
    )


def _size_bytes(tree: exp.Expr, files: Iterable[DataFile]) -> int:
    named = {column.name for column in tree.find_all(exp.Column)}
    return sum(
        # Who counts rows reads no column, but not nothing.
        max(1, sum(size for name, size in file.column_bytes.items() if name in named))
        if file.column_bytes
        else file.size_bytes
        for file in files
    )


def duckdb_type(kind: DataType) -> str:
    """DuckDB's name of a column type.

    >>> duckdb_type(DataType("decimal", 12, 2))
    'DECIMAL(12,2)'
    """
    return _DUCKDB_TYPES.get(kind.name) or str(kind).upper()


def _select(columns: tuple[PlannedColumn, ...], files: tuple[DataFile, ...]) -> str:
    """Columns are found by field id, so that renamed, added and widened ones read right from older files."""
    names = ", ".join(exp.to_identifier(column.name, quoted=True).sql(DuckDB) for column in columns)
    if not files:
        empty = ", ".join(f'CAST(NULL AS {duckdb_type(column.type)}) AS "{column.name}"' for column in columns)
        return f"SELECT {empty} WHERE false"
    paths = ", ".join(quoted(file.path) for file in files)
    fields = ", ".join(
        f"{column.field_id}: {{name: {quoted(column.name)}, type: '{duckdb_type(column.type)}', default_value: NULL}}"
        for column in columns
    )
    return f"SELECT {names} FROM read_parquet([{paths}], schema = MAP {{{fields}}})"
