"""What is in the lake, for eyes and for programs."""

import json
from pathlib import Path

from tests.lakegate.conftest import Command


def test_datasets_are_listed_with_rows(lakegate: Command, stays_home: Path) -> None:
    listed = json.loads(lakegate("datasets", "--json", "--home", stays_home).out)
    assert (listed[0]["name"], listed[0]["rows"]) == ("stays", 23)
    assert "stays" in lakegate("datasets", "--home", stays_home).out


def test_an_empty_home_says_what_to_do(lakegate: Command, home: Path) -> None:
    assert "Drop a file into landing/" in lakegate("datasets", "--home", home).out
    assert json.loads(lakegate("datasets", "--json", "--home", home).out) == []
    assert json.loads(lakegate("loads", "--json", "--home", home).out) == []
    assert "Nothing was loaded yet" in lakegate("loads", "--home", home).out


def test_a_dataset_is_described_by_its_columns(lakegate: Command, stays_home: Path) -> None:
    described = json.loads(lakegate("describe", "stays", "--json", "--home", stays_home).out)
    types = {column["name"]: column["type"] for column in described["columns"]}
    assert {name: types[name] for name in ("hotel", "day", "note")} == {
        "hotel": "string",
        "day": "date",
        "note": "string",
    }
    assert types["guests"] in ("int", "long")
    assert described["snapshot"]["id"]
    assert "23 rows" in lakegate("describe", "stays", "--home", stays_home).out


def test_an_unknown_dataset_is_not_found(lakegate: Command, stays_home: Path) -> None:
    for command in ("describe", "rejects", "loads", "reload"):
        done = lakegate(command, "nothing", "--home", stays_home)
        assert (done.code, done.out) == (1, ""), command
        assert "[no-such-dataset]" in done.err or "[not-landed]" in done.err, done.err
        assert "lakegate datasets" in done.err
        assert "GET /v1" not in done.err


def test_the_history_tells_each_load(lakegate: Command, stays_home: Path) -> None:
    (load,) = json.loads(lakegate("loads", "stays", "--json", "--home", stays_home).out)
    assert (load["file"], load["status"], load["current"]) == ("stays/stays.csv", "loaded", True)
    assert load["report"]["rows_in"] == 24
    assert "stays/stays.csv" in lakegate("loads", "--home", stays_home).out


def test_the_history_says_why_a_file_failed(lakegate: Command, home: Path, stays_file: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing.csv").write_bytes(b"")
    (tmp_path / "again.csv").write_bytes(stays_file.read_bytes())
    for file in (stays_file, tmp_path / "nothing.csv", tmp_path / "again.csv"):
        lakegate("load", file, "--dataset", "stays", "--home", home)
    said = lakegate("loads", "stays", "--home", home).out
    assert "The file is empty. Drop it again once it has content." in said
    assert f"the same content as stays/{stays_file.name}" in said


def test_the_owner_is_told_what_there_is_not(lakegate: Command, stays_home: Path) -> None:
    for sql, name in (("SELECT * FROM nothing", "nothing"), ("SELECT hotle FROM stays", "hotle")):
        done = lakegate("query", sql, "--home", stays_home)
        assert f"There is no dataset or column '{name}'." in done.err
        assert "[not-found]" in done.err


def test_the_newest_rejects_come_first(lakegate: Command, home: Path, stays_file: Path, tmp_path: Path) -> None:
    (tmp_path / "later.csv").write_text("hotel,day,guests,note\n" + "A,2026-05-01,1,x\n" * 30 + "late\n")
    for file in (stays_file, tmp_path / "later.csv"):
        lakegate("load", file, "--dataset", "stays", "--home", home)
    found = json.loads(lakegate("rejects", "stays", "--json", "--home", home).out)
    assert {one["raw"] for one in found} == {"late", "Borealis,2026-05-02"}
    # Both may be of the same second.
    ids = [one["load_id"] for one in found]
    assert ids == sorted(ids, reverse=True)
    (newest,) = json.loads(lakegate("rejects", "stays", "--limit", "1", "--json", "--home", home).out)
    assert newest in found


def test_rejects_of_a_corrected_file_are_gone_but_not_forgotten(
    lakegate: Command, home: Path, stays_file: Path
) -> None:
    bad = stays_file.read_text(encoding="utf-8")
    for text in (bad, bad.replace("Borealis,2026-05-02\n", "Borealis,2026-05-02,7,x\n")):
        stays_file.write_text(text, encoding="utf-8")
        assert lakegate("load", stays_file, "--dataset", "stays", "--home", home).code == 0
    assert "stays has no rejects." in lakegate("rejects", "stays", "--home", home).out
    assert json.loads(lakegate("rejects", "stays", "--json", "--home", home).out) == []
    (reject,) = json.loads(lakegate("rejects", "stays", "--all", "--json", "--home", home).out)
    assert reject["raw"] == "Borealis,2026-05-02"


def test_rejects_of_a_file_that_failed_are_found(lakegate: Command, home: Path, stays_file: Path) -> None:
    stays_file.write_text("hotel,guests\nAurora,1\nBorealis\n", encoding="utf-8")
    failed = lakegate("load", stays_file, "--dataset", "stays", "--home", home)
    assert "reports/stays/stays.csv/ holds them with line and reason" in failed.out
    done = lakegate("rejects", "stays", "--home", home)
    assert (done.code, done.out) == (0, "stays has no rejects.\n")
    assert "stays/stays.csv failed; its rejects are in reports/stays/stays.csv/." in done.err
    (told,) = (home / "reports" / "stays" / "stays.csv").glob("*.rejects.csv")
    assert "Borealis" in told.read_text(encoding="utf-8")


def test_rejects_keep_line_reason_and_raw_text(lakegate: Command, stays_home: Path) -> None:
    (reject,) = json.loads(lakegate("rejects", "stays", "--json", "--home", stays_home).out)
    assert (int(reject["first_line"]), reject["reason"], reject["raw"]) == (5, "field-count", "Borealis,2026-05-02")
    assert "Borealis,2026-05-02" in lakegate("rejects", "stays", "--home", stays_home).out


def test_a_name_that_is_no_dataset_never_becomes_sql(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("rejects", "stays; DROP TABLE stays", "--home", stays_home)
    assert done.code == 1
    assert "[dataset-name]" in done.err


def test_doctor_finds_a_whole_home_well(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("doctor", "--json", "--home", stays_home)
    findings = json.loads(done.out)
    assert done.code == 0
    assert findings
    assert [one for one in findings if one["level"] == "error"] == []
