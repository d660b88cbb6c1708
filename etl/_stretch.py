"""A stretch of a large file → blocks of whole records, with the lines and bytes of the whole file.

Where a record begins is known only to whoever has read everything before it. So the places where a file is cut are
guessed first, and hold once the records in front of each have been read and end there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from etl._places import line_ends
from etl._record import weight_as_record
from etl._seen import Seen
from etl._split import Skip, Split
from etl.dialect import Dialect, to_text
from etl.read import BLOCK_BYTES, Block, Readable, read_blocks

_TRIED_LINES = 500


@dataclass(frozen=True, slots=True)
class Stretch:
    """The records of a file that begin at byte `start` or behind it and before byte `stop`. `start` is where a record
    begins, `line` its physical line (1-based); `stop` is where a line begins, or the file's size."""

    start: int
    line: int
    stop: int


class TooLong(Exception):
    """A line that is too long to be read: where it is cut off depends on what was read before."""


def read_stretch(
    stream: Readable, dialect: Dialect, stretch: Stretch, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Its blocks, from a stream at byte `start` that goes on behind `stop`: a record may begin before it and end behind
    it, and what a record is may depend on what follows. Raises `TooLong`."""
    inner = dialect if stretch.start == 0 else replace(dialect, mark=0, lead=())
    for block in read_blocks(stream, inner, block_bytes=block_bytes):
        if block.oversize is not None:
            raise TooLong
        end = stretch.start + block.first_byte + len(block.raw)
        own = block if end <= stretch.stop else _until(block, stretch.stop - stretch.start - block.first_byte)
        if own.line_count or own.lead:
            first_line, first_byte = own.first_line + stretch.line - 1, own.first_byte + stretch.start
            yield replace(own, first_line=first_line, first_byte=first_byte)
        if end >= stretch.stop:
            return


def _until(block: Block, stop: int) -> Block:
    """The records of a block that begin before the raw byte `stop`, which is where a line begins."""
    ends = block.raw_line_ends()
    lines = int(np.searchsorted(ends, stop, side="right"))
    found = block.split
    if found is not None:
        apart = [fault.line for fault in found.faults] + [skip.line for skip in found.skips]
        within = [lines] if any(skip.line <= lines < skip.line + skip.height for skip in found.skips) else []
        firsts = [*found.lines.tolist(), *apart, *within, found.line_count]
        lines = min(line for line in firsts if line >= lines)
    text_end = int(line_ends(block.text)[lines - 1]) if lines else 0
    return replace(
        block,
        text=block.text[:text_end],
        raw=block.raw[: int(ends[lines - 1]) if lines else 0],
        line_count=lines,
        undecodable=None if block.undecodable is None else tuple(line for line in block.undecodable if line < lines),
        split=None if found is None else _first(found, lines, text_end),
    )


def _first(found: Split, lines: int, end: int) -> Split:
    count = int(np.searchsorted(found.lines, lines))
    return Split(
        found.starts[:count],
        found.ends[:count],
        found.lines[:count],
        tuple(one for one in found.faults if one.line < lines),
        tuple(_above(one, lines, end) for one in found.skips if one.line < lines),
        end,
        lines,
        found.total if found.total is not None and found.total < lines else None,
        found.breaks,
    )


def _above(skip: Skip, lines: int, end: int) -> Skip:
    """The part of it above a line that begins at the byte `end`."""
    return skip if skip.line + skip.height <= lines else replace(skip, end=end, height=lines - skip.line)


def is_cuttable(encoding: str) -> bool:
    """Whether every byte of a line end is one wherever it stands: UTF-8, and what has one byte for each character.

    >>> [is_cuttable(name) for name in ("utf-8", "cp1252", "koi8-r", "utf-16-le", "shift_jis", "iso2022_jp", "utf-7")]
    [True, True, True, False, False, False, False]
    """
    if encoding == "utf-8":
        return True
    plain = bytes(range(128))
    high = bytes(range(128, 256)).decode(encoding, "replace")
    return plain.decode(encoding, "replace").encode() == plain and len(high) == 128 and high.count("\ufffd") < 64


def likely_start(window: bytes, dialect: Dialect) -> int | None:
    r"""Where in some bytes of a file a record seems to begin: the first line that reads as one of the right shape, else
    the first line of all; None when no line begins there for sure.

    >>> from etl.contract import SourceRules
    >>> from etl.dialect import detect
    >>> window = b'b\nsaid","2026-03-01"\nc,d\ne'
    >>> likely_start(window, detect(b"a,b\nc,d\ne,f\n", whole=True, rules=SourceRules()))
    21
    """
    starts: Sequence[int] = line_ends(window)[:-1].tolist()[:_TRIED_LINES]
    for start, end in pairwise(starts):
        if weight_as_record(to_text(window[start:end], dialect.encoding, dialect.delimiter), dialect.shape):
            return start
    return starts[0] if starts else None


@dataclass(frozen=True, slots=True)
class Looked:
    """What reading the records from `start` up to the line start `stop` has found: they end at `end`, have so many
    `lines`, and tell this of the columns."""

    start: int
    stop: int
    end: int
    lines: int
    seen: Mapping[str, Seen] = field(default_factory=dict)


def chain(stops: Sequence[int], looked: Mapping[tuple[int, int], Looked]) -> tuple[list[Looked], list[tuple[int, int]]]:
    """What was looked at from one record's true start to the next, from the first byte on; and what must yet be looked
    at, as start and stop, if records end there where they were found to end from another start.

    >>> chain([10, 20], {})
    ([], [(0, 10), (10, 20)])
    >>> first, second, again = Looked(0, 10, 13, 1), Looked(10, 20, 20, 2), Looked(13, 20, 20, 1)
    >>> chain([10, 20], {(0, 10): first, (10, 20): second})[1]
    [(13, 20)]
    >>> chain([10, 20], {(0, 10): first, (13, 20): again}) == ([first, again], [])
    True
    """
    ends = {one.stop: one.end for one in looked.values()}
    found: list[Looked] = []
    missing: list[tuple[int, int]] = []
    at = 0
    for stop in stops:
        if at >= stop:
            continue  # one record covers it all
        one = looked.get((at, stop))
        if one is None:
            missing.append((at, stop))
            at = ends.get(stop, stop)
        else:
            found.append(one)
            at = one.end
    return found, missing
