"""What one job run does, wherever it runs: load a manifest's files, reconcile, or maintain; told in the log."""

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass

from athena.errors import Gone, LakegateError
from athena.s3 import Bucket
from etl.describe import describe
from etl.ingest import Reconciled, load_keys, reconcile
from etl.intake import Intake
from etl.maintain import maintain
from etl.manifest import read_manifest
from etl.watch import log_loads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did, in numbers."""

    loads: dict[str, int]
    rows_loaded: int = 0
    rows_rejected: int = 0
    seconds: float = 0.0


def load_manifest(intake: Intake, manifests: Bucket, name: str) -> Outcome:
    """Load what the manifest names, as it is now; a manifest that is gone was loaded and tidied away long ago."""
    began = time.monotonic()
    try:
        manifest = read_manifest(manifests.get(name))
    except Gone:
        log.warning("the manifest %s is not there any more: nothing to do", name)
        return Outcome({})
    log.info("%s: %d keys heard of", manifest.dataset, len(manifest.keys))
    describe(intake, manifest.dataset)
    return _told(load_keys(intake, manifest.dataset, manifest.keys), began)


def reconcile_all(intake: Intake) -> Outcome:
    """Make every table what its keys want."""
    began = time.monotonic()
    return _told(reconcile(intake), began)


def maintain_all(intake: Intake) -> Outcome:
    """Compact, expire and collect every table. One that cannot be maintained now holds up no other; raises what the
    last such one raised, once all others are done."""
    began = time.monotonic()
    failure: LakegateError | None = None
    for dataset in intake.ledger.datasets():
        try:
            (one,) = maintain(intake, dataset)
        except LakegateError as error:
            log.error("%s: not maintained. %s %s", dataset, error.message, error.remedy)
            failure = error
            continue
        compacted, collected = one.compacted, one.collected
        log.info(
            "%s: %d data files became %d, %d snapshots forgotten, %d files removed",
            *(dataset, compacted.before, compacted.after, one.expired, collected.files),
        )
    if failure is not None:
        raise failure
    return Outcome({}, seconds=time.monotonic() - began)


def _told(done: Reconciled, began: float) -> Outcome:
    log_loads(done)
    loads = Counter(str(report.status) for report in done.reports)
    loads["unchanged"] += done.unchanged
    outcome = Outcome(
        dict(sorted(loads.items())),
        sum(report.rows_loaded for report in done.reports),
        sum(report.rows_rejected for report in done.reports),
        round(time.monotonic() - began, 3),
    )
    log.info("%s", json.dumps({**counts(outcome), "loads": outcome.loads, "seconds": outcome.seconds}))
    for failure in done.unread:
        log.error("%s %s", failure.message, failure.remedy)
    if done.unread:
        raise done.unread[0]  # the run has failed, and its repetition finds what was loaded
    return outcome


def counts(outcome: Outcome) -> dict[str, int]:
    """What is counted of a run, by the names of the metrics.

    >>> counts(Outcome({"loaded": 2, "failed": 1}, 10, 1))
    {'FilesLoaded': 2, 'FilesFailed': 1, 'RowsLoaded': 10, 'RowsRejected': 1}
    """
    return {
        "FilesLoaded": outcome.loads.get("loaded", 0) + outcome.loads.get("replaced", 0),
        "FilesFailed": outcome.loads.get("failed", 0),
        "RowsLoaded": outcome.rows_loaded,
        "RowsRejected": outcome.rows_rejected,
    }
