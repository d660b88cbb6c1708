"""Files that no table needs any more, found by looking and removed a day later.

A file is needed while a snapshot that is kept names it, or the published head does, or somebody writes it or may yet
commit it. What nobody needs is noted, and removed once it has been so for `GRACE`: whoever read by older metadata
has long finished then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from pyiceberg.table import Table

from athena.dataset import REJECTS_SUFFIX
from etl.commit import load_table
from etl.iceberg_errors import translated
from etl.intake import Intake
from etl.rebuild import plain_path, table_at

GRACE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, and how many files wait for their grace to end."""

    files: int = 0
    size_bytes: int = 0
    waiting: int = 0

    def __add__(self, other: "Collected") -> "Collected":
        return Collected(self.files + other.files, self.size_bytes + other.size_bytes, self.waiting + other.waiting)


def collect(intake: Intake, dataset: str, *, grace: timedelta = GRACE) -> Collected:
    """Remove what has been unneeded for `grace`, of a dataset and its rejects; note what is unneeded now.

    `grace` must be longer than any commit takes: nobody names its metadata before it is done.
    """
    return _collect(intake, dataset, dataset, grace) + _collect(intake, dataset, dataset + REJECTS_SUFFIX, grace)


def _collect(intake: Intake, dataset: str, table: str, grace: timedelta) -> Collected:
    # In this order: what is written and committed behind the listing is not in it, what was being written when it
    # was listed is still under way or in the metadata that is read last.
    folders = [(one, dict(one.listing())) for one in (intake.folder(table), intake.metadata(table))]
    sizes = {path: size for _, listed in folders for path, size in listed.items()}
    writing = {*intake.ledger.begun(dataset), *(plan.commit_id for plan, _ in intake.ledger.open_plans(dataset))}
    current = load_table(intake.catalog, table)
    if current is None:
        return Collected()
    needed = set(_needed(intake, table, current))
    unneeded = [path for path in sizes if path not in needed and not _belongs(path, writing)]
    now = intake.clock()
    since = intake.ledger.unreferenced(table, unneeded, now=now.isoformat())
    due = [path for path, at in since.items() if now - datetime.fromisoformat(at) >= grace]
    intake.step("noted")
    for folder, listed in folders:
        folder.remove(path for path in due if path in listed)
    intake.step("collected")
    return Collected(len(due), sum(sizes[path] for path in due), len(since) - len(due))


def _belongs(path: str, writing: set[str]) -> bool:
    return any(PurePath(path).name.startswith(f"{commit_id}-") for commit_id in writing)


def _needed(intake: Intake, name: str, table: Table) -> Iterator[str]:
    head = intake.heads.get(name)
    seen: set[str] = set()
    yield from named(table, seen)
    if head is not None and plain_path(head.metadata_location) != plain_path(table.metadata_location):
        with translated(name):
            older = table_at(head.metadata_location, table.io)
        yield from named(older, seen)


def named(table: Table, seen: set[str], *, history: bool = True) -> Iterator[str]:
    """Every file that the table's metadata names, through all of its snapshots; each manifest is read once. With
    `history` older metadata files as well."""
    yield plain_path(table.metadata_location)
    if history:
        yield from (plain_path(old.metadata_file) for old in table.metadata.metadata_log)
    with translated(table.name()[-1]):
        for snapshot in table.metadata.snapshots:
            yield plain_path(snapshot.manifest_list)
            for manifest in snapshot.manifests(table.io):
                if manifest.manifest_path in seen:
                    continue
                seen.add(manifest.manifest_path)
                yield plain_path(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield plain_path(entry.data_file.file_path)
