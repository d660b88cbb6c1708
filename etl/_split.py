"""Bytes → where each record stands, what is wrong, what is skipped; one record after the other. Pure.

This is the exact way; `_marks.py` does the same for a whole block at once and must find the same.
"""

from codecs import BOM_UTF8
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from etl._record import UNCLOSED, Record, Shape, line_end, read_record

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that does not split: bytes `start` to `end` (line end included), lines from `line` (0-based)."""

    start: int
    end: int
    line: int
    height: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Lines that are no record: one, or a run of blank ones."""

    start: int
    end: int
    line: int
    height: int
    kind: Literal["header", "blank", "comment", "footer"]


@dataclass(frozen=True, slots=True)
class Split:
    """The records of a block. `starts`, `ends` (behind the line end) and `lines` (0-based) have one entry per good
    record; `consumed` bytes and `line_count` lines are accounted for, the rest may go on behind the block. `total` is
    the line of a last record that calls itself a total, and is one of the good. `breaks` are the offsets behind the
    lines, those that may go on included, where they are known."""

    starts: Positions
    ends: Positions
    lines: Positions
    faults: tuple[Fault, ...]
    skips: tuple[Skip, ...]
    consumed: int
    line_count: int
    total: int | None = None
    breaks: Positions | None = None


# Old systems end a file with control-Z, crashed ones with zeros.
_BLANK = b" \r\n\x1a\x00"


@dataclass(slots=True)
class Sorting:
    """Records that are not good, sorted into faults and skips as they come."""

    data: bytes
    shape: Shape
    faults: list[Fault] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)

    def broken(self, start: int, end: int, line: int, message: str) -> None:
        """A line whose quotes are wrong; a comment may hold any."""
        if self.is_comment(start):
            self.skips.append(Skip(start, end, line, 1, "comment"))
        else:
            self.faults.append(Fault(start, end, line, 1, "unclosed-quote", message))

    def miscounted(self, start: int, end: int, line: int, height: int, fields: int) -> None:
        """A record with the wrong number of fields: blank, comment or fault."""
        text = self.data[start:end].strip(b"\r\n" if self.shape.fields == 1 else _BLANK + self._tab())
        if not text:
            self.blank(start, end, line, height)
        elif self.is_comment(start):
            self.skips.append(Skip(start, end, line, height, "comment"))
        else:
            self.faults.append(Fault(start, end, line, height, "field-count", _counted(fields, self.shape)))

    def blank(self, start: int, end: int, line: int, height: int) -> None:
        """Lines without content."""
        _join_blank(self.skips, Skip(start, end, line, height, "blank"))

    def is_heading(self, start: int, end: int) -> bool:
        """Whether a good record is the header once more, perhaps with the mark that its file began with."""
        line = self.data[start:end].rstrip(b"\r\n")
        return self.shape.heading is not None and line.removeprefix(BOM_UTF8) == self.shape.heading

    def repeated(self, start: int, end: int, line: int) -> None:
        """The header once more, as in files that were joined."""
        self.skips.append(Skip(start, end, line, 1, "header"))

    def in_order(self) -> tuple[tuple[Fault, ...], tuple[Skip, ...]]:
        """Faults and skips by line."""
        skips: list[Skip] = []
        for one in sorted(self.skips, key=_by_line):
            _join_blank(skips, one)
        return tuple(sorted(self.faults, key=_by_line)), tuple(skips)

    def _tab(self) -> bytes:
        return b"" if self.shape.delimiter == b"\t" else b"\t"

    def is_comment(self, start: int) -> bool:
        """Whether a line begins like a comment."""
        return self.shape.comment is not None and self.data.startswith(self.shape.comment, start)


def _join_blank(skips: list[Skip], one: Skip) -> None:
    """Add one; to the last of them, if both are blank and nothing is between: a file may have millions of these."""
    last = skips[-1] if skips else one
    if last.kind == one.kind == "blank" and last.end == one.start:
        skips[-1] = Skip(last.start, one.end, last.line, last.height + one.height, "blank")
    else:
        skips.append(one)


def _by_line(piece: Fault | Skip) -> int:
    return piece.line


def _counted(fields: int, shape: Shape) -> str:
    if shape.trailing and fields == shape.fields:
        return f"The record does not end in {shape.delimiter.decode()!r} as the others do."
    expected = shape.fields - shape.trailing
    return f"{fields} field{'s' if fields != 1 else ''} instead of {expected}."


def split_exact(data: bytes, shape: Shape, *, complete: bool) -> Split:
    r"""The records of `data`, read one after the other. `complete` says that the file ends here.

    >>> found = split_exact(b'1,"a\nb"\n2\n\n3,c\n', Shape(b",", 2), complete=True)
    >>> found.lines.tolist(), [fault.line for fault in found.faults], [skip.kind for skip in found.skips]
    ([0, 4], [2], ['blank'])
    """
    sorting = Sorting(data, shape)
    good: list[tuple[int, int, int]] = []
    position = line = 0
    while position < len(data):
        if sorting.is_comment(position):
            record = _comment_line(data, position, shape)
        else:
            found = read_record(data, position, shape, complete=complete)
            if found is None:
                break
            record = found
        if record.fault is not None:
            sorting.broken(position, record.end, line, record.fault)
        elif sorting.is_heading(position, record.end):
            sorting.repeated(position, record.end, line)
        elif fits(record, shape):
            good.append((position, record.end, line))
        else:
            sorting.miscounted(position, record.end, line, record.height, len(record.fields))
        position, line = record.end, line + record.height
    columns = np.array(good, dtype=np.int64).reshape(-1, 3)
    faults, skips = sorting.in_order()
    return Split(columns[:, 0], columns[:, 1], columns[:, 2], faults, skips, position, line)


def _comment_line(data: bytes, start: int, shape: Shape) -> Record:
    """A line that begins like a comment, by itself: a record only if it fits as one."""
    end = line_end(data, start)
    record = read_record(data[start:end], 0, shape, complete=True) or Record(end, 1, fault=UNCLOSED)
    return replace(record, end=end, height=1)


def fits(record: Record, shape: Shape) -> bool:
    """Whether the record has the fields that it should have."""
    if len(record.fields) != shape.fields:
        return False
    last_is_empty = record.fields[-1] == b"" and not record.quoted[-1]
    if shape.trailing:
        return last_is_empty
    return shape.fields > 1 or not last_is_empty
