"""What can be made anew from what is left: the ledger from a table's rows, the catalog from heads or metadata files."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile
from pyiceberg.table import StaticTable, Table

from athena.errors import Damaged, LakegateError
from athena.heads.catalog import CatalogFile, head_of
from etl.contract_file import contract_in
from etl.iceberg_errors import translated
from etl.intake import Intake
from etl.landing import key_of, parse_key
from etl.plan import Holding, Piece
from etl.union import Slot, slot_name

UNKNOWN = "unknown"


def stored_files(table: Table) -> Iterator[DataFile]:
    """The data files of the current snapshot."""
    snapshot = table.current_snapshot()
    with translated(table.name()[-1]):
        for manifest in snapshot.manifests(table.io) if snapshot else ():
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield entry.data_file


def rebuild_ledger(intake: Intake, dataset: str, table: Table) -> None:
    """Let the ledger say what the rows say: every unit named in `_file` holds its content again.

    Which contract read rows that the ledger did not know is unknown, so `reconcile` reads their files again where
    they still lie in landing; keys that held the same content as a duplicate are found again in the same way.
    """
    contract = contract_in(intake.contracts, dataset)
    same_content = contract.same_content if contract else "skip"
    before = intake.ledger.holdings(dataset)
    rows: dict[tuple[str, str], int] = defaultdict(int)
    slots: dict[str, Slot] = {}
    sizes = {file.file_path: file.file_size_in_bytes for file in stored_files(table)}
    for path in sizes:
        for content, unit, count in rows_in(table.io, path):
            name = slot_name(content, unit, same_content)
            source = parse_key(key_of(unit)).source
            slots[name] = before.slots.get(name) or Slot(name, content, UNKNOWN, unit, source, UNKNOWN)
            rows[name, path] += count
    pieces = [Piece(slot, path, count, sizes[path]) for (slot, path), count in rows.items()]
    kept = {unit: slot for unit, slot in before.units.items() if slot in slots}
    held = {**{slot.unit: name for name, slot in slots.items()}, **kept}
    holdings = [Holding(unit, key_of(unit), parse_key(key_of(unit)).source, slot) for unit, slot in held.items()]
    intake.ledger.replace(dataset, slots.values(), holdings, pieces)


def lost_tables(intake: Intake) -> dict[str, str]:
    """Tables that the catalog does not know, with the metadata file that says most of each: that of the published head,
    or, where the heads are lost as well, the newest one on the disk all of whose files are there."""
    known = set(CatalogFile(intake.settings.catalog, intake.settings.name).datasets())
    heads = {head.dataset: head.metadata_location for head in intake.heads.all() if head.dataset not in known}
    lost = {table: location for table, location in heads.items() if Path(plain_path(location)).is_file()}
    for folder in sorted((intake.settings.tables / intake.settings.name).glob("*/metadata")):
        table = folder.parent.name
        if table not in known and table not in lost and (newest := _newest_whole(table, folder)):
            lost[table] = newest
    return lost


def rebuild_catalog(intake: Intake) -> tuple[str, ...]:
    """Register every lost table; their names."""
    lost = lost_tables(intake)
    for table, location in lost.items():
        intake.catalog.register_table((intake.catalog.name, table), location)
    return tuple(lost)


def _newest_whole(table: str, folder: Path) -> str | None:
    """The newest metadata with a snapshot whose files are all there: what a failed commit has left may be newer."""
    files = sorted(folder.glob("*.metadata.json"), key=lambda path: (path.name, path.stat().st_mtime_ns), reverse=True)
    for path in files:
        try:
            with translated(table):
                whole = all(Path(one).exists() for one in _needed_by(table, str(path)))
        except LakegateError:
            continue
        if whole:
            return str(path)
    return None


def _needed_by(table: str, location: str) -> Iterator[str]:
    if head_of(table, location) is None:
        yield "/nowhere"  # a table without rows is made anew by its next load
        return
    metadata = StaticTable.from_metadata(location)
    snapshot = metadata.current_snapshot()
    for manifest in snapshot.manifests(metadata.io) if snapshot else ():
        for entry in manifest.fetch_manifest_entry(metadata.io, discard_deleted=True):
            yield plain_path(entry.data_file.file_path)


def plain_path(location: str) -> str:
    """A location as Iceberg writes it, as a folder lists it.

    >>> plain_path("file:///home/a b/x.parquet"), plain_path("/home/a#b/x.parquet")
    ('/home/a b/x.parquet', '/home/a#b/x.parquet')
    """
    return location.removeprefix("file://")


def table_at(location: str, io: FileIO) -> Table:
    """The table as a metadata file describes it, read by `io` and by nothing else: on AWS its own S3 client."""
    from pyiceberg.catalog.noop import NoopCatalog
    from pyiceberg.serializers import FromInputFile

    metadata = FromInputFile.table_metadata(io.new_input(location))
    return StaticTable(("metadata", location), metadata, location, io, NoopCatalog("metadata"))


def rows_in(io: FileIO, path: str) -> Iterator[tuple[str, str, int]]:
    """Content, unit and row count of every run in one data file."""
    try:
        with io.new_input(path).open() as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
            for batch in file.iter_batches(columns=["_content", "_file"], batch_size=131_072):
                counts = (
                    pa.table(batch).group_by(["_content", "_file"], use_threads=False).aggregate([([], "count_all")])
                )
                for one in counts.to_pylist():
                    yield one["_content"], one["_file"], one["count_all"]
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(f"{path} cannot be read: {error}.", "Restore a backup of tables/.") from error
