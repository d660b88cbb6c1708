"""The rows of a sheet, taken apart: what stands above the header, the header, the records, what stands below. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl._footer import FEW, names_total

Row = list[Any]
_HEADER_ROWS = 20
_FOOTER_ROWS = 20
_LOOKED_ROWS = 300


@dataclass(frozen=True, slots=True)
class Parts:
    """`above` the header; `header` None when no row names the columns; records from row `first` (0-based) to before
    row `end`, footers and blank rows from there."""

    above: Sequence[Row]
    header: Row | None
    first: int
    end: int
    notes: tuple[str, ...] = ()


def parts_of(rows: Sequence[Row], *, header: bool | None) -> Parts:
    """The parts of a sheet. `header` is what the contract says of it.

    >>> parts = parts_of([["Sales"], [], ["day", "n"], [1.0, 2.0], [], ["Total", 2.0]], header=None)
    >>> parts.header, parts.first, parts.end
    (['day', 'n'], 3, 4)
    """
    at = None if header is False else _header_place(rows)
    if at is not None and header is None and not (_has_text(rows[at]) or _has_text(_below(rows, at))):
        end, notes = _end(rows, at)
        return Parts(rows[:at], None, at, end, notes)
    first = 0 if at is None else at + 1
    end, notes = _end(rows, first)
    return Parts(() if at is None else rows[:at], None if at is None else rows[at], first, end, notes)


def without_empty_columns(rows: list[Row]) -> list[Row]:
    """The rows without the columns on the left in which nothing stands."""
    first = (next(at for at, one in enumerate(row) if one not in (None, "")) for row in rows if width(row))
    left = min(first, default=0)
    return [row[left:] for row in rows] if left else rows


def width(row: Row) -> int:
    """The place behind the last filled cell."""
    return max((at for at, value in enumerate(row, 1) if value not in (None, "")), default=0)


def _filled(row: Row) -> list[Any]:
    return [value for value in row if value not in (None, "")]


def _has_text(row: Row) -> bool:
    return any(isinstance(value, str) for value in _filled(row))


def _header_place(rows: Sequence[Row]) -> int | None:
    widest = max((len(_filled(row)) for row in rows[:_HEADER_ROWS]), default=0)
    wide = (at for at, row in enumerate(rows[:_HEADER_ROWS]) if _filled(row) and 2 * len(_filled(row)) > widest)
    return next(wide, None)


def _below(rows: Sequence[Row], at: int) -> Row:
    return next((row for row in rows[at + 1 : at + _HEADER_ROWS] if _filled(row)), [])


def _end(rows: Sequence[Row], first: int) -> tuple[int, tuple[str, ...]]:
    """Where the records end, and what must be said of the last of them."""
    end = len(rows)
    for at in range(len(rows) - 1, max(first, len(rows) - _FOOTER_ROWS), -1):
        if not _filled(rows[at]):
            continue
        apart = any(not _filled(row) for row in rows[max(first, at - _FOOTER_ROWS) : at])
        if not _is_footer(rows[at], rows[first : min(at, first + _LOOKED_ROWS)], apart=apart):
            break
        end = at
    while end < len(rows) and end > first and not _filled(rows[end - 1]):
        end -= 1
    last = next((at for at in range(end - 1, first, -1) if _filled(rows[at])), None)
    if last is None or not _names_total(rows[last]):
        return end, ()
    return end, (
        f"Row {last + 1} calls itself a total and was read as a record: take it out of the file if it is none.",
    )


def _is_footer(row: Row, records: Sequence[Row], *, apart: bool) -> bool:
    """The same signs as in CSV: a total below a blank row, of few cells, or with its word where numbers stand; and a
    remark below a blank row, alone in a row of three columns or more."""
    filled, columns = _filled(row), max(map(width, records), default=0)
    if columns < 2:
        return False
    if _names_total(row):
        place = next(at for at, value in enumerate(row) if value not in (None, ""))
        above = [one[place] for one in records if place < len(one) and one[place] not in (None, "")]
        return apart or 2 * len(filled) <= columns + 1 or not any(isinstance(one, str) for one in above)
    return apart and len(filled) == 1 and isinstance(filled[0], str) and columns >= FEW


def _names_total(row: Row) -> bool:
    return names_total([value.encode() if isinstance(value, str) else b"0" for value in _filled(row)])
