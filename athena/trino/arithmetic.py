"""+ - * / % with Trino's result types: decimals by precision and scale, integers truncated, dates kept dates.

https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import binary, call, number, string, tight, to, to_storage
from athena.trino.cast import NUMBERS, coerce
from athena.trino.function import Value
from athena.trino.literals import millis, months
from athena.trino.refusal import mistyped
from athena.trino.types import Type
from athena.trino.values import Rewrite, Translator
from athena.trino.written import at_zone, known_zone

_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_INTERVALS = (types.DAY_INTERVAL, types.YEAR_INTERVAL)

MACROS = {
    # unscaled / unscaled, half away from zero; the second way keeps within 128 bits
    "trino_half_up(q, r, b)": "q + CASE WHEN abs(r) >= abs(b) - abs(r) THEN CASE WHEN (r < 0) <> (b < 0) THEN -1 "
    "ELSE 1 END ELSE 0 END",
    "trino_divide_short(a, b, k)": "trino_half_up(a * k // b, a * k % b, b)",
    "trino_divide_long(a, b, k)": "a // b * k + trino_divide_short(a % b, b, k)",
    "trino_divide(a, b, k, m)": "CASE WHEN abs(a) < m THEN trino_divide_short(a, b, k) "
    "ELSE trino_divide_long(a, b, k) END",
    "trino_date_plus(a, b)": "CASE WHEN a + b IS NULL THEN NULL WHEN CAST(a + b AS TIME) = TIME '00:00:00' THEN "
    "CAST(a + b AS DATE) ELSE CAST(CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) AS DATE) END",
    "trino_average(a, b)": "trino_half_up(a // b, a % b, b)",
}


def binary_operation(translator: Translator, node: exp.Expr) -> Value:
    """left op right"""
    left, right = translator.value(node.this), translator.value(node.expression)
    return operate(type(node), left, right)


def operate(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    """An operation on two translated values."""
    if left.type.name == "unknown" and right.type.name == "unknown":
        return Value(exp.Null(), types.UNKNOWN)
    if left.type.name == "unknown":
        left = coerce(left, right.type)
    if right.type.name == "unknown":
        right = coerce(right, left.type)
    if left.type.name in NUMBERS and right.type.name in NUMBERS:
        return _numbers(kind, left, right)
    made = _instants(kind, left, right)
    if made is None:
        sign = _SIGNS[kind]
        raise mistyped(f"{left.type} {sign} {right.type} does not exist.", "Cast one of the two.")
    return made


def _numbers(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    both = types.common(left.type, right.type)
    assert both is not None
    if both.name == "decimal":
        return _decimals(kind, left, right)
    one, two = coerce(left, both).node, coerce(right, both).node
    if kind is exp.Div:
        kind = exp.IntDiv if both.name in types.INTEGERS else exp.Div
    assert issubclass(kind, exp.Binary)
    if both.name in ("tinyint", "smallint"):
        return Value(to(binary(kind, to(one, both), to(two, both)), both), both)
    return Value(binary(kind, one, two), both)


def _decimals(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    one, two = types.as_decimal(left.type), types.as_decimal(right.type)
    assert one is not None and two is not None
    (p1, s1), (p2, s2) = one.args, two.args
    if kind in (exp.Add, exp.Sub):
        scale = max(s1, s2)
        result = types.decimal(max(p1 - s1, p2 - s2) + scale + 1, scale)
        assert issubclass(kind, exp.Binary)
        return Value(to(binary(kind, to(left.node, result), to(right.node, result)), result), result)
    if kind is exp.Mul:
        if s1 + s2 > types.MAX_PRECISION:
            raise mistyped(f"{one} * {two} has more than 38 digits after the point.", "Cast one to a smaller scale.")
        result = types.decimal(p1 + p2, s1 + s2)
        wide = to(left.node, types.decimal(max(min(p1 + p2, 38), p1), s1)) if p1 + p2 > 18 else to(left.node, one)
        return Value(to(exp.Mul(this=wide, expression=to(right.node, two)), result), result)
    if kind is exp.Div:
        scale = max(s1, s2)
        result = types.decimal(p1 + s2 + max(s2 - s1, 0), scale)
        return Value(_quotient(unscaled(left, one), unscaled(right, two), scale + s2 - s1, result), result)
    scale = max(s1, s2)
    result = types.decimal(min(p2 - s2, p1 - s1) + scale, scale)
    wide_kind = types.decimal(max(p1 - s1, p2 - s2) + scale, scale)
    return Value(to(exp.Mod(this=to(left.node, wide_kind), expression=to(right.node, wide_kind)), result), result)


def unscaled(value: Value, kind: Type) -> exp.Expr:
    """A decimal's digits as an integer of 128 bits: by its text where a product could overflow."""
    precision, scale = kind.args
    node = to(value.node, kind)
    if scale == 0:
        return to_storage(node, "HUGEINT")
    if precision + scale > types.MAX_PRECISION:
        return to_storage(call("replace", to(node, types.VARCHAR), string("."), string("")), "HUGEINT")
    factor = to(number(10**scale), types.decimal(scale + 1, 0))
    return to_storage(exp.Mul(this=node, expression=factor), "HUGEINT")


