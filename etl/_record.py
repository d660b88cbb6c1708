"""One record at a time, exactly: the reading that the vectorised one must equal. Pure.

A record begins at a line start. A quote opens a field only where the field begins, and closes it only where a
delimiter or a line end follows; a doubled quote inside is a quote. Quotes inside a field that is not quoted are
text when they come in pairs. What cannot be read so is a fault of one line, and reading goes on with the next
line, so that an unclosed quote costs no more than its own line.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

MAX_RECORD_BYTES = 4 * 1024 * 1024
"""A record that goes on for longer than this behind its first line began with a quote that nobody closed."""

# An unclosed quote may find a later, innocent quote that fits. Lines in between that read as whole records of the
# right shape are evidence against it: each weighs one per delimiter and four per number where numbers stand.
_ENOUGH, _PLENTY = 8, 24
_LARGE, _PIECE = 16 * 1024, 256 * 1024
_NUMBER = re.compile(rb"[ \t]*[-+]?[.,]?[0-9][0-9.,:/+\-TZ eE]*")

STRAY = "A quote stands alone inside a field that is not quoted."
AFTER = "Text follows the quote that closes a field."
UNCLOSED = "A quote is opened and not closed."


@dataclass(frozen=True, slots=True)
class Shape:
    """How UTF-8 bytes split into records of `fields` fields each (with `trailing`, the last one is empty).

    `numeric` marks the fields that hold numbers or dates as a rule; `heading` is the header's line, which may be
    met again where files were joined.
    """

    delimiter: bytes
    fields: int
    quote: bytes | None = b'"'
    escape: bytes | None = None
    comment: bytes | None = None
    trailing: bool = False
    spaced: bool = False
    numeric: tuple[bool, ...] = ()
    heading: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What stands at a line start: its fields, whether each was quoted, or the fault of that one line.

    `end` is the offset behind the line end, `height` counts physical lines.
    """

    end: int
    height: int
    fields: tuple[bytes, ...] = ()
    quoted: tuple[bool, ...] = ()
    fault: str | None = None


def line_end(data: bytes, position: int) -> int:
    r"""The offset behind the end of the line that `position` is in: LF, CRLF or CR, or the end of the data.

    >>> line_end(b"a\r\nb", 0), line_end(b"a\rb", 0), line_end(b"ab", 1)
    (3, 2, 2)
    """
    feed = data.find(b"\n", position)
    if feed < 0:
        feed = len(data)
    ret = data.find(b"\r", position, feed)
    if ret < 0:
        return min(feed + 1, len(data))
    return min(ret + 2, len(data)) if ret + 1 == feed else ret + 1


def read_record(data: bytes, start: int, shape: Shape, *, complete: bool) -> Record | None:
    """The record that begins at `start`; None when it may go on behind the data (never when that is `complete`)."""
    record = _well_formed(data, start, shape, complete=complete)
    if record is None or record.fault is not None or record.height == 1:
        return record
    like, lines, weight = _evidence(data, start, record.end, shape)
    wrong = len(record.fields) != shape.fields
    if (wrong and like) or (weight >= _ENOUGH and 2 * like > lines):
        return _faulty(data, start, UNCLOSED)
    return record


def weight_as_record(line: bytes, shape: Shape) -> int:
    r"""How much one line by itself speaks for being a record of the right shape; 0 when it is none.

    >>> shape = Shape(b",", 2, numeric=(True, False))
    >>> weight_as_record(b"12,Ulm\n", shape), weight_as_record(b"Dear Tom, hello\n", shape)
    (5, 0)
    """
    record = _well_formed(line, 0, shape, complete=True)
    if record is None or record.fault or record.height != 1 or len(record.fields) != shape.fields:
        return 0
    weight = shape.fields - 1
    for value, numeric in zip(record.fields, shape.numeric, strict=False):
        if numeric and value:
            if not _NUMBER.fullmatch(value):
                return 0
            weight += 4
    return weight


def _evidence(data: bytes, start: int, end: int, shape: Shape) -> tuple[int, int, int]:
    """Of the whole lines between the first and the last: how many read as records, how many there are, the weight."""
    like = lines = total = 0
    position = line_end(data, start)
    while (following := line_end(data, position)) < end:
        weight = weight_as_record(data[position:following], shape)
        lines, like, total = lines + 1, like + (weight > 0), total + weight
        if total >= _PLENTY and 2 * like > lines:
            break
        position = following
    return like, lines, total


def _faulty(data: bytes, start: int, message: str) -> Record:
    return Record(line_end(data, start), 1, fault=message)


@dataclass(frozen=True, slots=True)
class _Patterns:
    plain: re.Pattern[bytes]
    quoted: re.Pattern[bytes]
    special: bytes


@lru_cache(maxsize=256)
def _patterns(shape: Shape) -> _Patterns:
    quote, escape = shape.quote or b"", shape.escape or b""
    stop, inner = re.escape(shape.delimiter + escape) + rb"\r\n", re.escape(quote + escape)
    quoted = rb"[^" + inner + rb"]*" if inner else rb""
    return _Patterns(re.compile(rb"[^" + stop + rb"]*"), re.compile(quoted), quote + escape + shape.delimiter + b"\r\n")


@dataclass(frozen=True, slots=True)
class _Field:
    value: bytes
    end: int
    breaks: int
    fault: str | None = None


def _well_formed(data: bytes, start: int, shape: Shape, *, complete: bool) -> Record | None:
    return read_simply(data, start, shape) or read_step_by_step(data, start, shape, complete=complete)


