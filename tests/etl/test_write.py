"""Rows come to Parquet with field ids, arranged as the layout says, in bounded pieces."""

import gc
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

import etl.write
from athena.dataset import SYSTEM_COLUMNS, Column, DataType
from athena.errors import Damaged, Failed
from etl._parquet import ROW_GROUP_ROWS
from etl.contract import Layout
from etl.files import LocalFolder
from etl.transform import Portion, Tally, arrow_schema, with_origin
from etl.write import ContentWriter, check_footer

COLUMNS = (
    Column("day", DataType("date"), required=True, field_id=1),
    Column("n", DataType("int"), field_id=2),
    Column("name", DataType("string"), field_id=7),
)


def batch(rows: int, *, first: int = 0) -> pa.RecordBatch:
    numbers = range(first, first + rows)
    return pa.RecordBatch.from_pydict(
        {
            "day": [date(2026, 1 + number % 3, 1) for number in numbers],
            "n": [-number for number in numbers],
            "name": [f"v{number}" for number in numbers],
        },
        schema=arrow_schema([replace(column, field_id=None) for column in COLUMNS]),
    )


def test_files_carry_the_field_ids_and_everything_is_optional(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path / "data"), "c1", COLUMNS)
    writer.write(batch(10))
    (file,) = writer.close()
    assert (file.rows, writer.rows, file.size_bytes) == (10, 10, Path(file.path).stat().st_size)
    schema = pq.read_schema(file.path)
    assert [field.metadata[b"PARQUET:field_id"] for field in schema] == [b"1", b"2", b"7"]
    assert all(field.nullable for field in schema)
    assert pq.read_metadata(file.path).row_group(0).column(0).compression == "ZSTD"
    check_footer(file.path, COLUMNS, PyArrowFileIO())
    assert Path(file.path).stat().st_mode & 0o777 == 0o444  # nothing in a lake is ever changed


def test_the_names_of_one_content_are_written_once(tmp_path: Path) -> None:
    columns = (*COLUMNS, *(replace(column, field_id=8 + at) for at, column in enumerate(SYSTEM_COLUMNS)))
    now, rows = datetime(2026, 11, 21, tzinfo=UTC), 300_000
    portion = Portion(batch(rows), pa.array(range(rows), pa.int64()), (), (), Tally())
    sizes = {}
    for one_content in (True, False):
        writer = ContentWriter(LocalFolder(tmp_path / str(one_content)), "c1", columns, one_content=one_content)
        writer.write(with_origin(portion, file="t/f.csv", content="0" * 64, loaded_at=now))
        (file,) = writer.close()
        table = pq.read_table(file.path)
        assert table.schema.field("_file").type == table.schema.field("_content").type == pa.string()
        assert (table.num_rows, table["_content"].unique().to_pylist()) == (rows, ["0" * 64])
        sizes[one_content] = file.size_bytes
    assert sizes[True] <= sizes[False]


def test_what_goes_wrong_while_rows_come_is_told_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(etl.write, "ROW_GROUP_ROWS", 100)
    (tmp_path / "data").write_text("no folder")
    for more in (True, False):
        writer = ContentWriter(LocalFolder(tmp_path / "data"), "c1", COLUMNS)
        writer.write(batch(150))
        with pytest.raises(Failed, match="could not be written"):
            writer.write(batch(150)) if more else writer.close()
        writer.abort()


def test_row_groups_are_of_one_size_whatever_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etl.write, "ROW_GROUP_ROWS", 100)
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS)
    for number in range(7):
        writer.write(batch(60, first=60 * number))
    (file,) = writer.close()
    metadata = pq.read_metadata(file.path)
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [
        100,
        100,
        100,
        100,
        20,
    ]
    assert pq.read_table(file.path)["n"].to_pylist() == [-number for number in range(420)]


def test_large_contents_become_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etl.write, "ROW_GROUP_ROWS", 1000)
    monkeypatch.setattr(etl.write, "FILE_BYTES", 4000)
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS)
    for number in range(5):
        writer.write(batch(1000, first=1000 * number))
    files = writer.close()
    assert len(files) > 1
    assert sum(file.rows for file in files) == 5000


def test_rows_are_sorted_and_partitions_are_files_of_their_own(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS, Layout(("month(day)",), ("n",)))
    writer.write(batch(9))
    writer.write(batch(9, first=9))
    files = writer.close()
    months = [(2026 - 1970) * 12 + number for number in range(3)]
    assert [file.partition for file in files] == [(month,) for month in months]
    for number, file in enumerate(files):
        table = pq.read_table(file.path)
        assert set(table["day"].to_pylist()) == {date(2026, 1 + number, 1)}
        assert table["n"].to_pylist() == sorted(table["n"].to_pylist())


@pytest.mark.parametrize("partition", ["n", "bucket(4, name)", "truncate(1, name)", "year(day)", "day(day)"])
def test_every_transform_keeps_all_rows_apart(tmp_path: Path, partition: str) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS, Layout((partition,)))
    writer.write(batch(30))
    files = writer.close()
    assert sum(file.rows for file in files) == 30
    assert len({file.partition for file in files}) == len(files)


def test_more_partitions_than_open_files_are_written_in_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(etl.write, "OPEN_FILES", 3)
    monkeypatch.setattr(etl.write, "RUN_BYTES", 1)
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS, Layout(("n",)))
    writer.write(batch(8))
    writer.write(batch(8))
    files = writer.close()
    assert sum(file.rows for file in files) == 16
    assert len({file.path for file in files}) == len(files)


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS)
    writer.write(batch(0))
    assert writer.close() == ()
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_can_be_taken_back(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS, Layout(("n",)))
    writer.write(batch(5))
    writer.close()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_has_failed(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    writer = ContentWriter(LocalFolder(tmp_path / "data"), "c1", COLUMNS)
    writer.write(batch(1))
    with pytest.raises(Failed, match="could not be written") as failure:
        writer.close()
    assert failure.value.code == "disk"
    assert "landing file is where it was" in failure.value.remedy


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ((replace(COLUMNS[0], field_id=3), *COLUMNS[1:]), "field id 1"),
        ((COLUMNS[0], replace(COLUMNS[1], type=DataType("double")), COLUMNS[2]), "is int32"),
        (COLUMNS[:2], "'name'"),
    ],
)
def test_a_file_that_does_not_fit_its_table_is_never_registered(
    tmp_path: Path, expected: tuple[Column, ...], why: str
) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS)
    writer.write(batch(1))
    (file,) = writer.close()
    with pytest.raises(Damaged, match="does not fit its table") as damage:
        check_footer(file.path, expected, PyArrowFileIO())
    assert why in damage.value.message


def test_a_file_from_before_a_promotion_fits(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path), "c1", COLUMNS)
    writer.write(batch(1))
    (file,) = writer.close()
    wider = (
        COLUMNS[0],
        replace(COLUMNS[1], type=DataType("long")),
        COLUMNS[2],
        Column("x", DataType("string"), field_id=9),
    )
    check_footer(file.path, wider, PyArrowFileIO())


def test_what_is_aborted_ends_without_a_complaint(tmp_path: Path) -> None:
    writer = ContentWriter(LocalFolder(tmp_path / "data"), "c1", COLUMNS)
    writer.write(batch(ROW_GROUP_ROWS))
    writer.abort()
    del writer
    gc.collect()  # pytest makes errors of what a destructor raises
    assert list((tmp_path / "data").iterdir()) == []
