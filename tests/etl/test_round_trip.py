"""A table that is written as CSV and converted is the same table, in every dialect and encoding."""

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dataset import Column, parse_type
from etl.contract import Contract, SourceRules
from etl.convert import convert

TYPES = ("string", "boolean", "int", "long", "double", "decimal(12,2)", "decimal(30,4)", "date", "timestamp")
# Letters that every one of the encodings has, and some that only a few have.
LETTERS = {
    "utf-8": "aZ0 .-_éß€Ж東😀",
    "utf-16-le": "aZ0 .-_éß€Ж東😀",
    "utf-16-be": "aZ0 .-_éß€Ж東",
    "cp1252": "aZ0 .-_éß€",
    "latin-1": "aZ0 .-_éß",
    "cp1251": "aZ0 .-_Жя",
    "shift_jis": "aZ0 .-_東カ",
    "gb18030": "aZ0 .-_東Ж",
}
DELIMITERS = (",", ";", "\t", "|", "~", "^", ":")
ENDS = ("\n", "\r\n", "\r")


@dataclass(frozen=True, slots=True)
class Case:
    """A table, and how it is written."""

    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    rules: SourceRules
    end: str


def values(kind: str, letters: str, special: str) -> st.SearchStrategy[Any]:
    """Values of a type, missing ones among them; text may hold whatever the dialect has a meaning for."""
    found: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(st.sampled_from(letters + special), min_size=1, max_size=8),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(allow_nan=False, allow_infinity=False),
        "decimal(12,2)": st.decimals(-9_999_999_999, 9_999_999_999, places=2),
        "decimal(30,4)": st.decimals(-(10**25), 10**25, places=4),
        "date": st.dates(),
        "timestamp": st.datetimes(),
    }
    return st.none() | found[kind]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    encoding = draw(st.sampled_from(sorted(LETTERS)))
    delimiter = draw(st.sampled_from(DELIMITERS))
    quote = draw(st.sampled_from(['"', "'", ""]))
    # Without quotes nothing can stand in a value that has a meaning.
    special = f"{delimiter}{quote}\n\r" if quote else ""
    letters = "".join(one for one in LETTERS[encoding] if quote or one != delimiter)
    # A time holds colons.
    kinds = [kind for kind in TYPES if quote or delimiter != ":" or kind != "timestamp"]
    types = draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=4))
    rows = draw(st.lists(st.tuples(*(values(kind, letters, special) for kind in types)), min_size=1, max_size=30))
    rules = SourceRules(delimiter=delimiter, quote=quote, escape="", encoding=encoding, header=True)
    return Case(tuple(types), tuple(rows), rules, draw(st.sampled_from(ENDS)))


def cell(value: Any) -> str:
    """A value as it is written."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, date) else f"{value:f}" if isinstance(value, Decimal) else str(value)


def written(case: Case) -> bytes:
    """The file."""
    rows = [[f"c{place}" for place in range(len(case.types))], *([cell(value) for value in row] for row in case.rows)]
    return "".join(line(case, row) for row in rows).encode(case.rules.encoding or "utf-8")


def line(case: Case, cells: list[str]) -> str:
    """One record. A writer quotes only those line breaks that are its own, and one that is not quoted ends a line,
    whatever ends the others: with CR alone it would write files that say something else."""
    stream = io.StringIO()
    csv.writer(
        stream,
        delimiter=case.rules.delimiter or ",",
        quotechar=case.rules.quote or None,
        quoting=csv.QUOTE_MINIMAL if case.rules.quote else csv.QUOTE_NONE,
        lineterminator="\r\n",
    ).writerow(cells)
    return stream.getvalue().removesuffix("\r\n") + case.end


def check(case: Case) -> None:
    """Convert and compare."""
    columns = tuple(Column(f"c{place}", parse_type(kind)) for place, kind in enumerate(case.types))
    contract = Contract("d", columns, inferred=False, sources={"default": case.rules})
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.parquet"
        source.write_bytes(written(case))
        report = convert(source, target, contract=contract)
        assert (report.status, report.rows_rejected) == ("loaded", 0), report.error
        assert report.lines_in == report.rows_loaded + sum(report.lines_skipped.values()) + extra_lines(case)
        found = pq.read_table(target).select([column.name for column in columns])
    # A record of which nothing is filled is a blank line where there is one column, else it is a record.
    assert [tuple(row.values()) for row in found.to_pylist()] == list(case.rows)


def extra_lines(case: Case) -> int:
    """Line ends inside of values."""
    texts = [value for row in case.rows for value in row if isinstance(value, str)]
    return sum(len(re.findall(r"\r\n|\r|\n", text)) for text in texts)


@settings(max_examples=120)
@given(cases())
def test_a_table_comes_back_as_it_was_written(case: Case) -> None:
    check(case)


@pytest.mark.long
@settings(max_examples=4000)
@given(cases())
def test_many_tables_come_back_as_they_were_written(case: Case) -> None:
    check(case)
