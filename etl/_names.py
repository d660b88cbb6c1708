"""Headings → column names: lower-case, `[a-z0-9_]`, unique. Pure."""

import difflib
import re
import unicodedata
from collections.abc import Sequence

MAX_NAME = 120
_ALIKE = 0.6
_MOST_COMPARED = 2_500
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)
_MARKS = str.maketrans({"%": " pct ", "#": " no ", "€": " eur ", "$": " usd ", "£": " gbp ", "°": " deg ", "µ": "u"})


def clean_name(heading: str) -> str:
    """The heading as a column name; empty when nothing of it can stand in one.

    >>> clean_name(" Dep. Delay (min) "), clean_name("Größe"), clean_name("_line"), clean_name("价格"), clean_name("%")
    ('dep_delay_min', 'grosse', 'line', '', 'pct')
    """
    text = heading.strip()
    if not re.search(r"[^\W_]", text):
        text = text.translate(_MARKS)
    text = unicodedata.normalize("NFKD", text.lower().translate(_SPELLED))
    text = "".join(one for one in text if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")[:MAX_NAME].rstrip("_")


def clean_names(headings: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A unique name per heading, and a sentence for each that is not simply its heading in lower case.

    >>> clean_names(["Id", "id", ""])
    (('id', 'id_2', 'column_3'), ('Column 2 is called "id" like another: id_2.', 'Column 3 has no name: column_3.'))
    """
    bases = [clean_name(heading) for heading in headings]
    taken = set(bases)
    used: set[str] = set()
    numbers: dict[str, int] = {}  # of a thousand columns of one name, none is counted from the first on
    names: list[str] = []
    notes: list[str] = []
    for place, (heading, base) in enumerate(zip(headings, bases, strict=True), 1):
        name = stem = base or f"column_{place}"
        number = numbers.get(stem, 1)
        while name in used or (name != base and name in taken):
            number += 1
            name = f"{stem}_{number}"
        numbers[stem] = number
        used.add(name)
        names.append(name)
        note = _note(place, heading.strip(), base, name)
        if note:
            notes.append(note)
    return tuple(names), tuple(notes)


def are_comparable(gone: Sequence[str], new: Sequence[str]) -> bool:
    """Whether it is worth looking which new name each of those gone is most alike: beyond some fifty of each it is
    another table, and takes seconds."""
    return len(gone) * len(new) <= _MOST_COMPARED


def most_alike(name: str, names: Sequence[str]) -> str | None:
    """Which of the names this one could have become; None when none is like it.

    >>> most_alike("dep_delay", ["departure_delay", "day"])
    'departure_delay'
    """
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)), None)


def _note(place: int, heading: str, base: str, name: str) -> str | None:
    if not heading:
        return f"Column {place} has no name: {name}."
    if name == base:
        return None
    if not base:
        return f'Column {place}, "{heading}", has no letter from a to z or digit in its name: {name}.'
    return f'Column {place} is called "{heading}" like another: {name}.'
