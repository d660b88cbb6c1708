"""JSON Lines, Excel and Parquet: the same contract, rejects, balance and inference as CSV."""

import datetime as dt
import io
import json
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.contract import Contract, SourceRules
from etl.contract_file import parse_contract, read_contract
from etl.convert import convert
from etl.ingest import reconcile
from etl.intake import Intake
from etl.report import Report
from tests.archives import gz_of, zip_of
from tests.home import drop, intake_at, reports_of, rows_of

Cell = str | float | int | bool | dt.date | dt.datetime | None


def workbook(*sheets: tuple[str, list[list[Cell]]]) -> bytes:
    """A small workbook as Excel writes one: shared nothing, dates as numbers with a style."""
    spaces = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType='
        '"application/xml"/><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{links}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(f'<Relationship Id="r{n}" Type="{links}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers)
        + f'<Relationship Id="st" Type="{links}/styles" Target="styles.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {spaces} xmlns:r="{links}"><sheets>'
        + "".join(f'<sheet name="{sheets[n - 1][0]}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/styles.xml": f'<styleSheet {spaces}><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for n, (_, rows) in enumerate(sheets, 1):
        data = "".join(f'<row r="{at}">{"".join(map(cell, row))}</row>' for at, row in enumerate(rows, 1))
        parts[f"xl/worksheets/s{n}.xml"] = f"<worksheet {spaces}><sheetData>{data}</sheetData></worksheet>"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{part}')
    return made.getvalue()


def cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, dt.datetime):
        since = value - dt.datetime(1899, 12, 30)
        return f'<c s="2"><v>{since / dt.timedelta(days=1)!r}</v></c>'
    if isinstance(value, dt.date):
        return f'<c s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"


def parquet(table: pa.Table) -> bytes:
    made = io.BytesIO()
    pq.write_table(table, made)
    return made.getvalue()


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def converted(
    tmp_path: Path, name: str, content: str | bytes, contract: Contract | None = None
) -> tuple[Report, pa.Table]:
    source, target = tmp_path / name, tmp_path / "out.parquet"
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    report = convert(source, target, contract=contract, rejects=tmp_path / "rejects.csv")
    return report, pq.read_table(target) if report.error is None else pa.table({})


def own(table: pa.Table) -> list[dict[str, object]]:
    names = [name for name in table.schema.names if not name.startswith("_")]
    return [dict(row) for row in table.select(names).to_pylist()]


def contract(columns: str, rules: str = "") -> Contract:
    text = f"inferred = false\nmax_rejected = 0.9\n[columns]\n{columns}\n[sources.default]\n{rules}\n"
    return parse_contract(text, dataset="t", path="t.toml")


def test_json_lines_are_inferred_from_every_value(tmp_path: Path) -> None:
    text = lines({"Id": 1, "day": "2026-05-01", "fare": 1.25, "ok": True, "zip": "007"}, {"Id": 2, "note": "x\ny"})
    report, table = converted(tmp_path, "a.jsonl", text)
    assert (report.status, report.format, report.lines_in, report.rows_loaded) == ("loaded", "jsonl", 2, 2)
    types = {"id": "int", "day": "date", "fare": "double", "ok": "boolean", "zip": "string", "note": "string"}
    assert dict(report.columns) == types
    first, second = own(table)
    assert first == {"id": 1, "day": dt.date(2026, 5, 1), "fare": 1.25, "ok": True, "zip": "007", "note": None}
    assert second["note"] == "x\ny"
    assert table["_line"].to_pylist() == [1, 2]


def test_json_numbers_keep_their_digits_and_empty_text_is_no_null(tmp_path: Path) -> None:
    text = '{"fare": 12345678901234567.25, "big": 123456789012345678901, "t": ""}\n{"fare": 1e2, "t": null}\n'
    wanted = contract('fare = { type = "decimal(22,2)" }\nbig = { type = "string" }\nt = { type = "string" }')
    _, table = converted(tmp_path, "a.ndjson", text, wanted)
    assert [row["fare"] for row in own(table)] == [Decimal("12345678901234567.25"), Decimal("100.00")]
    assert [row["t"] for row in own(table)] == ["", None]
    assert own(table)[0]["big"] == "123456789012345678901"


