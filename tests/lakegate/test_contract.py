"""Contracts from the command line: inferred, checked, confirmed, and never rewritten behind their owner's back."""

import json
from pathlib import Path

import pytest

from etl.contract_file import parse_contract, read_contract
from tests.archives import zip_of
from tests.lakegate.conftest import Command


@pytest.fixture
def loaded(lakegate: Command, home: Path, stays_file: Path) -> Path:
    assert lakegate("load", stays_file, "--dataset", "stays", "--home", home).code == 0
    return home


def test_infer_prints_what_a_first_load_writes(lakegate: Command, loaded: Path, stays_file: Path) -> None:
    printed = parse_contract(lakegate("contract", "infer", stays_file).out, dataset="stays")
    written = read_contract(loaded / "datasets" / "stays.toml")
    assert printed.inferred
    assert [(one.name, one.type) for one in printed.columns] == [(one.name, one.type) for one in written.columns]


def test_a_contract_that_fits_is_said_to_fit(lakegate: Command, loaded: Path) -> None:
    done = lakegate("contract", "check", "stays", "--home", loaded)
    assert done.code == 0
    assert "it fits the table" in done.out
    checked = json.loads(lakegate("contract", "check", "stays", "--json", "--home", loaded).out)
    (file,) = checked.pop("files")
    assert checked.pop("conflict") is None
    assert checked == {"dataset": "stays", "inferred": True, "table": True, "adds": {}, "widens": {}, "leaves": {}}
    assert (file["file"], file["rows"], file["rejected"], file["rejected_now"]) == ("stays/stays.csv", 24, 1, 1)


def test_what_the_next_load_would_change_is_listed(lakegate: Command, loaded: Path) -> None:
    path = loaded / "datasets" / "stays.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[columns]\n", '[columns]\nstars = { type = "int" }\n'), encoding="utf-8")
    checked = json.loads(lakegate("contract", "check", "stays", "--json", "--home", loaded).out)
    assert checked["adds"] == {"stars": "int"}


def test_check_counts_the_records_that_would_become_rejects_and_names_the_first(
    lakegate: Command, loaded: Path
) -> None:
    path = loaded / "datasets" / "stays.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('hotel  = { type = "string" }', 'hotel = { type = "string", allowed = ["Cirrus"] }'))
    done = lakegate("contract", "check", "stays", "--home", loaded)
    assert done.code == 1  # three of 24 are more than a tenth
    assert "stays/stays.csv would fail: 4 of its 24 records are bad" in done.out
    assert "hotel, not-allowed x 3: line 2, 'Aurora' is not among" in done.out
    assert "field-count x 1: line 5" in done.out
    (file,) = json.loads(lakegate("contract", "check", "stays", "--json", "--home", loaded).out)["files"]
    assert (file["rejected_now"], file["rejected"], file["problem"]["code"]) == (1, 4, "too-many-rejects")
    assert json.loads(lakegate("query", "SELECT count(*) FROM stays", "--format", "json", "--home", loaded).out)[
        "rows"
    ] == [["23"]]  # nothing was loaded or taken away


def test_check_tries_a_file_before_it_is_dropped(lakegate: Command, loaded: Path, tmp_path: Path) -> None:
    lakegate("contract", "confirm", "stays", "--home", loaded)
    file = tmp_path / "june.csv"
    file.write_text("hotel,day,guests,note\n" + "Aurora,2026-06-01,3,\n" * 20 + "Aurora,2026-06-02,many,\n")
    done = lakegate("contract", "check", "stays", file, "--home", loaded)
    assert (done.code, "june.csv, guests, not-a-int x 1: line 22" in done.out) == (0, True)
    gone = lakegate("contract", "check", "stays", tmp_path / "gone.csv", "--home", loaded)
    assert (gone.code, "[no-such-file]" in gone.err) == (1, True)


