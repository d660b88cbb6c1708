"""One table against its head, its ledger and its files; the repairs of these."""

from collections import Counter
from collections.abc import Iterator

from pyiceberg.table import Table

from athena.dataset import REJECTS_SUFFIX
from etl.commit import load_table
from etl.contract_file import contract_in
from etl.finding import REPAIR, Finding
from etl.intake import Intake
from etl.publish import publish_head, resolve
from etl.rebuild import rebuild_ledger, rows_in, stored_files
from etl.salvage import FROM_LANDING, damage_of, salvage, trouble_of, unreadable
from etl.turn import turn_at

Counts = Counter[tuple[str, str]]
"""Rows by content and by the unit that brought it."""


def check_table(intake: Intake, dataset: str, *, repair: bool) -> Iterator[Finding]:
    """Everything about one dataset. What looks wrong is looked at again under its lease, so that a commit that was
    under way is not taken for a fault; repairs are made there as well."""
    salvaged = list(salvage(intake, dataset)) if repair else []
    yield from salvaged
    if any(not one.repaired for one in salvaged):
        return
    found = [] if repair else list(_check(intake, dataset, repair=False))
    if repair or any(one.level != "ok" for one in found):
        with turn_at(intake, dataset):
            found = list(_check(intake, dataset, repair=repair))
    yield from found


def _check(intake: Intake, dataset: str, *, repair: bool) -> Iterator[Finding]:
    both = (dataset, dataset + REJECTS_SUFFIX)
    troubles = [(name, trouble) for name in both if (trouble := trouble_of(intake, name))]
    yield from (unreadable(name, trouble) for name, trouble in troubles)
    if troubles:
        return
    yield from _check_open(intake, dataset, repair=repair)
    for name in both:
        yield from _check_head(intake, name, repair=repair)
    table = load_table(intake.catalog, dataset)
    if table is None or table.current_snapshot() is None:
        yield Finding("table", dataset, "ok", "no rows were loaded yet")
        return
    broken = list(_check_data_files(table, dataset))
    yield from broken
    if broken:
        return  # rows cannot be counted in files that are not there
    found = list(_check_rows(intake, table, dataset))
    if any(one.level == "error" for one in found) and repair:
        rebuild_ledger(intake, dataset, table)
        mended = list(_check_rows(intake, table, dataset))
        if not any(one.level == "error" for one in mended):
            yield Finding(
                "ledger",
                dataset,
                "error",
                "; ".join(one.message for one in found if one.level == "error"),
                "The ledger was rebuilt from the table. Run `lakegate reconcile` next.",
                repaired=True,
            )
            found = mended
    yield from found


def _check_open(intake: Intake, dataset: str, *, repair: bool) -> Iterator[Finding]:
    plans = [plan.commit_id for plan, _ in intake.ledger.open_plans(dataset)]
    pending = intake.heads.pending(dataset)
    if not plans and pending is None:
        return
    what = f"a commit is half done ({', '.join(plans) or pending})"
    if repair:
        resolve(intake, dataset)
        yield Finding("commits", dataset, "warning", what, "It was finished, or forgotten.", repaired=True)
    else:
        yield Finding("commits", dataset, "warning", what, "The next load or `lakegate reconcile` finishes it.")


def _check_head(intake: Intake, name: str, *, repair: bool) -> Iterator[Finding]:
    published, actual = intake.heads.get(name), intake.settled(name)
    if actual is None and published is None:
        return
    if actual is None:
        yield Finding("head", name, "error", "has a head, but is not in the catalog", REPAIR)
    elif published is not None and published.metadata_location == actual.metadata_location:
        yield Finding("head", name, "ok", f"{actual.rows:,} rows at snapshot {actual.snapshot_id}")
    elif repair:
        publish_head(intake, actual, intake.new_id())
        yield Finding("head", name, "error", "the head was not the catalog's", repaired=True)
    elif published is None or published.intent is None:
        yield Finding("head", name, "error", "the head is not the catalog's", REPAIR)


def _check_data_files(table: Table, dataset: str) -> Iterator[Finding]:
    for file in stored_files(table):
        if what := damage_of(file):
            yield Finding("files", dataset, "error", what, FROM_LANDING)


def _check_rows(intake: Intake, table: Table, dataset: str) -> Iterator[Finding]:
    """Rows by content: in the files, in the ledger, and as the keys want them."""
    stored, known = rows_by_content(table), known_rows(intake, dataset)
    for content, unit in sorted({*stored, *known}):
        if stored[content, unit] != known[content, unit]:
            yield Finding(
                "ledger",
                dataset,
                "error",
                f"{unit}: {stored[content, unit]:,} rows of content {content[:12]} in the table, "
                f"{known[content, unit]:,} in the ledger",
                REPAIR,
            )
    paths = {file.file_path for file in stored_files(table)}
    pieces = {piece.path for piece in intake.ledger.pieces(dataset)}
    if paths != pieces:
        yield Finding(
            "ledger", dataset, "error", f"{len(paths ^ pieces)} data files are not known on both sides", REPAIR
        )
    contract = contract_in(intake.contracts, dataset)
    if contract is None or contract.same_content == "skip":
        yield from _check_twice(stored, dataset)
    orphans = intake.ledger.holdings(dataset).orphans()
    if orphans:
        yield Finding("union", dataset, "error", f"{len(orphans)} contents are in the table that no key holds", REPAIR)
    if sum(stored.values()) == sum(known.values()) and paths == pieces:
        yield Finding(
            "union", dataset, "ok", f"{sum(stored.values()):,} rows of {len(known)} contents, as the keys want"
        )


def _check_twice(stored: Counts, dataset: str) -> Iterator[Finding]:
    times = Counter(content for content, _ in stored)
    for content, count in sorted(times.items()):
        if count > 1:
            units = ", ".join(sorted(unit for one, unit in stored if one == content))
            remedy = f"Run `lakegate reload {dataset}`, or `lakegate retract` one of the keys."
            yield Finding("union", dataset, "error", f"content {content[:12]} is there twice: {units}", remedy)


def known_rows(intake: Intake, dataset: str) -> Counts:
    """Rows by content and unit as the ledger has them."""
    slots = intake.ledger.holdings(dataset).slots
    known: Counts = Counter()
    for piece in intake.ledger.pieces(dataset):
        slot = slots.get(piece.slot)
        known[(slot.content, slot.unit) if slot else (piece.slot, "?")] += piece.rows
    return known


def rows_by_content(table: Table) -> Counts:
    """Rows by content and unit as they lie in the data files, read in bounded memory."""
    stored: Counts = Counter()
    for file in stored_files(table):
        for path_rows in rows_in(table.io, file.file_path):
            stored[path_rows[0], path_rows[1]] += path_rows[2]
    return stored
