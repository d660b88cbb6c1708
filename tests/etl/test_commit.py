"""One Iceberg commit: all of it or nothing, bounded in cost, and a head that can be rebuilt from it."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table.update.schema import UpdateSchema, _Move

from athena.changes import read_changes
from athena.dataset import Column, DataType
from athena.errors import Damaged, Failed
from athena.heads import Head
from athena.heads.catalog import CatalogFile
from etl.commit import Change, commit, fence, find_commit, load_table, set_description, table_for
from etl.contract import Layout
from etl.evolve import evolve
from etl.files import LocalFolder
from etl.iceberg import open_catalog, table_columns
from etl.plan import WrittenFile
from etl.snapshot import KEEP_LAST, MOST_EXPENDABLE
from etl.transform import arrow_schema
from etl.write import ContentWriter

# Within one day.
MOST_SNAPSHOTS = KEEP_LAST + MOST_EXPENDABLE


class Lake:
    """A catalog, and a way to write files for its table `t`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.catalog: Catalog = open_catalog(home / "catalog.sqlite", home / "tables", "lake")
        self.file = CatalogFile(home / "catalog.sqlite", "lake")
        self.columns = evolve("t", (), [Column("n", DataType("int"), unit="min", sensitive=True)], last_id=0).columns
        self.written = 0

    def write(
        self, *values: int, columns: tuple[Column, ...] = (), layout: Layout | None = None
    ) -> tuple[WrittenFile, ...]:
        self.written += 1
        columns = columns or self.columns
        writer = ContentWriter(LocalFolder(self.home / "tables/lake/t/data"), f"w{self.written}", columns, layout)
        rows = [{"n": value, "_file": "t/a.csv", "_line": 1} for value in values]
        schema = arrow_schema([replace(column, field_id=None, required=False) for column in columns])
        writer.write(pa.RecordBatch.from_pylist(rows, schema=schema))
        return writer.close()

    def commit(self, change: Change) -> Head:
        return commit(table_for(self.catalog, change), change)

    def values(self) -> list[int]:
        table = load_table(self.catalog, "t")
        return sorted(table.scan().to_arrow()["n"].to_pylist()) if table else []

    def change(self, commit_id: str, *values: int, remove: tuple[WrittenFile, ...] = ()) -> Change:
        return Change("t", commit_id, self.columns, add=self.write(*values), remove=tuple(one.path for one in remove))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    home = tmp_path / "a home # with? signs"
    home.mkdir()
    return Lake(home)


def test_files_are_added_and_removed_in_one_snapshot(lake: Lake) -> None:
    first = lake.change("c1", 1, 2)
    before = lake.commit(first)
    after = lake.commit(lake.change("c2", 7, remove=first.add))
    table = load_table(lake.catalog, "t")
    assert table is not None
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert (lake.values(), str(snapshot.parent_snapshot_id)) == ([7], before.snapshot_id)
    assert (after.rows, after.data_version) == (1, after.snapshot_id)


def test_a_head_is_rebuilt_from_the_catalog_alone(lake: Lake) -> None:
    assert lake.file.head("t") is None
    head = lake.commit(replace(lake.change("c1", 1, 2), description="of numbers"))
    assert lake.file.head("t") == head
    assert lake.file.datasets() == ("t",)
    assert (head.rows, head.description, head.columns) == (2, "of numbers", lake.columns)
    assert json.loads(Path(head.metadata_location).read_text())["current-snapshot-id"] == int(head.snapshot_id)


def test_a_commit_is_found_by_its_id(lake: Lake) -> None:
    head = lake.commit(lake.change("c1", 1))
    assert find_commit(lake.catalog, "t", "c1") == head
    assert find_commit(lake.catalog, "t", "c2") is None
    assert find_commit(lake.catalog, "other", "c1") is None


def test_a_commit_on_an_older_state_fails_and_changes_nothing(lake: Lake) -> None:
    lake.commit(lake.change("c1", 1))
    late = lake.change("c2", 2)
    table = table_for(lake.catalog, late)
    lake.commit(lake.change("c3", 3))
    with pytest.raises(Failed, match="somebody else committed") as failure:
        commit(table, late)
    assert failure.value.code == "commit-conflict"
    assert lake.values() == [1, 3]


