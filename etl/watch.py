"""The embedded trigger: look into landing again and again, load what is settled."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from athena.errors import LakegateError
from athena.leases.sqlite import is_here
from etl.ingest import Reconciled, catch_up
from etl.intake import Intake
from etl.landing import Landed
from etl.report import Report
from etl.source import ignored

log = logging.getLogger(__name__)

RESOLVE_EVERY_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# Looking may take this share of the time: a folder of many files is looked into less often.
LOOKING_SHARE = 0.1


def watch(
    intake: Intake,
    *,
    stop: Callable[[], bool],
    told: Callable[[Reconciled], None] | None = None,
    interval_seconds: float = 0.5,
) -> None:
    """Run until `stop()`; `told` hears of every round that loaded something, the log without it. A file that fails is
    told, reported and tried again only when it or the contract changes. Never raises for what a file or the disk does.
    """
    watching = Watching(intake, told or log_loads)
    pause = interval_seconds
    while not stop():
        try:
            pause = max(interval_seconds, watching.look() / LOOKING_SHARE)
        except LakegateError as error:
            log.error("%s %s", error.message, error.remedy)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        until = time.monotonic() + pause
        while not stop() and (left := until - time.monotonic()) > 0:
            intake.sleep(min(left, 0.1))


class Watching:
    """What a watcher remembers between two looks."""

    def __init__(
        self, intake: Intake, told: Callable[[Reconciled], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._intake = intake
        self._monotonic = monotonic
        self._told = told
        self._seen: dict[str, tuple[str, float]] = {}
        self._being_read: dict[str, str] = {}
        self._waiting = False
        self._failing: dict[str, tuple[float, float]] = {}
        self._signature: object = None
        self._resolved_at = float("-inf")
        self._misplaced: frozenset[str] = frozenset()

    def look(self) -> float:
        """One round; next to nothing when nothing changed. How many seconds the looking took, loading left out.

        Raises when not even landing or the ledger can be read.
        """
        began = self._monotonic()
        landed = list(self._intake.landing.listing())
        signature = (frozenset((one.key.text, one.stamp) for one in landed), self._contracts())
        looking_seconds = self._monotonic() - began
        if signature == self._signature and not self._waiting and not self._has_leftovers():
            return looking_seconds
        self._waiting = False
        self._seen = {one.key.text: self._since(one) for one in landed}
        datasets = {one.key.dataset for one in landed} | set(self._intake.ledger.unresolved())
        for dataset in sorted(datasets):
            self._catch_up(dataset)
        self._tell_misplaced()
        self._signature = signature
        return looking_seconds

    def _catch_up(self, dataset: str) -> None:
        pause, again_at = self._failing.get(dataset, (FIRST_PAUSE_SECONDS, float("-inf")))
        if self._monotonic() < again_at:
            self._waiting = True
            return
        try:
            self._being_read = self._intake.ledger.being_read(dataset)
            done = catch_up(self._intake, dataset, stale=False, settled=self._is_settled)
        except LakegateError as error:
            self._again_later(dataset, [error], pause)
            return
        except Exception:  # the outermost frame of a dataset's loads: the others go on
            log.exception("%s: something unexpected went wrong. Tried again in %d s.", dataset, pause)
            self._again_later(dataset, [], pause)
            return
        if done.reports:
            self._told(done)
        if done.unread:
            self._again_later(dataset, done.unread, pause)
        else:
            self._failing.pop(dataset, None)

    def _again_later(self, dataset: str, errors: Sequence[LakegateError], pause: float) -> None:
        """A table in trouble is left alone for a while, longer each time; the others go on."""
        for error in errors:
            log.error("%s: %s %s Tried again in %d s.", dataset, error.message, error.remedy, pause)
        self._failing[dataset] = (min(2 * pause, LONGEST_PAUSE_SECONDS), self._monotonic() + pause)
        self._waiting = True

    def _since(self, landed: Landed) -> tuple[str, float]:
        known = self._seen.get(landed.key.text)
        return known if known is not None and known[0] == landed.stamp else (landed.stamp, self._monotonic())

    def _is_settled(self, landed: Landed) -> bool:
        """Nobody else reads it, and nothing was written for a while: by its own time, or by ours if clocks differ."""
        seconds = self._intake.settings.settle_seconds
        stamp, since = self._seen.get(landed.key.text, ("", float("inf")))
        age = self._intake.clock().timestamp() - landed.modified_at_seconds
        settled = age >= seconds or (stamp == landed.stamp and self._monotonic() - since >= seconds)
        reader = self._being_read.get(landed.key.text)
        # Who cannot be seen from here holds nothing up: to read a file twice costs time alone.
        settled = settled and (reader is None or not is_here(reader))
        self._waiting = self._waiting or not settled
        return settled

    def _contracts(self) -> frozenset[tuple[str, int]]:
        folder = self._intake.settings.contracts
        return frozenset(
            (path.name, changed_at)
            for path in folder.glob("*.toml")
            if not ignored(path.name) and (changed_at := _changed_at_ns(path)) is not None
        )

    def _has_leftovers(self) -> bool:
        if self._monotonic() - self._resolved_at < RESOLVE_EVERY_SECONDS:
            return False
        self._resolved_at = self._monotonic()
        return bool(self._intake.ledger.unresolved())

    def _tell_misplaced(self) -> None:
        errors = self._intake.landing.misplaced()
        for error in errors:
            if error.message not in self._misplaced:
                log.warning("%s %s", error.message, error.remedy)
        self._misplaced = frozenset(error.message for error in errors)


def _changed_at_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None  # replaced just now, or an editor's lock that leads nowhere


def log_loads(done: Reconciled) -> None:
    """One line of the log for each file."""
    for report in done.reports:
        log.log(logging.WARNING if report.error else logging.INFO, "%s", sentence(report))


def sentence(report: Report) -> str:
    """A report as one line of a log.

    >>> sentence(Report("loaded", "flights", "default", "flights/may.csv", rows_loaded=3))
    'flights/may.csv: loaded, 3 rows, 0 rejected'
    """
    if report.error is not None:
        return f"{report.file}: failed. {report.error.message} {report.error.remedy}"
    if report.status in ("duplicate", "unchanged"):
        return f"{report.file}: {report.status}" + (f" of {report.duplicate_of}" if report.duplicate_of else "")
    return f"{report.file}: {report.status}, {report.rows_loaded} rows, {report.rows_rejected} rejected"
