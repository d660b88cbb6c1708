"""What keeps a table as quick as on its first day: compaction, expiry of snapshots, removal of what nobody needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from athena.dataset import REJECTS_SUFFIX
from athena.errors import NotFound
from etl.commit import expire_snapshots, load_table
from etl.compact import Compacted, compact
from etl.compaction import LEAST_FILES
from etl.garbage import GRACE, Collected, collect
from etl.intake import Intake
from etl.publish import publish_head, resolve
from etl.snapshot import expendable
from etl.turn import turn_at


@dataclass(frozen=True, slots=True)
class Maintained:
    """What was done to one dataset, its rejects included."""

    dataset: str
    compacted: Compacted = field(default_factory=Compacted)
    expired: int = 0
    collected: Collected = field(default_factory=Collected)


def never() -> bool:
    """When maintenance is to stop early."""
    return False


def maintain(
    intake: Intake,
    dataset: str | None = None,
    *,
    least_files: int = 2,
    grace: timedelta = GRACE,
    stop: Callable[[], bool] = never,
) -> tuple[Maintained, ...]:
    """All of it, for one dataset or every one. Needs nobody to stop: loads and questions go on beside it.

    Files are made fewer wherever `least_files` of a partition are small. Raises `NotFound` ("no-such-dataset").
    """
    known = intake.ledger.datasets()
    if dataset is not None and dataset not in known:
        raise NotFound(f"There is no dataset {dataset!r}.", "See `lakegate datasets`.", code="no-such-dataset")
    return tuple(
        tend(intake, name, least_files=least_files, grace=grace, stop=stop)
        for name in ((dataset,) if dataset is not None else known)
        if not stop()
    )


def tend(
    intake: Intake,
    dataset: str,
    *,
    least_files: int = LEAST_FILES,
    grace: timedelta = GRACE,
    stop: Callable[[], bool] = never,
) -> Maintained:
    """The same for one dataset, sparingly: only where many files are small."""
    compacted = compact(intake, dataset, least_files=least_files, stop=stop)
    return Maintained(dataset, compacted, expire(intake, dataset), collect(intake, dataset, grace=grace))


def expire(intake: Intake, dataset: str) -> int:
    """Forget snapshots that need not be kept (`etl/snapshot.py`), of the dataset and its rejects; how many."""
    return sum(_expire(intake, dataset, name) for name in (dataset, dataset + REJECTS_SUFFIX))


def _expire(intake: Intake, dataset: str, name: str) -> int:
    table = load_table(intake.catalog, name)
    if table is None or not expendable(table.metadata.snapshots, now=intake.clock(), pinned=frozenset()):
        return 0
    with turn_at(intake, dataset) as held:
        resolve(intake, dataset)
        table = load_table(intake.catalog, name)
        if table is None:
            return 0
        commit_id = intake.new_id()
        held.check()
        intake.heads.intend(name, commit_id)
        intake.step("intended")
        head, count = expire_snapshots(table, pinned=intake.pinned)
        intake.step("expired")
        publish_head(intake, head, commit_id)
    return count
