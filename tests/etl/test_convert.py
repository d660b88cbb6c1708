"""One file to one Parquet file: whole or not at all, with what was wrong beside it."""

import gzip
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from athena.dataset import SYSTEM_COLUMNS, Column, parse_type
from athena.errors import Failed, Refused
from etl.contract import Contract
from etl.convert import convert

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DATA = b"id,fare\n1,1.50\n2,2.25\n3,x\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "may.csv"
    path.write_bytes(DATA)
    return path


def contract(max_rejected: float) -> Contract:
    """Whole numbers and money."""
    columns = (Column("id", parse_type("int"), required=True), Column("fare", parse_type("decimal(6,2)")))
    return Contract("case", columns, inferred=False, max_rejected=max_rejected)


def test_columns_field_ids_and_origin(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    report = convert(source, target, contract=contract(0.5), clock=lambda: NOW)
    file = pq.ParquetFile(target)
    fields = file.schema_arrow
    assert fields.names == ["id", "fare", *(column.name for column in SYSTEM_COLUMNS)]
    assert [field.metadata[b"PARQUET:field_id"] for field in fields] == [b"%d" % number for number in range(1, 7)]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    (first, second) = pq.read_table(target).to_pylist()
    assert (first["_file"], first["_line"], first["_content"], first["_loaded_at"]) == (
        "may.csv",
        2,
        report.content,
        NOW,
    )
    assert (second["id"], str(second["fare"])) == (2, "2.25")
    assert report.as_json()["reasons"] == {"not-a-decimal": 1}


@pytest.mark.parametrize("pack", ["gz", "zip"])
def test_packed_files_are_unpacked(source: Path, tmp_path: Path, pack: str) -> None:
    packed = tmp_path / f"may.csv.{pack}"
    if pack == "gz":
        packed.write_bytes(gzip.compress(DATA))
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("may.csv", DATA)
    plain = convert(source, tmp_path / "plain.parquet")
    report = convert(packed, tmp_path / "packed.parquet")
    assert report.content == plain.content
    assert pq.read_table(tmp_path / "packed.parquet").num_rows == 3


def test_an_archive_of_several_files_is_refused_with_its_remedy(tmp_path: Path) -> None:
    packed = tmp_path / "both.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", DATA)
        archive.writestr("b.csv", DATA)
    report = convert(packed, tmp_path / "out.parquet")
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.code == "archive-members"
    assert "a.csv, b.csv" in report.error.message


def test_a_failed_file_leaves_the_target_as_it_was_and_its_rejects_are_told(source: Path, tmp_path: Path) -> None:
    target, rejects = tmp_path / "out.parquet", tmp_path / "rejects.csv"
    target.write_bytes(b"before")
    report = convert(source, target, contract=contract(0.1), rejects=rejects)
    assert report.error is not None
    assert (report.status, report.error.code, report.rows_loaded) == ("failed", "too-many-rejects", 0)
    assert target.read_bytes() == b"before"
    assert rejects.read_text(encoding="utf-8").splitlines()[1].endswith(",fare,not-a-decimal,'x' is no number.,\"3,x\"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["may.csv", "out.parquet", "rejects.csv"]


def test_rejects_are_a_header_alone_when_there_are_none(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "out.parquet", rejects=tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()[1:] == []


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        convert(tmp_path / "none.csv", tmp_path / "out.parquet")
    assert refused.value.code == "no-such-file"


def test_a_target_that_cannot_be_written_is_a_failure_with_a_remedy(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Failed) as failed:
        convert(source, tmp_path / "absent" / "out.parquet")
    assert failed.value.code == "disk"
    assert "folder" in failed.value.remedy


def test_rows_beyond_a_row_group_are_all_there(tmp_path: Path) -> None:
    source = tmp_path / "many.csv"
    source.write_bytes(b"n\n" + b"".join(b"%d\n" % number for number in range(300_000)))
    convert(source, tmp_path / "out.parquet")
    file = pq.ParquetFile(tmp_path / "out.parquet")
    assert file.metadata.num_rows == 300_000
    assert file.read(["n"])["n"].to_pylist() == list(range(300_000))
    assert file.metadata.num_row_groups == 3


def test_a_total_that_is_filled_like_a_record_is_loaded_and_told(tmp_path: Path) -> None:
    path = tmp_path / "may.csv"
    path.write_text("shop,day,n\nUlm,mon,1\nBonn,tue,2\nTotal,all,3\n")
    report = convert(path, tmp_path / "out.parquet")
    assert report.rows_loaded == 3
    assert "Line 4 calls itself a total and was read as a record: take it out of the file if it is none." in (
        report.warnings
    )
