"""Bytes → blocks of whole records, in order; never guesses types.

A block is about 2 MB of whole lines, in UTF-8 and as stored, with its place in the file. Where the text has quotes, the
block also knows where its records stand, because only that tells where it may end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etl._chunks import Chunk, Readable, chunks, code_units, raw_line_ends, too_long
from etl._encoding import width
from etl._footer import set_footer_apart
from etl._marks import split
from etl._record import Shape, count_breaks
from etl._split import Positions, Split
from etl.dialect import Dialect, to_text
from etl.report import Reject, Skipped

__all__ = ["BLOCK_BYTES", "Block", "Readable", "count_lines", "count_units", "read_blocks", "shown"]

BLOCK_BYTES = 2 * 1024 * 1024  # stays in a processor's cache: 8 MB took a sixth longer


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of one file. `text` is UTF-8, `raw` the same as stored; `first_line` is 1-based and physical,
    `first_byte` an offset in the decompressed file.

    `undecodable` are the lines (0-based in the block) whose bytes are not of the encoding; None for UTF-8, where it
    has not been looked at. `split` is None where no quote stands and nothing has been looked at either: then a
    record is a line. `lead` holds what stood above the first block, `oversize` a line too long to be read.
    """

    text: bytes
    raw: bytes
    encoding: str
    first_line: int
    first_byte: int
    line_count: int
    undecodable: tuple[int, ...] | None = None
    split: Split | None = None
    lead: tuple[Skipped, ...] = ()
    oversize: Reject | None = None

    def placed(self, line: int, height: int, ends: Positions) -> tuple[int, int, int, int, str]:
        """First and last line, first and last byte, and the text of some lines (0-based); `ends` is `raw_line_ends`."""
        start = int(ends[line - 1]) if line else 0
        data = _without_line_end(self.raw[start : int(ends[line + height - 1])], self.encoding)
        first = self.first_line + line
        first_byte = self.first_byte + start
        last_byte = max(first_byte, first_byte + len(data) - 1)
        return first, first + height - 1, first_byte, last_byte, shown(data, self.encoding)

    def raw_line_ends(self) -> Positions:
        """The offset behind each line of `raw`."""
        return raw_line_ends(self.raw, self.encoding)


def shown(data: bytes, encoding: str) -> str:
    r"""Bytes as text for people: what cannot be decoded stands as \xNN.

    >>> shown(b"caf\xe9", "utf-8")
    'caf\\xe9'
    """
    return data.decode(encoding, "backslashreplace")


