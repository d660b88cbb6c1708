"""Conditions of SQL → conditions as values, for deciding which commits can have changed an answer. Pure.

Only `column operator literals` counts, in the shapes of `athena/sql/filters.py`; what is not understood is left out,
which accepts more rows.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

from sqlglot import exp

from athena.conditions import Condition, Operator
from athena.dataset import DataType
from athena.sql.filters import conjuncts, only_column

# A longer list of IN counts as the range from its least to its greatest value; NOT IN as nothing.
MOST_RANGES = 16
_EPOCH = datetime(1970, 1, 1)
_WIDE = Context(prec=400)
_WHOLE, _FLOATING = ("int", "long"), ("float", "double")
# How far apart two roundings of one number may be, relatively: to a double and to a real.
_ROUNDING = {"double": 2.0**-48, "float": 2.0**-20}
_OPERATORS: dict[type[exp.Expr], Operator] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_FLIPPED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def accepted(filters: Iterable[exp.Expr], types: Mapping[str, DataType]) -> tuple[Condition, ...]:
    """What rows have to satisfy for all of `filters` to be true; `types` are those of the dataset's columns.

    >>> from sqlglot import parse_one
    >>> accepted([parse_one("5 < n AND n <= 7 OR n = 1"), parse_one("n > -2")], {"n": DataType("int")})
    (Condition(column='n', operator='>', ranges=((-2, -2),)),)
    """
    return tuple(
        condition for given in filters for part in conjuncts(given) for condition in _conditions(part.unnest(), types)
    )


def _conditions(part: exp.Expr, types: Mapping[str, DataType]) -> Iterator[Condition]:
    reference = only_column(part)
    kind = types.get(reference.name) if reference is not None else None
    if reference is None or kind is None:
        return
    name = reference.name
    inner = part.this.unnest() if isinstance(part, exp.Not) else part
    if type(inner) not in _OPERATORS and inner.this.unnest() is not reference:
        return  # 'A%' LIKE c, 5 NOT BETWEEN n AND 3 (true when n is NULL)
    if isinstance(inner, exp.Is):
        if not isinstance(inner.expression.unnest(), exp.Null):
            return
        yield Condition(name, "is not null" if isinstance(part, exp.Not) else "is null")
    elif isinstance(part, exp.Not) or inner.args.get("negate"):
        yield from _negated(inner, name, kind)
    elif isinstance(inner, exp.Like):
        yield from _like(inner, name)
    elif isinstance(inner, exp.Between):
        yield from _compared(name, ">=", _ranges([inner.args["low"]], kind))
        yield from _compared(name, "<=", _ranges([inner.args["high"]], kind))
    elif isinstance(inner, exp.In):
        yield from _compared(name, "=", _ranges(inner.expressions, kind))
    elif type(inner) in _OPERATORS:
        yield from _binary(inner, reference, kind)


def _binary(node: exp.Expr, reference: exp.Column, kind: DataType) -> Iterator[Condition]:
    name, operator, literal = reference.name, _OPERATORS[type(node)], node.expression
    if node.this.unnest() is not reference:
        operator, literal = _FLIPPED.get(operator, operator), node.this
    if operator == "<>" and kind.name in _FLOATING:
        yield Condition(name, "is not null")  # NaN <> x is true, and no bound tells of NaN
        return
    yield from _compared(name, operator, _ranges([literal], kind))


def _negated(inner: exp.Expr, name: str, kind: DataType) -> Iterator[Condition]:
    """NOT around a condition: true for NaN where the condition is a comparison, never true for NULL."""
    literals = inner.expressions if isinstance(inner, exp.In) else []
    if isinstance(inner, exp.In) and kind.name not in _FLOATING and len(literals) <= MOST_RANGES:
        for literal in literals:
            yield from _compared(name, "<>", _ranges([literal], kind))
    yield Condition(name, "is not null")


def _like(node: exp.Expr, name: str) -> Iterator[Condition]:
    pattern = node.args["expression"].name
    places = [place for place in (pattern.find("%"), pattern.find("_")) if place >= 0]
    text = pattern[: min(places)] if places else pattern
    yield Condition(name, "prefix" if places else "=", ((text, text),))


def _compared(name: str, operator: Operator, ranges: list[tuple[Any, Any]] | None) -> Iterator[Condition]:
    if ranges is None:
        return
    if len(ranges) > MOST_RANGES:
        ranges = [(min(low for low, _ in ranges), max(high for _, high in ranges))]
    yield Condition(name, operator, tuple(ranges))


@dataclass(frozen=True, slots=True)
class _Literal:
    """`kind`: null, number, string, boolean, date or timestamp."""

    kind: str
    value: Any = None


def _ranges(literals: Iterable[exp.Expr], column: DataType) -> list[tuple[Any, Any]] | None:
    """What the literals may be taken for when compared with the column; None when that is not known."""
    ranges = []
    for node in literals:
        literal = _literal(node.unnest())
        found = _range(literal, column) if literal is not None else None
        if literal is None or (found is None and literal.kind != "null"):
            return None
        if found is not None:
            ranges.append(found)
    return ranges


def _range(literal: _Literal, column: DataType) -> tuple[Any, Any] | None:
    value = literal.value
    if column.name in (*_WHOLE, *_FLOATING, "decimal"):
        return _number_range(value, column) if literal.kind == "number" else None
    return (value, value) if literal.kind == column.name else None


def _number_range(value: Any, column: DataType) -> tuple[Any, Any]:
    if column.name in _FLOATING:
        if isinstance(value, float) and column.name == "double":
            return value, value
        return _around(float(value), _ROUNDING[column.name])
    ends = _around(value, _ROUNDING["double"]) if isinstance(value, float) else (value, value)
    scale = column.scale if column.name == "decimal" else 0
    low, high = (Decimal(end).scaleb(scale, _WIDE) if isinstance(end, float) or scale else end for end in ends)
    return low, high


def _around(value: float, part: float) -> tuple[float, float]:
    room = abs(value) * part
    return math.nextafter(value - room, -math.inf), math.nextafter(value + room, math.inf)


def _literal(node: exp.Expr) -> _Literal | None:
    if isinstance(node, exp.Null):
        return _Literal("null")
    if isinstance(node, exp.Boolean):
        return _Literal("boolean", bool(node.this))
    if isinstance(node, exp.Neg):
        found = _literal(node.this.unnest())
        return _Literal("number", -found.value) if found is not None and found.kind == "number" else None
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast) and isinstance(node.this, exp.Literal):
        return _cast(node.this, node.to)
    if not isinstance(node, exp.Literal):
        return None
    return _Literal("string", node.name) if node.is_string else _Literal("number", _number(node.name))


def _number(text: str) -> Any:
    if "e" in text.lower():
        return float(text)
    return Decimal(text) if "." in text else int(text)


def _cast(literal: exp.Literal, to: exp.DataType) -> _Literal | None:
    """A literal of the type that is written beside it; None where the type would cut or round it."""
    text, kind = literal.name, to.this
    try:
        if kind in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ):
            return _moment(text, to)
        if to.expressions:
            return None
        if not literal.is_string:
            return _Literal("number", int(text)) if kind in (exp.DType.INT, exp.DType.BIGINT) else None
        if kind == exp.DType.VARCHAR:
            return _Literal("string", text)
        if kind == exp.DType.DATE:
            return _Literal("date", (date.fromisoformat(text) - _EPOCH.date()).days)
    except ValueError:
        return None
    return None


def _moment(text: str, to: exp.DataType) -> _Literal | None:
    """TIMESTAMP '…', with the zone UTC or an offset when it is an instant."""
    local = datetime.fromisoformat(re.sub(r" (?=[+-]\d\d:\d\d$)", "", re.sub(r" UTC$", "+00:00", text)))
    digits = to.expressions[0].name if to.expressions else "3"
    fraction = re.search(r"\.(\d+)", text)
    zoned = to.this == exp.DType.TIMESTAMPTZ
    if not digits.isdigit() or (fraction and len(fraction[1]) > min(int(digits), 6)) or zoned != bool(local.tzinfo):
        return None
    passed = (local.astimezone(UTC).replace(tzinfo=None) if zoned else local) - _EPOCH
    micros = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return _Literal("timestamptz" if zoned else "timestamp", micros)
