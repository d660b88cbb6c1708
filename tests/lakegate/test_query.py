"""Questions from the command line: every format whole and clean, the outcome told beside it."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.lakegate.conftest import Command

AURORA = "SELECT day, guests, note FROM stays WHERE hotel = 'Aurora' ORDER BY day"


def test_a_table_shows_null_and_empty_apart_and_counts(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", AURORA, "--home", stays_home)
    lines = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert lines[0] == ["day", "guests", "note"]
    assert lines[2:] == [["2026-05-01", "12", "NULL"], ["2026-05-02", "15", '""']]
    assert done.err.startswith("2 rows, ")


def test_the_second_asking_is_a_hit(lakegate: Command, stays_home: Path) -> None:
    sql = "SELECT count(*) AS second_asking FROM stays"
    first, second = (lakegate("query", sql, "--home", stays_home) for _ in range(2))
    assert ", miss, " in first.err
    assert ", hit, " in second.err
    assert first.out == second.out
    assert ", miss, " in lakegate("query", sql, "--refresh", "--home", stays_home).err


def test_json_is_the_answer_object_with_all_rows(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", "SELECT hotel, guests FROM stays", "--format", "json", "--home", stays_home)
    answer = json.loads(done.out)
    assert answer["state"] == "SUCCEEDED"
    assert answer["cache"] in ("hit", "miss")
    assert answer["columns"][0] == {"name": "hotel", "type": "string"}
    assert len(answer["rows"]) == answer["row_count"] == 23
    assert answer["next"] is None
    assert set(answer["snapshots"]) == {"stays"}
    assert {"id", "truncated", "submitted_at", "expires_at"} <= set(answer)


def test_rows_beyond_the_first_page_are_all_there_in_order(lakegate: Command, stays_home: Path) -> None:
    many = "SELECT a.guests * 1000 + b.guests AS n FROM stays a CROSS JOIN stays b CROSS JOIN stays c ORDER BY 1"
    as_json = json.loads(lakegate("query", many, "--format", "json", "--home", stays_home).out)
    as_csv = lakegate("query", many, "--format", "csv", "--home", stays_home)
    numbers = [int(row[0]) for row in as_json["rows"]]
    assert len(numbers) == as_json["row_count"] == 23**3
    assert numbers == sorted(numbers)
    assert [int(row["n"]) for row in csv.DictReader(io.StringIO(as_csv.out))] == numbers
    assert as_csv.err.startswith("12,167 rows, ")


def test_a_long_table_is_cut_and_says_so(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", "SELECT 1 AS one FROM stays a CROSS JOIN stays b", "--home", stays_home)
    assert len(done.out.splitlines()) == 102
    assert done.err.startswith("first 100 of 529 rows, ")


def test_a_row_limit_is_told(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", "SELECT hotel FROM stays", "--limit", "5", "--format", "csv", "--home", stays_home)
    assert len(done.out.splitlines()) == 6
    assert "cut at its row limit" in done.err


def test_csv_keeps_null_and_the_empty_text_apart(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", AURORA, "--format", "csv", "--home", stays_home)
    assert done.out.splitlines() == ["day,guests,note", "2026-05-01,12,", '2026-05-02,15,""']


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv", "json"])
def test_a_file_is_written_in_the_format_of_its_name(
    lakegate: Command, stays_home: Path, tmp_path: Path, suffix: str
) -> None:
    target = tmp_path / f"out.{suffix}"
    done = lakegate("query", AURORA, "--output", target, "--home", stays_home)
    assert (done.code, done.out) == (0, "")
    assert str(target) in done.err
    if suffix == "parquet":
        assert parquet.read_table(target).column("note").to_pylist() == [None, ""]
    elif suffix == "arrow":
        assert pa.ipc.open_stream(target.read_bytes()).read_all().column("note").to_pylist() == [None, ""]
    elif suffix == "json":
        assert [row[2] for row in json.loads(target.read_text())["rows"]] == [None, ""]
    else:
        assert target.read_bytes().decode().count("\r\n") == 3


def test_an_output_without_a_known_name_needs_a_format(lakegate: Command, stays_home: Path, tmp_path: Path) -> None:
    done = lakegate("query", AURORA, "--output", tmp_path / "out.txt", "--home", stays_home)
    assert done.code == 2
    assert "--format" in done.err


def test_parameters_are_values_and_never_text(lakegate: Command, stays_home: Path) -> None:
    sql = "SELECT count(*) AS n FROM stays WHERE hotel = ? AND guests > ?"
    done = lakegate("query", sql, "--param", "Aurora", "--param", "13", "--format", "csv", "--home", stays_home)
    assert done.out.split() == ["n", "1"]
    hostile = lakegate("query", sql, "--param", "x' OR 'a'='a", "--param", "0", "--format", "csv", "--home", stays_home)
    assert hostile.out.split() == ["n", "0"]


def test_a_partner_sees_their_rows_and_columns_and_nothing_else(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", "SELECT * FROM stays", "--partner", "aurora", "--format", "csv", "--home", stays_home)
    assert done.out.splitlines()[0] == "hotel,day,note"
    assert len(done.out.splitlines()) == 3
    hidden = lakegate("query", "SELECT guests FROM stays", "--partner", "aurora", "--home", stays_home)
    absent = lakegate("query", "SELECT * FROM nothing", "--partner", "aurora", "--home", stays_home)
    assert (hidden.code, hidden.out) == (absent.code, absent.out) == (1, "")
    assert hidden.err == absent.err
    assert "[not-found]" in hidden.err


def test_an_unknown_partner_is_told_to_the_owner(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", "SELECT 1", "--partner", "nobody", "--home", stays_home)
    assert done.code == 1
    assert "lakegate partner list" in done.err


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "sql-"),
        ("DROP TABLE stays", "sql-unsupported"),
        ("SELECT * FROM nothing", "not-found"),
        ("SELECT 1 / (guests - guests) FROM stays", "division-by-zero"),
    ],
)
def test_a_question_that_fails_says_why_and_what_to_do(
    lakegate: Command, stays_home: Path, sql: str, code: str
) -> None:
    done = lakegate("query", sql, "--home", stays_home)
    assert (done.code, done.out) == (1, "")
    assert f"[{code}" in done.err
    assert done.err.count("\n") == 1


def test_sql_may_come_from_a_pipe(lakegate: Command, stays_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT count(*) AS n FROM stays"))
    assert lakegate("query", "-", "--format", "csv", "--home", stays_home).out.split() == ["n", "23"]


def test_an_output_that_cannot_be_written_says_so(lakegate: Command, stays_home: Path) -> None:
    done = lakegate("query", AURORA, "--format", "csv", "--output", "/dev/full", "--home", stays_home)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "[output-unwritable]" in done.err


def test_values_are_given_by_name_where_the_statement_has_names(lakegate: Command, stays_home: Path) -> None:
    sql = "SELECT hotel FROM stays WHERE hotel = :hotel AND guests > :least"
    done = lakegate("query", sql, "--param", "least=12", "--param", "hotel=Aurora", "-f", "csv", "--home", stays_home)
    assert (done.code, done.out) == (0, "hotel\nAurora\n".replace("\n", "\r\n")), done
    wrong = lakegate("query", sql, "--param", "Aurora", "--home", stays_home)
    assert wrong.code == 1
    assert "--param hotel=…, --param least=…" in wrong.err
