"""The vectorised way to split a block: all quotes, delimiters and line ends at once. Pure; equals `_split.split_exact`.

Every quote must stand where a quote may: opening at a field start, closing at a field end, or doubled inside.
Up to the first one that does not, records end at the line ends that have an even number of quotes before them.
That record is read exactly, and from the line behind it goes on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etl._record import MAX_RECORD_BYTES, Shape, read_record
from etl._split import Positions, Sorting, Split, fits, split_exact

_LF, _CR = 10, 13
_FIRST_WINDOW = 4096

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


def split(data: bytes, shape: Shape, *, complete: bool) -> Split:
    r"""The records of `data`, which are whole lines. `complete` says that the file ends here.

    >>> split(b'1,"a\nb"\n2,c\n', Shape(b",", 2), complete=True).lines.tolist()
    [0, 2]
    """
    if shape.spaced or not data:
        return split_exact(data, shape, complete=complete)
    marks = _mark(data, shape)
    if marks is None:
        return split_exact(data, shape, complete=complete)
    return _Walk(data, shape, marks, complete).split()


def line_ends(data: bytes) -> Positions:
    r"""The offset behind every line: LF, CRLF and CR end one, the last may have no end of its own.

    >>> line_ends(b"a\r\nb\rc").tolist()
    [3, 5, 6]
    """
    block = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(block == _LF) + 1
    if b"\r" in data:
        returns = np.flatnonzero(block == _CR) + 1
        followed = block[np.minimum(returns, len(block) - 1)] == _LF
        lone = returns[~followed | (returns == len(block))]
        ends = np.sort(np.concatenate([ends, lone]))
    if data and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, len(data))
    return ends.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class _Marks:
    """`starts`, `ends`: of lines. `quotes`, `delimiters`: offsets, escaped ones left out. `quotes_before`: number of
    quotes before each line end. `opens`, `closes`: whether each quote may open (close) a field or is half of a pair."""

    block: Bytes
    starts: Positions
    ends: Positions
    quotes: Positions
    delimiters: Positions
    quotes_before: Positions
    opens: Flags
    closes: Flags


def _mark(data: bytes, shape: Shape) -> _Marks | None:
    block = np.frombuffer(data, np.uint8)
    ends = line_ends(data)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    quotes = _find(data, block, shape.quote)
    delimiters = _find(data, block, shape.delimiter)
    escaped = _escaped(data, block, shape)
    if escaped is not None:
        if np.isin(block[np.minimum(escaped, len(block) - 1)], (_LF, _CR)).any():
            return None
        hidden = np.zeros(len(block) + 1, np.bool_)
        hidden[escaped] = True
        quotes, delimiters = quotes[~hidden[quotes]], delimiters[~hidden[delimiters]]
    before = np.searchsorted(quotes, ends)
    if shape.comment is not None and len(quotes):
        commented = block[starts] == shape.comment[0]
        if (commented & (np.diff(before, prepend=0) > 0)).any():
            return None
    opens, closes = _roles(block, quotes, delimiters, shape)
    return _Marks(block, starts, ends, quotes, delimiters, before, opens, closes)


def _find(data: bytes, block: Bytes, mark: bytes | None) -> Positions:
    if mark is None or mark not in data:
        return np.zeros(0, np.int64)
    return np.flatnonzero(block == mark[0])


def _escaped(data: bytes, block: Bytes, shape: Shape) -> Positions | None:
    """Offsets behind an escape that is not itself escaped."""
    escapes = _find(data, block, shape.escape)
    if not len(escapes):
        return None
    first = np.diff(escapes, prepend=-2) != 1
    place = np.arange(len(escapes))
    in_run = place - np.maximum.accumulate(np.where(first, place, 0))
    escaped: Positions = escapes[in_run % 2 == 0] + 1
    return escaped


def _roles(block: Bytes, quotes: Positions, delimiters: Positions, shape: Shape) -> tuple[Flags, Flags]:
    if not len(quotes):
        return np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    before = block[np.maximum(quotes - 1, 0)]
    behind = block[np.minimum(quotes + 1, len(block) - 1)]
    adjacent = np.diff(quotes) == 1
    may_open = (quotes == 0) | _is_break(before)
    if shape.escape is None:
        may_open |= before == shape.delimiter[0]
    else:
        may_open |= np.isin(quotes - 1, delimiters, assume_unique=True)
    may_close = (quotes == len(block) - 1) | _is_break(behind) | (behind == shape.delimiter[0])
    may_open[1:] |= adjacent
    may_close[:-1] |= adjacent
    return may_open, may_close


def _is_break(values: Bytes) -> Flags:
    found: Flags = (values == _LF) | (values == _CR)
    return found


class _Walk:
    """From clean stretch to clean stretch, with an exact reading of what lies between."""

    def __init__(self, data: bytes, shape: Shape, marks: _Marks, complete: bool) -> None:
        self.data, self.shape, self.marks, self.complete = data, shape, marks, complete
        self.sorting = Sorting(data, shape)
        self.good: list[tuple[Positions, Positions]] = []
        self.crowded: Flags | None = None
        self.headings: Positions | None = None

    def split(self) -> Split:
        marks = self.marks
        line, lines = 0, len(marks.ends)
        while line < lines:
            line = self._clean(line)
            if line == lines:
                break
            height = self._exact(line)
            if height == 0:
                break
            line += height
        firsts = _joined([first for first, _ in self.good])
        lasts = _joined([last for _, last in self.good])
        consumed = int(marks.ends[line - 1]) if line else 0
        faults, skips = self.sorting.in_order()
        return Split(marks.starts[firsts], marks.ends[lasts], firsts, faults, skips, consumed, line)

    def _clean(self, line: int) -> int:
        """Take the records from `line` on whose quotes all stand well; the line where the next one begins."""
        marks = self.marks
        opened = int(marks.quotes_before[line - 1]) if line else 0
        stop = self._first_misplaced(opened)
        until = len(marks.ends)
        if stop < len(marks.quotes):
            until = int(np.searchsorted(marks.ends, marks.quotes[stop], side="right"))
        even = (marks.quotes_before[line:until] - opened) & 1 == 0
        lasts = line + np.flatnonzero(even)
        if not len(lasts):
            return line
        firsts = np.concatenate([np.array([line]), lasts[:-1] + 1])
        counts = self._counts(firsts, lasts, opened)
        kept = self._trusted(firsts, lasts, counts)
        firsts, lasts, counts = firsts[:kept], lasts[:kept], counts[:kept]
        self._take(firsts, lasts, counts)
        return int(lasts[-1]) + 1 if kept else line

    def _first_misplaced(self, opened: int) -> int:
        marks, place, window = self.marks, opened, _FIRST_WINDOW
        while place < len(marks.quotes):
            until = min(place + window, len(marks.quotes))
            odd = (np.arange(place, until) - opened) & 1 == 1
            well = np.where(odd, marks.closes[place:until], marks.opens[place:until])
            if not well.all():
                return place + int(np.argmin(well))
            place, window = until, window * 4
        return place

    def _counts(self, firsts: Positions, lasts: Positions, opened: int) -> Positions:
        """Fields per record: delimiters outside of quotes, and one."""
        marks = self.marks
        low, high = np.searchsorted(marks.delimiters, [marks.starts[firsts[0]], marks.ends[lasts[-1]]])
        delimiters = marks.delimiters[low:high]
        if len(marks.quotes):
            inside = (np.searchsorted(marks.quotes, delimiters) - opened) & 1 == 1
            delimiters = delimiters[~inside]
        behind = np.searchsorted(delimiters, marks.ends[lasts])
        return np.diff(behind, prepend=0) + 1

    def _trusted(self, firsts: Positions, lasts: Positions, counts: Positions) -> int:
        """How many records from the first on the exact reading agrees with, where it might not."""
        marks, shape = self.marks, self.shape
        tall = np.flatnonzero(lasts > firsts)
        if not len(tall):
            return len(firsts)
        long = marks.ends[lasts[tall]] - marks.ends[firsts[tall]] > MAX_RECORD_BYTES - 2
        doubtful = tall[long | (counts[tall] != shape.fields)]
        if shape.fields > 1 or any(shape.numeric):
            full = firsts[0] + np.flatnonzero(self._crowded()[firsts[0] : lasts[-1] + 1])
            owner = np.searchsorted(lasts, full)
            inner = (full > firsts[owner]) & (full < lasts[owner])
            doubtful = np.union1d(doubtful, owner[inner])
        for record in doubtful:
            found = read_record(self.data, int(marks.starts[firsts[record]]), shape, complete=self.complete)
            if found is None or found.fault or found.height != lasts[record] - firsts[record] + 1:
                return int(record)
        return len(firsts)

    def _crowded(self) -> Flags:
        """Lines that have as many delimiters as a record must have, wherever these stand."""
        if self.crowded is None:
            per_line = np.diff(np.searchsorted(self.marks.delimiters, self.marks.ends), prepend=0)
            self.crowded = per_line >= self.shape.fields - 1
        return self.crowded

    def _take(self, firsts: Positions, lasts: Positions, counts: Positions) -> None:
        marks, shape = self.marks, self.shape
        wrong = counts != shape.fields
        if shape.trailing or shape.fields == 1:
            last_byte = _content_ends(marks.block, marks.ends[lasts]) - 1
            # A line without content ends where the one before does, or before the first byte.
            has_content = last_byte >= marks.starts[firsts]
            at_end = np.isin(last_byte, marks.delimiters)
            wrong |= ~(has_content & at_end) if shape.trailing else ~has_content
        again = self._repeated(firsts, lasts)
        for record in np.flatnonzero(wrong & ~again):
            first, last = int(firsts[record]), int(lasts[record])
            where = int(marks.starts[first]), int(marks.ends[last])
            self.sorting.miscounted(*where, first, last - first + 1, int(counts[record]))
        wrong |= again
        if wrong.any():
            firsts, lasts = firsts[~wrong], lasts[~wrong]
        self.good.append((firsts, lasts))

    def _repeated(self, firsts: Positions, lasts: Positions) -> Flags:
        """Records that are the header once more; skipped, whatever they count."""
        found = np.zeros(len(firsts), np.bool_)
        if self.headings is None:
            self.headings = _all_places(self.data, self.shape.heading)
        places = np.searchsorted(self.marks.starts[firsts], self.headings)
        for record, start in zip(places.tolist(), self.headings.tolist(), strict=True):
            if record < len(firsts) and self.marks.starts[firsts[record]] == start:
                end = int(self.marks.ends[lasts[record]])
                if self.sorting.is_heading(start, end):
                    found[record] = True
                    self.sorting.repeated(start, end, int(firsts[record]))
        return found

    def _exact(self, line: int) -> int:
        """Read the one record that begins at `line`; its height, 0 when it may go on behind the block."""
        start = int(self.marks.starts[line])
        record = read_record(self.data, start, self.shape, complete=self.complete)
        if record is None:
            return 0
        if record.fault is not None:
            self.sorting.broken(start, record.end, line, record.fault)
        elif self.sorting.is_heading(start, record.end):
            self.sorting.repeated(start, record.end, line)
        elif fits(record, self.shape):
            self.good.append((np.array([line]), np.array([line + record.height - 1])))
        else:
            self.sorting.miscounted(start, record.end, line, record.height, len(record.fields))
        return record.height


def _all_places(data: bytes, needle: bytes | None) -> Positions:
    places: list[int] = []
    place = -1 if needle is None else data.find(needle)
    while needle is not None and place >= 0:
        places.append(place)
        place = data.find(needle, place + 1)
    return np.array(places, np.int64)


def _content_ends(block: Bytes, ends: Positions) -> Positions:
    """Where the lines that end at `ends` have their content's end."""
    last = block[ends - 1]
    before = block[np.maximum(ends - 2, 0)]
    pair = (last == _LF) & (before == _CR) & (ends > 1)
    contents: Positions = ends - _is_break(last) - pair
    return contents


def _joined(parts: list[Positions]) -> Positions:
    return np.concatenate(parts).astype(np.int64, copy=False) if parts else np.zeros(0, np.int64)
