"""A job → the statement that Athena is given: its own text with pins and a limit put in. Pure.

The text is not written anew from its tree: it was checked leaf by leaf as it is, and stays so.
Time travel: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-time-travel-and-version-travel-queries.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena

from athena.errors import Failed

# Dialects are named by class, never by text: sqlglot loads a dialect when its name is first used, and a second thread
# that names it meanwhile meets half a module.
_TABLE = ["IDENTIFIER", "DOT", "IDENTIFIER"]


@dataclass(frozen=True, slots=True)
class _Edit:
    """The characters from `start` up to `end` become `text`."""

    start: int
    end: int
    text: str


def pinned(sql: str, snapshots: Mapping[str, str], *, row_limit: int) -> str:
    """`sql`, whose tables are written `"lake"."name"`, on exactly these snapshots (by dataset), with at most one row
    more than `row_limit` (a few more where FETCH asks for ties).

    A table that has no snapshot yet ("") has no rows. Raises `Failed` for a table without a pin: it would be read as
    it is when the query runs, and the answer kept under another state's name.

    >>> pinned('SELECT "a" FROM "lake"."t" AS "t"', {"t": "42"}, row_limit=10)
    'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 42 AS "t" LIMIT 11'
    """
    tree = sqlglot.parse_one(sql, read=Athena)
    tables = [table for table in tree.find_all(exp.Table) if table.db]
    lakes = {table.db for table in tables}
    tokens = sqlglot.tokenize(sql, read=Athena)
    edits = [edit for at in range(len(tokens)) if (edit := _pin(tokens, at, lakes, snapshots)) is not None]
    if len(edits) != len(tables):
        raise _unpinned("A table")
    # From the end to the beginning; of two at one place the limit is put in first and so stands last.
    for edit in sorted(_limit(tree, tokens, sql, row_limit + 1) + edits, key=lambda one: one.start, reverse=True):
        sql = sql[: edit.start] + edit.text + sql[edit.end :]
    return sql


def _pin(tokens: list[Any], at: int, lakes: set[str], snapshots: Mapping[str, str]) -> _Edit | None:
    kinds = [token.token_type.name for token in tokens[at : at + 4]]
    qualified = at > 0 and tokens[at - 1].token_type.name == "DOT"
    if kinds[:3] != _TABLE or tokens[at].text not in lakes or qualified or kinds[3:] == ["DOT"]:
        return None
    lake, name, end = tokens[at], tokens[at + 2], tokens[at + 2].end + 1
    snapshot = snapshots.get(name.text)
    if snapshot is None:
        raise _unpinned(f"Table {name.text}")
    if snapshot:
        return _Edit(end, end, f" FOR VERSION AS OF {int(snapshot)}")
    alias = "" if kinds[3:] == ["ALIAS"] else f' AS "{name.text}"'
    return _Edit(lake.start, end, f'(SELECT * FROM "{lake.text}"."{name.text}" WHERE FALSE){alias}')


def _limit(tree: exp.Expr, tokens: list[Any], sql: str, most: int) -> list[_Edit]:
    limit = tree.args.get("limit")
    if limit is None:
        # The statement's own ORDER BY holds only for its own LIMIT: around a subquery it would be lost.
        return [_Edit(len(sql), len(sql), f" LIMIT {most}")]
    given = str((limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression) or "")
    if given.isdecimal() and int(given) <= most:
        return []
    # Nothing but the limit's own words follows its number (or ALL).
    last = next(token for token in reversed(tokens) if token.text == given)
    return [_Edit(last.start, last.end + 1, str(most))]


def _unpinned(what: str) -> Failed:
    return Failed(f"{what} of the statement has no pinned snapshot.", "Ask again.", code="engine-failed")
