"""What stands below the records: totals, row counts, remarks. Pure.

Only lines that say what they are, or that stand apart, are footers; whatever else does not fit at the end of a
file is a broken record.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from etl._cell import PROSE, WORDS, is_typed, kind
from etl._record import Record, Shape, read_record
from etl._split import Fault, Skip, Split

MAX_FOOTER_LINES, MAX_FOOTER_BYTES = 20, 4096
FEW, _LONG = 3, 10
_TOTAL = re.compile(
    rb"\W*(?:grand |sub)?(?:totals?|sum|summen?|gesamt(?:summe)?|insgesamt|somme|totale|totaal|suma|average)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_REMARK = re.compile(
    rb"\W*(?:\d+ (?:rows?|records?|zeilen|lines)\b|(?:rows?|records?|count|row count|zeilen|anzahl)\b ?:"
    rb"|end of|eof\b|source ?:|quelle ?:|generated|exported|created (?:by|on|at)|note ?:|notes ?:|report|copyright).*"
    rb"|\\\.|[-=*_+|: ]{3,}",
    re.IGNORECASE | re.DOTALL,
)
_SOURCE = re.compile(rb"\W*(?:sources?|quellen?|notes?|fuente|fonte|bron) ?:.*", re.IGNORECASE | re.DOTALL)


def names_total(fields: Sequence[bytes]) -> bool:
    """Whether the first filled cell says that this is a total.

    >>> names_total((b"", b"Grand total", b"12")), names_total((b"Totnes", b"12"))
    (True, False)
    """
    first = next((cell.strip() for cell in fields if cell.strip()), b"")
    return _TOTAL.fullmatch(first) is not None and len(first) <= 40


def names_source(fields: Sequence[bytes]) -> bool:
    """Whether the first cell says where the figures are from, or begins a note.

    >>> names_source((b"Source: Office", b"2016")), names_source((b"Sourdough", b"3"))
    (True, False)
    """
    return _SOURCE.fullmatch(fields[0].strip()) is not None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line at the end of the file, a record (good or not); or blank ones."""

    start: int
    end: int
    line: int
    record: Record | None
    good: bool = False


def set_footer_apart(data: bytes, found: Split, shape: Shape) -> Split:
    """The split of a file's last block with its footer lines told as such."""
    tail = _tail(data, found, shape)
    footer: list[_Line] = []
    for place, line in reversed(list(enumerate(tail))):
        if line.record is None:
            continue
        if line.good and _is_empty(line) and not footer:
            break
        apart = any(above.record is None or _is_empty(above) for above in tail[:place])
        if not (_is_empty(line) or _is_footer(line, data, shape, apart=apart)):
            break
        footer.append(line)
    return _with_total(data, _without(found, footer) if footer else found, shape)


def _with_total(data: bytes, found: Split, shape: Shape) -> Split:
    """The split that names its last record when that is filled like any other, but calls itself a total."""
    if not len(found.starts) or shape.fields < 2:
        return found
    start, end = int(found.starts[-1]), int(found.ends[-1])
    record = read_record(data, start, shape, complete=True) if end - start <= MAX_FOOTER_BYTES else None
    if record is None or not names_total(record.fields):
        return found
    return replace(found, total=int(found.lines[-1]))


def _tail(data: bytes, found: Split, shape: Shape) -> list[_Line]:
    """The last lines, down from behind the last good record that is no total."""
    tail: list[_Line] = []
    for piece in _from_below(found):
        record = None
        if not isinstance(piece, Skip):
            if piece.end - piece.start > MAX_FOOTER_BYTES:
                break
            record = read_record(data, piece.start, replace(shape, fields=0), complete=True)
            if record is None or record.end != piece.end or record.height > 1:
                break
            if isinstance(piece, _Good) and not _may_be_footer(record.fields, shape):
                break
        elif piece.kind != "blank":
            break
        tail.append(_Line(piece.start, piece.end, piece.line, record, isinstance(piece, _Good)))
    return tail[::-1]


