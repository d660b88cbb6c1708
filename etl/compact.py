"""Many small data files → few of 128 to 512 MB, beside loads: the rows stay the same, and so does the data version.

    choose → write (no lease) → lease → is it all still there? → plan → commit → head

Every step is one commit of bounded size. What was loaded, replaced or retracted meanwhile wins: the step is thrown
away and chosen anew.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from pyiceberg.io import FileIO

from athena.dataset import REJECTS_SUFFIX
from athena.errors import Failed
from etl import rejects
from etl.attempt import base_of
from etl.batch import Base
from etl.commit import Change, fence, load_table
from etl.compaction import LEAST_FILES, Stored, next_step
from etl.contract import Layout
from etl.iceberg import check_layout
from etl.intake import Intake
from etl.plan import Piece, Plan, WrittenFile
from etl.publish import check_ledger, publish, publish_head, remove_written, resolve
from etl.rebuild import stored_files
from etl.rewrite import check_moved, origin_of, pieces_of, rewrite
from etl.turn import turn_at
from etl.union import Slot
from etl.write import ContentWriter

ATTEMPTS = 5
MANY_REMOVED = 100


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many data files were made how many."""

    before: int = 0
    after: int = 0
    bytes_read: int = 0

    def __add__(self, other: "Compacted") -> "Compacted":
        return Compacted(self.before + other.before, self.after + other.after, self.bytes_read + other.bytes_read)


@dataclass(frozen=True, slots=True)
class _Step:
    """What one commit is to do, and the state that it was chosen by."""

    commit_id: str
    files: tuple[Stored, ...]
    base: Base
    pieces: tuple[Piece, ...]
    slots: tuple[Slot, ...]
    io: FileIO

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)


def compact(
    intake: Intake,
    dataset: str,
    *,
    least_files: int = LEAST_FILES,
    stop: Callable[[], bool] = lambda: False,
) -> Compacted:
    """Compact a dataset and its rejects, step by step until nothing is left to do or `stop()`.

    Raises `Failed` ("commit-conflict") when others were faster `ATTEMPTS` times in a row, and what reading its contract
    raises.
    """
    if intake.ledger.open_plans(dataset):
        with turn_at(intake, dataset):
            resolve(intake, dataset)
    done = Compacted()
    for once in (_compact_rows, _compact_rejects):
        failed = 0
        while not stop():
            try:
                step = once(intake, dataset, least_files)
            except Failed as error:
                failed += 1
                if error.code not in ("commit-conflict", "lease-lost") or failed == ATTEMPTS:
                    raise
                continue
            if step is None:
                break
            failed, done = 0, done + step
    for name in (dataset, dataset + REJECTS_SUFFIX):
        _shed(intake, dataset, name)
    return done


def _shed(intake: Intake, dataset: str, name: str) -> None:
    """A snapshot without the list of files that the last one removed: every reader of that one reads the list."""
    if _removed_files(intake, name) < MANY_REMOVED:
        return
    with turn_at(intake, dataset) as held:
        resolve(intake, dataset)
        if _removed_files(intake, name) < MANY_REMOVED:
            return
        commit_id = intake.new_id()
        held.check()
        intake.heads.intend(name, commit_id)
        head = fence(intake.catalog, name, commit_id)
        if head is not None:
            publish_head(intake, head, commit_id)


def _removed_files(intake: Intake, name: str) -> int:
    table = load_table(intake.catalog, name)
    snapshot = table.current_snapshot() if table else None
    summary = snapshot.summary if snapshot else None
    return int(summary.get("deleted-data-files") or 0) if summary else 0


def _compact_rows(intake: Intake, dataset: str, least_files: int) -> Compacted | None:
    step = _chosen(intake, dataset, least_files)
    if step is None:
        return None
    layout = step.base.contract.layout if step.base.contract else Layout()
    check_layout(layout, step.base.columns)
    intake.ledger.begin(step.commit_id, dataset, intake.holder)
    with ExitStack() as unless_planned:
        unless_planned.callback(remove_written, intake, dataset, step.commit_id)
        stem = f"{step.commit_id}-compact"
        writer = ContentWriter(intake.folder(dataset), stem, step.base.columns, layout)
        files = rewrite(step.io, step.paths, step.base.columns, writer)
        moved = pieces_of(step.io, files, step.slots)
        check_moved(dataset, step.pieces, moved)
        intake.step("compacted")
        with turn_at(intake, dataset) as held:
            resolve(intake, dataset)
            check_ledger(intake, dataset)
            if not _stands(intake, dataset, step):
                raise _overtaken(dataset)
            plan = Plan(
                step.commit_id,
                dataset,
                intake.clock().isoformat(),
                changes_table=True,
                keeps_rows=True,
                removed_paths=step.paths,
                moved=moved,
            )
            held.check()
            unless_planned.pop_all()
            publish(intake, plan, _change(dataset, step, files, layout), held.lease)
    return _counted(step.files, files)


