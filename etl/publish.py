"""A plan becomes a commit that everybody sees; and what whoever comes next does about one that was left half done.

plan → intent → **commit** → contract → rejects → reports → ledger → event → head. Before the commit nothing has
happened; after it every step repeats without harm, so that it can be finished by somebody else.
"""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from athena.dataset import REJECTS_SUFFIX
from athena.errors import Damaged, Failed, LakegateError, OutcomeUnknown
from athena.events import DatasetUpdated, LoadFailed
from athena.heads import Head, conflict
from athena.leases import Lease
from etl import rejects
from etl.batch import mark_of
from etl.commit import Change, commit, fence, find_commit, has_commit, table_for
from etl.intake import Intake, began
from etl.plan import Plan

log = logging.getLogger(__name__)

LONGEST_READING = timedelta(days=3)
"""Longer than the two days that AWS lets a job run. After that the files of a writer are removed that cannot be looked
for, since it ran in another container."""
MOST_TOLD_CHARACTERS = 4000
"""Of a message in an event: a bus takes 256 KB. The report has it whole."""


def publish(intake: Intake, plan: Plan, change: Change | None, lease: Lease) -> Head | None:
    """Carry out a plan that was made under the table's lease; the head afterwards (None while there is no table).
    `change` is None when the table itself stays as it is.

    Raises `Failed` when nothing happened (its files are removed), and `OutcomeUnknown` when that cannot be told or the
    rest could not be finished: the plan stays open then, for whoever comes next.
    """
    try:
        table = None if change is None else table_for(intake.catalog, change)
        intake.ledger.plan(plan, lease)
    except OutcomeUnknown:
        raise
    except LakegateError:
        with suppress(LakegateError):
            remove_written(intake, plan.dataset, plan.commit_id)
        raise
    intake.step("planned")
    if table is None or change is None:
        return finish(intake, plan, intake.heads.get(plan.dataset))
    try:
        intake.heads.intend(plan.dataset, plan.commit_id)
        intake.step("intended")
        head = commit(table, change, pinned=intake.pinned)
    except LakegateError as error:
        head = _found(intake, plan, error)
    intake.step("committed")
    return finish(intake, plan, head)


def finish(intake: Intake, plan: Plan, head: Head | None) -> Head | None:
    """Everything behind the commit; repeats without harm. Raises `OutcomeUnknown` ("unfinished")."""
    try:
        _save_contract(intake, plan)
        intake.step("contract")
        _commit_rejects(intake, plan)
        intake.step("rejects")
        _tell_owner(intake, plan, head)
        intake.step("reported")
        intake.ledger.record(plan, snapshot=head.snapshot_id if head else None)
        intake.step("recorded")
        for failure in failures_of(plan):
            intake.events.put(failure)
        if head is not None and plan.changes_table:
            if not plan.keeps_rows:
                intake.events.put(_event(plan, head))
            intake.step("told")
            intake.heads.publish(replace(head, intent=plan.commit_id))
            intake.step("published")
        intake.ledger.close(plan.commit_id)
    except LakegateError as error:
        raise OutcomeUnknown(
            f"The load of {plan.dataset} was committed, but not finished: {error.message}",
            f"Its rows are safe, and the next load or `lakegate reconcile` finishes it. {error.remedy}",
            code="unfinished",
        ) from error
    intake.step("closed")
    deliver(intake)
    return head


def resolve(intake: Intake, dataset: str) -> None:
    """Finish or forget what others left half done, under the table's lease."""
    for plan, _recorded in intake.ledger.open_plans(dataset):
        _resolve(intake, plan)
    for commit_id, holder in intake.ledger.begun(dataset).items():
        if intake.is_gone(holder) or _is_old(intake, commit_id):
            remove_written(intake, dataset, commit_id)
    for name in (dataset, dataset + REJECTS_SUFFIX):
        if pending := intake.heads.pending(name):
            _publish_from_catalog(intake, name, pending)


def _is_old(intake: Intake, commit_id: str) -> bool:
    """Whether a commit began longer ago than anybody reads. Who does all the same finds its turn lost."""
    began_at = began(commit_id)
    return began_at is not None and intake.clock() - began_at > LONGEST_READING


def check_ledger(intake: Intake, dataset: str) -> None:
    """Raises `Damaged` ("ledger-mismatch") when table and ledger disagree: a load would double rows or lose them."""
    head, known = intake.settled(dataset), intake.ledger.rows(dataset)
    stored = head.rows if head else 0
    if stored != known:
        raise Damaged(
            f"{dataset} has {stored} rows in its table, but {known} in the ledger.",
            "Nothing was changed. Run `lakegate doctor --repair`, which rebuilds the ledger from the table.",
            code="ledger-mismatch",
        )


def _resolve(intake: Intake, plan: Plan) -> None:
    if not plan.changes_table:
        finish(intake, plan, intake.heads.get(plan.dataset))
        return
    head = _certain(intake, plan)
    if head is None:
        _forget(intake, plan)
    else:
        finish(intake, plan, head)


def _certain(intake: Intake, plan: Plan) -> Head | None:
    """The head with a plan's commit, or None once that can never happen any more: a writer that only paused, or a call
    that is still on its way, may come late, and a snapshot of our own makes it fail. If it was faster, ours fails, and
    the next look finds its commit."""
    while (head := find_commit(intake.catalog, plan.dataset, plan.commit_id)) is None:
        try:
            fenced = fence(intake.catalog, plan.dataset, plan.commit_id)
        except Failed as error:
            if error.code != "commit-conflict":
                raise
            continue
        if fenced is not None:
            publish_head(intake, fenced, plan.commit_id)
        return None
    return head


