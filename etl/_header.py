"""Whether the first record names the columns, and whether more such rows follow. Pure."""

import re
from codecs import BOM_UTF8
from collections.abc import Sequence

from etl._cell import EMPTY, LINK, MIXED, NUMERIC, TEMPORAL, TRUTH, holds_numbers, is_typed, kind
from etl._names import clean_name

MAX_HEADER_ROWS = 4
_YEAR = re.compile(rb"(19|20)\d\d")
_MAX_NAME_BYTES = 100
_CODE_BYTES = 3
_COUNTED = 5
# What ends in a stop is a sentence, and not a name with an abbreviation, when it has four words at least.
_STOPS, _SENTENCE_GAPS = (b".", b"!", b"?", b";", b":", b","), 3

_NO_WORDS = frozenset([EMPTY, NUMERIC, TEMPORAL, MIXED])

Row = Sequence[bytes]


def votes_for_header(first: Row, below: Sequence[Row], expected: Sequence[str]) -> float:
    """Above zero: the first row is a header; below: it is data; near zero: nothing tells.

    `expected` are names that a contract knows; to meet them settles it.

    >>> votes_for_header([b"id", b"name"], [[b"1", b"Ann"], [b"2", b"Bob"]], ())
    1.0
    >>> votes_for_header([b"1", b"Ann"], [[b"2", b"Bob"], [b"3", b"Ann"]], ()) < 0
    True
    """
    if meets(first, expected):
        return 10.0
    # Files that were joined have it again.
    others = [row for row in below if (row[0].removeprefix(BOM_UTF8), *row[1:]) != tuple(first)]
    columns = list(zip(*others, strict=True)) if others else [()] * len(first)
    if _are_years(first, columns) or _are_moments(first, columns) or _are_places(first, others):
        return 2.0
    return sum(_vote(cell, column) for cell, column in zip(first, columns, strict=True))


def meets(row: Row, expected: Sequence[str]) -> bool:
    """Whether the row names at least half of the expected columns.

    >>> meets([b"Id", b"Name", b"x"], ["id", "name"]), meets([b"1", b"Ann"], ["id", "name"]), meets([b"id"], [])
    (True, False, False)
    """
    known = {clean_name(name) for name in expected}
    met = sum(clean_name(cell.decode("utf-8", "replace")) in known for cell in row)
    return bool(known) and 2 * met >= len(known)


def _vote(cell: bytes, column: Sequence[bytes]) -> float:
    if holds_numbers(column):
        if kind(cell) == EMPTY:
            return -0.1
        return -1.0 if is_typed(cell) else 1.0
    if is_typed(cell) or kind(cell) == LINK:
        return -1.0
    present = [value for value in column if kind(value) != EMPTY]
    if kind(cell) == EMPTY or not present:
        return 0.0
    if cell in present or all(kind(value) == TRUTH for value in (cell, *present)):
        return -1.0
    if all(kind(value) == LINK for value in present):
        return 1.0
    return _vote_by_traits(cell, present) if len(present) > 2 else 0.0


def _vote_by_traits(cell: bytes, present: Sequence[bytes]) -> float:
    """What all values of a column of words have in common: does the cell above have it too?"""
    vote = 0.0
    sizes = {len(value) for value in present}
    if len(sizes) == 1:
        vote += 0.3 if len(cell) not in sizes else -0.2 if len(cell) <= _CODE_BYTES else 0.0
    if all(map(bytes.isupper, present)) and not cell.isupper():
        vote += 0.3
    if all(map(_SIGN.search, present)):
        vote += -0.3 if _SIGN.search(cell) else 0.3
    if all(map(_GAP.search, present)) and not _GAP.search(cell):
        vote += 0.2
    if all(map(_DIGITS.search, present)):
        stems = {_DIGITS.sub(b"0", value) for value in present}
        alike = _DIGITS.sub(b"0", cell) in stems or all(map(_DIGITS.match, (cell, *present)))
        vote += -0.5 if alike else 0.0 if _DIGITS.search(cell) else 0.5
    return vote


_DIGITS, _SIGN, _GAP = re.compile(rb"\d+"), re.compile(rb"[@/\\=]"), re.compile(rb"\S \S")


def _are_years(first: Row, columns: Sequence[Sequence[bytes]]) -> bool:
    """A header like `country,2019,2020`: rising years above numbers that are none."""
    places = [place for place, cell in enumerate(first) if _YEAR.fullmatch(cell.strip())]
    years = [int(first[place]) for place in places]
    if len(years) < 2 or years != sorted(set(years)):
        return False
    below = [value for place in places for value in columns[place] if kind(value) != EMPTY]
    others = [cell for place, cell in enumerate(first) if place not in places]
    return not any(is_typed(cell) for cell in others) and sum(map(bool, map(_YEAR.fullmatch, below))) < 0.5 * len(below)


