"""A job → the statement that Athena is given. Pure.

Time travel: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-time-travel-and-version-travel-queries.html
"""

from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from athena.errors import Failed, Refused


def pinned(sql: str, snapshots: Mapping[str, str], *, row_limit: int) -> str:
    """`sql` on exactly these snapshots (by dataset), with at most one row more than `row_limit`.

    A table that has no snapshot yet ("") has no rows. Raises `Failed` for a table without a pin: it would be read as
    it is when the query runs, and the answer kept under another state's name.

    >>> pinned('SELECT "a" FROM "lake"."t" AS "t"', {"t": "42"}, row_limit=10)
    'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 42 AS "t" LIMIT 11'
    """
    tree = sqlglot.parse_one(sql, read="athena")
    for table in list(tree.find_all(exp.Table)):
        if table.db:
            _pin(table, snapshots)
    _limit(tree, row_limit + 1)
    return tree.sql("athena")


def _pin(table: exp.Table, snapshots: Mapping[str, str]) -> None:
    snapshot = snapshots.get(table.name)
    if snapshot is None:
        raise Failed(f"Table {table.name} has no pinned snapshot.", "Ask again.", code="engine-failed")
    if snapshot:
        version = exp.Version(this="VERSION", kind="AS OF", expression=exp.Literal.number(snapshot))
        table.set("version", version)
        return
    alias = table.args.pop("alias", None) or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
    nothing = exp.select("*").from_(table.copy()).where(exp.false())
    table.replace(exp.Subquery(this=nothing, alias=alias))


def _limit(tree: exp.Expr, most: int) -> None:
    limit = tree.args.get("limit")
    given = limit.expression if isinstance(limit, exp.Limit) else None
    if isinstance(given, exp.Literal) and not given.is_string and int(given.this) <= most:
        return
    if limit is None:
        # The statement's own ORDER BY holds only for its own LIMIT: around a subquery it would be lost.
        tree.set("limit", exp.Limit(expression=exp.Literal.number(most)))
    elif isinstance(given, exp.Literal):
        given.replace(exp.Literal.number(most))
    else:
        raise Refused("The statement's limit is no number.", "Write a number.", code="sql-unsupported")
