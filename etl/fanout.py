"""One task per file: the files of a commit read by many processes, here or on Spark's executors, as if by one.

A task runs the very code that reads a file in the embedded home. What it makes of contract and columns is its own until
the driver takes it: in the order of the keys it takes every part that changed neither, and the first that did.
Parts that were read beside that one and changed something themselves, or hold a content that is held by then, are read
again, going on from it. So the outcome is that of one reader who took the files in some order. A large file is read by
itself, by many tasks (`etl/large.py`).
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from athena.dataset import REJECTS_SUFFIX
from athena.errors import LakegateError, Refused
from etl.attempt import desk_of
from etl.batch import Batch, Begun, KeyRead, Work
from etl.formats import format_of
from etl.intake import Intake
from etl.landing import Landed
from etl.large import LargeFile, NotCut
from etl.plan import WrittenFile
from etl.reading import Reading
from etl.union import Holdings
from etl.workers import Opener, Workers

log = logging.getLogger(__name__)

SPLIT_BYTES = 1024**3
STRETCHES = 8  # of a file that is just large enough: 128 MB each
PART_FILES = 200
LEAST_PART_BYTES = 8 * 1024 * 1024
MOST_PART_BYTES = 512 * 1024 * 1024
PARTS_PER_WORKER = 3


@dataclass(frozen=True, slots=True)
class Part:
    """Some files for one task: small ones share it."""

    opener: Opener
    work: Work
    begun: Begun


class FanOut:
    """Reads the files of one commit by many workers. A file of more than `split_bytes` that can be cut is read by many
    tasks, every other one by one."""

    def __init__(self, opener: Opener, workers: Workers, *, split_bytes: int = SPLIT_BYTES) -> None:
        self._opener = opener
        self._workers = workers
        self._split_bytes = split_bytes

    def read(self, work: Work, beat: Callable[[], None]) -> Batch:
        """The batch of one commit. Raises what a task raised, once nothing is left of the others."""
        taken = _Taken(work)
        waiting = list(work.landed)
        large = {one.key.text for one in waiting if self._is_large(one)}
        while waiting:
            if waiting[0].key.text not in large:
                waiting = self._beside(work, taken, waiting, large, beat)
            elif self._apart(work, taken, waiting[0], beat):
                waiting = waiting[1:]
            else:
                large.remove(waiting[0].key.text)
        return taken.batch()

    def _beside(
        self, work: Work, taken: "_Taken", waiting: list[Landed], large: set[str], beat: Callable[[], None]
    ) -> list[Landed]:
        """Read the files up to the next large one, beside each other; what waits then."""
        small = list(takewhile(lambda one: one.key.text not in large, waiting))
        # Without columns the first file says what they are, and the rest is read by that.
        now = small if taken.begun.columns else small[:1]
        parts = [Part(self._opener, replace(work, landed=some), taken.begun) for some in portions(now, self._workers)]
        done = list(self._workers.run([partial(read_part, part) for part in parts], beat))
        again: list[Landed] = []
        for part, batch in zip(parts, _all_read(done, self._opener), strict=True):
            if not taken.take(batch, part.begun):
                again += part.work.landed
                _remove(self._opener(), batch)
        return again + waiting[len(now) :]

    def _apart(self, work: Work, taken: "_Taken", landed: Landed, beat: Callable[[], None]) -> bool:
        """Read one file by many tasks; False when it cannot be."""
        intake = self._opener()
        file = LargeFile(self._opener, self._workers, beat, work, landed, max(1, self._split_bytes // STRETCHES))
        desk = desk_of(intake, work.dataset, loaded_at=work.loaded_at, beat=beat, progress=lambda *_: None)
        holdings: Holdings = intake.ledger.holdings(work.dataset)
        stem = f"{work.commit_id}-{secrets.token_hex(4)}"
        desk = replace(desk, apart=file)
        reading = Reading(desk, work.dataset, work.base, holdings, stem=stem, begun=taken.begun)
        try:
            taken.take(reading.read([landed]), taken.begun)
        except NotCut as why:
            log.info("%s is read by one task: %s", landed.key.text, why)
            return False
        return True

    def _is_large(self, landed: Landed) -> bool:
        if landed.size_bytes <= self._split_bytes:
            return False
        try:
            sources = self._opener().landing.sources(landed)
            kind = sources[0].compression or format_of(sources[0])
        except Refused:
            return False  # whoever reads it says why
        if kind != "csv":
            log.info("%s is read by one task: what is %s cannot be cut", landed.key.text, kind)
        return kind == "csv"


class _Taken:
    """What was taken of the parts so far."""

    def __init__(self, work: Work) -> None:
        self.begun = Begun.at(work.base)
        self._work = work
        self._last: Batch | None = None
        self._first_columns: Batch | None = None
        self._keys: dict[str, KeyRead] = {}
        self._reject_files: tuple[WrittenFile, ...] = ()

    def take(self, batch: Batch, begun: Begun) -> bool:
        """Take a part that was read from `begun` on, if it goes together with what was taken since."""
        columns = batch.evolution.columns if batch.evolution else begun.columns
        changed = (batch.contract, columns) != (begun.contract, begun.columns)
        read = {
            unit.slot for key in batch.keys for unit in key.units if unit.slot is not None and unit.shares is not None
        }
        if (changed and begun is not self.begun and not _same(begun, self.begun)) or read & self.begun.slots:
            return False
        self._keys.update({key.key.text: key for key in batch.keys})
        self._reject_files += batch.reject_files
        slots = self.begun.slots | read
        if changed:
            self._last = batch
            self._first_columns = self._first_columns or batch
            last_id = max(self.begun.last_id, *(column.field_id or 0 for column in columns))
            self.begun = Begun(batch.contract, columns, last_id, slots)
        else:
            self.begun = replace(self.begun, slots=slots)
        return True

    def batch(self) -> Batch:
        """All that was taken, in the order of the work."""
        first = self._first_columns.first_columns if self._first_columns and not self._work.base.columns else ()
        return Batch(
            self._work.commit_id,
            self._work.dataset,
            self._work.base,
            tuple(self._keys[one.key.text] for one in self._work.landed),
            self.begun.contract,
            self._last.evolution if self._last else None,
            first,
            self._reject_files,
        )


def read_part(part: Part) -> Batch:
    """What a task does, wherever it runs: read its files and write their rows."""
    intake, work = part.opener(), part.work
    desk = desk_of(intake, work.dataset, loaded_at=work.loaded_at, progress=lambda *_: None)
    # Every attempt has names of its own: a task that was lost may still be writing.
    stem = f"{work.commit_id}-{secrets.token_hex(4)}"
    holdings: Holdings = intake.ledger.holdings(work.dataset)
    return Reading(desk, work.dataset, work.base, holdings, stem=stem, begun=part.begun).read(work.landed)


def portions(landed: Sequence[Landed], workers: Workers) -> list[tuple[Landed, ...]]:
    """The files in their order, cut into tasks: a few for each worker, a large file alone."""
    total = sum(one.size_bytes for one in landed)
    most = min(MOST_PART_BYTES, max(LEAST_PART_BYTES, total // (PARTS_PER_WORKER * workers.count)))
    parts: list[tuple[Landed, ...]] = []
    some: list[Landed] = []
    size_bytes = 0
    for one in landed:
        if some and (len(some) >= PART_FILES or size_bytes + one.size_bytes > most):
            parts.append(tuple(some))
            some, size_bytes = [], 0
        some.append(one)
        size_bytes += one.size_bytes
    return [*parts, tuple(some)] if some else parts


def _same(one: Begun, other: Begun) -> bool:
    return (one.contract, one.columns) == (other.contract, other.columns)


def _all_read(done: Sequence[Batch | LakegateError], opener: Opener) -> list[Batch]:
    """The batches; raises the first error, once nothing is left of the others."""
    batches = [one for one in done if isinstance(one, Batch)]
    error = next((one for one in done if isinstance(one, LakegateError)), None)
    if error is None:
        return batches
    intake = opener()
    for batch in batches:
        _remove(intake, batch)
    raise error


def _remove(intake: Intake, batch: Batch) -> None:
    """Nothing is left of a part that was read in vain."""
    units = [(key.key.text, unit) for key in batch.keys for unit in key.units]
    intake.folder(batch.dataset).remove(batch.files)
    intake.folder(batch.dataset + REJECTS_SUFFIX).remove(file.path for file in batch.reject_files)
    for key, unit in units:
        intake.reports.forget(key, unit.load_id)
