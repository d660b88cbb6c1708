"""The vectorised way to split a block: all quotes, delimiters and line ends at once. Pure; equals `_split.split_exact`.

Every quote must stand where a quote may: opening at a field start, closing at a field end, or doubled inside.
Up to the first one that does not, records end at the line ends that have an even number of quotes before them.
That record is read exactly, and from the line behind it goes on.
"""

from codecs import BOM_UTF8

import numpy as np

from etl._places import CR, LF, Bytes, Flags, Marks, is_break, mark
from etl._record import MAX_RECORD_BYTES, Shape, read_record
from etl._split import Positions, Sorting, Split, fits, split_exact

_LINE_END_BYTES = 2
_MANY_QUOTED = 512
_MANY_WRONG = 64


def split(data: bytes, shape: Shape, *, complete: bool) -> Split:
    r"""The records of `data`, which are whole lines. `complete` says that the file ends here.

    >>> split(b'1,"a\nb"\n2,c\n', Shape(b",", 2), complete=True).lines.tolist()
    [0, 2]
    """
    if shape.spaced or not data:
        return split_exact(data, shape, complete=complete)
    marks = mark(data, shape)
    if marks is None:
        return split_exact(data, shape, complete=complete)
    return _Walk(data, shape, marks, complete).split()


class _Walk:
    """From clean stretch to clean stretch, with an exact reading of what lies between."""

    def __init__(self, data: bytes, shape: Shape, marks: Marks, complete: bool) -> None:
        self.data, self.shape, self.marks, self.complete = data, shape, marks, complete
        self.sorting = Sorting(data, shape)
        self.good: list[tuple[Positions, Positions]] = []
        self.misplaced = _misplaced(marks)
        self.crowded: Flags | None = None
        self.delimiters_before: Positions | None = None

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
        starts, ends = marks.starts[firsts], marks.ends[lasts]
        return Split(starts, ends, firsts, faults, skips, consumed, line, breaks=marks.ends)

    def _clean(self, line: int) -> int:
        """Take the records from `line` on whose quotes all stand well; the line where the next one begins."""
        marks = self.marks
        opened = int(marks.quotes_before[line - 1]) if line else 0
        stop = self._first_misplaced(opened)
        until = len(marks.ends)
        if stop < len(marks.quotes):
            until = int(np.searchsorted(marks.ends, marks.quotes[stop], side="right"))
        if until > line and marks.quotes_before[until - 1] == opened:
            firsts = lasts = np.arange(line, until)  # no quote in any of them
        else:
            lasts = line + np.flatnonzero((marks.quotes_before[line:until] - opened) & 1 == 0)
            if not len(lasts):
                return line
            firsts = np.concatenate([np.array([line]), lasts[:-1] + 1])
        counts = self._counts(firsts, lasts, opened)
        kept = self._trusted(firsts, lasts, counts)
        firsts, lasts, counts = firsts[:kept], lasts[:kept], counts[:kept]
        self._take(firsts, lasts, counts)
        return int(lasts[-1]) + 1 if kept else line

    def _first_misplaced(self, opened: int) -> int:
        """The first quote that stands where none may, when a record begins with quote `opened`."""
        places = self.misplaced[opened & 1]
        at = int(np.searchsorted(places, opened))
        return int(places[at]) if at < len(places) else len(self.marks.quotes)

    def _counts(self, firsts: Positions, lasts: Positions, opened: int) -> Positions:
        """Fields per record: delimiters outside of quotes, and one."""
        marks = self.marks
        if firsts is lasts:
            counts: Positions = marks.per_line[int(firsts[0]) : int(lasts[-1]) + 1] + 1
            return counts
        behind = self._delimiters_before()
        counts = np.diff(behind[lasts], prepend=behind[firsts[0] - 1] if firsts[0] else 0)
        quoted = np.flatnonzero(np.diff(marks.quotes_before[lasts], prepend=opened))
        for record, inside in zip(quoted.tolist(), self._inside(firsts, lasts, quoted, opened), strict=True):
            counts[record] -= inside
        return counts + 1

    def _delimiters_before(self) -> Positions:
        """The number of delimiters before each line end, wherever they stand."""
        if self.delimiters_before is None:
            self.delimiters_before = np.cumsum(self.marks.per_line)
        return self.delimiters_before

    def _inside(self, firsts: Positions, lasts: Positions, quoted: Positions, opened: int) -> list[int]:
        """The number of delimiters inside of quotes, for each record that has any quote."""
        marks, behind = self.marks, self._delimiters_before()
        if not len(quoted):
            return []
        if len(quoted) > _MANY_QUOTED:
            low = int(behind[firsts[0] - 1]) if firsts[0] else 0
            delimiters = self._delimiters(int(firsts[0]), int(lasts[-1]))
            inside = (np.searchsorted(marks.quotes, delimiters) - opened) & 1
            so_far = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside)])
            starts = np.where(firsts[quoted] > 0, behind[firsts[quoted] - 1], 0)
            per_record: list[int] = (so_far[behind[lasts[quoted]] - low] - so_far[starts - low]).tolist()
            return per_record
        found = []
        for record in quoted.tolist():
            delimiters = self._delimiters(int(firsts[record]), int(lasts[record]))
            found.append(int(((np.searchsorted(marks.quotes, delimiters) - opened) & 1).sum()))
        return found

    def _delimiters(self, first: int, last: int) -> Positions:
        """The offsets of the delimiters in some lines."""
        start = int(self.marks.starts[first])
        return np.flatnonzero(self.marks.delimiters[start : self.marks.ends[last]]) + start

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
            self.crowded = self.marks.per_line >= self.shape.fields - 1
        return self.crowded

    def _take(self, firsts: Positions, lasts: Positions, counts: Positions) -> None:
        marks, shape = self.marks, self.shape
        wrong = counts != shape.fields
        if shape.trailing or shape.fields == 1:
            last_byte = _content_ends(marks.block, marks.ends[lasts]) - 1
            # A line without content ends where the one before does, or before the first byte.
            has_content = last_byte >= marks.starts[firsts]
            at_end = marks.delimiters[last_byte]
            wrong |= ~(has_content & at_end) if shape.trailing else ~has_content
        again = self._repeated(firsts, lasts)
        left = wrong & ~again
        if np.count_nonzero(left) > _MANY_WRONG:
            left &= ~self._blank(firsts, lasts, left)
        for record in np.flatnonzero(left):
            first, last = int(firsts[record]), int(lasts[record])
            where = int(marks.starts[first]), int(marks.ends[last])
            self.sorting.miscounted(*where, first, last - first + 1, int(counts[record]))
        wrong |= again
        if wrong.any():
            firsts, lasts = firsts[~wrong], lasts[~wrong]
        self.good.append((firsts, lasts))

    def _blank(self, firsts: Positions, lasts: Positions, wrong: Flags) -> Flags:
        """Those of the wrong records that are lines without content; skipped run by run, as there may be millions."""
        starts, ends = self.marks.starts[firsts], self.marks.ends[lasts]
        found: Flags = wrong & (firsts == lasts)
        found[found] = _content_ends(self.marks.block, ends[found]) <= starts[found]
        before = np.concatenate([[False], found[:-1]])
        behind = np.concatenate([found[1:], [False]])
        runs = zip(np.flatnonzero(found & ~before).tolist(), np.flatnonzero(found & ~behind).tolist(), strict=True)
        for first, last in runs:
            self.sorting.blank(int(starts[first]), int(ends[last]), int(firsts[first]), last - first + 1)
        return found

    def _repeated(self, firsts: Positions, lasts: Positions) -> Flags:
        """Records that are the header once more; skipped, whatever they count."""
        found = np.zeros(len(firsts), np.bool_)
        heading = self.shape.heading
        if heading is None:
            return found
        starts, ends = self.marks.starts[firsts], self.marks.ends[lasts]
        names = starts + len(BOM_UTF8) * (self.marks.block[starts] == BOM_UTF8[0])
        behind = ends - names - len(heading)
        near = np.flatnonzero((behind >= 0) & (behind <= _LINE_END_BYTES))
        # Byte by byte, so that of many records as long as the header few are left at once.
        for place, byte in enumerate(heading):
            if not len(near):
                break
            near = near[self.marks.block[names[near] + place] == byte]
        for record in near.tolist():
            start, end = int(starts[record]), int(ends[record])
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


def _misplaced(marks: Marks) -> tuple[Positions, Positions]:
    """The quotes that stand where they may not: when those at even places open, and when those at odd places do."""
    odd = np.arange(len(marks.quotes)) & 1 == 1
    even_opens, odd_opens = np.where(odd, marks.closes, marks.opens), np.where(odd, marks.opens, marks.closes)
    return np.flatnonzero(~even_opens), np.flatnonzero(~odd_opens)


def _content_ends(block: Bytes, ends: Positions) -> Positions:
    """Where the lines that end at `ends` have their content's end."""
    last = block[ends - 1]
    before = block[np.maximum(ends - 2, 0)]
    pair = (last == LF) & (before == CR) & (ends > 1)
    contents: Positions = ends - is_break(last) - pair
    return contents


def _joined(parts: list[Positions]) -> Positions:
    return np.concatenate(parts).astype(np.int64, copy=False) if parts else np.zeros(0, np.int64)
