"""A query in Athena's dialect → the same in DuckDB's: the modules of this package in their order.

Apart from the package itself, as asking on AWS reads and writes SQL (`text`) and translates none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

# Dialects are named by class, never by text: sqlglot loads a dialect when its name is first used, and a second thread
# that names it meanwhile meets half a module.
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.duckdb import DuckDB

from athena.dataset import Column
from athena.trino import (
    aggregates,
    arithmetic,
    arrays,
    binaries,
    bits,
    cast,
    comparisons,
    conditions,
    date_formats,
    dates,
    formats,
    instants,
    json_cast,
    json_functions,
    json_paths,
    literals,
    maps,
    maths,
    nested,
    patterns,
    strings,
    types,
    units,
    urls,
    values,
    written,
)
from athena.trino.build import FAIL_PREFIX, to
from athena.trino.function import Function
from athena.trino.queries import Queries
from athena.trino.scope import Field
from athena.trino.text import read, write
from athena.trino.types import Type

# each module mends one matter: its nodes (REWRITES), its functions (FUNCTIONS), its DuckDB macros (MACROS)
_MODULES = (
    values,
    literals,
    written,
    cast,
    instants,
    arithmetic,
    comparisons,
    nested,
    conditions,
    maths,
    strings,
    formats,
    patterns,
    dates,
    date_formats,
    arrays,
    maps,
    json_cast,
    json_functions,
    json_paths,
    bits,
    binaries,
    units,
    urls,
    aggregates,
)


@dataclass(frozen=True, slots=True)
class Supported:
    """A function of Trino that the embedded engine can do. `total`: it never fails, whatever it is given."""

    name: str
    kind: str
    total: bool
    strict: bool


def to_duckdb(query: str | exp.Query, tables: Mapping[str, Sequence[Column]] | None = None) -> str:
    """DuckDB SQL for one query in Athena's dialect over these tables (name without database → columns).

    Raises `Refused` (code `sql-unsupported`, or `sql-syntax` for text that cannot be read).

    >>> to_duckdb("SELECT 7 / 2 AS x")
    'SELECT 7 // 2 AS "x"'
    """
    tree = read(query if isinstance(query, str) else query.sql(Athena))
    translated, fields = _translated(tree, tables)
    if isinstance(translated, exp.Select):
        # a bare NULL has no type in DuckDB
        for output, field in zip(translated.expressions, fields, strict=True):
            if field.type == types.UNKNOWN:
                output.set("this", to(output.this, types.VARCHAR))
    return translated.sql(DuckDB)


def _translated(tree: exp.Query, tables: Mapping[str, Sequence[Column]] | None) -> tuple[exp.Expr, list[Field]]:
    known = {name.lower(): tuple((c.name, column_type(c)) for c in columns) for name, columns in (tables or {}).items()}
    return Queries(known, _REWRITES, _FUNCTIONS).top(tree)


def result_types(query: str, tables: Mapping[str, Sequence[Column]] | None = None) -> list[str]:
    """The types of the answer's columns as Trino names them.

    >>> result_types("SELECT 1.50 * 2, date '2026-01-01'")
    ['decimal(13,2)', 'date']
    """
    return [str(field.type) for field in _translated(read(query), tables)[1]]


def result_storage(query: str, tables: Mapping[str, Sequence[Column]] | None = None) -> list[str]:
    """The types of the answer's columns as DuckDB must give them.

    >>> result_storage("SELECT 1.50 * 2, null")
    ['DECIMAL(13, 2)', 'VARCHAR']
    """
    kinds = [field.type for field in _translated(read(query), tables)[1]]
    return [types.duckdb(types.VARCHAR if kind == types.UNKNOWN else kind) for kind in kinds]


def column_type(column: Column) -> Type:
    """A dataset's column type as Trino's."""
    kind = column.type
    if kind.name == "decimal":
        return types.decimal(kind.precision, kind.scale)
    return _COLUMN_TYPES[kind.name]


def settings() -> tuple[str, ...]:
    """What to run once in a fresh connection, before anything is locked."""
    # Integers are divided by // and doubles by /, which with `integer_division` would fail at zero instead of giving
    # Infinity or NaN.
    return ("SET TimeZone = 'UTC'", "SET integer_division = false", "SET default_null_order = 'nulls_last'")


def macros() -> tuple[str, ...]:
    """What to run once in a fresh connection, after `settings()`: the few functions that DuckDB lacks."""
    return _MACROS


def failure_code(message: str) -> str | None:
    """The problem code in the text of a DuckDB error that one of our macros raised on purpose, else None.

    >>> failure_code("Could not convert string 'lakegate:bad-argument' to BOOL")
    'bad-argument'
    """
    _, found, rest = message.partition(FAIL_PREFIX)
    return rest.partition("'")[0] if found else None


_COLUMN_TYPES = {
    "string": types.VARCHAR,
    "boolean": types.BOOLEAN,
    "int": types.INTEGER,
    "long": types.BIGINT,
    "float": types.REAL,
    "double": types.DOUBLE,
    "date": types.DATE,
    "timestamp": types.timestamp(6),
    "timestamptz": types.zoned(6),
}


def _all_functions() -> dict[str, list[Function]]:
    from dataclasses import replace

    found: dict[str, list[Function]] = {}
    for module in _MODULES:
        for function in getattr(module, "FUNCTIONS", ()):
            overloads = found.setdefault(function.name, [])
            macro = f"trino_{function.name}_{len(overloads)}" if function.is_macro else ""
            overloads.append(replace(function, macro=macro))
    return found


def _all_macros() -> tuple[str, ...]:
    made = []
    for module in _MODULES:
        made += [f"CREATE MACRO {head} AS {body}" for head, body in getattr(module, "MACROS", {}).items()]
    for overloads in _FUNCTIONS.values():
        for function in overloads:
            if function.is_macro:
                names = ", ".join("abcde"[: len(function.parameters)])
                made.append(f"CREATE MACRO {function.macro}({names}) AS {function.body}")
    return tuple(made)


_REWRITES = {kind: rewrite for module in _MODULES for kind, rewrite in getattr(module, "REWRITES", {}).items()}
_FUNCTIONS = _all_functions()
_MACROS = _all_macros()

FUNCTIONS: Mapping[str, Supported] = {
    name: Supported(name, overloads[0].kind.value, all(f.total for f in overloads), all(f.strict for f in overloads))
    for name, overloads in _FUNCTIONS.items()
}

__all__ = [
    "FUNCTIONS",
    "Supported",
    "failure_code",
    "macros",
    "read",
    "result_storage",
    "result_types",
    "settings",
    "to_duckdb",
    "write",
]