def _quotient(one: exp.Expr, two: exp.Expr, shift: int, result: Type) -> exp.Expr:
    factor, limit = hugeint(10**shift), hugeint(10 ** (38 - shift))
    return scaled(call("trino_divide", one, two, factor, limit), result)


def hugeint(value: int) -> exp.Expr:
    """A literal of 128 bits."""
    return to_storage(number(value), "HUGEINT")


def scaled(node: exp.Expr, result: Type) -> exp.Expr:
    """An integer of 128 bits as the decimal whose digits it holds."""
    scale = result.args[1]
    whole = to(node, types.decimal(38, 0))
    if scale == 0:
        return to(whole, result)
    unit = to(string(f"0.{1:0{scale}}"), types.decimal(scale, scale))
    return to(exp.Mul(this=whole, expression=unit), result)


def _instants(kind: type[exp.Expr], left: Value, right: Value) -> Value | None:
    moments = ("date", "timestamp", "timestamp with time zone", "time")
    if kind is exp.Add and right.type.name in moments and left.type in _INTERVALS:
        left, right = right, left
    if kind in (exp.Add, exp.Sub) and left.type.name in moments and right.type in _INTERVALS:
        return _moved(kind, left, right)
    if kind in (exp.Add, exp.Sub) and left.type in _INTERVALS and left.type == right.type:
        assert issubclass(kind, exp.Binary)
        return Value(binary(kind, left.node, right.node), left.type)
    if kind is exp.Mul and right.type in _INTERVALS:
        left, right = right, left
    if kind in (exp.Mul, exp.Div) and left.type in _INTERVALS and right.type.name in NUMBERS:
        assert issubclass(kind, exp.Binary)
        return _multiplied(kind, left, right)
    if kind is exp.Sub and left.type.name in moments[:3] and right.type.name in moments[:3]:
        both = types.common(left.type, right.type)
        assert both is not None
        one, two = coerce(left, both).node, coerce(right, both).node
        difference = binary(exp.Sub, call("epoch_ms", to(one, both)), call("epoch_ms", to(two, both)))
        return millis(difference)
    return None


def _moved(kind: type[exp.Expr], moment: Value, step: Value) -> Value:
    assert issubclass(kind, exp.Binary)
    if moment.type.name == "date":
        return Value(to(call("trino_date_plus", moment.node, _signed(kind, step)), types.DATE), types.DATE)
    if moment.type.name == "timestamp with time zone" and step.type == types.YEAR_INTERVAL:
        zone = known_zone(moment.type, "Adding months")
        return Value(at_zone(binary(kind, at_zone(moment.node, zone), step.node), zone), moment.type)
    if step.type == types.DAY_INTERVAL and moment.type.args[0] < 3:
        kind_args = (3, *moment.type.args[1:])
        return Value(binary(kind, moment.node, step.node), Type(moment.type.name, kind_args))
    return Value(binary(kind, moment.node, step.node), moment.type)


def _signed(kind: type[exp.Expr], step: Value) -> exp.Expr:
    return exp.Neg(this=tight(step.node)) if kind is exp.Sub else step.node


def _multiplied(kind: type[exp.Binary], left: Value, right: Value) -> Value:
    by = coerce(right, types.DOUBLE).node if right.type.name not in types.INTEGERS or kind is exp.Div else right.node
    name = "trino_interval_months" if left.type == types.YEAR_INTERVAL else "trino_interval_millis"
    count = call(name, left.node)
    made = to(call("trunc", binary(kind, count, by)), types.BIGINT) if by is not right.node else binary(kind, count, by)
    return months(made) if left.type == types.YEAR_INTERVAL else millis(made)


def negative(translator: Translator, node: exp.Expr) -> Value:
    """-x"""
    if isinstance(node.this, exp.Literal) and not node.this.is_string and str(node.this.this) == str(2**63):
        return Value(to(string(f"-{2**63}"), types.BIGINT), types.BIGINT)
    value = translator.value(node.this)
    if value.type.name not in NUMBERS and value.type not in _INTERVALS:
        raise mistyped(f"-{value.type} does not exist.", "Negate a number.")
    if value.type.name in types.INTEGERS and not isinstance(value.node, exp.Literal):
        # DuckDB turns the least integer into a number that its type does not have
        return Value(binary(exp.Sub, to(number(0), value.type), value.node), value.type)
    return Value(exp.Neg(this=tight(value.node)), value.type)


REWRITES: dict[type[exp.Expr], Rewrite] = {
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), binary_operation),
    exp.Neg: negative,
}