def test_a_column_that_the_contract_forgot_is_said_to_be_left(lakegate: Command, loaded: Path) -> None:
    path = loaded / "datasets" / "stays.toml"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("note")]
    path.write_text("\n".join(kept))
    checked = json.loads(lakegate("contract", "check", "stays", "--json", "--home", loaded).out)
    assert (checked["leaves"], checked["adds"]) == ({"note": "string"}, {})


def test_a_contract_that_cannot_be_is_refused_with_the_remedy(lakegate: Command, loaded: Path) -> None:
    path = loaded / "datasets" / "stays.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('type = "date"', 'type = "boolean"'), encoding="utf-8")
    done = lakegate("contract", "check", "stays", "--home", loaded)
    assert done.code == 1
    # What a reload, which the remedy names, would reject: no value is a boolean.
    assert "stays/stays.csv, day, not-a-boolean x 23" in done.out
    line = path.read_text(encoding="utf-8").splitlines().index('day    = { type = "boolean" }') + 1
    assert f"stays.toml, line {line}: stays: column 'day' is date" in done.err
    assert "[schema-conflict]" in done.err
    told = json.loads(lakegate("contract", "check", "stays", "--json", "--home", loaded).out)
    assert (told["conflict"]["code"], told["files"][0]["rejected"]) == ("schema-conflict", 24)


def test_confirm_changes_one_word_and_keeps_the_rest(lakegate: Command, loaded: Path) -> None:
    path = loaded / "datasets" / "stays.toml"
    before = path.read_text(encoding="utf-8") + "# mine\n"
    path.write_text(before, encoding="utf-8")
    assert lakegate("contract", "confirm", "stays", "--home", loaded).code == 0
    after = path.read_text(encoding="utf-8")
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(changed) == 1
    assert not read_contract(path).inferred
    assert "already" in lakegate("contract", "confirm", "stays", "--home", loaded).out
    assert path.read_text(encoding="utf-8") == after


def test_a_contract_without_the_word_is_confirmed_too(lakegate: Command, home: Path) -> None:
    path = home / "datasets" / "stays.toml"
    path.write_text('[columns]\nhotel = { type = "string" }\n', encoding="utf-8")
    assert lakegate("contract", "confirm", "stays", "--home", home).code == 0
    assert not read_contract(path).inferred


def test_no_contract_no_confirmation(lakegate: Command, home: Path) -> None:
    done = lakegate("contract", "confirm", "nothing", "--home", home)
    assert (done.code, done.out) == (1, "")
    assert "[no-contract]" in done.err


def test_a_confirmed_contract_rejects_what_an_inferred_one_fails(
    lakegate: Command, loaded: Path, tmp_path: Path
) -> None:
    file = tmp_path / "june.csv"
    file.write_text("hotel,day,guests,note\n" + "Aurora,2026-06-01,3,x\n" * 20 + "Aurora,2026-06-02,many,x\n")
    inferred = lakegate("load", file, "-d", "stays", "--json", "--home", loaded)
    assert (inferred.code, json.loads(inferred.out)["status"]) == (1, "failed")
    lakegate("contract", "confirm", "stays", "--home", loaded)
    confirmed = json.loads(lakegate("load", file, "-d", "stays", "--json", "--home", loaded).out)
    assert (confirmed["status"], confirmed["rows_loaded"], confirmed["rows_rejected"]) == ("loaded", 20, 1)


def test_infer_says_of_which_file_an_archive_told(lakegate: Command, tmp_path: Path) -> None:
    archive = tmp_path / "may.zip"
    archive.write_bytes(zip_of({"a.csv": "n\n1\n", "b.csv": "name\nx\n"}))
    done = lakegate("contract", "infer", archive)
    assert 'n = { type = "int" }' in done.out
    assert "may.zip holds 2 files: this is the contract of the first, a.csv." in done.err
    missing = lakegate("contract", "infer", tmp_path / "none.csv")
    assert (missing.code, "[no-such-file]" in missing.err) == (1, True)
