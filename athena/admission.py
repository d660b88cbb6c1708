"""Before the engine runs for a partner: a slot, an estimate, the day's bytes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from athena.engines import Job
from athena.failures import explained
from athena.grants import Grant
from athena.meter import BYTES

if TYPE_CHECKING:
    from athena.lake import Lake


@dataclass(frozen=True, slots=True)
class Admission:
    """What was taken for one run; `withdraw` gives it back when another run answers."""

    job: Job
    holder: str


def admitted(lake: "Lake", grant: Grant | None, job: Job, *, holder: str) -> Admission:
    """The job with what it may use; raises `LimitExceeded` and `Refused` (`scan-limit`).

    What a question reads of a dataset whose rows are filtered is estimated from the grant's own filter, without the
    question's: else its limits would tell how many hidden rows lie in a range.
    """
    if grant is None:
        return Admission(job, holder)
    limits = grant.limits
    lake.meter.enter(grant, holder, seconds=lake.settings.flight_lease_seconds)
    try:
        size_bytes = None
        if limits.bytes_scanned_per_query is not None or limits.bytes_scanned_per_day is not None:
            filters = {name: one.rows for name, one in grant.datasets.items() if one.rows is not None}
            size_bytes = lake.engine.estimate(job, filters)
        most_bytes = limits.bytes_scanned_per_query
        if size_bytes is not None and most_bytes is not None and size_bytes > most_bytes:
            raise explained("scan-limit")
        reserved_bytes = lake.meter.reserve(grant, size_bytes)
    except BaseException:
        lake.meter.exit(grant.partner, holder, held=limits.concurrent_queries is not None)
        raise
    own = replace(
        job,
        slotted=limits.concurrent_queries is not None,
        reserved_bytes=reserved_bytes,
        most_scanned_bytes=limits.bytes_scanned_per_query,
    )
    return Admission(own, holder)


def withdraw(lake: "Lake", admission: Admission) -> None:
    """Give back slot and bytes."""
    job = admission.job
    if job.partner is None:
        return
    lake.meter.exit(job.partner, admission.holder, held=job.slotted)
    if job.reserved_bytes:
        lake.meter.count(job.partner, BYTES, -job.reserved_bytes)
        lake.clerk.nudge()
