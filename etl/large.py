"""One large file, read by many tasks as if by one.

    sample → likely cuts → survey: the whole file's digest, and each stretch by itself → are the cuts true? → columns
           → each stretch's rows and rejects as files of its own → one load

A cut is true when the records in front of it, read from a true cut, end there; what was read from a false one is read
again. The digest comes from one task that reads the whole file: content, lines and encoding are found as ever, and
what the stretches add up to is held against it.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO

from athena.dataset import REJECTS_SUFFIX, SYSTEM_NAMES, Column
from athena.errors import LakegateError
from etl._seen import Seen
from etl._stretch import Looked, Stretch, TooLong, chain, is_cuttable, likely_start, read_stretch
from etl._survey import Surveyed, first_seen, observe_all, survey_file
from etl.batch import Work
from etl.contract import Layout
from etl.dialect import SAMPLE_BYTES, Dialect
from etl.intake import Intake
from etl.landing import Landed
from etl.read import Block, read_blocks
from etl.rejects import RejectsTable
from etl.source import Source
from etl.transform import Study, no_advance, transform, transform_narrow, with_origin
from etl.unit import Rows
from etl.workers import Opener, Workers
from etl.write import ContentWriter

log = logging.getLogger(__name__)

_WINDOW_BYTES = 256 * 1024
_READERS = 8


class NotCut(Exception):
    """Why a file is read by one task after all."""


@dataclass(slots=True)
class LargeFile:
    """A file of one commit that many workers read; it remembers where it was cut."""

    opener: Opener
    workers: Workers
    beat: Callable[[], None]
    work: Work
    landed: Landed
    stretch_bytes: int
    _stretches: tuple[Stretch, ...] = field(default=())

    def survey(self, dialect: Dialect, places: Mapping[str, int], missing: tuple[str, ...]) -> Surveyed:
        """As `survey_file` does. Raises `NotCut`."""
        if not is_cuttable(dialect.encoding):
            raise NotCut(f"its encoding is {dialect.encoding}")
        source = _source(self.opener(), self.landed)
        with closing(source.open()) as stream:
            first = next(read_blocks(BytesIO(stream.read(SAMPLE_BYTES)), dialect))
        cuts = [cut for cut in self._likely_cuts(source, dialect) if cut > first.first_byte]
        seen = first_seen(first, dialect.shape, places, missing)
        look = partial(look_at, self.opener, self.landed, dialect, places, seen)
        digest, looked = self._looked(look, partial(digest_of, self.opener, self.landed, dialect), cuts)
        self._stretches = tuple(_placed(looked))
        log.info("%s is read by %d tasks beside each other", self.landed.key.text, len(looked))
        return replace(digest, seen=_joined(seen, looked))

    def rows(
        self, studied: Study, columns: Sequence[Column], layout: Layout, *, stem: str, load_id: str
    ) -> tuple[Rows, ...]:
        """The rows of each stretch, in their order. When a task fails nothing is left of the others."""
        job = RowsJob(self.opener, self.work, self.landed, studied, tuple(columns), layout, stem, load_id)
        done = list(self.workers.run([partial(write_rows, job, one) for one in self._stretches], self.beat))
        error = next((one for one in done if isinstance(one, LakegateError)), None)
        written = tuple(one for one in done if isinstance(one, Rows))
        if error is None:
            return written
        intake = self.opener()
        intake.folder(self.work.dataset).remove(file.path for one in written for file in one.files)
        intake.folder(self.work.dataset + REJECTS_SUFFIX).remove(
            file.path for one in written for file in one.reject_files
        )
        raise error

    def _likely_cuts(self, source: Source, dialect: Dialect) -> list[int]:
        # The last stretch is never small, so that a footer is in one piece.
        most = source.stored_bytes - self.stretch_bytes // 2
        with ThreadPoolExecutor(_READERS) as pool:
            found = pool.map(partial(_likely_cut, source, dialect), range(self.stretch_bytes, most, self.stretch_bytes))
            return sorted({cut for cut in found if cut is not None and cut < most})

    def _looked(
        self, look: Callable[[int, int], Looked | None], digest: Callable[[], Surveyed], cuts: Sequence[int]
    ) -> tuple[Surveyed, list[Looked]]:
        """The whole file's digest, and what its stretches hold once every cut is true."""
        stops = [*cuts, self.landed.size_bytes]
        known: dict[tuple[int, int], Looked] = {}
        whole: Surveyed | None = None
        while True:
            found, missing = chain(stops, known)
            if not missing and whole is not None:
                return whole, found
            tasks: list[Callable[[], Surveyed | Looked | None]] = [partial(look, *one) for one in missing]
            for one in self.workers.run(tasks if whole else [digest, *tasks], self.beat):
                if isinstance(one, LakegateError):
                    raise one
                if one is None:
                    raise NotCut("it has a line that is too long to be read")
                if isinstance(one, Surveyed):
                    whole = one
                else:
                    known[one.start, one.stop] = one


