"""What one value could be, as strictly as types are inferred. Pure.

A kind is a type with a way of writing it. A column has a kind when every value that is not missing has it.
"""

import re
from functools import lru_cache

from athena.dataset import DataType
from etl._moments import Moment, NoMoment, formatted_moment, iso_moment, pattern_of

BOOLEAN, YES_NO, INT, LONG = "boolean", "yes/no", "int", "long"
POINT, COMMA = "1.5", "1,5"
POINT_GROUPED, COMMA_GROUPED = "1,234.5", "1.234,5"
GROUPED = "1,234"
DATE, TIMESTAMP, TIMESTAMPTZ = "date", "timestamp", "timestamptz"
LOOKS_TYPED = "digits"

EXACT_DOUBLE = 2**53
"""Whole numbers below this are exact as doubles."""

# In this order a column's kinds are preferred; date formats come last, and only when one of them is left.
ORDER = (
    BOOLEAN,
    YES_NO,
    INT,
    LONG,
    POINT,
    COMMA,
    POINT_GROUPED,
    COMMA_GROUPED,
    GROUPED,
    DATE,
    TIMESTAMP,
    TIMESTAMPTZ,
)
_TYPES = {
    BOOLEAN: "boolean",
    YES_NO: "boolean",
    INT: "int",
    LONG: "long",
    GROUPED: "long",
    DATE: "date",
    TIMESTAMP: "timestamp",
    TIMESTAMPTZ: "timestamptz",
}
NUMBERS = frozenset([INT, LONG, POINT, COMMA, POINT_GROUPED, COMMA_GROUPED, GROUPED])
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_REAL = re.compile(
    r"[+-]?(?:(0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[+-]?(0|[1-9][0-9]*)[eE][+-][0-9]{1,4}"
)
_WHOLE_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4}")
_GROUPED = re.compile(r"[+-]?([1-9][0-9]{0,2}(?:,[0-9]{3})+)\.[0-9]+")
_SPECIAL = frozenset(["nan", "NaN", "inf", "-inf", "Inf", "-Inf", "Infinity", "-Infinity"])
_TIME = (
    r"(?P<hour>[0-9]{1,2}):[0-9]{2}(?P<second>:[0-9]{2}(?P<fraction>\.[0-9]{1,6})?)?(?P<gap> ?)(?P<half>[AaPp][Mm])?"
)
_NUMERIC_DATE = re.compile(
    r"[0-9]{1,2}(?P<mark>[-/.])[0-9]{1,2}(?P=mark)(?P<year>[0-9]{4}|[0-9]{2})(?: " + _TIME + r")?"
)
_NAMED_DATE = re.compile(
    r"(?:[0-9]{1,2}(?P<mark>[- ])(?P<month>[A-Za-z]{3,9})(?P=mark)(?P<year>[0-9]{4}|[0-9]{2})"
    r"|(?P<first>[A-Za-z]{3,9}) [0-9]{1,2}, (?P<late>[0-9]{4}))(?: " + _TIME + r")?"
)
_SHORTEST_DATE = len("1/1/26")
_DIGITS = re.compile(r"[-+\u2212$€£(]{0,2}[ ]?[0-9][-0-9.,:/ '\u00a0\u202f)eE+TZ]*[%€$£]?")
_FLAGS = frozenset(["on", "off", "y", "n", "t", "f"])
_WORDED_DATE = re.compile(
    r"(?:[A-Z][a-z]{2,8},? )?[0-9]{1,2}(?:\. ?|[- ])[^\W\d_]{3,12}\.?[- ][0-9]{2,4}(?: [0-9:]{4,8}.{0,9})?"
    r"|[A-Z][a-z]{2}-[0-9]{2,4}"
)


@lru_cache(maxsize=200_000)
def kinds(text: str) -> frozenset[str]:
    """Everything that the value could be; it is not missing, and has no blanks around it.

    >>> sorted(kinds("1.234")), sorted(kinds("007")), sorted(kinds("1,5"))
    (['1,234.5', '1.5', 'digits'], ['digits'], ['1,5', '1.234,5', 'digits'])
    >>> sorted(kinds("1,234")), sorted(kinds("1,234,567"))
    (['1,234', '1,5', '1.234,5', 'digits'], ['1,234', 'digits'])
    >>> sorted(kinds("03/04/2026"))
    ['%d/%m/%Y', '%m/%d/%Y', 'digits']
    """
    found: set[str] = set()
    if _DIGITS.fullmatch(text):
        found = {LOOKS_TYPED} | _number_kinds(text) | _moment_kinds(text)
    elif text in _SPECIAL:
        found = {POINT, POINT_GROUPED}
    elif text[:1].isalnum() or text[:1] in "+-.":
        found = _number_kinds(text) | _moment_kinds(text)
    folded = text.lower()
    if folded in ("true", "false"):
        found |= {BOOLEAN, LOOKS_TYPED}
    elif folded in ("yes", "no"):
        found |= {YES_NO, LOOKS_TYPED}
    elif not found and (folded in _FLAGS or _WORDED_DATE.fullmatch(text)):
        found.add(LOOKS_TYPED)
    return frozenset(found)


