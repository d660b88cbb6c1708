"""Rows of some data files → new data files, streamed: all of them (compaction), or all but those of contents that go.

Rows keep `_file`, `_line`, `_content` and `_loaded_at`. Memory is that of one row group read and of the writer
(`etl/write.py`); columns are found by field id, so that older files read right.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io import FileIO

from athena.dataset import Column
from athena.errors import Damaged
from etl.commit import Change, load_table
from etl.contract import Layout
from etl.contract_file import contract_in
from etl.iceberg import check_layout
from etl.intake import Intake
from etl.plan import Piece, Plan, WrittenFile
from etl.rebuild import rows_in
from etl.transform import arrow_schema
from etl.union import Slot
from etl.write import ContentWriter

Origin = tuple[str, str]
"""Content and unit of a row: `_content` and `_file`. Within one data file they tell the slots apart."""

_BATCH_ROWS = 65_536


def no_beat() -> None:
    """Where nothing has to be kept alive."""


def rewrite(
    io: FileIO,
    paths: Iterable[str],
    columns: Sequence[Column],
    writer: ContentWriter,
    *,
    without: Collection[Origin] = (),
    beat: Callable[[], None] = no_beat,
) -> tuple[WrittenFile, ...]:
    """The rows of `paths` but those `without` names, as finished files that no table knows yet; `writer` is made for
    the same columns.

    Raises `Damaged` for a file that cannot be read, and `Failed` ("disk"); nothing is left then.
    """
    gone = pa.array(["\0".join(origin) for origin in without], pa.string())
    try:
        for path in paths:
            for batch in _batches(io, path, columns):
                beat()
                writer.write(_kept(batch, gone) if len(gone) else batch)
        return writer.close()
    except BaseException:
        writer.abort()
        raise


def spared(
    intake: Intake, plan: Plan, change: Change | None, *, beat: Callable[[], None]
) -> tuple[Plan, Change | None]:
    """Plan and change with the rows that stay, of files that also hold what goes, moved to new files.

    The ledger still says what it said before the plan. Raises as `rewrite`, and `Damaged` ("unbalanced").
    """
    going = {*plan.dropped, *(slot.name for slot in plan.slots)}
    there = intake.ledger.pieces_in(plan.dataset, plan.removed_paths)
    staying = [piece for piece in there if piece.slot not in going]
    if change is None or not staying:
        return plan, change
    before = intake.ledger.holdings(plan.dataset)
    contract = contract_in(intake.contracts, plan.dataset)
    layout = change.layout or (contract.layout if contract else Layout())
    check_layout(layout, change.columns)
    table = load_table(intake.catalog, plan.dataset)
    if table is None:
        raise Damaged(f"{plan.dataset} is in the ledger, but has no table.", "Run `lakegate doctor` on this home.")
    folder = intake.folder(plan.dataset)
    files = rewrite(
        table.io,
        sorted({piece.path for piece in staying}),
        change.columns,
        ContentWriter(folder, f"{plan.commit_id}-kept", change.columns, layout),
        without={origin_of(before.slots[name]) for name in going if name in before.slots},
        beat=beat,
    )
    try:
        moved = pieces_of(table.io, files, [before.slots[name] for name in {piece.slot for piece in staying}])
        check_moved(plan.dataset, staying, moved)
    except BaseException:
        folder.remove(file.path for file in files)
        raise
    return replace(plan, moved=moved), replace(change, add=(*change.add, *files), layout=layout)


def origin_of(slot: Slot) -> Origin:
    """What the rows of a slot carry."""
    return slot.content, slot.unit


def pieces_of(io: FileIO, files: Iterable[WrittenFile], slots: Iterable[Slot]) -> tuple[Piece, ...]:
    """Which rows of which slot lie in these files, as they are on the disk."""
    names = {origin_of(slot): slot.name for slot in slots}
    found: list[Piece] = []
    for file in files:
        counts: Counter[str] = Counter()
        for content, unit, count in rows_in(io, file.path):
            counts[names.get((content, unit), f"{content} {unit}")] += count
        found += [Piece(slot, file.path, rows, file.size_bytes) for slot, rows in sorted(counts.items())]
    return tuple(found)


def check_moved(dataset: str, before: Iterable[Piece], after: Iterable[Piece]) -> None:
    """Raises `Damaged` ("unbalanced") unless every slot has as many rows as it had."""
    was, now = _rows(before), _rows(after)
    if was != now:
        wrong = sorted(name for name in {*was, *now} if was[name] != now[name])
        raise Damaged(
            f"{dataset}: {len(wrong)} contents would not have the rows that they had, among them {wrong[0]}: "
            f"{was[wrong[0]]} before, {now[wrong[0]]} after.",
            "Nothing was changed. Run `lakegate doctor` on this home.",
            code="unbalanced",
        )


def _rows(pieces: Iterable[Piece]) -> Counter[str]:
    rows: Counter[str] = Counter()
    for piece in pieces:
        rows[piece.slot] += piece.rows
    return rows


def _batches(io: FileIO, path: str, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema([replace(column, required=False) for column in columns])
    try:
        with io.new_input(path).open() as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
            names = {_field_id(field): field.name for field in file.schema_arrow}
            wanted = [names.get(str(column.field_id)) for column in columns]
            there = [name for name in wanted if name is not None]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=there):
                yield pa.RecordBatch.from_arrays(
                    [_array(batch, name, field.type) for name, field in zip(wanted, schema, strict=True)],
                    schema=schema,
                )
    except (OSError, pa.ArrowInvalid) as error:
        raise Damaged(f"{path} cannot be read: {error}.", "Restore a backup of tables/.") from error


def _field_id(field: pa.Field) -> str:
    metadata: dict[bytes, bytes] = field.metadata or {}
    return metadata.get(b"PARQUET:field_id", b"").decode()


def _array(batch: pa.RecordBatch, name: str | None, kind: pa.DataType) -> pa.Array:
    if name is None:
        return pa.nulls(batch.num_rows, kind)
    found = batch[name]
    return found if found.type == kind else found.cast(kind)


def _kept(batch: pa.RecordBatch, gone: pa.StringArray) -> pa.RecordBatch:
    origins = pc.binary_join_element_wise(batch["_content"], batch["_file"], "\0")
    return batch.filter(pc.invert(pc.is_in(origins, value_set=gone)))
