"""One atomic Iceberg commit: evolve the schema, remove data files, add data files, expire old snapshots.

The catalog's compare-and-swap is the fence: what is committed here is built on the table as it was read, and a
commit that somebody else made in between makes this one fail for sure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import (
    StatisticsCollector,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import partition_record_value
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update.schema import UpdateSchema
from pyiceberg.typedef import Record

from athena.dataset import Column
from athena.errors import Damaged
from athena.heads import Head
from athena.heads.catalog import COMMIT_ID, DESCRIPTION, head_in
from etl.contract import Layout
from etl.iceberg import (
    TABLE_PROPERTIES,
    described,
    iceberg_schema,
    iceberg_type,
    partition_spec,
    put_in_order,
    same_partitions,
    table_columns,
    transform_of,
)
from etl.iceberg_errors import translated
from etl.partition import parse_partition
from etl.plan import WrittenFile
from etl.snapshot import OneCommit, add_snapshot, expire
from etl.write import check_footer


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does to one table. `columns` is the whole table afterwards, with field ids; `first_columns`
    what a table that does not exist yet is created with (ids from 1, in order), if that is less. Description and layout
    stay what they are where None is given. With `keeps_rows` the same rows lie in other files: no new data version."""

    dataset: str
    commit_id: str
    columns: tuple[Column, ...]
    description: str | None = None
    layout: Layout | None = None
    add: tuple[WrittenFile, ...] = ()
    remove: tuple[str, ...] = ()
    first_columns: tuple[Column, ...] = ()
    keeps_rows: bool = False


def no_pins() -> frozenset[str]:
    """The snapshots that nobody has pinned."""
    return frozenset()


def load_table(catalog: Catalog, dataset: str) -> Table | None:
    """The table as it is now, None when there is none."""
    with translated(dataset):
        try:
            return catalog.load_table((catalog.name, dataset))
        except NoSuchTableError:
            return None


def create_table(catalog: Catalog, dataset: str, columns: Sequence[Column], layout: Layout) -> Table:
    """The table, made without a snapshot when it is not there: until its first commit it has no head."""
    with translated(dataset):
        try:
            return catalog.create_table(
                (catalog.name, dataset),
                iceberg_schema(columns),
                partition_spec=partition_spec(layout.partition, columns),
                properties={**TABLE_PROPERTIES, **described(columns, "")},
            )
        except TableAlreadyExistsError:
            return catalog.load_table((catalog.name, dataset))


def table_for(catalog: Catalog, change: Change) -> Table:
    """The table that a change is for, made when it is not there. Load it before the plan is recorded: a commit is
    built on the table as it was then, so that whoever resolves the plan meanwhile makes it fail."""
    first = change.first_columns or change.columns
    return load_table(catalog, change.dataset) or create_table(
        catalog, change.dataset, first, change.layout or Layout()
    )


def commit(table: Table, change: Change, *, pinned: Callable[[], frozenset[str]] = no_pins) -> Head:
    """Make the change on the table as it was loaded; the head afterwards. What `pinned` names is not expired.

    Raises `Failed` ("commit-conflict") when somebody else committed since, and whatever else goes wrong as
    `Failed` or `Damaged`; then `find_commit` tells whether it happened.
    """
    removed = _data_files(table, change.remove)
    with translated(change.dataset), OneCommit(table) as transaction:
        _evolve(transaction, table, change)
        added = _new_files(transaction.table_metadata, change, table.io)
        add_snapshot(transaction, change.commit_id, added, removed, keeps_rows=change.keeps_rows)
        expire(transaction, pinned=pinned)
    return _head(change.dataset, table)


def find_commit(catalog: Catalog, dataset: str, commit_id: str) -> Head | None:
    """The table's head when `commit_id` is in its (recent) history, None when it never happened."""
    table = load_table(catalog, dataset)
    return _head(dataset, table) if table is not None and has_commit(table, commit_id) else None


def has_commit(table: Table, commit_id: str) -> bool:
    """Whether the commit is in the (recent) history of the table as it was loaded."""
    return any(snapshot.summary and snapshot.summary.get(COMMIT_ID) == commit_id for snapshot in table.snapshots())


def fence(catalog: Catalog, dataset: str, commit_id: str) -> Head | None:
    """Make sure that `commit_id` can never happen any more: a snapshot without files, on which a late commit fails.

    Raises `Failed` ("commit-conflict") when the table moved on meanwhile: look again.
    """
    table = load_table(catalog, dataset)
    if table is None:
        return None
    with translated(dataset), OneCommit(table) as transaction:
        add_snapshot(transaction, f"fence-{commit_id}", [], [])
    return _head(dataset, table)


def expire_snapshots(table: Table, *, pinned: Callable[[], frozenset[str]]) -> tuple[Head, int]:
    """Forget every snapshot that need not be kept; the head afterwards, and how many."""
    name = table.name()[-1]
    with translated(name), OneCommit(table) as transaction:
        count = expire(transaction, pinned=pinned, most=0)
    return _head(name, table), count


