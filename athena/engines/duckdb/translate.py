"""An entitled statement in Athena's SQL → what DuckDB runs for it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from athena.dataset import Column
from athena.heads import Head
from athena.policy import with_system
from athena.trino.translation import macros, settings, to_duckdb

# A statement is translated when it is asked, to refuse it at once, and again when it is run.
_KEPT = 64
_MACRO = re.compile(r"\btrino_\w+", re.IGNORECASE)
_CREATED = re.compile(r"CREATE MACRO (\w+)")


@dataclass(frozen=True, slots=True)
class Translated:
    """`setup` is what the connection needs before `sql` can run: settings and the macros that it names."""

    sql: str
    setup: tuple[str, ...]


def columns_of(pins: Mapping[str, Head]) -> dict[str, tuple[Column, ...]]:
    """What each table has, the columns of every row's origin among it."""
    return {name: with_system(head.columns) for name, head in pins.items()}


def translated(sql: str, tables: Mapping[str, tuple[Column, ...]]) -> Translated:
    """The statement for DuckDB; raises `Refused` (`sql-unsupported`) for what DuckDB cannot do exactly.

    >>> translated("SELECT 7 / 2 AS x", {}).sql
    'SELECT 7 // 2 AS "x"'
    """
    return _translated(sql, tuple(sorted(tables.items(), key=lambda table: table[0])))


@lru_cache(maxsize=_KEPT)
def _translated(sql: str, tables: tuple[tuple[str, tuple[Column, ...]], ...]) -> Translated:
    made = to_duckdb(sql, dict(tables))
    return Translated(made, (*settings(), *_needed(made)))


def _needed(sql: str) -> list[str]:
    """The macros that a statement names, and those that these name."""
    known = _known()
    found: set[str] = set()
    named = _named(sql)
    while named:
        found |= named
        named = {name for other in named for name in _named(known[other])} - found
    return [statement for name, statement in known.items() if name in found]


@cache
def _known() -> dict[str, str]:
    created = ((_CREATED.match(statement), statement) for statement in macros())
    return {match[1].lower(): statement for match, statement in created if match is not None}


def _named(sql: str) -> set[str]:
    return {name.lower() for name in _MACRO.findall(sql)} & set(_known())
