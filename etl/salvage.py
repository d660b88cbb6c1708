"""What is done about a table whose own files are lost or damaged: its landing files are read again.

Nothing is given up that landing cannot give back: where a file is gone that rows came from, nothing is changed. A table
of rejects is made anew without rows; the records stay in `reports/`.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.manifest import DataFile

from athena.dataset import REJECTS_SUFFIX
from athena.errors import Damaged, LakegateError
from athena.heads import Head
from etl import rejects
from etl.commit import Change, commit, load_table, table_for
from etl.finding import REPAIR, Finding
from etl.iceberg_errors import translated
from etl.ingest import read_again
from etl.intake import Intake
from etl.landing import key_of, parse_key
from etl.plan import Holding
from etl.rebuild import UNKNOWN, plain_path, stored_files
from etl.turn import turn_at

FROM_LANDING = f"{REPAIR} It makes anew what landing can give back. Or restore a backup."


def trouble_of(intake: Intake, name: str) -> LakegateError | None:
    """Why a table's metadata cannot be read; None when it can, or when there is no table."""
    try:
        table = load_table(intake.catalog, name)
        if table is None:
            return _trouble_of_head(intake.heads.get(name))
        intake.settled(name)
        list(stored_files(table))
    except LakegateError as error:
        return error
    return None


def _trouble_of_head(head: Head | None) -> LakegateError | None:
    if head is None or Path(plain_path(head.metadata_location)).is_file():
        return None  # `rebuild_catalog` registers it
    return Damaged(f"{head.dataset} is not in the catalog, and its metadata is gone.", FROM_LANDING)


def damage_of(file: DataFile) -> str | None:
    """What is wrong with a data file, as far as its length tells."""
    path = Path(file.file_path)
    if not path.is_file():
        return f"the data file {path.name} is gone ({file.record_count:,} rows)"
    if path.stat().st_size != file.file_size_in_bytes:
        return f"the data file {path.name} has {path.stat().st_size} bytes instead of {file.file_size_in_bytes}"
    return None


def salvage(intake: Intake, dataset: str) -> Iterator[Finding]:
    """Mend a table of which metadata or data files are lost, by its files in landing. Takes the table's lease."""
    yield from _lost_rejects(intake, dataset)
    trouble = trouble_of(intake, dataset)
    if trouble is None:
        yield from _lost_rows(intake, dataset)
        return
    with turn_at(intake, dataset):
        keys = {key_of(unit) for unit in intake.ledger.holdings(dataset).units}
        if gone := _not_landed(intake, keys):
            yield _beyond_repair(dataset, trouble.message, gone)
            return
        _drop(intake, dataset)
        intake.ledger.replace(dataset, (), (), ())
    read_again(intake, dataset, sorted(keys))
    yield _mended(dataset, trouble.message, len(keys))


def _lost_rejects(intake: Intake, dataset: str) -> Iterator[Finding]:
    name, commit_id = dataset + REJECTS_SUFFIX, intake.new_id()
    trouble = trouble_of(intake, name)
    if trouble is None:
        return
    with turn_at(intake, dataset):
        _drop(intake, name)
        change = Change(name, commit_id, rejects.COLUMNS, f"Rejected records of {dataset}")
        table = table_for(intake.catalog, change)
        intake.heads.intend(name, commit_id)
        intake.heads.publish(replace(commit(table, change, pinned=intake.pinned), intent=commit_id))
    remedy = "It was made anew without rows; reports/ has the records."
    yield Finding("table", name, "error", trouble.message, remedy, repaired=True)


def _drop(intake: Intake, name: str) -> None:
    with translated(name), suppress(NoSuchTableError):
        intake.catalog.drop_table((intake.catalog.name, name))


def _lost_rows(intake: Intake, dataset: str) -> Iterator[Finding]:
    table = load_table(intake.catalog, dataset)
    damage = {one.file_path: what for one in stored_files(table) if (what := damage_of(one))} if table else {}
    if not damage:
        return
    told = "; ".join(damage.values())
    with turn_at(intake, dataset):
        lost = {piece.slot for piece in intake.ledger.pieces(dataset) if piece.path in damage}
        keys = {key_of(unit) for unit, slot in intake.ledger.holdings(dataset).units.items() if slot in lost}
        if gone := _not_landed(intake, keys):
            yield _beyond_repair(dataset, told, gone)
            return
        _doubt(intake, dataset, lost)
    read_again(intake, dataset, sorted(keys))
    yield _mended(dataset, told, len(keys))


def _doubt(intake: Intake, dataset: str, lost: set[str]) -> None:
    """Let the rows of some slots be wanted again, as if another contract had read them."""
    before = intake.ledger.holdings(dataset)
    slots = [replace(slot, interpretation=UNKNOWN) if name in lost else slot for name, slot in before.slots.items()]
    held = [Holding(unit, key_of(unit), parse_key(key_of(unit)).source, slot) for unit, slot in before.units.items()]
    intake.ledger.replace(dataset, slots, held, intake.ledger.pieces(dataset))


def _not_landed(intake: Intake, keys: Iterable[str]) -> list[str]:
    return sorted(key for key in keys if intake.landing.get(parse_key(key)) is None)


def _beyond_repair(dataset: str, what: str, gone: list[str]) -> Finding:
    remedy = (
        f"Nothing was changed. Rows came from {len(gone)} files that are not in landing any more, {gone[0]} among "
        f"them: drop these again, then `lakegate doctor --repair` reads them; or restore a backup."
    )
    return Finding("table", dataset, "error", what, remedy)


def _mended(dataset: str, what: str, files: int) -> Finding:
    remedy = f"Its files in landing were read again: {files}. `lakegate loads {dataset}` says what became of them."
    return Finding("table", dataset, "error", what, remedy, repaired=True)


def unreadable(name: str, trouble: LakegateError) -> Finding:
    """A table that cannot be read, as a finding."""
    return Finding("table", name, "error", trouble.message, FROM_LANDING)