def set_description(catalog: Catalog, dataset: str, columns: Sequence[Column], description: str) -> Head:
    """Let the table say what the contract says of its columns; no snapshot is made."""
    table = load_table(catalog, dataset)
    if table is None:
        raise Damaged(f"{dataset} has a head but no table.", "Run `lakegate doctor` on this home.")
    with translated(dataset), OneCommit(table) as transaction:
        transaction.set_properties(described(columns, description))
    return _head(dataset, table)


def _evolve(transaction: Transaction, table: Table, change: Change) -> None:
    before = {column.name: column for column in table_columns(table)}
    retyped = [c.name for c in change.columns if c.name in before and c.field_id != before[c.name].field_id]
    if retyped:
        with transaction.update_schema() as update:
            for name in retyped:
                update.delete_column(name)
    changed = [c for c in change.columns if c.name not in before or c.name in retyped or c.type != before[c.name].type]
    if changed:
        with transaction.update_schema() as update:
            _change_columns(update, change.columns, changed, set(before) - set(retyped))
    said = table.properties.get(DESCRIPTION, "") if change.description is None else change.description
    wanted = described(change.columns, said)
    if any(table.properties.get(key) != value for key, value in wanted.items()):
        transaction.set_properties(wanted)
    if change.layout is not None and not same_partitions(transaction.table_metadata, change.layout.partition):
        _repartition(transaction, table, change.layout)


def _change_columns(
    update: UpdateSchema, columns: Sequence[Column], changed: Sequence[Column], known: set[str]
) -> None:
    """Promote what is known and add the rest, in the table's order."""
    for column in changed:
        if column.name in known:
            update.update_column(column.name, iceberg_type(column.type))
        else:
            update.add_column(column.name, iceberg_type(column.type), column.description)
    put_in_order(update, [column.name for column in columns], known)


def _repartition(transaction: Transaction, table: Table, layout: Layout) -> None:
    with transaction.update_spec() as spec:
        for old in table.spec().fields:
            spec.remove_field(old.name)
        for text in layout.partition:
            partition = parse_partition(text)
            spec.add_field(partition.column, transform_of(partition), partition.name)


def _new_files(metadata: TableMetadata, change: Change, io: FileIO) -> list[DataFile]:
    """The files of a change as Iceberg's entries, with the statistics of their footers."""
    schema = metadata.schema()
    for column in change.columns:
        if schema.find_field(column.name).field_id != column.field_id:
            raise Damaged(
                f"{change.dataset}: column {column.name!r} got another field id than planned.",
                "Load the file again; nothing was committed.",
                code="footer-mismatch",
            )
    plan, ids = compute_statistics_plan(schema, metadata.properties), parquet_path_to_id_mapping(schema)
    return [_data_file(metadata, file, check_footer(file.path, change.columns, io), plan, ids) for file in change.add]


def _data_file(
    metadata: TableMetadata,
    file: WrittenFile,
    footer: pq.FileMetaData,
    plan: dict[int, StatisticsCollector],
    ids: dict[str, int],
) -> DataFile:
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=footer, stats_columns=plan, parquet_column_mapping=ids
    )
    for number in _without_bounds(footer, ids) if footer.num_row_groups > 1 else ():
        statistics.column_aggregates.pop(number, None)
    partition = (
        partition_record_value(one, value, metadata.schema())
        for one, value in zip(metadata.spec().fields, file.partition, strict=True)
    )
    made = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=Record(*partition),
        file_size_in_bytes=file.size_bytes,
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
    made.spec_id = metadata.default_spec_id
    return made


def _without_bounds(footer: pq.FileMetaData, ids: dict[str, int]) -> set[int]:
    """Columns of which some row group has values but does not tell the least and the greatest: texts beyond 4 KiB, for
    instance. The bounds of the other groups are not those of the file, although pyiceberg takes them for it."""
    found = set()
    for group in range(footer.num_row_groups):
        row_group = footer.row_group(group)
        for place in range(footer.num_columns):
            column = row_group.column(place)
            statistics = column.statistics
            if statistics is not None and not statistics.has_min_max and statistics.null_count != column.num_values:
                found.add(ids[column.path_in_schema])
    return found


def _data_files(table: Table, paths: Sequence[str]) -> list[DataFile]:
    wanted = set(paths)
    snapshot = table.current_snapshot()
    if not wanted or snapshot is None:
        return []
    with translated(table.name()[-1]):
        found = [
            entry.data_file
            for manifest in snapshot.manifests(table.io)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
            if entry.data_file.file_path in wanted
        ]
    missing = wanted - {file.file_path for file in found}
    if missing:
        raise Damaged(
            f"{table.name()[-1]}: {len(missing)} data files that the ledger knows are not in the table, "
            f"among them {min(missing)}.",
            "Run `lakegate doctor` on this home: it says what can be rebuilt.",
            code="state-damaged",
        )
    return found


def _head(dataset: str, table: Table) -> Head:
    with translated(dataset), table.io.new_input(table.metadata_location).open() as stream:
        content = stream.read()
    head = head_in(dataset, table.metadata_location, content)
    if head is None:
        raise Damaged(f"{dataset} has no snapshot after a commit.", "Run `lakegate doctor` on this home.")
    return head
