"""Aggregates and GROUP BY: what Athena refuses before it runs anything. Pure.

Without these checks a misplaced column would be an engine's failure, told as a code, instead of a refusal that names
the caller's own word.
"""

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from athena.sql.kinds import is_aggregate
from athena.sql.sources import unsupported


def check_no_aggregate(node: exp.Expr, where: str) -> None:
    """Nothing, or `SqlRefused` when a clause that comes before grouping holds an aggregate."""
    if next(_aggregates(node), None) is not None:
        raise unsupported(f"An aggregate in {where} is not supported: filter groups with HAVING")


def check_places(node: exp.Expr | None, width: int, clause: str) -> None:
    """Nothing, or `SqlRefused` when a number in ORDER BY or GROUP BY is that of no column, or a literal no number."""
    for item in node.expressions if node is not None else ():
        inner = item.this if isinstance(item, exp.Ordered) else item
        if isinstance(inner, exp.Literal) and not (inner.is_int and 1 <= int(inner.name) <= width):
            raise unsupported(f"{inner.name!r} in {clause} is no column of the answer: it has {width}")


def check_groups(node: exp.Select, outputs: Sequence[exp.Expr], name_of: Callable[[exp.Column], str | None]) -> None:
    """Nothing, or `SqlRefused` when a grouped SELECT shows a column that is neither grouped nor aggregated.

    `name_of` gives the caller's name of a column of this SELECT's own sources, None for any other column.
    """
    order = node.args.get("order")
    parts = [*outputs, *filter(None, [node.args.get("having"), order])]
    grouped = node.args.get("group") or node.args.get("having")
    if not grouped and not any(next(_aggregates(part), None) is not None for part in parts):
        return
    keys = {_plain(key) for key in _keys(node, outputs)}
    for part in parts:
        for column in _ungrouped(part, keys):
            name = name_of(column)
            if name is not None:
                raise unsupported(f"{name!r} must stand in GROUP BY or inside of an aggregate")


def _keys(node: exp.Select, outputs: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    group = node.args.get("group")
    stack = list(group.expressions) if group is not None else []
    while stack:
        key = stack.pop()
        if isinstance(key, exp.GroupingSets | exp.Rollup | exp.Cube | exp.Tuple):
            stack.extend(key.expressions)
        elif isinstance(key, exp.Literal) and key.is_int:
            yield outputs[int(key.name) - 1]
        else:
            yield key


def _plain(node: exp.Expr) -> exp.Expr:
    return node.unnest() if isinstance(node, exp.Paren) else node


def _ungrouped(part: exp.Expr, keys: set[exp.Expr]) -> Iterator[exp.Column]:
    stack = [part]
    while stack:
        node = _plain(stack.pop())
        if node in keys or isinstance(node, exp.Query | exp.Filter):
            continue
        if isinstance(node, exp.Column):
            yield node
        elif not is_aggregate(node):
            stack.extend(_inside(node))


def _aggregates(part: exp.Expr) -> Iterator[exp.Expr]:
    stack = [part]
    while stack:
        node = stack.pop()
        if is_aggregate(node):
            yield node
        elif not isinstance(node, exp.Query):
            stack.extend(_inside(node))


def _inside(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a node; of a window the arguments of its function, which groups nothing by itself."""
    for child in node.iter_expressions():
        function = child
        while isinstance(node, exp.Window) and isinstance(function, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
            function = function.this
        if isinstance(node, exp.Window) and child is node.this:
            yield from function.iter_expressions()
        else:
            yield child
