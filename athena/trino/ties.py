"""FETCH FIRST n ROWS WITH TIES: the rows whose rank is among the first n.

https://trino.io/docs/current/sql/select.html#limit-or-fetch-first-clause
"""

from sqlglot import exp

from athena.trino.build import literal_int, number
from athena.trino.refusal import mistyped, unsupported


def keep_ties(node: exp.Select, outputs: list[exp.Expr]) -> None:
    """Put a QUALIFY in the place of FETCH … WITH TIES; `outputs` are what the numbers of ORDER BY mean."""
    fetch = node.args.get("limit")
    options = fetch.args.get("limit_options") if isinstance(fetch, exp.Fetch) else None
    if options is None or not options.args.get("with_ties"):
        return
    assert fetch is not None
    order, offset = node.args.get("order"), node.args.get("offset")
    if order is None:
        raise mistyped("FETCH … WITH TIES needs ORDER BY.", "Say by what rows tie.")
    skipped = literal_int(offset.expression) if offset is not None else 0
    count = literal_int(fetch.args.get("count") or exp.Literal.number(1))
    if node.args.get("distinct") or skipped is None or count is None:
        raise unsupported("This FETCH … WITH TIES", "Use rank() OVER (…) <= n.")
    items = [_named(item.copy(), outputs) for item in order.expressions]
    rank = exp.Window(this=exp.Anonymous(this="rank"), order=exp.Order(expressions=items), over="OVER")
    node.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=number(count + skipped))))
    node.set("limit", None)


def _named(item: exp.Expr, outputs: list[exp.Expr]) -> exp.Expr:
    place = literal_int(item.this)
    if place is not None:
        item.set("this", outputs[place - 1].copy())
    return item
