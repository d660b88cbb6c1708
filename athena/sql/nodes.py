"""Every node of a parsed statement against the lists of what is allowed. Pure."""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from athena.errors import SqlRefused
from athena.sql.functions import FUNCTIONS, TAKE_LAMBDAS, Kind
from athena.sql.grammar import (
    EXTRACTS,
    JOIN_KINDS,
    JOIN_SIDES,
    MAX_DEPTH,
    MAX_NAME,
    MAX_NODES,
    NODES,
    PARENTS,
    PART_WORDS,
    TYPES,
    UNITS,
    WINDOW_UNITS,
)
from athena.sql.tokens import Text

# Python folds more letters than the engines do (the Kelvin sign to k): nothing beyond ASCII in a name.
_HEX = re.compile(r"[0-9A-Fa-f]*\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_]+\Z", re.ASCII)


def check_nodes(tree: exp.Expr, text: Text, *, lake: str) -> None:
    """Nothing, or `SqlRefused` with the caller's own token for the first node that is not on the lists."""
    count = 0
    stack: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise refusal(node, text)
        _check(node, text, lake)
        for child in node.iter_expressions(reverse=True):
            # A chain of AND or OR is one level: sqlglot and the engines walk it without recursion.
            flat = isinstance(child, exp.Connector) and type(child) is type(node)
            stack.append((child, depth if flat else depth + 1))


def refusal(node: exp.Expr, text: Text, word: str | None = None) -> SqlRefused:
    """`sql-unsupported` for `node`, named and placed by what the caller wrote."""
    if isinstance(node, exp.Table | exp.Column):
        node = node.args.get("catalog") or node.args.get("db") or node
    start, end = _span(node)
    if word is None and "start" in node.meta and start is not None and end is not None:
        return text.unsupported(text.sql[start : end + 1], offset=start)
    for candidate in filter(None, (word, _keyword(node))):
        if text.has(candidate):
            return text.unsupported(candidate)
    operand = _span(node.args["expression"])[0] if isinstance(node, exp.Binary) else None
    sign = text.before(operand) if operand is not None else None
    return text.unsupported(sign or _keyword(node), offset=start)


def _check(node: exp.Expr, text: Text, lake: str) -> None:
    kind = type(node)
    parts = NODES.get(kind)
    if parts is None:
        raise refusal(node, text)
    for name, part in node.args.items():
        if name not in parts and part not in (None, False, []):
            raise refusal(node, text, PART_WORDS.get(name, name.strip("_").upper()))
    above = PARENTS.get(kind)
    if above is not None and not isinstance(node.parent, above):
        raise refusal(node, text)
    check = _CHECKS.get(kind)
    if check is not None and not check(node, lake):
        raise refusal(node, text)


def _span(node: exp.Expr) -> tuple[int | None, int | None]:
    meta = next((each.meta for each in node.walk() if "start" in each.meta), {})
    return meta.get("start"), meta.get("end")


def _keyword(node: exp.Expr) -> str:
    if isinstance(node, exp.Table | exp.Anonymous):
        return _keyword(node.this) if isinstance(node.this, exp.Expr) else node.name
    if isinstance(node, exp.Identifier):
        return node.name
    if isinstance(node, exp.Lambda):
        return "->"
    if isinstance(node, exp.DataType):
        return str(node.this.value if isinstance(node.this, exp.DType) else node.this)
    if isinstance(node, exp.Join):
        words = [node.text(part).upper() for part in ("method", "kind", "side")]
        return next((word for word in words if word not in JOIN_KINDS | JOIN_SIDES), "JOIN")
    if isinstance(node, exp.Tuple | exp.Star):
        return "a row value" if isinstance(node, exp.Tuple) else "*"
    return str(type(node).sql_names()[0]) if isinstance(node, exp.Func) else node.key.upper()


def _name_ok(node: exp.Expr, lake: str) -> bool:
    return bool(_NAME.match(node.name)) and len(node.name) <= MAX_NAME


def _table_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.this, exp.Identifier) and node.text("db").lower() in ("", lake)


def _column_ok(node: exp.Expr, lake: str) -> bool:
    return node.text("db").lower() in ("", lake) and isinstance(node.this, exp.Identifier | exp.Star)


def _join_ok(node: exp.Expr, lake: str) -> bool:
    return node.text("kind").upper() in JOIN_KINDS and node.text("side").upper() in JOIN_SIDES


def _type_ok(node: exp.Expr, lake: str) -> bool:
    return node.this in TYPES


def _interval_ok(node: exp.Expr, lake: str) -> bool:
    unit = node.args.get("unit")
    ends = [unit.this, unit.expression] if isinstance(unit, exp.IntervalSpan) else [unit]
    return isinstance(node.this, exp.Literal) and all(end is not None and end.name.upper() in UNITS for end in ends)


def _spec_ok(node: exp.Expr, lake: str) -> bool:
    return node.text("kind").upper() in WINDOW_UNITS


def _window_ok(node: exp.Expr, lake: str) -> bool:
    return node.args.get("over") in (None, "OVER")


def _limit_ok(node: exp.Expr, lake: str) -> bool:
    count = node.args.get("count") or node.args.get("expression")
    everything = isinstance(node, exp.Limit) and isinstance(count, exp.Var) and count.name.upper() == "ALL"
    if count is None:
        return isinstance(node, exp.Fetch)
    return everything or isinstance(count, exp.Placeholder) or (isinstance(count, exp.Literal) and count.name.isdigit())