def read_simply(data: bytes, start: int, shape: Shape) -> Record | None:
    """The record where neither quote nor escape stands in its line: most records, in a tenth of the time."""
    end = line_end(data, start)
    line = data[start:end].rstrip(b"\r\n")
    if (shape.quote is not None and shape.quote in line) or (shape.escape is not None and shape.escape in line):
        return None
    return split_simply(line, end, shape)


def split_simply(line: bytes, end: int, shape: Shape) -> Record:
    """The record of a line (without its end) in which neither quote nor escape stands."""
    fields = tuple(line.split(shape.delimiter))
    if shape.spaced:
        fields = tuple(field.lstrip(b" ") for field in fields)
    return Record(end, 1, fields, (False,) * len(fields))


def read_step_by_step(data: bytes, start: int, shape: Shape, *, complete: bool) -> Record | None:
    """Any record, field by field; None when it may go on behind the data."""
    fields: list[bytes] = []
    quoted: list[bool] = []
    position, height = start, 1
    while True:
        if shape.spaced:
            position = _behind_spaces(data, position)
        opened = shape.quote is not None and data.startswith(shape.quote, position)
        read = _quoted if opened else _plain
        field = read(data, start, position, shape, complete)
        if field is None:
            return None
        if field.fault is not None:
            return _faulty(data, start, field.fault)
        fields.append(field.value)
        quoted.append(opened)
        position, height = field.end, height + field.breaks
        if not data.startswith(shape.delimiter, position):
            end = line_end(data, position) if position < len(data) else position
            # An escaped line end that ends the data begins no further line.
            height -= end == position and data.endswith((b"\n", b"\r"))
            return Record(end, height, tuple(fields), tuple(quoted))
        position += 1


def _plain(data: bytes, start: int, position: int, shape: Shape, complete: bool) -> _Field | None:
    patterns = _patterns(shape)
    parts: list[bytes] = []
    breaks = 0
    while True:
        run = _run(patterns.plain, data, position)
        parts.append(run)
        position += len(run)
        if shape.escape is None or not data.startswith(shape.escape, position):
            break
        part, position = _escaped(data, position, patterns)
        breaks += part[0] in b"\r\n"
        parts.append(part)
        if position >= len(data) and not complete:
            return None
    # Escapes stand at the odd places.
    if shape.quote is not None and sum(part.count(shape.quote) for part in parts[::2]) % 2:
        return _Field(b"", position, 0, STRAY)
    return _Field(b"".join(parts), position, breaks)


def _quoted(data: bytes, start: int, position: int, shape: Shape, complete: bool) -> _Field | None:
    patterns, quote = _patterns(shape), shape.quote or b""
    limit = line_end(data, start) + MAX_RECORD_BYTES
    parts: list[bytes] = []
    position += 1
    while True:
        run, position = position, _quote_or_escape(data, position, shape)
        if position > limit or (position >= len(data) and complete):
            return _Field(b"", position, 0, UNCLOSED)
        if position >= len(data):
            return None
        if shape.escape is not None and data.startswith(shape.escape, position):
            parts.append(data[run:position])
            part, position = _escaped(data, position, patterns)
            parts.append(part)
        elif data.startswith(quote, position + 1):
            parts += (data[run:position], quote)
            position += 2
        else:
            break
    behind = position + 1
    if shape.spaced:
        behind = _behind_spaces(data, behind)
    if behind < len(data) and data[behind : behind + 1] not in (shape.delimiter, b"\n", b"\r"):
        return _Field(b"", position, 0, AFTER)
    value = b"".join((*parts, data[run:position]))
    return _Field(value, behind, count_breaks(value))


def _quote_or_escape(data: bytes, position: int, shape: Shape) -> int:
    """The offset of the next quote or escape, or of the end."""
    if shape.escape is not None:
        return position + len(_run(_patterns(shape).quoted, data, position))
    # An unclosed quote looks far: as fast as memory is.
    found = data.find(shape.quote or b"", position)
    return found if found >= 0 else len(data)


def _run(pattern: re.Pattern[bytes], data: bytes, position: int) -> bytes:
    match = pattern.match(data, position)
    return match[0] if match else b""


def _escaped(data: bytes, position: int, patterns: _Patterns) -> tuple[bytes, int]:
    """What an escape and its follower stand for, and where reading goes on. Before a plain character it stays."""
    follower = data[position + 1 : position + 2]
    if follower == b"\r" and data.startswith(b"\n", position + 2):
        return b"\r\n", position + 3
    if follower and follower in patterns.special:
        return follower, position + 2
    return data[position : position + 2], position + 1 + len(follower)


def _behind_spaces(data: bytes, position: int) -> int:
    while data.startswith(b" ", position):
        position += 1
    return position


def count_breaks(data: bytes) -> int:
    r"""How many line ends there are: LF, CRLF and CR count one each.

    >>> count_breaks(b"a\r\nb\rc\n")
    3
    """
    if len(data) < _LARGE:
        return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    block = np.frombuffer(data, np.uint8)
    found = 0
    # Piece by piece: what has been searched is still in the processor's cache when it is counted.
    for start in range(0, len(data), _PIECE):
        end, before = start + _PIECE, max(start - 1, 0)
        found += int(np.count_nonzero(block[start:end] == 10))
        if data.find(b"\r", before, end) >= 0:
            # A pair belongs to the piece of its feed.
            found += data.count(b"\r", start, end) - data.count(b"\r\n", before, end)
    return found