def _are_moments(first: Row, columns: Sequence[Sequence[bytes]]) -> bool:
    """A header like `product,2026-01-01,2026-02-01`: different days or hours above values that are none."""
    places = [place for place, cell in enumerate(first) if kind(cell) == TEMPORAL]
    if len(places) < 2 or len({first[place].strip() for place in places}) < len(places):
        return False
    below = [one for place in places for value in columns[place] if (one := kind(value)) != EMPTY]
    others = [cell for place, cell in enumerate(first) if place not in places]
    return bool(below) and TEMPORAL not in below and not any(map(is_typed, others))


def _are_places(first: Row, others: Sequence[Row]) -> bool:
    """A header that counts up, and hardly a row below does: nothing but the columns' places from 0, as a table of
    numbers without names is written (behind empty cells, where its rows are counted too), or five numbers at least
    behind names, as months and weeks have them."""
    start = next((place for place, cell in enumerate(first) if cell.isdigit()), len(first))
    if len(first) < 3 or len(others) < 2 or not _counts(first[start:]):
        return False
    if any(cell.strip() for cell in first[:start]):
        told = len(first) - start >= _COUNTED and looks_like_names(first[:start])
    else:
        told = int(first[start]) == 0
    return told and 2 * sum(_counts(row[start:]) for row in others) < len(others)


def _counts(row: Row) -> bool:
    """Whether there are cells, each of which is the whole number behind the one before it."""
    numbers = [int(cell) for cell in row if cell.isdigit()]
    return len(numbers) == len(row) > 0 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def looks_like_names(row: Row) -> bool:
    """Whether every cell could name a column: some text, no number, no two alike.

    >>> looks_like_names([b"id", b"Abflugtag"]), looks_like_names([b"id", b"3"]), looks_like_names([b"x", b"x"])
    (True, False, False)
    """
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if not cells or len(set(cells)) < len(cells):
        return False
    return all(_could_name(cell) for cell in cells)


def _could_name(cell: bytes) -> bool:
    named = cell != b"" and kind(cell) not in (NUMERIC, TEMPORAL, LINK) and len(cell) <= _MAX_NAME_BYTES
    return named and not (cell.endswith(_STOPS) and cell.count(b" ") >= _SENTENCE_GAPS)


def further_header_rows(body: Sequence[Row], texts: Sequence[str] = ()) -> int:
    """How many rows below the header (`body[0]`) are none of data: units, types, descriptions. In columns that a
    contract calls text (`texts` names them) words are values.

    >>> further_header_rows([[b"t", b"v"], [b"s", b"m/s"], [b"1", b"2"], [b"2", b"3"]])
    1
    >>> further_header_rows([[b"t", b"v"], [b"s", b"m/s"], [b"1", b"2"], [b"2", b"3"]], ["v"])
    0
    """
    names = {clean_name(name) for name in texts}
    words = [clean_name(cell.decode("utf-8", "replace")) in names for cell in body[0]]
    rows = 1 + _rows_of_units(body, words)
    while rows < min(MAX_HEADER_ROWS, len(body) - 2) and _fills_gaps(body[rows], body[:rows], body[rows + 1 :]):
        rows += 1
    return rows - 1


def _rows_of_units(body: Sequence[Row], words: Sequence[bool]) -> int:
    wordy = [place for place, cell in enumerate(body[1]) if kind(cell) not in _NO_WORDS] if len(body) > 1 else []
    for rows in range(min(MAX_HEADER_ROWS, len(body) - 2), 1, -1):
        columns = list(zip(*body[rows:], strict=True))
        if sum(holds_numbers(columns[place]) for place in wordy) < 2:
            continue
        typed = [place for place, column in enumerate(columns) if not words[place] and holds_numbers(column)]
        if len(typed) >= 2 and all(_is_above_data(row, typed) for row in body[1:rows]):
            return rows - 1
    return 0


def _fills_gaps(row: Row, header: Sequence[Row], below: Sequence[Row]) -> bool:
    """Whether a row names what the header leaves without a name, and holds no data: names of groups stand above those
    of their columns, as in an export with merged cells or of a pivot table."""
    gaps = [place for place, cells in enumerate(zip(*header, strict=True)) if not any(cell.strip() for cell in cells)]
    if not gaps or len(below) < 2 or not all(row[place].strip() for place in gaps):
        return False
    columns = list(zip(*below, strict=True))
    filled = [place for place, column in enumerate(columns) if all(kind(value) != EMPTY for value in column)]
    empty = sum(not row[place].strip() for place in filled)
    typed = [place for place, cell in enumerate(row) if is_typed(cell)]
    if typed:
        years = len(typed) > 1 and gaps != [0] and all(_YEAR.fullmatch(row[place].strip()) for place in typed)
        values = [value for place in typed for value in columns[place] if kind(value) != EMPTY]
        return years and holds_numbers(values) and not any(_YEAR.fullmatch(value.strip()) for value in values)
    alone = gaps != [0] or sum(bool(cell.strip()) for cell in row) == 1
    return alone and empty > 1


def _is_above_data(row: Row, typed: Sequence[int]) -> bool:
    """Whether words stand where numbers stand below, in two columns at least."""
    words = [one for place in typed if (one := kind(row[place])) != EMPTY]
    return len(words) >= 2 and not _NO_WORDS & set(words)