def publish_head(intake: Intake, head: Head, commit_id: str) -> None:
    """Let everybody see the head, unless another commit is under way (which will do so itself)."""
    intake.heads.intend(head.dataset, commit_id)
    intake.heads.publish(replace(head, intent=commit_id))


def _found(intake: Intake, plan: Plan, error: LakegateError) -> Head:
    """The head, when the commit happened in spite of `error`; else the error, once nothing is left of the plan."""
    try:
        if isinstance(error, OutcomeUnknown):
            head = _certain(intake, plan)
        else:
            head = find_commit(intake.catalog, plan.dataset, plan.commit_id)
        forgotten = head is None and _forget(intake, plan)
    except LakegateError as doubt:
        raise OutcomeUnknown(
            f"Whether {plan.dataset} took the commit {plan.commit_id} cannot be told: {error.message} {doubt.message}",
            "The next load, or `lakegate reconcile`, finds out and finishes it; nothing is lost.",
        ) from error
    if head is not None:
        return head
    # What could not be told is certain now, so that it may be tried again.
    raise error if forgotten and not isinstance(error, OutcomeUnknown) else conflict(plan.dataset)


def _forget(intake: Intake, plan: Plan) -> bool:
    """Leave nothing of a plan whose commit did not happen; False when somebody else has seen to it."""
    intake.heads.abandon(plan.dataset, plan.commit_id)
    if not intake.ledger.forget(plan, intake.holder):
        return False
    for one in plan.loads:
        intake.reports.forget(one.key, one.load_id)
    remove_written(intake, plan.dataset, plan.commit_id)
    return True


def remove_written(intake: Intake, dataset: str, commit_id: str) -> None:
    """Remove the data files of a commit that did not happen, rejects included."""
    for folder in (intake.folder(dataset), intake.folder(dataset + REJECTS_SUFFIX)):
        folder.remove(folder.named(f"{commit_id}-"))
    intake.ledger.end(commit_id)


def _publish_from_catalog(intake: Intake, dataset: str, pending: str) -> None:
    head = intake.settled(dataset)
    if head is not None:
        publish_head(intake, head, pending)
    else:
        intake.heads.abandon(dataset, pending)


def _save_contract(intake: Intake, plan: Plan) -> None:
    """The contract that the files made: the first one, or an inferred one widened. An owner's edit is left alone."""
    if plan.contract_text is not None and mark_of(intake.contracts.text(plan.dataset)) == plan.contract_mark:
        intake.contracts.save(plan.dataset, plan.contract_text)


def _commit_rejects(intake: Intake, plan: Plan) -> None:
    """The rejects of a plan into `<dataset>__rejects`, once; the table is made with the dataset's first commit."""
    name = plan.dataset + REJECTS_SUFFIX
    if not plan.reject_files and (not plan.changes_table or intake.heads.get(name) is not None):
        return
    change = Change(
        name,
        plan.commit_id,
        rejects.COLUMNS,
        f"Rejected records of {plan.dataset}",
        add=plan.reject_files,
        remove=plan.reject_paths,
        keeps_rows=bool(plan.reject_paths),
    )
    table = table_for(intake.catalog, change)
    # In this order: whoever finishes the plan from here on makes the commit fail. A plan that was finished long ago may
    # have a commit that is in nobody's history any more.
    if all(one.commit_id != plan.commit_id for one, _ in intake.ledger.open_plans(plan.dataset)):
        return
    intake.heads.intend(name, plan.commit_id)
    done = has_commit(table, plan.commit_id)
    head = intake.settled(name) if done else commit(table, change, pinned=intake.pinned)
    if head is not None:
        intake.heads.publish(replace(head, intent=plan.commit_id))


def failures_of(plan: Plan) -> tuple[LoadFailed, ...]:
    """An event for each file of a plan that failed as a whole."""
    return tuple(
        LoadFailed(
            id=entry.load_id,
            dataset=plan.dataset,
            file=entry.report["file"],
            failed_at=datetime.fromisoformat(entry.made_at),
            **{name: _clipped(value) for name, value in entry.report["error"].items()},
        )
        for entry in plan.loads
        if entry.status == "failed" and entry.report is not None and entry.report["error"] is not None
    )


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_TOLD_CHARACTERS else text[: MOST_TOLD_CHARACTERS - 1] + "…"


def _event(plan: Plan, head: Head) -> DatasetUpdated:
    return DatasetUpdated(
        id=plan.commit_id,
        dataset=plan.dataset,
        snapshot_id=head.snapshot_id,
        data_version=head.data_version,
        committed_at=head.committed_at,
        rows_added=plan.rows_added,
        rows_removed=plan.rows_removed,
    )


def deliver(intake: Intake) -> None:
    """Tell what the outbox holds; what is told is taken off. What cannot be told stays, and fails nobody: the commit
    has happened, and whoever loads or reconciles next tells it. An event that is refused holds up no other."""
    try:
        for event in intake.events.undelivered():
            try:
                intake.deliver(event)
            except Failed as error:
                if error.code != "events-unavailable":
                    raise
                log.warning("Event %s could not be told yet: %s %s", event.id, error.message, error.remedy)
                continue
            intake.step("delivered")
            intake.events.delivered(event.id)
    except LakegateError as error:
        log.warning("An event could not be told yet: %s %s", error.message, error.remedy)


def _tell_owner(intake: Intake, plan: Plan, head: Head | None) -> None:
    for entry in plan.loads:
        intake.reports.finish(entry, head.snapshot_id if head else None)
