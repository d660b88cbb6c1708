"""The golden cases of tests/cases/trino: what Trino's documentation or tests say, as data.

A case is [SQL, type, value]; SQL that is no query stands behind SELECT. Type `refused` means: refused before it runs,
with a text that holds the value; `error` means: fails while it runs, with that problem code. Lengths of varchar do not
count. Values are written as: NULL, true, numbers, texts bare, [a, b], {k=v} (rows by field name), rows of a result
apart by " / ", columns by ", ".
"""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import duckdb

from athena.engines.duckdb.sandbox import disabled_optimizers
from athena.trino.translation import macros, settings

CASES = Path(__file__).parents[2] / "cases" / "trino"


@dataclass(frozen=True, slots=True)
class Golden:
    """One case; `page`, `title` and `source` say where it belongs and where its value is from."""

    page: str
    title: str
    source: str
    sql: str
    kind: str
    value: str

    @property
    def query(self) -> str:
        """The whole statement."""
        return self.sql if re.match(r"(?i)(select|with|values)\b", self.sql) else f"SELECT {self.sql}"


def golden_cases() -> list[Golden]:
    """Every case, in the order of the files."""
    found = []
    for path in sorted(CASES.glob("*.toml")):
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
        for group in loaded["group"]:
            found += [Golden(loaded["page"], group["title"], group["source"], *case) for case in group["cases"]]
    return found


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """A connection that is set up as the translation wants it."""
    connection = duckdb.connect()
    for statement in (*settings(), *macros()):
        connection.execute(statement)
    return connection


def unbounded(kind: str) -> str:
    """A type without the lengths of its texts."""
    return re.sub(r"varchar\(\d+\)", "varchar", kind)


def run(sql: str) -> tuple[list[str], str]:
    """DuckDB's own types of a translated query's columns, and its rows as they are written in a case."""
    disabled = disabled_optimizers(sql, guarded=False)
    engine().execute(f"SET disabled_optimizers = '{disabled}'")
    relation = engine().sql(sql)
    kinds = [str(kind) for kind in relation.types]
    # instants are shown in UTC without the help of a module for time zones
    columns = [f"CAST(c{i} AS VARCHAR)" if "ZONE" in kind else f"c{i}" for i, kind in enumerate(kinds)]
    names = ", ".join(f"c{i}" for i in range(len(kinds)))
    rows = engine().execute(f"SELECT {', '.join(columns)} FROM ({sql}) AS t({names})").fetchall()
    return kinds, " / ".join(", ".join(map(written, row)) for row in rows)


def written(value: object) -> str:
    """A value as it is written in a case."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        special = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return repr(value) if math.isfinite(value) else special
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value)