def _chosen(intake: Intake, dataset: str, least_files: int) -> _Step | None:
    table = load_table(intake.catalog, dataset)
    if table is None:
        return None
    base, known = base_of(intake, dataset), intake.ledger.pieces(dataset)
    slots = intake.ledger.holdings(dataset).slots
    # Rows carry content and unit: where two slots share both (after an edit of `same_content`), they stay apart.
    shared = Counter(origin_of(slot) for slot in slots.values())
    apart = {piece.path for piece in known if piece.slot not in slots or shared[origin_of(slots[piece.slot])] > 1}
    there = {piece.path for piece in known} - apart
    files = [
        Stored(file.file_path, file.file_size_in_bytes, file.record_count, repr(file.partition), file.spec_id)
        for file in stored_files(table)
        if file.file_path in there
    ]
    chosen = next_step(files, least_files=least_files)
    if not chosen:
        return None
    paths = {file.path for file in chosen}
    pieces = tuple(piece for piece in known if piece.path in paths)
    mixed = tuple(slots[name] for name in {piece.slot for piece in pieces})
    return _Step(intake.new_id(), chosen, base, pieces, mixed, table.io)


def _stands(intake: Intake, dataset: str, step: _Step) -> bool:
    """Whether contract, columns and the chosen files are still what they were."""
    if not step.base.same(base_of(intake, dataset)):
        return False
    slots = intake.ledger.holdings(dataset).slots
    now = intake.ledger.pieces_in(dataset, step.paths)
    return sorted(now, key=repr) == sorted(step.pieces, key=repr) and all(
        slots.get(slot.name) is not None and origin_of(slots[slot.name]) == origin_of(slot) for slot in step.slots
    )


def _change(dataset: str, step: _Step, files: tuple[WrittenFile, ...], layout: Layout) -> Change:
    return Change(
        dataset,
        step.commit_id,
        step.base.columns,
        layout=layout,
        add=files,
        remove=step.paths,
        keeps_rows=True,
    )


def _compact_rejects(intake: Intake, dataset: str, least_files: int) -> Compacted | None:
    """The same for `<dataset>__rejects`, whose rows nobody takes out: one plan without a change of the dataset."""
    name, commit_id = dataset + REJECTS_SUFFIX, intake.new_id()
    table = load_table(intake.catalog, name)
    if table is None:
        return None
    there = [Stored(one.file_path, one.file_size_in_bytes, one.record_count) for one in stored_files(table)]
    chosen = next_step(there, least_files=least_files)
    if not chosen:
        return None
    paths = tuple(file.path for file in chosen)
    intake.ledger.begin(commit_id, dataset, intake.holder)
    with ExitStack() as unless_planned:
        unless_planned.callback(remove_written, intake, dataset, commit_id)
        writer = ContentWriter(intake.folder(name), f"{commit_id}-compact", rejects.COLUMNS)
        files = rewrite(table.io, paths, rejects.COLUMNS, writer)
        if sum(file.rows for file in files) != sum(file.rows for file in chosen):
            raise _overtaken(name)
        intake.step("compacted")
        with turn_at(intake, dataset) as held:
            resolve(intake, dataset)
            now = load_table(intake.catalog, name)
            if now is None or not set(paths) <= {one.file_path for one in stored_files(now)}:
                raise _overtaken(name)
            made_at = intake.clock().isoformat()
            plan = Plan(commit_id, dataset, made_at, reject_files=files, reject_paths=paths, keeps_rows=True)
            held.check()
            unless_planned.pop_all()
            publish(intake, plan, None, held.lease)
    return _counted(chosen, files)


def _counted(before: tuple[Stored, ...], after: tuple[WrittenFile, ...]) -> Compacted:
    return Compacted(len(before), len(after), sum(file.size_bytes for file in before))


def _overtaken(table: str) -> Failed:
    return Failed(
        f"{table} changed while its files were compacted.", "Nothing was changed; try again.", code="commit-conflict"
    )