def read_blocks(stream: Readable, dialect: Dialect, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The blocks of a file, from a stream at its first byte. Memory is bounded by two blocks and the longest line."""
    reading = _Reading(dialect, dialect.shape)
    stream.read(dialect.mark)
    for chunk in chunks(stream, dialect.encoding, block_bytes):
        yield from reading.blocks(chunk)


def _without_line_end(data: bytes, encoding: str) -> bytes:
    for mark in ("\n", "\r"):
        data = data.removesuffix(mark.encode(encoding if width(encoding) > 1 else "ascii"))
    return data


@dataclass(slots=True)
class _Reading:
    """What is known between two chunks: the place in the file, and a record that goes on."""

    dialect: Dialect
    shape: Shape
    rest: bytes = b""
    line: int = 1
    byte: int = 0
    lead_is_told: bool = False

    def blocks(self, chunk: Chunk) -> Iterator[Block]:
        if self.line == 1 and not self.lead_is_told:
            self.byte = self.dialect.mark
        if chunk.size > len(chunk.raw):
            if self.rest:
                yield from self.blocks(Chunk(b"", 0, True))
            yield self._oversize(chunk)
            return
        raw = self.rest + chunk.raw if self.rest else chunk.raw
        lead: tuple[Skipped, ...] = ()
        if not self.lead_is_told:
            found = self._lead(raw)
            if found is None and not chunk.last:
                self.rest = raw
                return
            lead, raw, self.lead_is_told = *(found or ((), raw)), True
        block = self._block(raw, chunk.last, lead)
        self.rest = raw[len(block.raw) :]
        if block.raw or block.lead:
            self.line += block.line_count
            self.byte += len(block.raw)
            yield block

    def _lead(self, raw: bytes) -> tuple[tuple[Skipped, ...], bytes] | None:
        """The lines above the first record, and what follows them; None when they are not all there."""
        kinds = self.dialect.lead
        ends = raw_line_ends(raw, self.dialect.encoding)
        if len(ends) < len(kinds):
            return None
        if not kinds:
            return (), raw
        above = Block(b"", raw, self.dialect.encoding, 1, self.byte, len(kinds))
        skipped = [Skipped(kind, *above.placed(place, 1, ends)) for place, kind in enumerate(kinds)]  # type: ignore[arg-type]
        end = int(ends[len(kinds) - 1])
        self.line, self.byte = 1 + len(kinds), self.byte + end
        return tuple(skipped), raw[end:]

    def _block(self, raw: bytes, last: bool, lead: tuple[Skipped, ...]) -> Block:
        encoding = self.dialect.encoding
        text, undecodable = _decoded(raw, encoding, self.dialect.delimiter)
        if not last and not self._needs_split(text):
            return Block(text, raw, encoding, self.line, self.byte, count_lines(text), undecodable, None, lead)
        found = split(text, self.shape, complete=last)
        if last:
            found = set_footer_apart(text, found, self.shape)
        if last or found.consumed == len(text):
            return Block(text, raw, encoding, self.line, self.byte, found.line_count, undecodable, found, lead)
        kept = None if undecodable is None else tuple(line for line in undecodable if line < found.line_count)
        whole = text[: found.consumed]
        stored = whole if text is raw else raw[: _line_start(raw, found.line_count, encoding)]
        return Block(whole, stored, encoding, self.line, self.byte, found.line_count, kept, found, lead)

    def _needs_split(self, text: bytes) -> bool:
        shape = self.shape
        return (
            shape.spaced
            or (shape.quote is not None and shape.quote in text)
            or (shape.escape is not None and shape.escape in text)
        )

    def _oversize(self, chunk: Chunk) -> Block:
        text = shown(chunk.raw, self.dialect.encoding)
        place = self.line, self.line, self.byte, self.byte + chunk.size - 1
        reject = Reject(*place, None, "too-long", too_long(chunk.size), text)
        block = Block(b"", b"", self.dialect.encoding, self.line, self.byte, 1, oversize=reject)
        self.line, self.byte = self.line + 1, self.byte + chunk.size
        return block


def count_lines(text: bytes) -> int:
    r"""Physical lines, the last one without an end included.

    >>> count_lines(b"a\r\nb\rc"), count_lines(b"a\n"), count_lines(b"")
    (3, 1, 0)
    """
    return count_breaks(text) + (bool(text) and not text.endswith((b"\n", b"\r")))


def count_units(before: bytes, data: bytes, encoding: str) -> int:
    r"""Line ends in `data` as stored, which follows `before`: a CRLF that the two share counts once.

    >>> count_units(b"", b"a\r", "utf-8"), count_units(b"a\r", b"\nb\n", "utf-8")
    (1, 1)
    """
    if width(encoding) == 1:
        return count_breaks(data) - (before.endswith(b"\r") and data.startswith(b"\n"))
    carriage, feed = "\r".encode(encoding), "\n".encode(encoding)
    units = code_units(data, encoding)
    returns, feeds = units == 13, units == 10
    pairs = int(np.count_nonzero(returns[:-1] & feeds[1:])) + (before.endswith(carriage) and data.startswith(feed))
    return int(np.count_nonzero(returns)) + int(np.count_nonzero(feeds)) - pairs


def _line_start(raw: bytes, line: int, encoding: str) -> int:
    return int(raw_line_ends(raw, encoding)[line - 1]) if line else 0


def _decoded(raw: bytes, encoding: str, delimiter: str) -> tuple[bytes, tuple[int, ...] | None]:
    """The text in UTF-8 and the lines that cannot be decoded (None: not looked at)."""
    if encoding == "utf-8":
        return to_text(raw, encoding, delimiter), None
    try:
        raw.decode(encoding)
        return to_text(raw, encoding, delimiter), ()
    except UnicodeDecodeError:
        pass
    lines: list[str] = []
    bad: list[int] = []
    start = 0
    for place, end in enumerate(raw_line_ends(raw, encoding).tolist()):
        line = raw[start:end]
        try:
            lines.append(line.decode(encoding))
        except UnicodeDecodeError:
            bad.append(place)
            content = _without_line_end(line, encoding)
            # Delimiters and quotes stay where they are, and so does the line end.
            lines.append(content.decode(encoding, "replace") + line[len(content) :].decode(encoding, "ignore"))
        start = end
    return to_text("".join(lines).encode(), "utf-8", delimiter), tuple(bad)