def _may_be_footer(fields: Sequence[bytes], shape: Shape) -> bool:
    """Whether a record with the right number of fields could stand below the table."""
    return names_total(fields) or names_source(fields) or _holds_one_cell(fields, shape)


@dataclass(frozen=True, slots=True)
class _Good:
    start: int
    end: int
    line: int


def _from_below(found: Split) -> list[_Good | Fault | Skip]:
    last = slice(max(len(found.starts) - MAX_FOOTER_LINES, 0), None)
    places = zip(found.starts[last].tolist(), found.ends[last].tolist(), found.lines[last].tolist(), strict=True)
    pieces: list[_Good | Fault | Skip] = [_Good(*place) for place in places]
    pieces += [*found.faults[-MAX_FOOTER_LINES:], *found.skips[-MAX_FOOTER_LINES:]]
    return sorted(pieces, key=lambda piece: piece.line, reverse=True)[:MAX_FOOTER_LINES]


def _is_footer(line: _Line, data: bytes, shape: Shape, *, apart: bool) -> bool:
    record = line.record
    if record is None:
        return False
    cells = [cell.strip() for cell in record.fields]
    filled = [cell for cell in cells if cell]
    if line.good and not names_total(cells) and not _holds_one_cell(cells, shape):
        return apart
    if line.good and not names_total(cells):
        remark = _says_remark(line, data, shape) or _is_remark(cells, shape) or (apart and not is_typed(filled[0]))
        return remark and _is_long(filled[0])
    if line.good:
        return _breaks_the_columns(cells, shape) or (len(cells) > 1 and (apart or 2 * len(filled) <= len(cells) + 1))
    if names_total(cells) or _says_remark(line, data, shape) or _is_remark(cells, shape):
        return True
    return apart and shape.fields > 1 and not any(map(is_typed, filled)) and (len(filled) == 1 or any(shape.numeric))


def _says_remark(line: _Line, data: bytes, shape: Shape) -> bool:
    return _REMARK.fullmatch(data[line.start : line.end].strip(b" \t\r\n" + shape.delimiter)) is not None


def _is_long(cell: bytes) -> bool:
    """Whether it is more than a word or code, which could be the only value of a record."""
    return len(cell.decode("utf-8", "replace")) >= _LONG


def _is_empty(line: _Line) -> bool:
    return line.record is not None and line.good and not any(cell.strip() for cell in line.record.fields)


def _holds_one_cell(fields: Sequence[bytes], shape: Shape) -> bool:
    """Whether a record of a table of numbers holds one cell at most, and none of them."""
    filled = [place for place, cell in enumerate(fields) if cell.strip()]
    return len(fields) >= FEW and len(filled) <= 1 and any(shape.numeric)


def _is_remark(fields: Sequence[bytes], shape: Shape) -> bool:
    """Words where numbers stand, and nothing else in the line."""
    cells = [cell.strip() for cell in fields]
    filled = [cell for cell in cells if cell]
    few = shape.fields < FEW or len(filled) != 1 or kind(filled[0]) not in (WORDS, PROSE)
    return not few and _breaks_the_columns(cells, shape)


def _breaks_the_columns(cells: list[bytes], shape: Shape) -> bool:
    """The word for a total stands where numbers stand."""
    place = next((place for place, cell in enumerate(cells) if cell), None)
    return place is not None and place < len(shape.numeric) and shape.numeric[place]


def _without(found: Split, footer: list[_Line]) -> Split:
    lines = {line.line for line in footer}
    kept = ~np.isin(found.lines, list(lines))
    skips = (*found.skips, *(Skip(one.start, one.end, one.line, 1, "footer") for one in reversed(footer)))
    return replace(
        found,
        starts=found.starts[kept],
        ends=found.ends[kept],
        lines=found.lines[kept],
        faults=tuple(fault for fault in found.faults if fault.line not in lines),
        skips=tuple(sorted(skips, key=lambda skip: skip.line)),
    )
