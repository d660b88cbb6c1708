"""Files in: the union sentence from the command line, exit codes, one JSON document."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.lakegate.conftest import STAYS, Command

FIELDS = {
    *("status", "dataset", "source", "file", "content", "format", "encoding", "delimiter", "quote", "header"),
    *(
        "lines_in",
        "lines_skipped",
        "rows_in",
        "rows_loaded",
        "rows_rejected",
        "reasons",
        "snapshot",
        "warnings",
        "seconds",
    ),
}


def load(lakegate: Command, home: Path, file: Path, *more: str) -> dict[str, object]:
    done = lakegate("load", file, "--dataset", "stays", "--home", home, "--json", *more)
    report: dict[str, object] = json.loads(done.out)
    return report


def rows(lakegate: Command, home: Path) -> int:
    done = lakegate("query", "SELECT count(*) AS n FROM stays", "--format", "csv", "--home", home)
    return int(done.out.split()[1])


def test_a_load_prints_the_report_that_was_promised(lakegate: Command, home: Path, stays_file: Path) -> None:
    report = load(lakegate, home, stays_file)
    assert set(report) >= FIELDS
    assert (report["status"], report["file"], report["source"]) == ("loaded", "stays/stays.csv", "default")
    assert (report["rows_in"], report["rows_loaded"], report["rows_rejected"]) == (24, 23, 1)
    assert report["reasons"] == {"field-count": 1}
    assert (report["lines_in"], report["lines_skipped"]) == (25, {"header": 1})


def test_again_under_the_same_name_under_another_and_corrected(
    lakegate: Command, home: Path, stays_file: Path, tmp_path: Path
) -> None:
    assert load(lakegate, home, stays_file)["status"] == "loaded"
    assert load(lakegate, home, stays_file)["status"] == "unchanged"
    copy = tmp_path / "copy.csv"
    copy.write_text(STAYS, encoding="utf-8")
    assert load(lakegate, home, copy)["status"] == "duplicate"
    assert rows(lakegate, home) == 23
    stays_file.write_text(STAYS.replace("Borealis,2026-05-02\n", "Borealis,2026-05-02,8,\n"), encoding="utf-8")
    assert load(lakegate, home, stays_file)["status"] == "replaced"
    # The copy still holds the old content: both are in the table now.
    assert rows(lakegate, home) == 23 + 24


def test_strict_is_exit_code_3_and_loads_all_the_same(lakegate: Command, home: Path, stays_file: Path) -> None:
    done = lakegate("load", stays_file, "--dataset", "stays", "--strict", "--home", home)
    assert done.code == 3
    assert "1 rejected (field-count 1)" in done.out
    assert rows(lakegate, home) == 23


def test_several_files_are_one_list(lakegate: Command, home: Path, stays_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("hotel,day,guests,note\nDorado,2026-06-01,1,\n", encoding="utf-8")
    done = lakegate("load", stays_file, other, "--dataset", "stays", "--source", "desk", "--home", home, "--json")
    assert [(one["file"], one["source"]) for one in json.loads(done.out)] == [
        ("stays/desk/stays.csv", "desk"),
        ("stays/desk/other.csv", "desk"),
    ]


def test_retract_takes_the_rows_and_leaves_the_file(lakegate: Command, home: Path, stays_file: Path) -> None:
    load(lakegate, home, stays_file)
    (ended,) = json.loads(lakegate("retract", "stays/stays.csv", "--json", "--home", home).out)
    assert ended["file"] == "stays/stays.csv"
    assert rows(lakegate, home) == 0
    assert (home / "landing" / "stays" / "stays.csv").is_file()
    again = lakegate("retract", "stays/stays.csv", "--home", home)
    assert again.code == 1
    assert again.err.rstrip().endswith("]")


def test_retract_tells_whose_copy_keeps_the_rows(lakegate: Command, home: Path, stays_file: Path) -> None:
    load(lakegate, home, stays_file)
    copy = stays_file.with_name("copy.csv")
    copy.write_bytes(stays_file.read_bytes())
    load(lakegate, home, copy)
    there = rows(lakegate, home)
    done = lakegate("retract", "stays/stays.csv", "--home", home)
    assert done.out.endswith("Its rows stay: stays/copy.csv holds the same content.\n")
    assert rows(lakegate, home) == there
    last = lakegate("retract", "stays/copy.csv", "--home", home)
    assert (last.code, "rows stay" in last.out, rows(lakegate, home)) == (0, False, 0)


def test_reconcile_finds_what_was_dropped_and_reload_reads_by_the_edited_contract(
    lakegate: Command, home: Path
) -> None:
    folder = home / "landing" / "stays"
    folder.mkdir()
    (folder / "may.csv").write_text(STAYS, encoding="utf-8")
    found = json.loads(lakegate("reconcile", "--json", "--home", home).out)
    assert [report["file"] for report in found["reports"]] == ["stays/may.csv"]
    contract = home / "datasets" / "stays.toml"
    contract.write_text(contract.read_text(encoding="utf-8") + '\n[sources.default.values]\nhotel = { Aurora = "A" }\n')
    again = json.loads(lakegate("reload", "stays", "--json", "--home", home).out)
    assert [report["file"] for report in again["reports"]] == ["stays/may.csv"]
    assert rows(lakegate, home) == 23


def test_convert_needs_no_home(
    lakegate: Command, stays_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = lakegate("convert", stays_file, "stays.parquet", "--rejects", "bad.csv", "--json")
    report = json.loads(done.out)
    assert done.code == 0
    assert (report["rows_loaded"], report["rows_rejected"]) == (23, 1)
    table = parquet.read_table(tmp_path / "stays.parquet")
    assert table.num_rows == 23
    assert {"hotel", "day", "guests", "note", "_file", "_line"} <= set(table.column_names)
    assert "Borealis,2026-05-02" in (tmp_path / "bad.csv").read_text(encoding="utf-8")
    assert lakegate("convert", stays_file, "text.parquet", "--text", "--strict").code == 3
    assert str(parquet.read_table(tmp_path / "text.parquet").schema.field("guests").type) in ("string", "large_string")


def test_convert_never_writes_over_what_it_reads(lakegate: Command, stays_file: Path, tmp_path: Path) -> None:
    before = stays_file.read_bytes()
    link = tmp_path / "link.parquet"
    link.symlink_to(stays_file)
    for arguments in ((link,), (tmp_path / "x.parquet", "--rejects", stays_file)):
        done = lakegate("convert", stays_file, *arguments)
        assert done.code == 1
        assert "is the file to be read. Name another file to write. [file-exists]" in done.err
    assert lakegate("convert", stays_file, tmp_path / "x.csv").code == 2
    assert stays_file.read_bytes() == before
    assert not (tmp_path / "x.csv").exists()


def test_text_and_contract_exclude_each_other(lakegate: Command, stays_file: Path, tmp_path: Path) -> None:
    done = lakegate("convert", stays_file, tmp_path / "x.parquet", "--text", "--contract", tmp_path / "c.toml")
    assert done.code == 2


def test_a_source_is_one_folder(lakegate: Command, home: Path, stays_file: Path) -> None:
    done = lakegate("load", stays_file, "--dataset", "stays", "--source", "may/north", "--home", home)
    assert (done.code, "no slash" in done.err) == (2, True)
