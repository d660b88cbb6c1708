"""Bytes → whole lines as stored, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from etl._encoding import width
from etl._places import line_ends
from etl._split import Positions

MAX_LINE_BYTES = 64 * 1024 * 1024
_SHOWN_BYTES = _LEAST_LAST_BYTES = 64 * 1024


class Readable(Protocol):
    """What a file is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines as stored; `size` is longer than `raw` for a line that was cut for its length."""

    raw: bytes
    size: int
    last: bool


def too_long(size: int) -> str:
    """What is said of a line of that many bytes."""
    return f"The line has {size} bytes, more than {MAX_LINE_BYTES}; only its beginning is kept."


def chunks(stream: Readable, encoding: str, block_bytes: int) -> Iterator[Chunk]:
    """All bytes of a stream, cut at line ends about every `block_bytes`; of too long a line only the beginning."""
    rest = b""
    ahead = stream.read(block_bytes)
    while ahead:
        data, ahead = ahead, stream.read(block_bytes)
        # The last block is never small, so that a footer is in one piece.
        if ahead and len(ahead) < min(_LEAST_LAST_BYTES, block_bytes):
            data, ahead = data + ahead, stream.read(block_bytes)
        cut = _last_line_end(data, encoding) if ahead and width(encoding) == 1 else 0
        if cut:
            # Copied once: a block is as large as the processor's cache.
            whole = b"".join((rest, memoryview(data)[:cut]))
            yield Chunk(whole, len(whole), False)
            rest = data[cut:]
            continue
        data = rest + data
        if not ahead:
            yield Chunk(data, len(data), True)
            return
        cut = _last_line_end(data, encoding)
        if cut:
            yield Chunk(data[:cut], cut, False)
            rest = data[cut:]
        elif len(data) <= MAX_LINE_BYTES:
            rest = data
        else:
            rest, ahead, size = _behind_line(stream, ahead, encoding, block_bytes)
            yield Chunk(data[:_SHOWN_BYTES], len(data) + size, not (rest or ahead))
            if rest and not ahead:
                yield Chunk(rest, len(rest), True)


def _behind_line(stream: Readable, ahead: bytes, encoding: str, block_bytes: int) -> tuple[bytes, bytes, int]:
    """Drop bytes up to the next line end: what follows it, what was read ahead, and how many were dropped."""
    dropped = 0
    while ahead:
        ends = raw_line_ends(ahead, encoding)
        end = int(ends[0]) if len(ends) else 0
        if 0 < end < len(ahead) or (end and _last_line_end(ahead, encoding) == end):
            return ahead[end:], stream.read(block_bytes), dropped + end
        dropped, ahead = dropped + len(ahead), stream.read(block_bytes)
    return b"", b"", dropped


def _last_line_end(data: bytes, encoding: str) -> int:
    """The offset behind the last line that surely ended; a CR at the very end may be half of a CRLF."""
    if width(encoding) > 1:
        ends = raw_line_ends(data, encoding)
        return int(ends[-2]) if len(ends) > 1 else 0
    feed = data.rfind(b"\n")
    return (feed if feed >= 0 else data.rfind(b"\r", 0, len(data) - 1)) + 1


def raw_line_ends(raw: bytes, encoding: str) -> Positions:
    """The offset behind each line of bytes as stored, the last one without an end included."""
    unit = width(encoding)
    if unit == 1:
        return line_ends(raw)
    units = code_units(raw, encoding)
    feeds, returns = units == 10, units == 13
    followed = np.append(feeds[1:], False) if len(units) else feeds
    ends = (np.flatnonzero(feeds | (returns & ~followed)) + 1) * unit
    if raw and (not len(ends) or ends[-1] != len(raw)):
        ends = np.append(ends, len(raw))
    return ends.astype(np.int64, copy=False)


def code_units(raw: bytes, encoding: str) -> npt.NDArray[np.unsignedinteger]:
    """The numbers that bytes as stored are made of: of one, two or four bytes each."""
    unit = width(encoding)
    order = "<" if encoding.endswith("le") else ">"
    return np.frombuffer(raw[: len(raw) // unit * unit], f"{order}u{unit}")
