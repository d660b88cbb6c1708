"""COALESCE, NULLIF, greatest and least (NULL when one is NULL), TRY, typeof.

https://trino.io/docs/current/functions/conditional.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, case, is_null, string
from athena.trino.cast import coerce
from athena.trino.comparisons import common_of, compared
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported


def _coalesce(made: Call) -> Value:
    values = made.values()
    if len(values) < 2:
        raise mistyped("coalesce takes two arguments or more.", "Check the call.")
    both = common_of(values, "coalesce")
    if both.name == "unknown":
        return Value(exp.Null(), both)
    return Value(call("coalesce", *(coerce(value, both).node for value in values)), both)


def _nullif(made: Call) -> Value:
    values = made.values()
    if len(values) != 2:
        raise mistyped("nullif takes two arguments.", "Check the call.")
    value, other = values
    same = compared(exp.EQ, Value(value.node.copy(), value.type), other).node
    kind = value.type if value.type.name != "unknown" else types.UNKNOWN
    return Value(case((same, exp.Null()), otherwise=value.node), kind)


def _extreme(made: Call) -> Value:
    values = made.values()
    if not values:
        raise mistyped(f"{made.name} takes arguments.", "Check the call.")
    both = common_of(values, made.name)
    if both.name in ("array", "map", "row", "json"):
        raise unsupported(f"{made.name} of {both}", "Compare the elements.")
    nodes = [coerce(value, both).node for value in values]
    missing = exp.or_(*(is_null(node) for node in nodes), copy=False)
    return Value(case((missing, exp.Null()), otherwise=call(made.name, *nodes)), both)


def _try(made: Call) -> Value:
    values = made.values()
    if len(values) != 1:
        raise mistyped("try takes one argument.", "Check the call.")
    if any(isinstance(part, exp.Query | exp.Window | exp.Filter) for part in values[0].node.walk()):
        raise unsupported("try around a query or a window function", "Put try around the part that can fail.")
    return Value(call("try", values[0].node), values[0].type)


def _typeof(made: Call) -> Value:
    values = made.values()
    if len(values) != 1:
        raise mistyped("typeof takes one argument.", "Check the call.")
    return Value(string(str(values[0].type)), types.VARCHAR)


FUNCTIONS: tuple[Function, ...] = (
    built("coalesce", _coalesce, total=True),
    built("nullif", _nullif, total=True),
    built("greatest", _extreme, total=True, strict=True),
    built("least", _extreme, total=True, strict=True),
    built("try", _try, total=True),
    built("typeof", _typeof, total=True),
)
