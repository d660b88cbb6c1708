"""Excel workbooks (.xlsx): the first sheet that shows, or the one that the contract names. The unit is the row of the
sheet.

The first row that is about as wide as the table names the columns. Numbers and dates are what Excel holds, not what it
shows; a formula is its last computed value. What has none, or an error in its place, is missing, and told.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from athena.errors import Refused
from etl.contract import SourceRules
from etl.formats import Cells, Sheaf, Told
from etl.formats._cells import cells_of, suspicious_part
from etl.formats._sheet import Parts, parts_of, width, without_empty_columns
from etl.report import Skipped

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_ROWS = 16_384
_EXACT = 2.0**53
_MOST_CELLS, _MOST_EMPTY = 20_000_000, 20


class Workbook:
    """See `etl.formats.Reader`. The sheet is held in memory, as its file was."""

    seeks = True

    def __init__(self, name: str, rules: SourceRules) -> None:
        self._name, self._rules = name, rules
        self._read: tuple[list[list[Any]], tuple[str, ...]] | None = None

    def tell(self, stream: BinaryIO) -> Told:
        """The headings, what other sheets there are, and what the sheet seems to hold but does not."""
        rows, notes = self._rows(stream)
        parts = parts_of(rows, header=self._rules.header)
        return Told(_headings(rows, parts.header), named=parts.header is not None, notes=(*notes, *parts.notes))

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some thousand rows each."""
        rows, _ = self._rows(stream)
        parts = parts_of(rows, header=self._rules.header)
        headings = _headings(rows, parts.header)
        lead, blank = _lead(parts)
        units = parts.first
        for start in range(parts.first, parts.end, _ROWS):
            some = rows[start : min(start + _ROWS, parts.end)]
            yield _sheaf(some, start, headings, units, tuple(lead), blank)
            units, lead, blank = 0, [], 0
        below = rows[parts.end :]
        lead += [
            Skipped("footer", at, at, 0, 0, _raw(row)) for at, row in enumerate(below, parts.end + 1) if width(row)
        ]
        blank += sum(not width(row) for row in below)
        if units + len(below):
            yield _sheaf([], parts.first, headings, units + len(below), tuple(lead), blank)

    def _rows(self, stream: BinaryIO) -> tuple[list[list[Any]], tuple[str, ...]]:
        if self._read is None:
            self._read = self._rows_of(stream)
        return self._read

    def _rows_of(self, stream: BinaryIO) -> tuple[list[list[Any]], tuple[str, ...]]:
        from python_calamine import CalamineError, CalamineWorkbook

        part = suspicious_part(stream)
        if part is not None:
            raise self._unreadable(f"{part} unpacks to far more than a table of its size would")
        try:
            book = CalamineWorkbook.from_filelike(stream)
            sheet, notes = self._sheet(book)
            told = cells_of(stream, sheet)
            if told.spanned > max(_MOST_CELLS, _MOST_EMPTY * told.filled):
                raise Refused(
                    f"The sheet {sheet!r} of {self._name} reaches to {told.last}: {told.spanned:,} cells, "
                    f"of which {told.filled:,} are filled.",
                    "Delete the rows and columns behind the table in Excel, and save it; or drop it as CSV.",
                    code="unreadable",
                )
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except (CalamineError, OSError, ValueError) as error:
            raise self._unreadable(str(error)) from error
        if not any(width(row) for row in rows):
            others = [name for name in book.sheet_names if name != sheet]
            raise Refused(
                f"The sheet {sheet!r} of {self._name} is empty.",
                f'Drop a file with rows; or name another sheet in the contract: sheet = "{others[0]}".'
                if others
                else "Drop a file with rows.",
                code="empty-file",
            )
        return without_empty_columns(rows), (*notes, *told.notes)

    def _sheet(self, book: "CalamineWorkbook") -> tuple[str, tuple[str, ...]]:
        """The name of the sheet to read, and a note where there are others."""
        from python_calamine import SheetVisibleEnum

        names = book.sheet_names
        shown = [one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
        wanted = self._rules.sheet or next(iter([*shown, *names]), "")
        if wanted not in names:
            raise Refused(
                f"{self._name} has no sheet {wanted!r}; it has {', '.join(map(repr, names)) or 'none'}.",
                'Name one of them in the contract: [sources.<source>] sheet = "…".',
                code="contract-mismatch",
            )
        others = [f"{name!r}{'' if name in shown else ' (hidden)'}" for name in names if name != wanted]
        note = f"Read is the sheet {wanted!r}; there are others: {', '.join(others)}."
        return wanted, (note,) if others and not self._rules.sheet else ()

    def _unreadable(self, why: str) -> Refused:
        return Refused(f"{self._name} is damaged: {why.rstrip('.')}.", "Drop it again, whole.", code="unreadable")


def _lead(parts: Parts) -> tuple[list[Skipped], int]:
    """The rows above the records that are not blank, and how many are."""
    lead = [Skipped("preamble", at, at, 0, 0, _raw(row)) for at, row in enumerate(parts.above, 1) if width(row)]
    blank = len(parts.above) - len(lead)
    if parts.header is not None:
        lead.append(Skipped("header", parts.first, parts.first, 0, 0, _raw(parts.header)))
    return lead, blank


def _headings(rows: Sequence[list[Any]], header: list[Any] | None) -> tuple[str, ...]:
    """One per column of the sheet."""
    wide = max(width(row) for row in rows)
    if header is None:
        return tuple(f"column_{place}" for place in range(1, wide + 1))
    return tuple(_text(value) or "" for value in [*header, *[None] * wide][:wide])


def _sheaf(
    rows: list[list[Any]], start: int, headings: tuple[str, ...], units: int, lead: tuple[Skipped, ...], blank: int
) -> Sheaf:
    kept = [(start + at, row) for at, row in enumerate(rows, 1) if width(row)]
    cells = {}
    for place, heading in enumerate(headings):
        values = [row[place] if place < len(row) else None for _, row in kept]
        texts = pa.array([_text(value) for value in values], pa.string())
        cells[f"{place}\0{heading}"] = Cells(texts, pa.array([not isinstance(one, str) for one in values], pa.bool_()))
    numbers = [number for number, _ in kept]
    blank += len(rows) - len(kept)
    return Sheaf(units + len(rows), numbers, cells, lambda row: (0, 0, _raw(kept[row][1])), skipped=lead, blank=blank)


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