def test_nested_json_stays_json(tmp_path: Path) -> None:
    _, table = converted(tmp_path, "a.jsonl", '{"n": 1, "tags": ["a", {"x": 1.50}]}\n')
    assert own(table) == [{"n": 1, "tags": '["a",{"x":1.50}]'}]


def test_lines_that_are_no_object_are_rejects_with_their_line(tmp_path: Path) -> None:
    text = '{"n": 1}\n\n{"n": \n[1]\n{"n": 2, "n": 3}\n{"n": "many"}\n{"n": 4}'
    report, table = converted(tmp_path, "a.jsonl", text, contract('n = { type = "int", required = true }'))
    assert (report.lines_in, report.lines_skipped, report.rows_loaded, report.rows_rejected) == (7, {"blank": 1}, 2, 4)
    assert report.reasons == {"not-an-object": 3, "not-a-int": 1}
    assert table["_line"].to_pylist() == [1, 7]
    rejects = (tmp_path / "rejects.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in rejects[1:]] == ["3", "4", "5", "6"]


def test_json_text_is_read_by_the_rules_of_its_source_and_numbers_are_not(tmp_path: Path) -> None:
    rules = 'decimal = ","\nthousands = "."\nformats = { day = "%d.%m.%Y" }\nrename = { "Preis" = "price" }'
    text = lines({"Preis": "1.234,5", "day": "13.04.2026"}, {"Preis": 1234.5, "day": "01.05.2026"})
    _, table = converted(
        tmp_path, "a.jsonl", text, contract('price = { type = "double" }\nday = { type = "date" }', rules)
    )
    assert [row["price"] for row in own(table)] == [1234.5, 1234.5]
    assert own(table)[0]["day"] == dt.date(2026, 4, 13)


@pytest.mark.parametrize("text", ['[\n {"n": 1},\n {"n": 2}\n]', '{\n  "n": 1\n}'], ids=["array", "document"])
def test_json_that_is_one_document_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    report, _ = converted(tmp_path, "a.json", text)
    assert report.error is not None
    assert (report.error.code, "jq" in report.error.remedy) == ("format-unsupported", True)


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["Sales of May"],
        [],
        ["Day", "Hotel", "Guests", "Rate", "Open"],
        [dt.date(2026, 5, 1), "Aurora", 12, 99.5, True],
        [dt.date(2026, 5, 2), "Böreas", 7, 80, False],
        [],
        [dt.date(2026, 5, 3), None, 9, 1.25, True],
    ]
    report, table = converted(tmp_path, "a.xlsx", workbook(("May", rows), ("June", [["x"], [1]])))
    assert (report.format, report.rows_loaded, report.lines_in) == ("xlsx", 3, 7)
    assert report.lines_skipped == {"preamble": 1, "blank": 2, "header": 1}
    assert dict(report.columns) == {
        "day": "date", "hotel": "string", "guests": "int", "rate": "double", "open": "boolean",
    }  # fmt: skip
    assert own(table)[2] == {"day": dt.date(2026, 5, 3), "hotel": None, "guests": 9, "rate": 1.25, "open": True}
    assert table["_line"].to_pylist() == [4, 5, 7]
    assert "'June'" in report.warnings[0]


def test_the_contract_names_the_sheet(tmp_path: Path) -> None:
    book = workbook(("May", [["n"], [1]]), ("June", [["n"], [2], ["many"]]))
    wanted = contract('n = { type = "int" }', 'sheet = "June"')
    report, table = converted(tmp_path, "a.xlsx", book, wanted)
    assert (own(table), report.rows_rejected) == ([{"n": 2}], 1)
    missing = contract('n = { type = "int" }', 'sheet = "July"')
    report, _ = converted(tmp_path, "a.xlsx", book, missing)
    assert report.error is not None
    assert "no sheet 'July'; it has 'May', 'June'" in report.error.message


