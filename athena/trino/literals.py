"""Literals: a number with a point is a decimal, a text has a length, an interval is of days or of months.

https://trino.io/docs/current/language/types.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, number, string, to
from athena.trino.cast import cast, try_cast
from athena.trino.function import Value
from athena.trino.refusal import unsupported
from athena.trino.values import Rewrite, Translator

_MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
_MILLIS = {"WEEK": 604_800_000, "DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}

MACROS = {
    "trino_interval_millis(a)": "CAST(epoch_us(timestamp '1970-01-01 00:00:00' + a) // 1000 AS BIGINT)",
    "trino_interval_months(a)": "CAST(datepart('year', a) * 12 + datepart('month', a) AS INTEGER)",
}


def literal(translator: Translator, node: exp.Expr) -> Value:
    """A number or a text."""
    if node.is_string:
        return Value(exp.Literal.string(node.this), types.varchar(len(node.this)))
    text = str(node.this)
    kind = types.number_type(text)
    if kind.name == "decimal":
        whole, _, fraction = text.partition(".")
        # DuckDB counts the 0 before the point, and knows no number that ends in one
        plain = whole.lstrip("0") == whole != "" and fraction != ""
        return Value(number(text) if plain else to(string(text.rstrip(".")), kind), kind)
    if kind == types.BIGINT or kind == types.INTEGER:
        return Value(number(int(text)), kind)
    return Value(number(text), kind)


def null(translator: Translator, node: exp.Expr) -> Value:
    """NULL"""
    return Value(exp.Null(), types.UNKNOWN)


def boolean(translator: Translator, node: exp.Expr) -> Value:
    """TRUE and FALSE."""
    return Value(exp.Boolean(this=node.this), types.BOOLEAN)


def hexadecimal(translator: Translator, node: exp.Expr) -> Value:
    """X'65FF'"""
    return Value(call("unhex", string(node.this.replace(" ", ""))), types.VARBINARY)


def unicode_text(translator: Translator, node: exp.Expr) -> Value:
    """U&'\\0041'"""
    mark = node.args["escape"].name if node.args.get("escape") else "\\"
    text, parts, index = str(node.this), [], 0
    while index < len(text):
        if text[index] != mark:
            parts.append(text[index])
            index += 1
        elif text[index + 1 : index + 2] == mark:
            parts.append(mark)
            index += 2
        else:
            digits = 6 if text[index + 1 : index + 2] == "+" else 4
            start = index + (2 if digits == 6 else 1)
            parts.append(chr(int(text[start : start + digits], 16)))
            index = start + digits
    made = "".join(parts)
    return Value(string(made), types.varchar(len(made)))


def interval(translator: Translator, node: exp.Expr) -> Value:
    """INTERVAL '3' DAY, INTERVAL '2' MONTH; spans (DAY TO SECOND, YEAR TO MONTH) too."""
    unit, text = node.args.get("unit"), node.this
    if not isinstance(text, exp.Literal):
        raise unsupported("INTERVAL of an expression", "Multiply: x * INTERVAL '1' DAY.")
    written = str(text.this).strip()
    if isinstance(unit, exp.IntervalSpan):
        return _span(written, unit.this.name.upper(), unit.expression.name.upper())
    singular = unit.name.upper() if unit is not None else ""
    if singular in _MONTHS:
        return months(number(int(written) * _MONTHS[singular]))
    if singular in _MILLIS:
        return millis(number(round(float(written) * _MILLIS[singular])))
    raise unsupported(f"INTERVAL {singular}", "Use SECOND, MINUTE, HOUR, DAY, MONTH or YEAR.")


def _span(text: str, first: str, last: str) -> Value:
    sign = -1 if text[:1] == "-" else 1
    if (first, last) == ("YEAR", "MONTH"):
        years, _, rest = text.lstrip("+-").partition("-")
        return months(number(sign * (int(years) * 12 + int(rest or 0))))
    units = ["DAY", "HOUR", "MINUTE", "SECOND"]
    if first not in units or last not in units:
        raise unsupported(f"INTERVAL {first} TO {last}", "Use DAY TO SECOND or YEAR TO MONTH.")
    parts = text.lstrip("+-").replace(" ", ":").split(":")
    wanted = units[units.index(first) : units.index(last) + 1]
    total = sum(float(part) * _MILLIS[unit] for part, unit in zip(parts, wanted, strict=False))
    return millis(number(sign * round(total)))


def months(count: exp.Expr) -> Value:
    """An interval of months."""
    return Value(call("to_months", to(count, types.INTEGER)), types.YEAR_INTERVAL)


def millis(count: exp.Expr) -> Value:
    """An interval of milliseconds."""
    return Value(
        call("to_microseconds", exp.Mul(this=to(count, types.BIGINT), expression=number(1000))), types.DAY_INTERVAL
    )


def cast_node(translator: Translator, node: exp.Expr) -> Value:
    """CAST(x AS type), and the typed literals that are written DATE '…' and TIMESTAMP '…'."""
    return cast(translator.value(node.this), types.parse_type(node.args["to"]))


def try_cast_node(translator: Translator, node: exp.Expr) -> Value:
    """TRY_CAST(x AS type)"""
    return try_cast(translator.value(node.this), types.parse_type(node.args["to"]))


REWRITES: dict[type[exp.Expr], Rewrite] = {
    exp.Literal: literal,
    exp.Null: null,
    exp.Boolean: boolean,
    exp.HexString: hexadecimal,
    exp.UnicodeString: unicode_text,
    exp.Interval: interval,
    exp.Cast: cast_node,
    exp.TryCast: try_cast_node,
}