def _is_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.args["expression"], exp.Null)


def _escape_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.args["expression"], exp.Literal) and len(node.args["expression"].name) == 1


def _select_ok(node: exp.Expr, lake: str) -> bool:
    named = {window.name.lower() for window in node.args.get("windows") or ()}
    inner = node.walk(prune=lambda each: each is not node and isinstance(each, exp.Query))
    used = {each.alias.lower() for each in inner if isinstance(each, exp.Window) and each.alias}
    return bool(node.expressions) and bool(node.args.get("from_") or not node.args.get("joins")) and used <= named


def _subquery_ok(node: exp.Expr, lake: str) -> bool:
    return not node.args.get("alias") or isinstance(node.parent, exp.From | exp.Join | exp.Subquery)


def _filled(node: exp.Expr, lake: str) -> bool:
    return bool(node.expressions)


def _order_ok(node: exp.Expr, lake: str) -> bool:
    return bool(node.expressions) and (bool(node.this) or isinstance(node.parent, exp.Query | exp.Window))


def _distinct_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.parent, exp.Select) or len(node.expressions) == 1


def _unnest_ok(node: exp.Expr, lake: str) -> bool:
    return bool(node.expressions) and isinstance(node.parent, exp.From | exp.Join)


def _lambda_ok(node: exp.Expr, lake: str) -> bool:
    # What Athena allows: neither subqueries nor aggregates inside.
    if node.parent is None or node.parent.name not in TAKE_LAMBDAS:
        return False
    return not any(isinstance(each, exp.Query | exp.Window) or _gathers(each) for each in node.this.walk())


def _gathers(node: exp.Expr) -> bool:
    called = FUNCTIONS.get(node.name) if isinstance(node, exp.Anonymous) else None
    return isinstance(node, exp.GroupConcat) or (called is not None and called.kind != Kind.SCALAR)


def _alias_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.args["alias"], exp.Identifier)


def _placeholder_ok(node: exp.Expr, lake: str) -> bool:
    # Elsewhere a literal would mean something else: a list's index is shifted when it is read.
    return not isinstance(node.parent, exp.TableAlias | exp.Bracket | exp.WindowSpec)


def _with_ok(node: exp.Expr, lake: str) -> bool:
    names = [item.alias.lower() for item in node.expressions]
    return len(set(names)) == len(names)


def _call_ok(node: exp.Expr, lake: str) -> bool:
    function = FUNCTIONS.get(node.name)
    if function is None or not function.fewest <= len(node.expressions) <= function.most:
        return False
    if function.kind != Kind.AGGREGATE and any(isinstance(each, exp.Distinct | exp.Order) for each in node.expressions):
        return False
    stars = [each for each in node.expressions if isinstance(each, exp.Star)]
    return not stars or (node.name == "count" and len(node.expressions) == 1)


def _in_ok(node: exp.Expr, lake: str) -> bool:
    return bool(node.expressions) or node.args.get("query") is not None


def _field_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.expression, exp.Identifier)


def _hex_ok(node: exp.Expr, lake: str) -> bool:
    return len(node.name) % 2 == 0 and bool(_HEX.match(node.name))


def _unicode_ok(node: exp.Expr, lake: str) -> bool:
    escape = node.args.get("escape")
    return not escape or (isinstance(escape, exp.Literal) and len(escape.name) == 1)


def _lateral_ok(node: exp.Expr, lake: str) -> bool:
    return isinstance(node.this, exp.Subquery)


def _query_of_json_ok(node: exp.Expr, lake: str) -> bool:
    return bool(node.args.get("json_query"))


def _extract_ok(node: exp.Expr, lake: str) -> bool:
    return node.name.upper() in EXTRACTS


_CHECKS: Mapping[type[exp.Expr], Callable[[exp.Expr, str], bool]] = {
    exp.Identifier: _name_ok,
    exp.Table: _table_ok,
    exp.Column: _column_ok,
    exp.Join: _join_ok,
    exp.DataType: _type_ok,
    exp.Interval: _interval_ok,
    exp.WindowSpec: _spec_ok,
    exp.Window: _window_ok,
    exp.Limit: _limit_ok,
    exp.Offset: _limit_ok,
    exp.Fetch: _limit_ok,
    exp.Is: _is_ok,
    exp.Escape: _escape_ok,
    exp.Distinct: _distinct_ok,
    exp.Select: _select_ok,
    exp.Subquery: _subquery_ok,
    exp.Order: _order_ok,
    exp.Group: _filled,
    exp.Rollup: _filled,
    exp.Cube: _filled,
    exp.GroupingSets: _filled,
    exp.Unnest: _unnest_ok,
    exp.Lambda: _lambda_ok,
    exp.With: _with_ok,
    exp.Alias: _alias_ok,
    exp.Anonymous: _call_ok,
    exp.Extract: _extract_ok,
    exp.JSONExtract: _query_of_json_ok,
    exp.Dot: _field_ok,
    exp.In: _in_ok,
    exp.Struct: _filled,
    exp.HexString: _hex_ok,
    exp.UnicodeString: _unicode_ok,
    exp.Lateral: _lateral_ok,
    exp.Placeholder: _placeholder_ok,
}
