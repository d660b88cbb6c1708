"""The first pass over a file's bytes: content hash, counts, encoding evidence, and what its columns hold."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO

from athena.dataset import Column
from etl._beside import Beside
from etl._encoding import Encoding, Evidence, judge, width
from etl._observe import first_texts, observe
from etl._plan import file_names
from etl._prime import first_records, observe_first, prime
from etl._record import Shape
from etl._seen import Seen
from etl.contract import SourceRules
from etl.dialect import Dialect
from etl.read import Block, Readable, count_units, read_blocks
from etl.source import Source

_READ_BYTES = 512 * 1024  # stays in the cache while it is looked at
_SMALL_BYTES = 128 * 1024  # hashed sooner than handed over
_PIECES_AHEAD = 4  # hashing is what the first pass waits for: it must never wait itself
_LINE_BYTES = 2 * 1024 * 1024
_SETTLED = 1000
_THREADS = 2


class Survey:
    """A stream that remembers what went through it: hash, bytes, physical lines, evidence of the encoding."""

    def __init__(self, stream: Readable, dialect: Dialect, advance: Callable[[int], None]) -> None:
        self._stream, self._dialect, self._advance = stream, dialect, advance
        self._hash = hashlib.sha256()
        self._hashing = Beside(waiting=_PIECES_AHEAD)
        self._evidence = Evidence()
        self._line = b""
        self._last = b""
        self._breaks = 0
        self.size_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes of the stream, which are looked at in passing."""
        data = self._stream.read(size)
        if len(data) < _SMALL_BYTES:
            self._hashing.wait()
            self._hash.update(data)
        else:
            self._hashing.do(self._hash.update, data)
        self.size_bytes += len(data)
        self._breaks += count_units(self._last, data, self._dialect.encoding)
        self._last = data[-8:] or self._last
        self._look(data)
        self._advance(self.size_bytes)
        return data

    @property
    def content(self) -> str:
        """The sha256 of all bytes so far, in hexadecimal."""
        self._hashing.wait()
        return self._hash.hexdigest()

    def close(self) -> None:
        """End the thread that hashes."""
        self._hashing.close()

    @property
    def lines(self) -> int:
        """Physical lines, the last one without an end included."""
        unit, ends = width(self._dialect.encoding), "\n\r"
        last = self._last[-unit:].decode(self._dialect.encoding, "replace")
        # Half a unit at the end, of a file that was cut, is a line as well.
        open_end = self.size_bytes % unit > 0 or last not in ends
        return self._breaks + (self.size_bytes > self._dialect.mark and open_end)

    def verdict(self) -> Encoding | None:
        """The encoding by all bytes so far, None when only the mark or the contract could tell."""
        self._evidence = self._evidence.and_lines(self._line)
        self._line = b""
        return judge(self._evidence) if self._by_bytes() else None

    def _by_bytes(self) -> bool:
        return width(self._dialect.encoding) == 1 and not self._dialect.mark and self._dialect.encoding != "iso2022_jp"

    def _look(self, data: bytes) -> None:
        evidence = self._evidence
        settled = evidence.broken > _SETTLED and evidence.broken > 10 * evidence.valid
        if settled or not self._by_bytes():
            return
        if data.isascii() and not self._line:
            return
        end = data.rfind(b"\n") + 1
        if not end:
            self._line += data if len(self._line) < _LINE_BYTES else b""
            return
        self._evidence = evidence.and_lines(self._line + data[:end])
        self._line = b"" if data[end:].isascii() else data[end:]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the first pass over a whole file found; `verdict` is what its bytes tell of the encoding, None when only the
    mark or the contract could."""

    content: str
    size_bytes: int
    lines: int
    seen: Mapping[str, Seen]
    verdict: Encoding | None


Surveyor = Callable[[Dialect, Mapping[str, int], tuple[str, ...]], Surveyed]
"""Reads a whole file in a dialect and looks at the columns at some places, by the spellings of missing values."""


def survey_file(
    source: Source,
    advance: Callable[[int], None],
    dialect: Dialect,
    places: Mapping[str, int],
    missing: tuple[str, ...],
) -> Surveyed:
    """The survey of a file by this process."""
    with closing(source.open()) as stream, closing(Survey(stream, dialect, advance)) as survey:
        seen = {name: Seen(missing) for name in places}
        if places:
            seen = observe_all(read_blocks(survey, dialect), dialect.shape, places, seen)
        _drain(survey)
    return Surveyed(survey.content, survey.size_bytes, survey.lines, seen, survey.verdict())


def _drain(survey: Survey) -> None:
    while survey.read(_READ_BYTES):
        pass


def observe_all(
    blocks: Iterable[Block], shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]
) -> dict[str, Seen]:
    """What is known of the columns (by name, at `places`) with every value of the blocks added."""
    seen = dict(seen)
    pending: deque[Future[dict[str, Seen]]] = deque()

    def collect() -> None:
        found = pending.popleft().result()
        for name, one in found.items():
            seen[name] = seen[name].and_other(one)

    with ThreadPoolExecutor(_THREADS) as pool:
        for block in blocks:
            if not any(one.kinds for one in seen.values()):
                at_once = observe_first(block, shape, places, seen)
                if at_once is not None:
                    seen.update(at_once)
                    continue
                seen.update(prime(block, shape, places, seen))
            pending.append(pool.submit(observe, block, shape, places, _counted_anew(seen)))
            if len(pending) > _THREADS:
                collect()
        while pending:
            collect()
    return seen


def first_seen(block: Block, shape: Shape, places: Mapping[str, int], missing: tuple[str, ...]) -> dict[str, Seen]:
    """What the first records of a block tell of its columns, nothing counted."""
    seen = {name: Seen(missing) for name in places}
    return prime(block, shape, places, seen) if places else seen


def sample_values(
    sample: bytes, dialect: Dialect, columns: Sequence[Column], rules: SourceRules
) -> dict[str, list[str]]:
    """The first values of some columns, without missing ones."""
    places = {name: place for place, name in enumerate(file_names(dialect, rules))}
    wanted = {column.name: places[column.name] for column in columns}
    block = next(read_blocks(BytesIO(sample), dialect), None)
    if block is None:
        return {}
    found = first_texts(first_records(block), dialect.shape, wanted)
    return {name: [value for value in column.to_pylist() if value] for name, column in found.items()}


def _counted_anew(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    return {name: one.without_count() for name, one in seen.items()}