def test_a_fence_makes_a_late_commit_fail_and_keeps_the_data_version(lake: Lake) -> None:
    head = lake.commit(lake.change("c1", 1))
    late = lake.change("c2", 2)
    table = table_for(lake.catalog, late)
    fenced = fence(lake.catalog, "t", "c2")
    assert fenced is not None
    assert (fenced.data_version, fenced.snapshot_id != head.snapshot_id) == (head.data_version, True)
    with pytest.raises(Failed, match="somebody else committed"):
        commit(table, late)
    assert lake.values() == [1]
    assert fence(lake.catalog, "other", "c2") is None


def test_a_fence_holds_before_the_first_commit_too(lake: Lake) -> None:
    late = lake.change("c1", 1)
    table = table_for(lake.catalog, late)
    fence(lake.catalog, "t", "c1")
    with pytest.raises(Failed, match="somebody else committed"):
        commit(table, late)
    assert lake.values() == []


def test_schema_and_data_change_together(lake: Lake) -> None:
    lake.commit(lake.change("c1", 1))
    wanted = [Column("n", DataType("long")), Column("x", DataType("string"))]
    wider = evolve("t", lake.columns, wanted, last_id=5).columns
    head = lake.commit(Change("t", "c2", wider, add=lake.write(5_000_000_000, columns=wider)))
    assert [(one.name, str(one.type), one.field_id) for one in head.columns[:3]] == [
        ("n", "long", 1),
        ("x", "string", 6),
        ("_file", "string", 2),
    ]
    assert lake.values() == [1, 5_000_000_000]


@pytest.mark.parametrize("retype", [False, True], ids=["added", "retyped"])
def test_few_columns_are_moved_however_many_are_new(lake: Lake, monkeypatch: pytest.MonkeyPatch, retype: bool) -> None:
    """pyiceberg goes through all columns for each that is moved."""
    first = lake.change("c1", 1)
    lake.commit(first)
    wanted = [
        Column("n", DataType("string" if retype else "int")),
        *(Column(f"x{i}", DataType("int")) for i in range(99)),
    ]
    columns = evolve("t", lake.columns, wanted, last_id=5, retype=retype).columns
    moved: list[_Move] = []
    move = UpdateSchema._move

    def moving(update: UpdateSchema, one: _Move) -> None:
        moved.append(one)
        move(update, one)

    monkeypatch.setattr(UpdateSchema, "_move", moving)
    head = lake.commit(Change("t", "c2", columns, remove=tuple(one.path for one in first.add)))
    assert [(one.name, one.field_id) for one in head.columns] == [(one.name, one.field_id) for one in columns]
    assert [one.name for one in head.columns][:2] == ["n", "x0"]
    assert 0 < len(moved) <= 4


def test_a_column_is_retyped_in_its_place_beside_new_ones(lake: Lake) -> None:
    first = lake.change("c1", 1)
    lake.commit(first)
    wanted = [Column("n", DataType("string")), Column("x", DataType("date")), Column("y", DataType("int"))]
    columns = evolve("t", lake.columns, wanted, last_id=5, retype=True).columns
    writer = ContentWriter(LocalFolder(lake.home / "tables/lake/t/data"), "again", columns)
    schema = arrow_schema([replace(column, field_id=None) for column in columns])
    writer.write(pa.RecordBatch.from_pylist([{"n": "one", "y": 7}], schema=schema))
    change = Change("t", "c2", columns, add=writer.close(), remove=tuple(one.path for one in first.add))
    head = lake.commit(change)
    assert [(one.name, one.field_id) for one in head.columns[:4]] == [("n", 6), ("x", 7), ("y", 8), ("_file", 2)]
    table = load_table(lake.catalog, "t")
    assert table is not None
    assert table.scan().to_arrow().select(["n", "x", "y"]).to_pylist() == [{"n": "one", "x": None, "y": 7}]


def test_a_new_partitioning_holds_for_new_files_and_old_ones_can_still_go(lake: Lake) -> None:
    first = lake.change("c1", 1, 2, 3)
    lake.commit(first)
    layout = Layout(("bucket(2, n)",), ("n",))
    add = lake.write(4, 5, 6, 7, layout=layout)
    lake.commit(Change("t", "c2", lake.columns, layout=layout, add=add))
    assert lake.values() == list(range(1, 8))
    lake.commit(Change("t", "c3", lake.columns, remove=tuple(one.path for one in (*first.add, *add[:1]))))
    assert lake.values() == sorted(set(range(4, 8)) - values_in(add[0]))
    table = load_table(lake.catalog, "t")
    assert table is not None
    assert [str(one.transform) for one in table.spec().fields] == ["bucket[2]"]


def values_in(file: WrittenFile) -> set[int]:
    import pyarrow.parquet as pq

    return set(pq.read_table(file.path)["n"].to_pylist())


