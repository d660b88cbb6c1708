"""Excel workbooks (.xlsx): the first sheet, or the one that the contract names. The unit is the row of the sheet.

The first row that is about as wide as the table names the columns. Numbers and dates are what Excel holds, not what it
shows; a formula is its last computed value, an error value is missing.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import pyarrow as pa

from athena.errors import Refused
from etl.contract import SourceRules
from etl.formats import Cells, Sheaf, Told
from etl.report import Skipped

_ROWS = 16_384
_HEADER_ROWS = 20
_EXACT = 2.0**53


class Workbook:
    """See `etl.formats.Reader`. The sheet is held in memory, as its file was."""

    seeks = True

    def __init__(self, name: str, rules: SourceRules) -> None:
        self._name, self._rules = name, rules

    def tell(self, stream: BinaryIO) -> Told:
        """The headings, and what other sheets there are."""
        rows, notes = self._rows(stream)
        return Told(_headings(rows, self._split(rows)[1]), notes=notes)

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some thousand rows each."""
        rows, _ = self._rows(stream)
        above, header, first = self._split(rows)
        headings = _headings(rows, header)
        lead = [Skipped("preamble", at, at, 0, 0, _raw(row)) for at, row in enumerate(above, 1) if _width(row)]
        blank = len(above) - len(lead)
        if header is not None:
            lead.append(Skipped("header", first, first, 0, 0, _raw(header)))
        units = first
        for start in range(first, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            yield _sheaf(some, start, headings, units, tuple(lead), blank)
            units, lead, blank = 0, [], 0
        if units:
            yield _sheaf([], first, headings, units, tuple(lead), blank)

    def _split(self, rows: Sequence[list[Any]]) -> tuple[Sequence[list[Any]], list[Any] | None, int]:
        """Rows above the header, the header, and the place (0-based) of the first record."""
        if self._rules.header is False:
            return (), None, 0
        widest = max((_filled(row) for row in rows[:_HEADER_ROWS]), default=0)
        for at, row in enumerate(rows[:_HEADER_ROWS]):
            if _filled(row) and 2 * _filled(row) > widest:
                return rows[:at], row, at + 1
        return (), None, 0

    def _rows(self, stream: BinaryIO) -> tuple[list[list[Any]], tuple[str, ...]]:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            book = CalamineWorkbook.from_filelike(stream)
            names = book.sheet_names
            wanted = self._rules.sheet or (names[0] if names else "")
            if wanted not in names:
                raise Refused(
                    f"{self._name} has no sheet {wanted!r}; it has {', '.join(map(repr, names)) or 'none'}.",
                    'Name one of them in the contract: [sources.<source>] sheet = "…".',
                    code="contract-mismatch",
                )
            rows = book.get_sheet_by_name(wanted).to_python(skip_empty_area=False)
        except (CalamineError, OSError, ValueError) as error:
            raise Refused(f"{self._name} is damaged: {error}.", "Drop it again, whole.", code="unreadable") from error
        if not any(_width(row) for row in rows):
            raise Refused(
                f"The sheet {wanted!r} of {self._name} is empty.", "Drop a file with rows.", code="empty-file"
            )
        others = [name for name in names if name != wanted]
        note = (f"Read is the sheet {wanted!r}; there are others: {', '.join(map(repr, others))}.",) if others else ()
        return rows, note


def _headings(rows: Sequence[list[Any]], header: list[Any] | None) -> tuple[str, ...]:
    """One per column of the sheet."""
    width = max(_width(row) for row in rows)
    if header is None:
        return tuple(f"column_{place}" for place in range(1, width + 1))
    return tuple(_text(value) or "" for value in [*header, *[None] * width][:width])


def _sheaf(
    rows: list[list[Any]], start: int, headings: tuple[str, ...], units: int, lead: tuple[Skipped, ...], blank: int
) -> Sheaf:
    kept = [(start + at, row) for at, row in enumerate(rows, 1) if _width(row)]
    cells = {}
    for place, heading in enumerate(headings):
        values = [row[place] if place < len(row) else None for _, row in kept]
        texts = pa.array([_text(value) for value in values], pa.string())
        cells[f"{place}\0{heading}"] = Cells(texts, pa.array([not isinstance(one, str) for one in values], pa.bool_()))
    numbers = [number for number, _ in kept]
    blank += len(rows) - len(kept)
    return Sheaf(units + len(rows), numbers, cells, lambda row: (0, 0, _raw(kept[row][1])), skipped=lead, blank=blank)


def _width(row: list[Any]) -> int:
    return max((at for at, value in enumerate(row, 1) if value not in (None, "")), default=0)


def _filled(row: list[Any]) -> int:
    return sum(value not in (None, "") for value in row)


def _text(value: Any) -> str | None:
    """A cell as text; None when it is empty.

    >>> _text(3.0), _text(0.1), _text(True), _text(datetime(2026, 5, 1, 12)), _text("")
    ('3', '0.1', 'true', '2026-05-01 12:00:00', None)
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if not isinstance(value, timedelta) else _clock(value)


def _clock(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _raw(row: list[Any]) -> str:
    return json.dumps([_text(value) for value in row], ensure_ascii=False)
