"""One task per file: the files of a commit read by many processes, here or on Spark's executors, as if by one.

A task runs the very code that reads a file in the embedded home. What it makes of contract and columns is its own until
the driver takes it: in the order of the keys it takes every part that changed neither, and the first that did.
Parts that were read beside that one and changed something themselves, or hold a content that is held by then, are read
again, going on from it. So the outcome is that of one reader who took the files in some order.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Protocol

from athena.dataset import REJECTS_SUFFIX
from athena.errors import LakegateError
from etl.attempt import desk_of
from etl.batch import Batch, Begun, KeyRead, Work
from etl.intake import Intake
from etl.landing import Landed
from etl.plan import WrittenFile
from etl.reading import Reading
from etl.union import Holdings

Opener = Callable[[], Intake]
"""Opens the home in another process: a function that can be pickled."""

PART_FILES = 200
LEAST_PART_BYTES = 8 * 1024 * 1024
MOST_PART_BYTES = 512 * 1024 * 1024
PARTS_PER_WORKER = 3
_BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """Some files for one task: small ones share it."""

    opener: Opener
    work: Work
    begun: Begun


@dataclass(frozen=True, slots=True)
class Done:
    """What one task made: a batch, or why there is none."""

    batch: Batch | None
    error: LakegateError | None = None


class Workers(Protocol):
    """Who runs tasks; `count` of them at once."""

    @property
    def count(self) -> int:
        """How many tasks run at once."""
        ...

    def run(self, parts: Sequence[Part], beat: Callable[[], None]) -> Iterator[Done]:
        """What each part came to, in their order; `beat` is called about every second."""
        ...


class FanOut:
    """Reads the files of one commit by many workers."""

    def __init__(self, opener: Opener, workers: Workers) -> None:
        self._opener = opener
        self._workers = workers

    def read(self, work: Work, beat: Callable[[], None]) -> Batch:
        """The batch of one commit. Raises what a task raised, once nothing is left of the others."""
        taken = _Taken(work)
        waiting = list(work.landed)
        while waiting:
            # Without columns the first file says what they are, and the rest is read by that.
            now = waiting[:1] if not taken.begun.columns else waiting
            rest = waiting[len(now) :]
            parts = [
                Part(self._opener, replace(work, landed=some), taken.begun) for some in portions(now, self._workers)
            ]
            done = list(self._workers.run(parts, beat))
            _raise_first(done, work, self._opener)
            waiting = []
            for part, one in zip(parts, done, strict=True):
                if one.batch is not None and not taken.take(one.batch, part.begun):
                    waiting += part.work.landed
                    _remove(self._opener(), one.batch)
            waiting += rest
        return taken.batch()


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
            unit.slot for key in batch.keys for unit in key.units if unit.slot is not None and unit.files is not None
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


def read_part(part: Part) -> Done:
    """What a task does, wherever it runs: read its files and write their rows."""
    intake, work = part.opener(), part.work
    desk = desk_of(intake, work.dataset, loaded_at=work.loaded_at, progress=lambda *_: None)
    # Every attempt has names of its own: a task that was lost may still be writing.
    stem = f"{work.commit_id}-{secrets.token_hex(4)}"
    try:
        holdings: Holdings = intake.ledger.holdings(work.dataset)
        reading = Reading(desk, work.dataset, work.base, holdings, stem=stem, begun=part.begun)
        return Done(reading.read(work.landed))
    except LakegateError as error:
        return Done(None, error)


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


class Processes:
    """Processes of this machine."""

    def __init__(self, count: int) -> None:
        self.count = count

    def run(self, parts: Sequence[Part], beat: Callable[[], None]) -> Iterator[Done]:
        """What each part came to, in their order."""
        with ProcessPoolExecutor(min(self.count, len(parts)), mp_context=get_context("spawn")) as pool:
            futures: list[Future[Done]] = [pool.submit(read_part, part) for part in parts]
            left = set(futures)
            while left:
                _, left = wait(left, timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
                beat()
            yield from (future.result() for future in futures)


def _same(one: Begun, other: Begun) -> bool:
    return (one.contract, one.columns) == (other.contract, other.columns)


def _raise_first(done: Sequence[Done], work: Work, opener: Opener) -> None:
    error = next((one.error for one in done if one.error is not None), None)
    if error is None:
        return
    intake = opener()
    for one in done:
        if one.batch is not None:
            _remove(intake, one.batch)
    raise error


def _remove(intake: Intake, batch: Batch) -> None:
    """Nothing is left of a part that was read in vain."""
    units = [(key.key.text, unit) for key in batch.keys for unit in key.units]
    intake.folder(batch.dataset).remove(file.path for _, unit in units for file in unit.files or ())
    intake.folder(batch.dataset + REJECTS_SUFFIX).remove(file.path for file in batch.reject_files)
    for key, unit in units:
        intake.reports.forget(key, unit.load_id)