def test_parquet_is_taken_at_its_word(tmp_path: Path) -> None:
    table = pa.table(
        {
            "Id": pa.array([1, 2, None], pa.int64()),
            "code": pa.array(["1", "2", "3"]),
            "at": pa.array([1_700_000_000_000_000_123, None, 0], pa.timestamp("ns")),
            "fare": pa.array([Decimal("1.10"), Decimal("2.20"), None], pa.decimal128(9, 2)),
            "tags": pa.array([["a"], None, []], pa.list_(pa.string())),
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
        }
    )
    report, found = converted(tmp_path, "a.parquet", parquet(table))
    assert (report.format, report.lines_in, report.rows_loaded) == ("parquet", 3, 3)
    types = {
        "id": "long",
        "code": "string",
        "at": "timestamp",
        "fare": "decimal(9,2)",
        "tags": "string",
        "kind": "string",
    }
    assert dict(report.columns) == types
    first = own(found)[0]
    assert (first["code"], first["fare"], first["tags"], first["kind"]) == ("1", Decimal("1.10"), '["a"]', "x")
    assert first["at"] == dt.datetime(2023, 11, 14, 22, 13, 20)
    assert len(report.warnings) == 2


def test_parquet_values_that_break_the_contract_are_rejects(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([1, 3_000_000_000, None]), "day": ["2026-05-01", "never", "2026-05-02"]})
    wanted = contract('n = { type = "int", required = true }\nday = { type = "date" }')
    report, found = converted(tmp_path, "a.parquet", parquet(table), wanted)
    assert own(found) == [{"n": 1, "day": dt.date(2026, 5, 1)}]
    assert report.reasons == {"out-of-range": 1, "missing-required": 1}
    raw = (tmp_path / "rejects.csv").read_text()
    assert '""n"": 3000000000' in raw


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    good = parquet(pa.table({"n": [1]}))
    for name, content in (("a.parquet", good[:-20]), ("b.xlsx", workbook(("s", [["n"], [1]]))[:200])):
        report, _ = converted(tmp_path, name, content)
        assert report.error is not None
        assert report.error.code == "unreadable", name


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def test_every_format_loads_into_one_dataset(intake: Intake) -> None:
    drop(intake, "t/a.csv", "n,name\n1,a\n")
    reports_of(reconcile(intake))
    drop(intake, "t/b.jsonl", lines({"n": 2, "name": "b"}))
    drop(intake, "t/c.xlsx", workbook(("s", [["n", "name"], [3, "c"]])))
    drop(intake, "t/d.parquet", parquet(pa.table({"n": pa.array([4], pa.int32()), "name": ["d"]})))
    drop(intake, "t/e.jsonl.gz", gz_of(lines({"n": 5, "name": "e"})))
    reports = reports_of(reconcile(intake))
    assert [(one.status, one.format) for one in reports] == [
        ("loaded", "jsonl"),
        ("loaded", "xlsx"),
        ("loaded", "parquet"),
        ("loaded", "jsonl"),
    ]
    assert sorted(rows_of(intake, "t").select(["n", "name"]).to_pylist(), key=lambda row: row["n"]) == [
        {"n": at, "name": "abcde"[at - 1]} for at in range(1, 6)
    ]
    drop(intake, "t/again.parquet", parquet(pa.table({"n": pa.array([4], pa.int32()), "name": ["d"]})))
    assert [one.status for one in reports_of(reconcile(intake))] == ["duplicate"]


def test_a_zip_may_hold_files_of_any_format(intake: Intake) -> None:
    members: dict[str, str | bytes] = {
        "a.csv": "n\n1\n",
        "b.jsonl": lines({"n": 2}),
        "c.xlsx": workbook(("s", [["n"], [3]])),
        "d.parquet": parquet(pa.table({"n": pa.array([4], pa.int32())})),
    }
    drop(intake, "t/all.zip", zip_of(members))
    assert [one.status for one in reports_of(reconcile(intake))] == ["loaded"] * 4
    assert sorted(rows_of(intake, "t")["n"].to_pylist()) == [1, 2, 3, 4]


def test_an_inferred_contract_widens_by_any_format(intake: Intake) -> None:
    drop(intake, "t/a.jsonl", lines({"n": 1}))
    reports_of(reconcile(intake))
    drop(intake, "t/b.parquet", parquet(pa.table({"n": pa.array([2], pa.int64()), "more": [1.5]})))
    assert reports_of(reconcile(intake))[0].status == "loaded"
    found = read_contract(intake.contract_path("t"))
    assert {column.name: str(column.type) for column in found.columns} == {"n": "long", "more": "double"}
    assert found.rules("default") == replace(SourceRules())


def test_old_excel_files_are_refused(tmp_path: Path) -> None:
    report, _ = converted(tmp_path, "a.xls", b"\xd0\xcf\x11\xe0" + b"x" * 100)
    assert report.error is not None
    assert report.error.code == "format-unsupported"