def type_of(kind: str) -> DataType:
    """The column type of a kind.

    >>> str(type_of("%d.%m.%Y %H:%M")), str(type_of("1,5"))
    ('timestamp', 'double')
    """
    if kind in NUMBERS and kind not in _TYPES:
        return DataType("double")
    if kind in _TYPES:
        return DataType(_TYPES[kind])
    if not is_format(kind):
        return DataType("string")
    return DataType("timestamp" if "%H" in kind or "%I" in kind else "date")


def is_format(kind: str) -> bool:
    """Whether the kind is a date or time in a `formats` way of writing."""
    return "%" in kind


def _number_kinds(text: str) -> set[str]:
    if _WHOLE.fullmatch(text):
        return _whole_kinds(int(text)) if len(text) < 25 else set()
    if _is_real(text):
        return {POINT, POINT_GROUPED}
    if "," not in text:
        return set()
    # Groups of three: thousands, or three decimals.
    found = {GROUPED} if _WHOLE_GROUPED.fullmatch(text) else set()
    if _is_real(swapped := text.translate(_SWAP)):
        return found | {COMMA, COMMA_GROUPED}
    for form, kind in ((text, POINT_GROUPED), (swapped, COMMA_GROUPED)):
        match = _GROUPED.fullmatch(form)
        if match and int(match[1].replace(",", "")) < EXACT_DOUBLE:
            found.add(kind)
    return found


_SWAP = str.maketrans(",.", ".,")


def _is_real(text: str) -> bool:
    match = _REAL.fullmatch(text)
    if match is None:
        return False
    return int(match[1] or match[2] or 0) < EXACT_DOUBLE and abs(float(text)) != float("inf")


def _whole_kinds(value: int) -> set[str]:
    found: set[str] = set()
    if -(2**31) <= value < 2**31:
        found.add(INT)
    if -(2**63) <= value < 2**63:
        found.add(LONG)
    if -EXACT_DOUBLE < value < EXACT_DOUBLE:
        found |= {POINT, COMMA, POINT_GROUPED, COMMA_GROUPED, GROUPED}
    return found


def _moment_kinds(text: str) -> set[str]:
    found: set[str] = set()
    if len(text) < _SHORTEST_DATE:
        return found
    try:
        moment = iso_moment(text)
    except NoMoment:
        pass
    else:
        found |= _iso_kinds(text, moment)
    return found | {form for form in _forms(text) if _reads(text, form)}


def _iso_kinds(text: str, moment: Moment) -> set[str]:
    if moment.sharper:
        return set()
    if moment.offset is not None:
        return {TIMESTAMPTZ}
    return {DATE, TIMESTAMP} if len(text) <= 10 and ":" not in text else {TIMESTAMP}


def _forms(text: str) -> list[str]:
    match = _NUMERIC_DATE.fullmatch(text)
    if match:
        mark, time = match["mark"], _time_form(match)
        year = "%Y" if len(match["year"]) == 4 else "%y"
        orders = [("%d", "%m", year), ("%m", "%d", year)] + ([("%y", "%m", "%d")] if year == "%y" else [])
        return [mark.join(order) + time for order in orders]
    match = _NAMED_DATE.fullmatch(text)
    if match is None:
        return []
    month = match["month"] or match["first"]
    # May is short and long.
    names = ["%b", "%B"] if month.lower() == "may" else ["%b"] if len(month) == 3 else ["%B"]
    if match["first"]:
        return [f"{name} %d, %Y{_time_form(match)}" for name in names]
    year = "%Y" if len(match["year"]) == 4 else "%y"
    return [match["mark"].join(("%d", name, year)) + _time_form(match) for name in names]


def _time_form(match: re.Match[str]) -> str:
    if match["hour"] is None:
        return ""
    seconds = (":%S" if match["second"] else "") + (".%f" if match["fraction"] else "")
    if match["half"]:
        return f" %I:%M{seconds}{match['gap']}%p"
    return f" %H:%M{seconds}" if not match["gap"] else "?"


def _reads(text: str, form: str) -> bool:
    if "?" in form or not pattern_of(form).fullmatch(text):
        return False
    try:
        formatted_moment(text, form)
    except NoMoment:
        return False
    return True