def test_removing_what_is_not_there_is_damage_and_changes_nothing(lake: Lake) -> None:
    lake.commit(lake.change("c1", 1))
    gone = WrittenFile("/nowhere/x.parquet", 1, 1)
    with pytest.raises(Damaged, match=r"1 data files that the ledger knows are not in the table"):
        lake.commit(lake.change("c2", 2, remove=(gone,)))
    assert lake.values() == [1]


def test_a_file_with_other_field_ids_is_not_committed(lake: Lake) -> None:
    lake.commit(lake.change("c1", 1))
    swapped = tuple(replace(one, field_id=6 - (one.field_id or 0)) for one in lake.columns)
    with pytest.raises(Damaged, match="does not fit its table"):
        lake.commit(Change("t", "c2", lake.columns, add=lake.write(2, columns=swapped)))
    assert lake.values() == [1]


def test_snapshots_and_manifests_stay_few(lake: Lake) -> None:
    last: tuple[WrittenFile, ...] = ()
    for number in range(MOST_SNAPSHOTS + 15):
        change = lake.change(f"c{number}", number, remove=last)
        lake.commit(change)
        last = change.add
    table = load_table(lake.catalog, "t")
    assert table is not None
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert len(table.snapshots()) <= MOST_SNAPSHOTS
    assert len(snapshot.manifests(table.io)) <= 5
    assert lake.values() == [MOST_SNAPSHOTS + 14]


def test_words_change_without_a_snapshot(lake: Lake) -> None:
    before = lake.commit(lake.change("c1", 1))
    columns = (replace(lake.columns[0], unit="h", sensitive=False, description="hours"), *lake.columns[1:])
    head = set_description(lake.catalog, "t", columns, "described")
    assert (head.snapshot_id, head.description, head.columns) == (before.snapshot_id, "described", columns)
    table = load_table(lake.catalog, "t")
    assert table is not None
    assert table_columns(table) == columns


def test_metadata_is_on_the_disk_before_the_catalog_names_it(lake: Lake) -> None:
    lake.commit(lake.change("c1", 1))
    table = load_table(lake.catalog, "t")
    assert table is not None
    assert type(table.io).__name__ == "DurableFileIO"


def test_bounds_that_some_row_group_does_not_tell_are_none(tmp_path: Path) -> None:
    """Parquet has no bounds for texts beyond 4 KiB; those of the other row groups are not the file's."""
    lake = Lake(tmp_path)
    columns = evolve("t", (), [Column("s", DataType("string"))], last_id=0).columns
    schema = arrow_schema([replace(column, required=False) for column in columns])
    rows = [{"s": text} for text in ("b", "z" * 5000, "a", "c")]
    path = tmp_path / "one.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=2, store_schema=False)
    lake.commit(Change("t", "c1", columns, add=(WrittenFile(str(path), 4, path.stat().st_size),)))
    table = load_table(lake.catalog, "t")
    assert table is not None
    found = table.scan(row_filter="s > 'x'").to_arrow()["s"].to_pylist()
    assert found == ["z" * 5000]


def test_a_commit_tells_which_part_it_changed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = lake.change("c1", 1, 2)
    one = lake.commit(first)
    two = lake.commit(lake.change("c2", 7, 8))
    three = lake.commit(lake.change("c3", 30, remove=first.add))
    told = read_changes(three.changes, three.data_version)
    assert told is not None
    field_id = lake.columns[0].field_id
    assert field_id is not None
    bounds = {(region.version, region.spans[field_id].low, region.spans[field_id].high) for region in told.regions}
    assert bounds == {(three.data_version, 1, 2), (two.data_version, 7, 8), (three.data_version, 30, 30)}
    assert read_changes(two.changes, one.data_version) is None


def test_a_snapshot_of_somebody_else_makes_the_changes_unknown(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.commit(lake.change("c1", 1, 2))
    foreign = load_table(lake.catalog, "t")
    assert foreign is not None
    foreign.append(foreign.scan().to_arrow().slice(0, 1))
    head = lake.file.head("t")
    assert head is not None
    assert read_changes(head.changes, head.data_version) is None
    after = lake.commit(lake.change("c2", 9))
    told = read_changes(after.changes, after.data_version)
    assert told is not None
    assert (told.floor, told.regions) == (after.data_version, ())
    last = lake.commit(lake.change("c3", 11))
    told = read_changes(last.changes, last.data_version)
    assert told is not None
    assert (told.floor, len(told.regions)) == (after.data_version, 1)
