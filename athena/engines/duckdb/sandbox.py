"""A fresh in-memory database that reaches nothing but the planned files. Runs in a child.

The order matters: what is locked first cannot be set later. `allowed_paths` alone would still let `COPY … TO` an
allowed file overwrite it and `read_parquet('<allowed>')` walk around a row filter: the statement's own allow-list
stands before this, and the files are read-only.
"""

import re

import duckdb

from athena.engines.duckdb.errand import Errand
from athena.engines.duckdb.text import quoted

_BEFORE = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET python_enable_replacements = false",
    "SET python_scan_all_frames = false",
    "SET enable_progress_bar = false",
    "SET errors_as_json = false",
    "SET TimeZone = 'UTC'",
)
_SPARING = re.compile(r"\b(TRY|COALESCE)\(", re.IGNORECASE)
# Optimisers that look at the data's statistics and could so let hidden rows decide about a failure.
_STATISTICS_DRIVEN = "join_order,statistics_propagation,build_side_probe_side,reorder_filter,compressed_materialization"
# Takes what stands twice in an expression out of it, and out of the TRY or COALESCE that spared it.
_BLIND_TO_TRY = "common_subexpressions"


def disabled_optimizers(sql: str, *, guarded: bool) -> str:
    """What DuckDB must leave alone for this statement, as its setting takes it.

    >>> disabled_optimizers("SELECT TRY(CAST(a AS INT) + CAST(a AS INT)) FROM t", guarded=False)
    'common_subexpressions'
    """
    return ",".join([*[_STATISTICS_DRIVEN] * guarded, *[_BLIND_TO_TRY] * bool(_SPARING.search(sql))])


def open_database() -> duckdb.DuckDBPyConnection:
    """An empty database of its own. Takes 10 ms, so that a child opens it before the question comes."""
    connection = duckdb.connect(":memory:")
    for statement in _BEFORE:
        connection.execute(statement)
    return connection


def lock_in(connection: duckdb.DuckDBPyConnection, errand: Errand) -> None:
    """Make `errand.views` tables of the schema `errand.lake`, shut everything else out, and lock."""
    for statement in (*_limits(errand), *errand.setup, *_views(errand)):
        connection.execute(statement)
    disabled = disabled_optimizers(errand.sql, guarded=errand.guarded)
    connection.execute(f"SET disabled_optimizers = '{disabled}'")
    files = ", ".join(quoted(path) for path in errand.files)
    connection.execute(f"SET allowed_paths = [{files}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _limits(errand: Errand) -> tuple[str, ...]:
    return (
        f"SET threads = {errand.threads}",
        f"SET memory_limit = '{errand.memory_bytes}B'",
        f"SET temp_directory = {quoted(errand.spill)}",
        f"SET max_temp_directory_size = '{errand.spill_bytes}B'",
    )


def _views(errand: Errand) -> tuple[str, ...]:
    created = [f'CREATE VIEW "{errand.lake}"."{view.name}" AS {view.select}' for view in errand.views]
    return (f'CREATE SCHEMA "{errand.lake}"', *created)
