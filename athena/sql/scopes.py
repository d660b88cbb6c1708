"""Which WITH item, if any, a table name means. Pure.

Athena's rule: a name without a database means the nearest item of that name in a WITH of an enclosing query that
comes before the place where it is used; otherwise a table. No item sees itself.
"""

from sqlglot import exp


def cte_of(table: exp.Table) -> exp.CTE | None:
    """The item that `table` refers to, None when it is a base table.

    >>> from sqlglot import parse_one
    >>> tree = parse_one("WITH a AS (SELECT 1 FROM a) SELECT 1 FROM a", read="trino")
    >>> [cte_of(table) is None for table in tree.find_all(exp.Table)]
    [False, True]
    """
    if table.args.get("db"):
        return None
    name = table.name.lower()
    child: exp.Expr = table
    parent = table.parent
    while parent is not None:
        found = _visible(parent, child, name)
        if found is not None:
            return found
        child, parent = parent, parent.parent
    return None


def _visible(query: exp.Expr, child: exp.Expr, name: str) -> exp.CTE | None:
    # Inside of a WITH, `child` is one of its items and sees those before it.
    items: list[exp.CTE]
    if isinstance(query, exp.With):
        items = query.expressions[: child.index]
    else:
        clause = query.args.get("with_")
        if clause is None or clause is child:
            return None
        items = clause.expressions
    return next((item for item in reversed(items) if item.alias.lower() == name), None)
