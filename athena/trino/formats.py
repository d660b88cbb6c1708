"""format: the text is a literal that is taken apart here, and each place becomes an expression.

Java's Formatter: `%[place$][flags][width][.digits]letter`. https://trino.io/docs/current/functions/conversion.html#formatting
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, case, literal_text, number, string, to
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported
from athena.trino.written import decimal_text

_PLACE = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d*)(?:\.(\d+))?([tT]?[A-Za-z%])", re.ASCII)
# What stands behind %t, of a day and of a time of day, in strftime's letters.
_OF_DAYS = {
    **{letter: "%" + letter for letter in "ABabdYymj"},
    "h": "%b",
    "e": "%-d",
    "F": "%Y-%m-%d",
    "D": "%m/%d/%y",
}
_OF_TIMES = {
    "H": "%H",
    "M": "%M",
    "S": "%S",
    "I": "%I",
    "l": "%-I",
    "k": "%-H",
    "L": "%g",
    "T": "%H:%M:%S",
    "R": "%H:%M",
}
_REMEDY = "Cast the value to varchar and use %s."

MACROS = {
    "trino_concat(a)": "array_to_string(a, '')",
    "trino_padded_left(a, b)": "repeat(' ', greatest(b - length(a), 0)) || a",
    "trino_padded_right(a, b)": "a || repeat(' ', greatest(b - length(a), 0))",
    "trino_zero_padded(a, b)": "CASE WHEN regexp_matches(a, '^[-+]') THEN a[1] || repeat('0', greatest(b - length(a), 0)) "
    "|| a[2:] WHEN NOT regexp_matches(a, '^[0-9]') THEN repeat(' ', greatest(b - length(a), 0)) || a "
    "ELSE repeat('0', greatest(b - length(a), 0)) || a END",
    "trino_grouped(a)": "CASE WHEN NOT regexp_matches(a, '[0-9]') THEN a ELSE CASE WHEN starts_with(a, '-') THEN '-' ELSE '' END || "
    "format('{:,}', CAST(regexp_extract(a, '[0-9]+') AS HUGEINT)) || regexp_extract(a, '[.].*$') END",
    "trino_plus(a)": "CASE WHEN a[1] IN ('-', 'n', 'N') THEN a ELSE '+' || a END",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One `%…` of a format; `place` is the value's number, `digits` those behind the point."""

    place: int | None
    flags: str
    width: int | None
    digits: int | None
    letter: str

    def __str__(self) -> str:
        """As its user wrote it, without the number of the value."""
        digits = "" if self.digits is None else f".{self.digits}"
        return f"format('%{self.flags}{self.width or ''}{digits}{self.letter}')"


def parts_of(text: str) -> Iterator[str | Place]:
    """A format's texts and places in their order.

    >>> [str(part) for part in parts_of("a%2$5.1f%%")]
    ['a', "format('%5.1f')", '%']
    """
    at = 0
    while at < len(text):
        head, percent, _ = text[at:].partition("%")
        if head:
            yield head
            at += len(head)
        if not percent:
            return
        match = _PLACE.match(text, at)
        if match is None:
            raise mistyped(f"{text!r} is no format.", "End each % with a letter.")
        at = match.end()
        place, flags, width, digits, letter = match.groups()
        if letter in "%n" and match[0] == "%" + letter:
            yield "%" if letter == "%" else "\n"
        else:
            numbers = (int(part) if part else None for part in (place, width, digits))
            first, second, third = numbers
            yield Place(first, flags, second, third, letter)


def _format(made: Call) -> Value:
    values = made.values()
    text = literal_text(values[0].node) if values else None
    if text is None:
        raise unsupported("format with a text that is no literal", "Write the format as a literal.")
    parts: list[exp.Expr] = []
    following = 0
    for part in parts_of(text):
        if isinstance(part, str):
            parts.append(string(part))
            continue
        following += part.place is None
        index = part.place or following
        if not 1 <= index < len(values):
            raise mistyped("format has fewer values than places.", "Give one value for each %.")
        value = values[index]
        parts.append(_formatted(Value(value.node.copy(), value.type), part))
    return Value(call("trino_concat", exp.Array(expressions=parts)), types.VARCHAR)


def _formatted(value: Value, place: Place) -> exp.Expr:
    if set(place.flags) & set("#( <"):
        raise unsupported(str(place), "Use width, comma, plus, minus and zero alone.")
    text = _written(value, place)
    if "," in place.flags and place.letter in "df":
        text = call("trino_grouped", text)
    if "+" in place.flags and place.letter in "dfe":
        text = call("trino_plus", text)
    loud = place.letter[0].isupper()
    if loud:
        text = call("upper", text)
    shown = call("coalesce", text, string("NULL" if loud else "null"))
    if place.width is None:
        return shown
    padded = "right" if "-" in place.flags else "left"
    name = "trino_zero_padded" if "0" in place.flags else f"trino_padded_{padded}"
    return call(name, shown, number(place.width))


def _written(value: Value, place: Place) -> exp.Expr:
    kind = value.type
    if place.letter in "sS":
        text = _as_object(value)
        if text is not None:
            return text if place.digits is None else call("left", text, number(place.digits))
    elif place.letter == "d" and kind.name in types.INTEGERS:
        return to(value.node, types.VARCHAR)
    elif place.letter == "f" and kind.name in ("double", "real", "decimal"):
        return _fixed(value, 6 if place.digits is None else place.digits)
    elif place.letter == "e" and kind.name in ("double", "real"):
        digits = 6 if place.digits is None else place.digits
        return call("format", string(f"{{:.{digits}e}}"), to(value.node, types.DOUBLE))
    elif place.letter in "xX" and kind.name in ("integer", "bigint"):
        return call("lower", call("to_hex", value.node))
    elif place.letter[0] in "tT" and kind.name in ("date", "timestamp"):
        letters = _OF_DAYS if kind.name == "date" else {**_OF_DAYS, **_OF_TIMES}
        if place.letter[1:] in letters and place.digits is None:
            return call("strftime", value.node, string(letters[place.letter[1:]]))
    elif place.letter in "bB" and kind.name == "boolean":
        return call("coalesce", to(value.node, types.VARCHAR), string("false"))
    raise unsupported(f"{place} of {kind}", _REMEDY)


def _as_object(value: Value) -> exp.Expr | None:
    """What Java's String.valueOf makes of it."""
    kind = value.type
    if kind.name == "unknown":
        return to(exp.Null(), types.VARCHAR)
    if kind.name == "decimal":
        return decimal_text(value)
    if kind.name == "double":
        return call("trino_java_double", value.node)
    return to(value.node, types.VARCHAR) if kind.name in ("varchar", *types.INTEGERS, "date", "boolean") else None


def _fixed(value: Value, digits: int) -> exp.Expr:
    if digits >= types.MAX_PRECISION:
        raise unsupported(f"format with {digits} digits", "Use fewer.")
    shape = types.decimal(types.MAX_PRECISION, digits)
    if value.type.name == "decimal":
        return to(to(value.node, shape), types.VARCHAR)
    text = to(to(to(value.node.copy(), types.VARCHAR), shape), types.VARCHAR)
    return case((call("isfinite", value.node.copy()), text), otherwise=call("trino_special", value.node))


FUNCTIONS: tuple[Function, ...] = (built("format", _format),)
