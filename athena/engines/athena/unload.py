"""An answer that Athena has computed → the UNLOAD that writes the same rows as Parquet, or why there is none. Pure.

https://docs.aws.amazon.com/athena/latest/ug/unload.html: files in parallel, no order between them, an empty target.
It is another run, so it may only repeat what gives the same rows each time: no order, no cut, nothing that picks among
equals. What it cannot hold (instants are milliseconds without a zone there) is cast where that loses nothing.
"""

import re
from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena

from athena.question import ResultColumn
from athena.trino.text import read

_INSTANTS = {"timestamp": '"{}"', "timestamptz": "(\"{}\" AT TIME ZONE 'UTC')"}
_NAME = re.compile(r"[a-z0-9_]+")
# Which of several equal or unequal rows they take, or in what order, is the engine's choice.
_CHOOSING = frozenset(
    [
        "any_value",
        "arbitrary",
        "min_by",
        "max_by",
        "approx_percentile",
        "array_agg",
        "set_agg",
        "map_agg",
        "multimap_agg",
        "histogram",
        "map_union",
    ]
)


def why_not(sql: str, columns: Sequence[ResultColumn], *, row_count: int) -> str | None:
    """Why the statement of an answer with `row_count` rows must not be unloaded, as a sentence without its end; None
    when UNLOAD gives the same rows.

    >>> from athena.dataset import DataType
    >>> one = [ResultColumn("a", DataType("long"))]
    >>> why_not('SELECT "a" FROM "t" LIMIT 11', one, row_count=10)
    >>> why_not('SELECT "a" FROM "t" ORDER BY "a" LIMIT 11', one, row_count=10)
    'This answer has an order, and UNLOAD writes its files side by side'
    >>> why_not('SELECT "a" FROM "t" LIMIT 10', one, row_count=10)
    'This answer was cut at 10 rows, and another run may cut elsewhere'
    """
    tree = read(sql)
    if row_count == 0:
        return "This answer has no rows, and UNLOAD then writes no file"
    if len({column.name for column in columns}) < len(columns) or not all(_NAME.fullmatch(one.name) for one in columns):
        return "This answer has column names that are no plain words, or two that are equal"
    if tree.args.get("order") is not None:
        return "This answer has an order, and UNLOAD writes its files side by side"
    limit = tree.args.get("limit")
    if row_count >= _most(limit):
        return f"This answer was cut at {row_count} rows, and another run may cut elsewhere"
    if any(_chooses(node) for node in tree.walk() if node is not limit):
        return "Another run may choose other rows among equals (LIMIT, OFFSET, window or ordered aggregate)"
    return None


def unlimited(sql: str) -> str:
    """The statement without the limit behind it, which cut nothing.

    >>> unlimited('SELECT "a" FROM "t" LIMIT 11')
    'SELECT "a" FROM "t"'
    """
    if read(sql).args.get("limit") is None:
        return sql
    tokens = sqlglot.tokenize(sql, read=Athena)
    last = next(token for token in reversed(tokens) if token.token_type.name in ("LIMIT", "FETCH"))
    return sql[: last.start].rstrip()


def selected(sql: str, columns: Sequence[ResultColumn]) -> str:
    """The statement with instants as milliseconds of UTC; one that is finer makes it fail, for it would be rounded.

    >>> from athena.dataset import DataType
    >>> selected('SELECT 1 AS "a"', [ResultColumn("a", DataType("int"))])
    'SELECT "a" FROM (SELECT 1 AS "a") AS "answer"'
    """
    return f'SELECT {", ".join(map(_shown, columns))} FROM ({sql}) AS "answer"'


def unloading(select: str, *, to: str) -> str:
    """The UNLOAD of a SELECT into the empty place `to`.

    >>> unloading('SELECT 1 AS "a"', to="s3://b/p/")
    'UNLOAD (SELECT 1 AS "a") TO \\'s3://b/p/\\' WITH (format = \\'PARQUET\\', compression = \\'ZSTD\\')'
    """
    return f"UNLOAD ({select}) TO '{to}' WITH (format = 'PARQUET', compression = 'ZSTD')"


def _shown(column: ResultColumn) -> str:
    form = _INSTANTS.get(column.type.name)
    if form is None:
        return f'"{column.name}"'
    value = form.format(column.name)
    finer = f"CAST(concat('finer than a millisecond: ', CAST({value} AS varchar)) AS timestamp(3))"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN date_trunc('millisecond', {value}) = {value} "
        f'THEN CAST({value} AS timestamp(3)) ELSE {finer} END AS "{column.name}"'
    )


def _most(limit: exp.Expr | None) -> float:
    if limit is None:
        return float("inf")
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
    return int(str(count)) if str(count).isdecimal() else 0


def _chooses(node: exp.Expr) -> bool:
    if isinstance(node, exp.Limit | exp.Fetch | exp.Offset | exp.Window | exp.GroupConcat):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in _CHOOSING
