"""Files that were read + what the ledger says → the plan of one commit. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from athena.errors import Refused
from etl.batch import Batch, KeyRead, UnitRead, mark_of
from etl.contract import Contract
from etl.contract_text import contract_text
from etl.landing import key_of
from etl.plan import Examined, Holding, LoadEntry, Piece, Plan, WrittenFile
from etl.report import Report
from etl.union import Draft, Holdings, Slot, Verdict, judge


class NotRead(Exception):
    """The rows of a unit are wanted after all, but were not read: the ledger has moved on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The plan, the final reports in the order of the files, and what nobody needs: written files, and the rejects of
    loads that did not happen (key and load id)."""

    plan: Plan
    reports: tuple[Report, ...]
    spare: tuple[WrittenFile, ...]
    vain: tuple[tuple[str, str], ...] = ()


def decide(batch: Batch, holdings: Holdings, *, made_at: str, reader: int) -> Decision:
    """What one commit does about a batch. Raises `NotRead` when it has to be read again, and `Refused`
    ("schema-conflict") when a column would change its type under rows that stay."""
    restamps = restamped(batch.base.contract, batch.contract, holdings, reader=reader)
    before = _restamp(holdings, restamps)
    verdicts, after = _judged(batch, before, _current(batch.contract, reader))
    new = tuple(slot for name, slot in after.slots.items() if before.slots.get(name) != slot)
    _check_retyped(batch, after, new)
    reports = tuple(_report(unit, verdicts) for key in batch.keys for unit in _units(key))
    plan = replace(
        difference(before, after, _keys_of(batch)),
        commit_id=batch.commit_id,
        dataset=batch.dataset,
        made_at=made_at,
        pieces=tuple(_pieces(batch, new)),
        reject_files=batch.reject_files,
        examined=tuple(_examined(key, batch.contract_mark) for key in batch.keys),
        loads=tuple(_entries(batch, reports, made_at)),
        restamps=restamps,
        contract_text=contract_text(batch.contract) if batch.rewrites_contract and batch.contract else None,
        contract_mark=mark_of(batch.base.contract_text),
    )
    needed = {piece.path for piece in plan.pieces}
    _check_shared(batch, needed, {slot.load_id for slot in new})
    spare = tuple(file for path, file in batch.files.items() if path not in needed)
    return Decision(plan, reports, spare, tuple(_vain(batch, verdicts)))


def _judged(batch: Batch, before: Holdings, current: Callable[[str], str]) -> tuple[dict[str, Verdict], Holdings]:
    """What is to be done with each unit, one after the other, and what is held then."""
    draft = Draft(before)
    verdicts: dict[str, Verdict] = {}
    held = _by_key(before.units)
    for key in batch.keys:
        for unit in key.units:
            if unit.slot is None:
                continue
            verdict = judge(draft.now, unit.unit, unit.slot, current=current)
            if verdict.needs_rows and unit.shares is None:
                raise NotRead(unit.unit)
            verdicts[unit.unit] = verdict
            draft.hold(unit.unit, _slot(unit, current) if verdict.needs_rows else draft.now.slots[unit.slot])
        draft.let_go(_vanished(key, held.get(key.key.text, ())))
    return verdicts, draft.settled()


def difference(before: Holdings, after: Holdings, keys: Mapping[str, tuple[str, str]]) -> Plan:
    """The part of a plan that turns one state into another. `keys` gives key and source of every unit that changed."""
    slots = tuple(slot for name, slot in after.slots.items() if before.slots.get(name) != slot)
    dropped = tuple(name for name in before.slots if name not in after.slots)
    return Plan(
        "",
        "",
        "",
        changes_table=bool(slots or dropped),
        holdings=tuple(
            Holding(unit, *keys[unit], slot) for unit, slot in after.units.items() if before.units.get(unit) != slot
        ),
        released=tuple(unit for unit in before.units if unit not in after.units),
        slots=slots,
        dropped=dropped,
    )


def restamped(old: Contract | None, new: Contract | None, holdings: Holdings, *, reader: int) -> dict[str, str]:
    """Interpretations that mean the same after Lakegate itself rewrote the contract: old → new."""
    if old is None or new is None or old == new:
        return {}
    sources = {slot.source for slot in holdings.slots.values()}
    pairs = {old.interpretation(one, reader=reader): new.interpretation(one, reader=reader) for one in sources}
    return {before: after for before, after in pairs.items() if before != after}


def _check_shared(batch: Batch, needed: set[str], new: set[str]) -> None:
    """Raises `NotRead` when rows that nobody wants any more share a file with rows that are wanted."""
    for key in batch.keys:
        for unit in key.units:
            if unit.load_id not in new and any(share.file.path in needed for share in unit.shares or ()):
                raise NotRead(unit.unit)


def _check_retyped(batch: Batch, after: Holdings, new: Iterable[Slot]) -> None:
    staying = sorted(set(after.slots) - {slot.name for slot in new}) if batch.retyped else []
    if staying:
        units = sorted(after.slots[name].unit for name in staying)
        raise Refused(
            f"{batch.dataset}: {', '.join(batch.retyped)} cannot get another type: {len(units)} files would lose "
            f"values, {units[0]} among them.",
            "Every file has to be read again at once. Drop the missing ones into landing again, or retract them, then "
            f"run `lakegate reload {batch.dataset}`; or put the type back. Nothing was changed.",
            code="schema-conflict",
        )


def _restamp(holdings: Holdings, restamps: Mapping[str, str]) -> Holdings:
    slots = {
        name: replace(slot, interpretation=restamps.get(slot.interpretation, slot.interpretation))
        for name, slot in holdings.slots.items()
    }
    return replace(holdings, slots=slots)


def _current(contract: Contract | None, reader: int) -> Callable[[str], str]:
    return (lambda _: "") if contract is None else contract.interpretations(reader=reader)


def _slot(unit: UnitRead, current: Callable[[str], str]) -> Slot:
    return Slot(
        name=unit.slot or "",
        content=unit.report.content or "",
        interpretation=current(unit.source),
        unit=unit.unit,
        source=unit.source,
        load_id=unit.load_id,
        size_bytes=unit.size_bytes,
    )


def _by_key(units: Iterable[str]) -> dict[str, list[str]]:
    """Units by the key that they are of."""
    found: dict[str, list[str]] = {}
    for unit in units:
        found.setdefault(key_of(unit), []).append(unit)
    return found


def _vanished(key: KeyRead, held: Iterable[str]) -> Iterable[str]:
    """Which of the units that held something are not in their file any more."""
    # A file in which nothing could be read replaces nothing.
    if all(unit.slot is None for unit in key.units):
        return ()
    there = {unit.unit for unit in key.units}
    return [unit for unit in held if unit not in there]


def _units(key: KeyRead) -> Iterable[UnitRead]:
    if key.report is not None:
        return (UnitRead(key.key.text, key.key.source, key.report.load_id or "", key.report),)
    return key.units


def _report(unit: UnitRead, verdicts: Mapping[str, Verdict]) -> Report:
    verdict = verdicts.get(unit.unit)
    if verdict is None:
        return unit.report
    if verdict.needs_rows and unit.report.status == verdict.status:
        return unit.report
    report = replace(unit.report, status=verdict.status, duplicate_of=verdict.duplicate_of)
    if verdict.needs_rows:
        return report
    # It was read in vain: nothing of it came into the table by this load.
    return replace(
        report, lines_in=0, lines_skipped={}, rows_in=0, rows_loaded=0, rows_rejected=0, reasons={}, skipped=()
    )


def _vain(batch: Batch, verdicts: Mapping[str, Verdict]) -> Iterable[tuple[str, str]]:
    for key in batch.keys:
        for unit in key.units:
            verdict = verdicts.get(unit.unit)
            if verdict is not None and not verdict.needs_rows and unit.report.rows_rejected:
                yield key.key.text, unit.load_id


def _keys_of(batch: Batch) -> dict[str, tuple[str, str]]:
    return {unit.unit: (key.key.text, key.key.source) for key in batch.keys for unit in key.units}


def _pieces(batch: Batch, new: Iterable[Slot]) -> Iterable[Piece]:
    by_load = {unit.load_id: unit for key in batch.keys for unit in key.units}
    for slot in new:
        for share in by_load[slot.load_id].shares or ():
            yield Piece(slot.name, share.file.path, share.rows, share.file.size_bytes)


def _examined(key: KeyRead, contract_mark: str) -> Examined:
    return Examined(key.key.text, key.key.source, key.stamp, contract_mark, "failed" if key.failed else "held")


def _entries(batch: Batch, reports: Iterable[Report], made_at: str) -> Iterable[LoadEntry]:
    keys = [key.key.text for key in batch.keys for _ in _units(key)]
    for key, report in zip(keys, reports, strict=True):
        if report.status != "unchanged" and report.load_id is not None:
            yield LoadEntry(report.load_id, key, report.file, report.status, made_at, report.as_json())
