"""What is kept of a question and of a run, for the audit log and `GET /v1/usage`. Cheap: nothing is written here."""

from datetime import datetime
from typing import TYPE_CHECKING

from athena.audit import Entry
from athena.engines import Broken, Finished, Job, Progress
from athena.errors import LakegateError, LimitExceeded
from athena.meter import charged
from athena.question import Answer, Question

if TYPE_CHECKING:
    from athena.lake import Lake

# Where the owner's questions are counted; no partner can be called so.
OWNER_NAME = ""
LIMITED, REFUSED, FAILED = "limited", "refused", "failed"


def tell_answer(
    lake: "Lake", question: Question, answer: Answer, *, asked_at: datetime, tables: tuple[str, ...]
) -> None:
    """A question that has its answer, or that waits for a run."""
    partner = question.caller.partner
    lake.audit.note(
        Entry(
            event="question",
            at=asked_at,
            partner=partner,
            outcome="answered" if answer.page is not None else "accepted",
            request_id=question.request_id,
            tables=tables,
            fingerprint=answer.fingerprint,
            cache=answer.cache,
            milliseconds=_milliseconds(lake, asked_at),
        )
    )
    lake.meter.count(partner or OWNER_NAME, answer.cache)
    lake.clerk.nudge()


def tell_refusal(
    lake: "Lake", question: Question, error: LakegateError, *, asked_at: datetime, tables: tuple[str, ...]
) -> None:
    """A question that gets no answer, and why."""
    partner = question.caller.partner
    milliseconds = _milliseconds(lake, asked_at)
    lake.audit.note(
        Entry("question", asked_at, partner, error.code, question.request_id, tables, milliseconds=milliseconds)
    )
    # Strangers' names are not counted: their number has no bound.
    if partner is None or error.code != "not-found":
        lake.meter.count(partner or OWNER_NAME, LIMITED if isinstance(error, LimitExceeded) else REFUSED)
    lake.clerk.nudge()


def tell_run(lake: "Lake", job: Job, progress: Progress, *, fingerprint: str, began_at: datetime) -> None:
    """A run that this process has ended; what it read beyond what was reserved is counted now."""
    outcome, scanned_bytes = "running", 0
    if isinstance(progress, Finished):
        outcome, scanned_bytes = "succeeded", progress.receipt.bytes_scanned
    elif isinstance(progress, Broken):
        outcome = progress.code
        if outcome != "cancelled":
            lake.meter.count(job.partner or OWNER_NAME, FAILED)
    lake.audit.note(
        Entry(
            event="run",
            at=began_at,
            partner=job.partner,
            outcome=outcome,
            tables=tuple(sorted(job.pins)),
            fingerprint=fingerprint,
            scanned_bytes=scanned_bytes,
            milliseconds=_milliseconds(lake, began_at),
        )
    )
    lake.meter.settle(job.partner or OWNER_NAME, charged(scanned_bytes) - job.reserved_bytes)
    lake.clerk.nudge()


def _milliseconds(lake: "Lake", since: datetime) -> float:
    return round((lake.clock() - since).total_seconds() * 1000, 3)