@dataclass(frozen=True, slots=True)
class RowsJob:
    """What the second pass over any stretch of a file needs."""

    opener: Opener
    work: Work
    landed: Landed
    studied: Study
    columns: tuple[Column, ...]
    layout: Layout
    stem: str
    load_id: str


def digest_of(opener: Opener, landed: Landed, dialect: Dialect) -> Surveyed:
    """What one task does: content, size, lines and encoding of the whole file."""
    return survey_file(_source(opener(), landed), no_advance, dialect, {}, ())


def look_at(
    opener: Opener,
    landed: Landed,
    dialect: Dialect,
    places: Mapping[str, int],
    seen: Mapping[str, Seen],
    *bounds: int,
) -> Looked | None:
    """What a task does in the first pass: find where the records end that begin from one place before another, and what
    they tell of the columns; None when a line is too long. Lines count from the first of the stretch."""
    start, stop = bounds
    lines, end = 0, start

    def counted(blocks: Iterator[Block]) -> Iterator[Block]:
        nonlocal lines, end
        for block in blocks:
            lines += block.line_count + len(block.lead)
            end = block.first_byte + len(block.raw)
            yield block

    with closing(_source(opener(), landed).open()) as stream:
        stream.seek(start)
        blocks = counted(read_stretch(stream, dialect, Stretch(start, 1, stop)))
        try:
            found = observe_all(blocks, dialect.shape, places, seen) if places else {}
            for _ in blocks:
                pass
        except TooLong:
            return None
    return Looked(start, stop, end, lines, found)


def write_rows(job: RowsJob, stretch: Stretch) -> Rows:
    """What a task does in the second pass: the rows and rejects of a stretch, as finished files."""
    intake, work, studied = job.opener(), job.work, job.studied
    source = _source(intake, job.landed)
    # Every attempt has names of its own: a task that was lost may still be writing.
    stem = f"{job.stem}-{stretch.start:014d}-{secrets.token_hex(4)}"
    writer = ContentWriter(intake.folder(work.dataset), stem, job.columns, job.layout, one_content=True)
    rejects = RejectsTable(intake.folder(work.dataset + REJECTS_SUFFIX), stem)
    own = [column for column in job.columns if column.name not in SYSTEM_NAMES]
    way = transform_narrow if job.layout == Layout() else transform
    made = Rows()
    try:
        for portion in way(source, studied, own, studied.rules, stretch=stretch):
            writer.write(with_origin(portion, file=source.name, content=studied.content, loaded_at=work.loaded_at))
            rejects.write(portion.rejects, load_id=job.load_id, file=source.name)
            made = made.and_portion(portion)
        return replace(made, files=writer.close(), reject_files=rejects.close())
    except BaseException:
        writer.abort()
        rejects.abort()
        raise


def _source(intake: Intake, landed: Landed) -> Source:
    (source,) = intake.landing.sources(landed)
    return source


def _likely_cut(source: Source, dialect: Dialect, near: int) -> int | None:
    with closing(source.open()) as stream:
        stream.seek(near)
        found = likely_start(stream.read(_WINDOW_BYTES), dialect)
    return None if found is None else near + found


def _placed(looked: Sequence[Looked]) -> Iterator[Stretch]:
    line = 1
    for one in looked:
        yield Stretch(one.start, line, one.end)
        line += one.lines


def _joined(first: Mapping[str, Seen], looked: Sequence[Looked]) -> dict[str, Seen]:
    """What all stretches tell of the columns, with the lines of the whole file."""
    seen = dict(first)
    lines = 0
    for one in looked:
        for name, found in one.seen.items():
            odd = found.odd and (found.odd[0], found.odd[1] + lines, found.odd[2])
            seen[name] = seen[name].and_other(replace(found, odd=odd))
        lines += one.lines
    return seen
