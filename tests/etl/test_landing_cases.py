"""Every file of `tests/cases/landing` through `convert`: what comes out is what the `.toml` beside it says.

`dialect`, `columns` (name to type), `rows` (as text, `NULL` for missing), `lines` (physical, of each row), `rejects`
(first and last line, reason, column), `skipped` (lines by kind), `warnings` (parts of them), or `error` (a code).
A `contract` is given as in `datasets/<name>.toml`. A case named `thread_…` is a damage that somebody told of in public:
`source` names the project and the number of the thread; the data are our own.
"""

import csv
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from athena.dataset import REJECT_COLUMNS, SYSTEM_NAMES
from etl.contract_file import parse_contract
from etl.convert import convert
from etl.report import Report

FOLDER = Path(__file__).parent.parent / "cases" / "landing"
CASES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one conversion gave."""

    said: dict[str, Any]
    data: bytes
    report: Report
    table: pa.Table | None
    rejects: list[dict[str, str]]


def converted(name: str, folder: Path) -> Outcome:
    """The case, converted."""
    said = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    contract = parse_contract(said["contract"], dataset="case") if "contract" in said else None
    target, rejects = folder / "out.parquet", folder / "rejects.csv"
    source = FOLDER / f"{name}.csv"
    report = convert(source, target, contract=contract, text=said.get("text", False), rejects=rejects)
    table = pq.read_table(target) if target.exists() else None
    found: list[dict[str, str]] = []
    if rejects.exists():
        with rejects.open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream))
    return Outcome(said, source.read_bytes(), report, table, found)


def shown(table: pa.Table) -> list[list[str]]:
    """The rows as text, without system columns."""
    columns = [
        column for name, column in zip(table.column_names, table.columns, strict=True) if name not in SYSTEM_NAMES
    ]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return [["NULL" if value is None else str(value) for value in row] for row in rows]


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    case = converted(name, tmp_path)
    said, report = case.said, case.report
    assert (report.error.code if report.error else None) == said.get("error")
    assert balances(report)
    check_rejects_against_the_file(case)
    if report.error:
        assert case.table is None
        assert report.error.remedy
        return
    assert case.table is not None
    assert dict(report.columns) == said["columns"]
    assert shown(case.table) == said["rows"]
    assert case.table["_line"].to_pylist() == said["lines"]
    assert dict(report.lines_skipped) == said["skipped"]
    assert [rejected(one) for one in case.rejects] == [
        (*one["lines"], one["reason"], one.get("column", "")) for one in said.get("rejects", [])
    ]
    for key, value in said.get("dialect", {}).items():
        assert (getattr(report, key) or "" if key != "header" else report.header) == value, key
    for part in said.get("warnings", []):
        assert any(part in warning for warning in report.warnings), report.warnings
    if not said.get("warnings") and not said.get("rejects") and "contract" not in said:
        assert not [warning for warning in report.warnings if "stays text" in warning]


def rejected(row: dict[str, str]) -> tuple[int, int, str, str]:
    """What a case says about a reject."""
    return int(row["first_line"]), int(row["last_line"]), row["reason"], row["column"]


def balances(report: Report) -> bool:
    """Rows in = loaded + rejected (a failed file loads none)."""
    if report.error:
        return report.rows_loaded == 0
    return (
        report.rows_in == report.rows_loaded + report.rows_rejected == report.rows_loaded + sum(report.reasons.values())
    )


def check_rejects_against_the_file(case: Outcome) -> None:
    """Every reject's lines and bytes are those of the physical file."""
    encoding = case.report.encoding or "utf-8"
    text = case.data.decode(encoding, "backslashreplace").removeprefix("\ufeff")
    lines = re.split(r"\r\n|\r|\n", text)
    for row in case.rejects:
        assert list(row) == [column.name for column in REJECT_COLUMNS]
        first, last = int(row["first_line"]), int(row["last_line"])
        assert re.split(r"\r\n|\r|\n", row["raw"]) == lines[first - 1 : last]
        stored = case.data[int(row["first_byte"]) : int(row["last_byte"]) + 1]
        assert stored.decode(encoding, "backslashreplace") == row["raw"]


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 240
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(CASES)


def test_the_threads_of_other_readers_are_named() -> None:
    told = {name: tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")) for name in CASES}
    sources = {name: case["source"] for name, case in told.items() if name.startswith("thread_")}
    assert len(set(sources.values())) == len(sources) >= 50
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", source) for source in sources.values())
    readers = ("duckdb/duckdb", "pola-rs/polars", "apache/arrow", "airbytehq/airbyte", "wireservice/csvkit")
    assert all(sum(source.startswith(f"{one}#") for source in sources.values()) >= 5 for one in readers)
