"""What stands in workbooks, Parquet files and JSON beside plain tables: told, rejected or refused, never lost."""

import datetime as dt
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.etl.test_formats import Cell, contract, converted, own, parquet, workbook


def with_cells(cells: str, *, state: str = "") -> bytes:
    """A workbook whose only sheet has this XML for its rows."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("Data", [["n"], [1]])))) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name.endswith("/s1.xml"):
                text = text[: text.index("<sheetData>")] + f"<sheetData>{cells}</sheetData></worksheet>"
            new.writestr(name, text.replace('<sheet name="Data"', f'<sheet name="Data"{state}'))
    return made.getvalue()


def rejects_in(tmp_path: Path) -> list[str]:
    return (tmp_path / "rejects.csv").read_text().splitlines()[1:]


def test_a_cell_far_away_from_the_table_is_refused_before_it_takes_all_memory(tmp_path: Path) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    report, _ = converted(tmp_path, "a.xlsx", with_cells(far))
    assert report.error is not None
    assert (report.format, report.error.code) == ("xlsx", "unreadable")
    assert "reaches to XFD1048576: 17,179,869,184 cells, of which 2 are filled" in report.error.message
    assert "Delete the rows and columns" in report.error.remedy


def test_formulas_without_a_value_and_errors_are_told(tmp_path: Path) -> None:
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>n</t></is></c><c r="B1" t="inlineStr"><is><t>s</t></is></c></row>'
    rows = (
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>A2*2</f><v></v></c></row>'
        '<row r="3"><c r="A3"><v>2</v></c><c r="B3"><f>A3*2</f><v>4</v></c></row>'
        '<row r="4"><c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B4" t="str"><f>""</f><v></v></c></row>'
    )
    report, table = converted(tmp_path, "a.xlsx", with_cells(head + rows))
    assert own(table) == [{"n": 1, "s": None}, {"n": 2, "s": 4}]
    assert report.warnings == (
        "1 formula has no computed value (the first is B2): NULL. "
        "Open the file in Excel and save it: then they have one.",
        "1 cell holds an error instead of a value (the first is #DIV/0! in A4): NULL.",
    )


def test_the_first_sheet_that_shows_is_read(tmp_path: Path) -> None:
    book = workbook(("Lists", [["x"], [1]]), ("Data", [["n"], [2]]))
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<sheet name="Lists"', b'<sheet name="Lists" state="hidden"'))
    report, table = converted(tmp_path, "a.xlsx", made.getvalue())
    assert own(table) == [{"n": 2}]
    assert report.warnings == ("Read is the sheet 'Data'; there are others: 'Lists' (hidden).",)
    _, table = converted(tmp_path, "a.xlsx", made.getvalue(), contract('x = { type = "int" }', 'sheet = "Lists"'))
    assert own(table) == [{"x": 1}]


def test_an_empty_sheet_names_the_others(tmp_path: Path) -> None:
    report, _ = converted(tmp_path, "a.xlsx", workbook(("Cover", []), ("Data", [["n"], [2]])))
    assert report.error is not None
    assert 'sheet = "Data"' in report.error.remedy


@pytest.mark.parametrize(
    ("rows", "columns", "skipped"),
    [
        ([[None, "n", "m"], [None, 1, 2]], {"n": "int", "m": "int"}, {"header": 1}),
        ([[1, 2], [3, 4]], {"column_1": "int", "column_2": "int"}, {}),
        ([["name", "n"], ["a", 1], [], ["Total", 1]], {"name": "string", "n": "int"},
         {"header": 1, "blank": 1, "footer": 1}),
        ([["id", "n"], [1, 1], ["Sum", 1]], {"id": "int", "n": "int"}, {"header": 1, "footer": 1}),
        ([["a", "b", "c"], ["x", 1, 2], [], ["Source: us"]], {"a": "string", "b": "int", "c": "int"},
         {"header": 1, "blank": 1, "footer": 1}),
    ],
    ids=["columns-on-the-left", "no-header", "total-apart", "total-among-numbers", "remark"],
)  # fmt: skip
def test_what_stands_around_the_table_of_a_sheet_is_no_record(
    tmp_path: Path, rows: list[list[Cell]], columns: dict[str, str], skipped: dict[str, int]
) -> None:
    report, _ = converted(tmp_path, "a.xlsx", workbook(("s", rows)))
    assert (dict(report.columns), report.lines_skipped) == (columns, skipped)
    assert report.rows_loaded + sum(skipped.values()) == report.lines_in == len(rows)


def test_a_total_like_any_row_is_read_and_told(tmp_path: Path) -> None:
    report, _ = converted(tmp_path, "a.xlsx", workbook(("s", [["name", "n"], ["a", 1], ["Total", 1]])))
    assert report.rows_loaded == 2
    assert report.warnings[0].startswith("Row 3 calls itself a total")


def test_a_sheet_without_a_header_is_named_by_the_contract(tmp_path: Path) -> None:
    book = workbook(("s", [[dt.date(2026, 5, 1), 5], [dt.date(2026, 5, 2), 6]]))
    wanted = contract('day = { type = "date" }\nn = { type = "int" }', "header = false")
    report, table = converted(tmp_path, "a.xlsx", book, wanted)
    assert own(table)[0] == {"day": dt.date(2026, 5, 1), "n": 5}
    assert (report.header, report.rows_loaded) == (False, 2)


def test_instants_that_nobody_could_read_are_rejects(tmp_path: Path) -> None:
    beyond = pa.table(
        {
            "n": [1, 2, 3],
            "ms": pa.array([0, 2**62, 0], pa.timestamp("ms")),
            "day": pa.array([0, 0, 2**30], pa.int32()).cast(pa.date32()),
        }
    )
    report, table = converted(tmp_path, "a.parquet", parquet(beyond))
    assert [row["n"] for row in own(table)] == [1]
    assert report.reasons == {"not-a-timestamp": 1, "not-a-date": 1}
    assert [line.split(",")[6] for line in rejects_in(tmp_path)] == ["ms", "day"]


def test_text_in_parquet_that_is_no_text_is_a_reject(tmp_path: Path) -> None:
    offsets = pa.array([0, 2, 4], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfeok")])
    report, table = converted(tmp_path, "a.parquet", parquet(pa.table({"s": broken, "n": [1, 2]})))
    assert own(table) == [{"s": "ok", "n": 2}]
    assert report.reasons == {"encoding": 1}
    assert '""s"": ""\\\\xff\\\\xfe""' in rejects_in(tmp_path)[0]


def test_pages_of_parquet_that_were_damaged_are_found(tmp_path: Path) -> None:
    made = io.BytesIO()
    rows = pa.table({"n": pa.array(range(50_000), pa.int64())})
    pq.write_table(rows, made, compression="none", use_dictionary=False, write_page_checksum=True)
    damaged = bytearray(made.getvalue())
    damaged[5_000] ^= 1
    report, _ = converted(tmp_path, "a.parquet", bytes(damaged))
    assert report.error is not None
    assert (report.format, report.error.code) == ("parquet", "unreadable")


def test_what_iceberg_has_no_type_for_is_told(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([dt.time(10, 30)]), "took": pa.array([60], pa.duration("s"))})
    report, _ = converted(tmp_path, "a.parquet", parquet(table))
    assert report.warnings == (
        "at is time64[us] in the file: it is loaded as text.",
        "took is duration[s] in the file: it is loaded as text, a count of s.",
    )


@pytest.mark.parametrize(
    ("name", "content", "said", "remedy"),
    [
        ("a.jsonl", b'[{"a": 1}, {"a": 2}]\n', "Line 1: The line is JSON, but no object.", "jq -c '.[]'"),
        ("a.jsonl", b'{\n  "a": 1\n}\n', "Line 1: The line is no JSON: Expecting property name", "jq -c ."),
        ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), "a.jsonl is no UTF-8", "Save it as UTF-8"),
        ("a.json", b'{"data": [\n{"a": 1},\n{"a": 2}\n]}\n', "one JSON document", "jq"),
        ("a.json", b"[1,\n2]\n", "one JSON document", "jq"),
    ],
    ids=["array", "object-of-lines", "utf-16", "object-around-lines", "array-of-numbers"],
)
def test_json_of_another_form_is_refused_with_its_cause(
    tmp_path: Path, name: str, content: bytes, said: str, remedy: str
) -> None:
    report, _ = converted(tmp_path, name, content)
    assert report.error is not None
    assert said in report.error.message
    assert (report.format, remedy in report.error.remedy) == ("jsonl", True)


def test_half_a_pair_of_json_is_no_text(tmp_path: Path) -> None:
    report, table = converted(tmp_path, "a.jsonl", '{"a": "\\ud83d\\ude00"}\n{"a": "\\ud83d"}\n{"a": "\\\\ud83d"}\n')
    assert [row["a"] for row in own(table)] == ["😀", "\\ud83d"]
    assert report.reasons == {"encoding": 1}


def test_numbers_of_json_with_an_exponent_are_numbers(tmp_path: Path) -> None:
    report, table = converted(tmp_path, "a.jsonl", '{"a": 1e5}\n{"a": 2.5}\n{"a": -3E2}\n')
    assert dict(report.columns) == {"a": "double"}
    assert [row["a"] for row in own(table)] == [1e5, 2.5, -300.0]


def test_a_broken_line_of_json_tells_its_character(tmp_path: Path) -> None:
    converted(tmp_path, "a.jsonl", '{"a": 1}\n{"a":\n')
    assert json.dumps("The line is no JSON: Expecting value at character 6.")[1:-1] in rejects_in(tmp_path)[0]


def test_ids_as_keys_are_refused_before_they_take_all_memory(tmp_path: Path) -> None:
    by_id = "".join(f'{{"a": {at}, "id{at}": 1}}\n' for at in range(5_001))
    report, _ = converted(tmp_path, "a.jsonl", by_id)
    assert report.error is not None
    assert report.error.code == "format-unsupported"
    assert "5,002 different keys in 5,001 lines: 25,015,002 cells, of which 10,002 are filled" in report.error.message
    assert "write each as a value" in report.error.remedy


def test_wide_json_is_a_table(tmp_path: Path) -> None:
    """However many keys, where lines have most of them."""
    report, _ = converted(tmp_path, "a.jsonl", json.dumps({f"k{at}": at for at in range(5_001)}) + "\n")
    assert (report.error, report.rows_loaded) == (None, 1)
