"""Maintenance that nobody has to think of: beside the watcher, table by table, when there is something to do."""

import logging
import time
from collections.abc import Callable

from athena.errors import LakegateError
from etl.compact import compact
from etl.garbage import collect
from etl.intake import Intake
from etl.maintain import expire

log = logging.getLogger(__name__)

COLLECT_EVERY_SECONDS = 3600.0


def upkeep(intake: Intake, *, stop: Callable[[], bool]) -> None:
    """Run until `stop()`, looking every `maintenance_seconds` (0: never). Never raises for what a disk does."""
    if intake.settings.maintenance_seconds <= 0:
        return
    tending = Tending(intake, stop)
    while not stop():
        tending.look()
        until = time.monotonic() + intake.settings.maintenance_seconds
        while not stop() and (left := until - time.monotonic()) > 0:
            intake.sleep(min(left, 0.1))


class Tending:
    """What is remembered between two looks: where each table stood, and when it was swept."""

    def __init__(
        self, intake: Intake, stop: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._intake = intake
        self._stop = stop
        self._monotonic = monotonic
        self._seen: dict[str, str] = {}
        self._swept_at: dict[str, float] = {}

    def look(self) -> None:
        """One round over every dataset; next to nothing where no commit was made since the last one."""
        try:
            datasets = self._intake.ledger.datasets()
        except LakegateError as error:
            log.error("%s %s", error.message, error.remedy)
            return
        for dataset in datasets:
            if self._stop():
                return
            try:
                self._tend(dataset)
            except LakegateError as error:
                log.error("%s could not be maintained: %s %s", dataset, error.message, error.remedy)
            except Exception:  # the outermost frame of a table's maintenance: the others go on
                log.exception("%s could not be maintained", dataset)

    def _tend(self, dataset: str) -> None:
        intake, head = self._intake, self._intake.heads.get(dataset)
        if head is not None and self._seen.get(dataset) != head.snapshot_id:
            done = compact(intake, dataset, stop=self._stop)
            now = intake.heads.get(dataset)
            self._seen[dataset] = now.snapshot_id if now else ""
            if done.before:
                log.info("%s: %d data files became %d", dataset, done.before, done.after)
        swept_at = self._swept_at.setdefault(dataset, self._monotonic() - COLLECT_EVERY_SECONDS)
        if self._monotonic() - swept_at >= COLLECT_EVERY_SECONDS:
            expired, gone = expire(intake, dataset), collect(intake, dataset)
            self._swept_at[dataset] = self._monotonic()
            if expired or gone.files:
                log.info("%s: %d snapshots forgotten, %d files removed", dataset, expired, gone.files)
