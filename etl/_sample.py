"""The first records of a text, as one dialect or another reads them. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

from etl._record import Record, Shape, line_end, read_record, split_simply

MAX_RECORDS = 400
# Lines drawn between the rows of a table, as databases print it.
_RULE = re.compile(rb"(?=[^\r\n]*(?:--|==))[-=+|: \t]{3,}(?:\r\n|\r|\n|$)")
_DRAWN = frozenset(b"-=+|: \t")


@dataclass(frozen=True, slots=True)
class Placed:
    """A record of the sample and where it stands: byte offset and physical line (0-based)."""

    start: int
    line: int
    record: Record


def read_all(text: bytes, shape: Shape) -> tuple[Placed, ...]:
    """The first records of the text, blank and drawn lines left out."""
    if not holds_marks(text, shape):
        return tuple(Placed(one.start, one.line, split_simply(one.text, one.end, shape)) for one in lines(text))
    found: list[Placed] = []
    position = line = 0
    while position < len(text) and len(found) < MAX_RECORDS:
        record = read_record(text, position, shape, complete=True)
        if record is None:
            break
        if text[position : record.end].strip(b" \r\n") and not is_rule(text, position):
            found.append(Placed(position, line, record))
        position, line = record.end, line + record.height
    return tuple(found)


def is_rule(text: bytes, position: int) -> bool:
    r"""Whether the line that begins at `position` is drawn, not written.

    >>> is_rule(b"+----+---+\n| id | x |\n", 0), is_rule(b"-,-\n", 0)
    (True, False)
    """
    return text[position] in _DRAWN and _RULE.match(text, position) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """A line neither blank nor drawn: where it begins, the offset behind its end, its place, and what it says."""

    start: int
    end: int
    line: int
    text: bytes


@lru_cache(maxsize=2)
def lines(text: bytes) -> tuple[Line, ...]:
    """The first lines of the text, which each candidate that has no quotes in them splits anew."""
    found: list[Line] = []
    position = line = 0
    while position < len(text) and len(found) < MAX_RECORDS:
        end = line_end(text, position)
        if text[position:end].strip(b" \r\n") and not is_rule(text, position):
            found.append(Line(position, end, line, text[position:end].rstrip(b"\r\n")))
        position, line = end, line + 1
    return tuple(found)


def holds_marks(text: bytes, shape: Shape) -> bool:
    """Whether a quote or an escape stands in it."""
    return any(mark is not None and mark in text for mark in (shape.quote, shape.escape))
