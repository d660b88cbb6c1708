"""The parts of the write story that know both what was read and what the home says now."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from athena.dataset import REJECTS_SUFFIX
from athena.errors import Failed, LakegateError, Refused
from etl.batch import Base, Batch, Begun, KeyRead, Order, Work, mark_of
from etl.commit import Change, load_table
from etl.contract import READER_VERSION
from etl.contract_file import parse_contract
from etl.drift import header_of, told_of_drift
from etl.iceberg import table_columns
from etl.intake import Intake
from etl.landing import Key, Landed, file_changed, ignored, key_of, untouched
from etl.plan import Plan, WrittenFile
from etl.planning import Decision, NotRead, decide
from etl.publish import check_ledger, remove_written
from etl.reading import Reading
from etl.rejects import without
from etl.report import Problem, Report
from etl.turn import Turn
from etl.union import Holdings
from etl.unit import Desk, Progress


def no_beat() -> None:
    """Where nothing has to be kept alive."""


def base_of(intake: Intake, dataset: str) -> Base:
    """What a reading is built on, as it is now. Raises `Refused` ("contract-invalid")."""
    text = intake.contracts.text(dataset)
    contract = None if text is None else parse_contract(text, dataset=dataset, path=intake.contracts.where(dataset))
    table = load_table(intake.catalog, dataset)
    if table is None:
        return Base(contract, text, (), 0)
    return Base(contract, text, table_columns(table), table.metadata.last_column_id)


def read(intake: Intake, order: Order, *, beat: Callable[[], None] = no_beat) -> Batch:
    """The files as they are now, read and written to Parquet; a contract that is wrong makes all of them fail.

    Raises `Refused` ("not-landed") for a file that is gone, unless it was listed; `Failed` as `Reading.read`.
    """
    dataset = order.dataset
    there = [one for key in order.keys if (one := _there(intake, order, key)) is not None]
    landed = _but_retracted(intake, order, there)
    commit_id = intake.new_id()
    try:
        base = base_of(intake, dataset)
    except Refused as error:
        return _all_failed(intake, dataset, landed, error, commit_id=commit_id)
    intake.ledger.begin(commit_id, dataset, intake.holder, [key.text for key in order.keys])
    try:
        if intake.spread is not None and not order.retype:
            work = Work(commit_id, dataset, base, tuple(landed), intake.clock())
            return _told(intake, intake.spread.read(work, beat))
        desk = desk_of(intake, dataset, loaded_at=intake.clock(), beat=beat, progress=order.progress)
        holdings, begun = intake.ledger.holdings(dataset), Begun.at(base, retype=order.retype)
        return _told(intake, Reading(desk, dataset, base, holdings, stem=commit_id, begun=begun).read(landed))
    except BaseException:
        intake.ledger.end(commit_id)
        raise


def _told(intake: Intake, batch: Batch) -> Batch:
    sources = {unit.source for key in batch.keys for unit in key.units}
    return told_of_drift(batch, {one: header_of(intake.ledger.latest(batch.dataset, one)) for one in sources})


def desk_of(
    intake: Intake,
    dataset: str,
    *,
    loaded_at: datetime,
    beat: Callable[[], None] = no_beat,
    progress: Progress,
) -> Desk:
    """What reading files of a dataset needs."""
    return Desk(
        landing=intake.landing,
        data=intake.folder(dataset),
        rejects_data=intake.folder(dataset + REJECTS_SUFFIX),
        reports=intake.reports,
        loaded_at=loaded_at,
        new_id=intake.new_id,
        beat=beat,
        progress=progress,
    )


def settle(intake: Intake, order: Order, early: Batch, held: Turn) -> tuple[Batch, Decision]:
    """What is to be done, by the ledger as it is now that the table is ours; read again where the ground has moved."""
    check_ledger(intake, order.dataset)
    if _stands(intake, early):
        try:
            return early, _decide(intake, early)
        except NotRead:
            pass
        except Failed as error:
            if error.code != "file-changed":
                raise
    discard(intake, early)
    again = read(intake, order, beat=held.keep)
    try:
        return again, _decide(intake, again)
    except BaseException:
        discard(intake, again)
        raise


def discard(intake: Intake, batch: Batch) -> None:
    """Remove the files of a batch that nobody will commit."""
    remove_written(intake, batch.dataset, batch.commit_id)
    for key in batch.keys:
        for unit in key.units:
            intake.reports.forget(key.key.text, unit.load_id)


def change_of(batch: Batch, plan: Plan) -> Change | None:
    """The Iceberg commit of a plan; None when the table stays as it is."""
    if not plan.changes_table:
        return None
    contract = batch.contract
    files = batch.files
    columns = batch.evolution.columns if batch.evolution else batch.base.columns
    change = Change(
        batch.dataset,
        batch.commit_id,
        columns,
        add=tuple(files[path] for path in dict.fromkeys(piece.path for piece in plan.pieces)),
        remove=plan.removed_paths,
        first_columns=batch.first_columns,
    )
    return change if contract is None else replace(change, description=contract.description, layout=contract.layout)


def _there(intake: Intake, order: Order, key: Key) -> Landed | None:
    if ignored(key.name):
        raise Refused(f"{key.text} has a name that landing ignores.", "Rename the file.", code="landing-key")
    landed = intake.landing.get(key)
    if landed is None and not order.listed:
        raise Refused(
            f"There is no file {key.text} in landing.",
            "Drop it there, or see `lakegate loads` for what was loaded. Rows of a file that is gone stay.",
            code="not-landed",
        )
    return landed


def _but_retracted(intake: Intake, order: Order, landed: list[Landed]) -> list[Landed]:
    """The files without the members that were retracted from them, unless somebody wrote them since."""
    retracted: dict[str, dict[str, str]] = {}
    for one in () if order.anew else intake.ledger.examined(order.dataset, outcome="retracted").values():
        if key_of(one.key) != one.key:
            retracted.setdefault(key_of(one.key), {})[one.key] = one.stamp
    return [_but(intake, one, retracted[one.key.text]) if one.key.text in retracted else one for one in landed]


def _but(intake: Intake, landed: Landed, stamps: dict[str, str]) -> Landed:
    # A reload may have brought a member back.
    held = intake.ledger.units(landed.key.text)
    gone = (unit for unit, stamp in stamps.items() if unit not in held and untouched(stamp, landed.stamp))
    return replace(landed, without=tuple(gone))


def _all_failed(intake: Intake, dataset: str, landed: list[Landed], error: LakegateError, *, commit_id: str) -> Batch:
    text = intake.contracts.text(dataset)
    keys = (
        KeyRead(
            one.key,
            one.stamp,
            (),
            Report("failed", dataset, one.key.source, one.key.text, load_id=intake.new_id(), error=Problem.of(error)),
        )
        for one in landed
    )
    return Batch(commit_id, dataset, Base(None, text, (), 0), tuple(keys), None, None, (), ())


def _stands(intake: Intake, batch: Batch) -> bool:
    """Whether contract and table are still what the batch was read with."""
    try:
        return batch.base.same(base_of(intake, batch.dataset))
    except Refused:
        return mark_of(intake.contracts.text(batch.dataset)) == mark_of(batch.base.contract_text)


def _decide(intake: Intake, batch: Batch) -> Decision:
    """What the ledger makes of it. Raises `NotRead`, and `Failed` ("file-changed")."""
    holdings = _holdings(intake, batch)
    made_at = intake.clock().isoformat()
    decision = decide(batch, holdings, made_at=made_at, reader=READER_VERSION)
    for key in batch.keys:
        now = intake.landing.get(key.key)
        if now is None or now.stamp != key.stamp:
            raise file_changed(key.key.text)
    intake.folder(batch.dataset).remove(file.path for file in decision.spare)
    plan = with_removals(intake, decision.plan)
    if decision.vain:
        plan = replace(plan, reject_files=_rejects_left(intake, batch, decision.vain))
    return replace(decision, plan=plan)


def _rejects_left(intake: Intake, batch: Batch, vain: Sequence[tuple[str, str]]) -> tuple[WrittenFile, ...]:
    """The rejects of a batch without those of loads that somebody else was faster with."""
    for key, load_id in vain:
        intake.reports.forget(key, load_id)
    folder = intake.folder(batch.dataset + REJECTS_SUFFIX)
    return without(folder, batch.reject_files, [load_id for _, load_id in vain], stem=f"{batch.commit_id}-left")


def _holdings(intake: Intake, batch: Batch) -> Holdings:
    """What the ledger says of all that the batch can touch."""
    if batch.retyped or batch.rewrites_contract:
        return intake.ledger.holdings(batch.dataset)
    slots = {unit.slot for key in batch.keys for unit in key.units if unit.slot is not None}
    return intake.ledger.holdings_around(batch.dataset, [key.key.text for key in batch.keys], slots)


def with_removals(intake: Intake, plan: Plan) -> Plan:
    """The plan with the data files that hold what it drops or replaces."""
    old = intake.ledger.pieces_of(plan.dataset, (*plan.dropped, *(slot.name for slot in plan.slots)))
    paths = tuple(sorted({piece.path for piece in old}))
    return replace(plan, removed_paths=paths, rows_removed=sum(piece.rows for piece in old))
