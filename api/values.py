"""A column's value, given as text in a query field or a saved question → a literal of Athena's SQL. Pure.

Nothing of a text gets into the SQL as it is: strings travel as parameters, all else is read first and written anew.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from athena.dataset import DataType
from athena.question import Scalar

Sql = tuple[str, tuple[Scalar, ...]]

_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?\Z")
_DECIMAL_DIGITS, _EXACT_DIGITS = 38, 15
_RANGES = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
EXPECTED = {
    "string": "text",
    "boolean": "true or false",
    "int": "a whole number of 32 bits",
    "long": "a whole number of 64 bits",
    "float": "a number such as 1.5 or 1e9",
    "double": "a number such as 1.5 or 1e9",
    "decimal": "a number such as 1.50",
    "date": "a date such as 2026-11-21",
    "timestamp": "a time without zone such as 2026-11-21T07:30:00",
    "timestamptz": "an instant such as 2026-11-21T07:30:00Z",
}


def literal(kind: DataType, text: str) -> Sql:
    """The value of `text` as SQL with its parameters; raises `ValueError` when it is none of that type.

    >>> literal(DataType("string"), "it's"), literal(DataType("date"), "2026-11-21")
    (('?', ("it's",)), ("DATE '2026-11-21'", ()))
    """
    return _LITERALS[kind.name](kind, text)


def _string(_: DataType, text: str) -> Sql:
    if "\0" in text:
        raise ValueError(text)
    text.encode()  # half a surrogate pair is no text
    return "?", (text,)


def _boolean(_: DataType, text: str) -> Sql:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text, ()


def _whole(kind: DataType, text: str) -> Sql:
    least, greatest = _RANGES[kind.name]
    if not re.fullmatch(r"-?\d{1,19}", text, flags=re.ASCII) or not least <= int(text) <= greatest:
        raise ValueError(text)
    return str(int(text)), ()


def _number(kind: DataType, text: str) -> Sql:
    if not _NUMBER.match(text) or not text.isascii():
        raise ValueError(text)
    exponent, digits = "e" in text.lower(), sum(character.isdigit() for character in text)
    if kind.name == "decimal":
        if exponent or digits > _DECIMAL_DIGITS:
            raise ValueError(text)
        return text, ()
    if not math.isfinite(float(text)):
        raise ValueError(text)
    # A literal without exponent is a decimal, which only becomes the nearest double while it is short.
    return (text if exponent or digits <= _EXACT_DIGITS else f"{text}E0"), ()


def _date(_: DataType, text: str) -> Sql:
    if len(text) != 10:
        raise ValueError(text)
    return f"DATE '{date.fromisoformat(text).isoformat()}'", ()


def _timestamp(_: DataType, text: str) -> Sql:
    read = datetime.fromisoformat(text)
    if read.tzinfo is not None:
        raise ValueError(text)
    return f"TIMESTAMP '{read.isoformat(sep=' ')}'", ()


def _instant(_: DataType, text: str) -> Sql:
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    try:
        return f"TIMESTAMP '{read.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC'", ()
    except OverflowError as error:
        raise ValueError(text) from error


_LITERALS: dict[str, Callable[[DataType, str], Sql]] = {
    "string": _string,
    "boolean": _boolean,
    "int": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "decimal": _number,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _instant,
}
