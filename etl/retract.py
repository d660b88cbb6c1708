"""A key lets go of what it holds."""

from contextlib import ExitStack
from dataclasses import replace

from athena.errors import NotFound
from etl.attempt import base_of, with_removals
from etl.commit import Change
from etl.history import Load
from etl.intake import Intake
from etl.landing import key_of, parse_key
from etl.plan import LoadEntry, Plan
from etl.planning import difference
from etl.publish import check_ledger, publish, remove_written, resolve
from etl.rewrite import spared
from etl.turn import turn_at
from etl.union import Draft, Holdings


def retract(intake: Intake, key: str) -> tuple[Load, ...]:
    """Take the rows of a key (all members of an archive, or one `key!member`) out of the table; what was let go.

    Rows whose content another key holds stay. The landing file is not touched, and is not loaded again
    until it changes or `reload` says so. Raises `NotFound` ("no-such-key") for a key that holds nothing.
    """
    dataset = parse_key(key_of(key)).dataset
    with turn_at(intake, dataset) as held:
        resolve(intake, dataset)
        check_ledger(intake, dataset)
        before = intake.ledger.holdings(dataset)
        plan = _plan(intake, before, dataset, key)
        columns = base_of(intake, dataset).columns
        change = Change(dataset, plan.commit_id, columns, remove=plan.removed_paths) if plan.changes_table else None
        intake.ledger.begin(plan.commit_id, dataset, intake.holder)
        with ExitStack() as unless_planned:
            unless_planned.callback(remove_written, intake, dataset, plan.commit_id)
            plan, change = spared(intake, plan, change, beat=held.keep)
            held.check()
            unless_planned.pop_all()
            publish(intake, plan, change, held.lease)
    return tuple(
        Load(one.load_id, dataset, one.unit, one.status, intake.clock(), current=False, report=None)
        for one in plan.loads
    )


def held_beside(intake: Intake, key: str) -> dict[str, str]:
    """Units of a key whose content others hold too, each with one of these: so long its rows stay."""
    units = intake.ledger.holdings(parse_key(key_of(key)).dataset).units
    mine = {unit: slot for unit, slot in units.items() if key in (unit, key_of(unit))}
    others = {slot: unit for unit, slot in sorted(units.items(), reverse=True) if unit not in mine}
    return {unit: others[slot] for unit, slot in mine.items() if slot in others}


def _plan(intake: Intake, before: Holdings, dataset: str, key: str) -> Plan:
    units = sorted(unit for unit in before.units if key in (unit, key_of(unit)))
    if not units:
        raise NotFound(
            f"{key} holds no rows.", f"`lakegate loads {dataset}` says what was loaded from where.", code="no-such-key"
        )
    made_at = intake.clock().isoformat()
    draft = Draft(before)
    draft.let_go(units)
    plan = replace(
        difference(before, draft.settled(), {}),
        commit_id=intake.new_id(),
        dataset=dataset,
        made_at=made_at,
        loads=tuple(LoadEntry(intake.new_id(), key_of(unit), unit, "retracted", made_at) for unit in units),
    )
    examined = intake.ledger.examined_key(key_of(key))
    if examined is not None:
        # The stamp stays: until the file changes, nobody loads it (or this member of it) again.
        plan = replace(plan, examined=(replace(examined, key=key, outcome="retracted"),))
    return with_removals(intake, plan)
