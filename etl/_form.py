"""Whether a `formats` entry can be read by, and by a column of that type. Pure."""

import difflib

from athena.dataset import Column
from athena.errors import Refused
from etl._moments import EPOCHS, pattern_of

TIMED = frozenset(["date", "timestamp", "timestamptz"])
NUMERIC = frozenset(["int", "long", "float", "double", "decimal"])
_NUMBER_FORMS = ("percent", "currency")


def check_form(column: Column, form: str) -> None:
    """Raises `Refused` ("contract-invalid") for a format that no value of the column's type can be read by.

    >>> from athena.dataset import DataType
    >>> check_form(Column("day", DataType("date")), "dd.mm.yyyy")
    Traceback (most recent call last):
    athena.errors.Refused: The format 'dd.mm.yyyy' of day names no year. Write for example "%d.%m.%Y".
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
        raise _wrong(f"The format {form!r} of {column.name} names no year.", 'Write for example "%d.%m.%Y".')
    if "I" in named and "p" not in named:
        raise _wrong(
            f"The format {form!r} of {column.name} has hours of half a day (%I), but does not say which half (%p).",
            "Write %H for hours from 0 to 24, or add %p.",
        )


def _wrong(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="contract-invalid")
