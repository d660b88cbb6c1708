"""Whether a `formats` entry can be read by, and by a column of that type. Pure."""

import difflib
import re

from athena.dataset import Column
from athena.errors import Refused
from etl._moments import EPOCHS, pattern_of

TIMED = frozenset(["date", "timestamp", "timestamptz"])
NUMERIC = frozenset(["int", "long", "float", "double", "decimal"])
_WORDS = {
    **{
        "yyyy": "%Y",
        "YYYY": "%Y",
        "yy": "%y",
        "YY": "%y",
        "MMMM": "%B",
        "MMM": "%b",
        "MM": "%m",
        "M": "%m",
        "mm": "%m",
    },
    **{"dd": "%d", "DD": "%d", "d": "%d", "HH": "%H", "H": "%H", "hh": "%I", "ss": "%S"},
}
_LETTERS = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))
_NUMBER_FORMS = ("percent", "currency")


def check_form(column: Column, form: str) -> None:
    """Raises `Refused` ("contract-invalid") for a format that no value of the column's type can be read by.

    >>> from athena.dataset import DataType
    >>> check_form(Column("day", DataType("date")), "dd.mm.yyyy")
    Traceback (most recent call last):
    athena.errors.Refused: The format 'dd.mm.yyyy' of day names no year. Write "%d.%m.%Y".
    """
    name = column.type.name
    if name in TIMED:
        if form not in EPOCHS:
            _check_moments(column, form)
    elif name not in NUMERIC or form not in _NUMBER_FORMS:
        near = difflib.get_close_matches(form, _NUMBER_FORMS, n=1)
        hint = (
            f"Did you mean {near[0]!r}?"
            if near
            else "Formats are for dates and times; numbers may be percent or currency."
        )
        raise _wrong(f"The format {form!r} is none for {column.name}, a {column.type}.", hint)


def _check_moments(column: Column, form: str) -> None:
    named = pattern_of(form).groupindex
    if not {"Y", "y"} & named.keys():
        remedy = (
            f'Write "{_by_percent(form)}".'
            if _LETTERS.search(form) and "%" not in form
            else 'Write for example "%d.%m.%Y".'
        )
        raise _wrong(f"The format {form!r} of {column.name} names no year.", remedy)
    if "I" in named and "p" not in named:
        raise _wrong(
            f"The format {form!r} of {column.name} has hours of half a day (%I), but does not say which half (%p).",
            "Write %H for hours from 0 to 24, or add %p.",
        )


def _by_percent(form: str) -> str:
    """A format of Java or Excel as one of ours; mm is a month unless it follows hours.

    >>> _by_percent("dd.MM.yyyy HH:mm:ss"), _by_percent("yyyy-mm-dd")
    ('%d.%m.%Y %H:%M:%S', '%Y-%m-%d')
    """
    hours = re.search("[Hh]{1,2}", form)
    return _LETTERS.sub(
        lambda found: "%M" if found[0] == "mm" and hours and found.start() > hours.start() else _WORDS[found[0]], form
    )


def _wrong(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="contract-invalid")
