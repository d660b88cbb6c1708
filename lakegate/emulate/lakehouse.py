"""What stands behind the emulated Athena: Iceberg tables of the Glue catalog, read by DuckDB.

The way from Athena's SQL to DuckDB's is the embedded home's own, so that the two homes can be compared.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.errors import SqlglotError

from athena.dataset import parse_type
from athena.engines.duckdb.fault import code_of
from athena.engines.duckdb.files import DataFile, PlannedColumn, TableFiles
from athena.engines.duckdb.plan import Plan, plan_of
from athena.errors import LakegateError, Refused
from athena.trino.text import read
from lakegate.emulate.query import QueryFailed, Rows
from lakegate.emulate.result import athena_type

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "lake"
_ROWS_PER_FETCH = 10_000
# Our codes for what went wrong in DuckDB, in Trino's words.
_NAMES = {
    "division-by-zero": "DIVISION_BY_ZERO",
    "cast-failed": "INVALID_CAST_ARGUMENT",
    "out-of-range": "NUMERIC_VALUE_OUT_OF_RANGE",
    "subquery-rows": "SUBQUERY_MULTIPLE_ROWS",
    "bad-argument": "INVALID_FUNCTION_ARGUMENT",
    "query-memory": "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "query-disk": "EXCEEDED_SPILL_LIMIT",
    "query-unsupported": "NOT_SUPPORTED",
    "sql-unsupported": "NOT_SUPPORTED",
    "snapshot-gone": "ICEBERG_INVALID_SNAPSHOT_ID",
}


class Lakehouse:
    """Makes queries. Every data file is copied from S3 once: it never changes. `close` takes the copies away."""

    def __init__(self, glue: Any, s3: Any, *, iceberg_io: Mapping[str, str]) -> None:
        self._glue = glue
        self._s3 = s3
        self._io = dict(iceberg_io)
        self._folder = Path(tempfile.mkdtemp(prefix="emulated-athena-"))
        self._lock = threading.Lock()

    def query(self, sql: str, database: str, parameters: Sequence[str]) -> "DuckDBQuery":
        """A query that does not run yet."""
        return DuckDBQuery(self, sql, database, parameters)

    def table(self, database: str, name: str, snapshot: int | None) -> TableFiles:
        """The files of a table at a snapshot (the current one without), copied; raises `QueryFailed`."""
        from pyiceberg.table import StaticTable

        table = StaticTable.from_metadata(self._metadata_location(database, name), self._io)
        if snapshot is not None and table.snapshot_by_id(snapshot) is None:
            raise QueryFailed(f"ICEBERG_INVALID_SNAPSHOT_ID: Iceberg snapshot ID does not exist: {snapshot}")
        tasks = list(table.scan(snapshot_id=snapshot).plan_files()) if table.metadata.snapshots else []
        found = [task.file for task in tasks]
        return TableFiles(
            tuple(
                PlannedColumn(field.field_id, field.name, parse_type(str(field.field_type).replace(" ", "")))
                for field in table.schema().fields
            ),
            tuple(DataFile(self._copied(one.file_path), one.file_size_in_bytes, one.record_count, {}) for one in found),
        )

    def close(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _metadata_location(self, database: str, name: str) -> str:
        try:
            found = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException as error:
            raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist") from error
        location = found.get("Parameters", {}).get("metadata_location")
        if location is None:
            raise QueryFailed(f"NOT_SUPPORTED: '{database}.{name}' is no Iceberg table, and others are not read here")
        return str(location)

    def _copied(self, location: str) -> str:
        place = urlsplit(location)
        target = self._folder / place.netloc / place.path.lstrip("/")
        with self._lock:
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(target.name + ".part")
                self._s3.download_file(place.netloc, place.path.lstrip("/"), str(part))
                part.rename(target)
        return str(target)


class DuckDBQuery:
    """One query in a database of its own."""

    def __init__(self, house: Lakehouse, sql: str, database: str, parameters: Sequence[str]) -> None:
        self._house = house
        self._sql = sql
        self._database = database
        self._parameters = parameters
        self._connection = duckdb.connect(":memory:")

    def rows(self) -> Rows:
        """Run it; raises `QueryFailed`."""
        try:
            plan = self._planned()
            self._prepare(plan)
            relation = self._connection.sql(plan.sql)
            kinds = [athena_type(str(kind)) for kind in relation.types]
            columns = list(zip(relation.columns, kinds, strict=True))
            return Rows(columns, self._fetched(relation.to_arrow_reader(_ROWS_PER_FETCH)), plan.size_bytes)
        except (duckdb.Error, LakegateError, SqlglotError) as error:
            raise _failed(error) from error

    def interrupt(self) -> None:
        """Make it end soon; what is closed by now has ended."""
        with suppress(duckdb.ConnectionException):
            self._connection.interrupt()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _planned(self) -> Plan:
        try:
            tree = read(bound(self._sql, self._parameters))
        except Refused as error:
            name = "SYNTAX_ERROR" if error.code == "sql-syntax" else "NOT_SUPPORTED"
            raise QueryFailed(f"{name}: {error.message}") from error
        mentioned = named_apart(tree, self._database)
        return plan_of(tree, {name: self._house.table(*where) for name, where in mentioned.items()})

    def _prepare(self, plan: Plan) -> None:
        for statement in plan.setup:
            self._connection.execute(statement)
        self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{SCHEMA}"')
        for view in plan.views:
            self._connection.execute(f'CREATE VIEW "{SCHEMA}"."{view.name}" AS {view.select}')

    def _fetched(self, batches: Iterable["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        try:
            yield from batches
        except duckdb.Error as error:
            raise _failed(error) from error


def bound(sql: str, parameters: Sequence[str]) -> str:
    """The statement with each `?` replaced by its execution parameter, which is SQL: 'a text' or 1.

    >>> bound("SELECT ? -- why?", ["'a'"])
    "SELECT 'a' -- why?"
    """
    marks = [token for token in sqlglot.tokenize(sql, read=Athena) if token.token_type.name == "PLACEHOLDER"]
    if len(marks) != len(parameters):
        raise QueryFailed(f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(marks)}")
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = sql[: mark.start] + parameter + sql[mark.end + 1 :]
    return sql


def named_apart(tree: exp.Expr, database: str) -> dict[str, tuple[str, str, int | None]]:
    """Gives every table at every version a name of its own in `tree`; what each stands for.

    >>> tree = sqlglot.parse_one("SELECT * FROM a JOIN a FOR VERSION AS OF 7 AS b ON true", read=Athena)
    >>> named_apart(tree, "lake")
    {'a': ('lake', 'a', None), 'a_2': ('lake', 'a', 7)}
    >>> tree.sql("athena")
    'SELECT * FROM "lake"."a" AS a JOIN "lake"."a_2" AS b ON TRUE'
    """
    defined = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    names: dict[tuple[str, str, int | None], str] = {}
    for table in list(tree.find_all(exp.Table)):
        if not table.db and table.name.lower() in defined:
            continue
        where = ((table.db or database).lower(), table.name.lower(), _version(table))
        if where not in names:
            taken = sum(name == where[1] or name.startswith(where[1] + "_") for name in names.values())
            names[where] = where[1] if not taken else f"{where[1]}_{taken + 1}"
        if not table.alias:
            table.set("alias", exp.TableAlias(this=table.this.copy()))
        table.set("this", exp.to_identifier(names[where], quoted=True))
        table.set("db", exp.to_identifier(SCHEMA, quoted=True))
        for gone in ("catalog", "version"):
            table.set(gone, None)
    return {name: where for where, name in names.items()}


def _version(table: exp.Table) -> int | None:
    version = table.args.get("version")
    if version is None:
        return None
    if version.name != "VERSION" or not isinstance(version.expression, exp.Literal):
        raise QueryFailed("NOT_SUPPORTED: only FOR VERSION AS OF <number> runs here")
    return int(version.expression.this)


def _failed(error: Exception) -> QueryFailed:
    if isinstance(error, SqlglotError):
        return QueryFailed(f"SYNTAX_ERROR: {error}")
    code = error.code if isinstance(error, LakegateError) else code_of(error)
    return QueryFailed(f"{_NAMES.get(code, 'GENERIC_USER_ERROR')}: {error}")
