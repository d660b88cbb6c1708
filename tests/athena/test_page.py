"""Typed values as JSON and CSV."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.dataset import DataType, parse_type
from athena.page import csv_rows, json_fragment
from athena.question import ResultColumn

AT = datetime(2024, 2, 29, 23, 59, 59, 120000)


def _shown(kind: str, value: object) -> object:
    fragment = json_fragment([ResultColumn("x", parse_type(kind))], [[value]])
    return orjson.loads(b"{" + fragment + b"}")["rows"][0][0]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("string", "", ""),
        ("string", "ü\n\0", "ü\n\0"),
        ("boolean", True, True),
        ("int", -(2**31), -(2**31)),
        ("long", 2**63 - 1, "9223372036854775807"),
        ("long", 0, "0"),
        ("float", 1.5, 1.5),
        ("double", float("nan"), None),
        ("double", float("-inf"), None),
        ("double", 1e300, 1e300),
        ("decimal(38,10)", Decimal("0E-10"), "0.0000000000"),
        ("decimal(38,0)", Decimal(10**37), "1" + "0" * 37),
        ("date", date(1, 1, 1), "0001-01-01"),
        ("timestamp", AT, "2024-02-29T23:59:59.120000"),
        ("timestamptz", AT.replace(tzinfo=UTC), "2024-02-29T23:59:59.120000Z"),
    ],
)
def test_a_value_in_json(kind: str, value: object, shown: object) -> None:
    assert _shown(kind, value) == shown
    assert _shown(kind, None) is None


def test_columns_may_share_a_name() -> None:
    columns = [ResultColumn("x", DataType("int"))] * 2
    assert json_fragment(columns, [[1], [2]]).endswith(b'"rows":[[1,2]]')


def test_no_rows_are_an_empty_list() -> None:
    assert json_fragment([ResultColumn("x", DataType("int"))], [[]]).endswith(b'"rows":[]')


@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"))), min_size=1))
def test_csv_reads_back_as_it_was(values: list[str | None]) -> None:
    columns = [ResultColumn("a", DataType("string")), ResultColumn("n", DataType("int"))]
    content = csv_rows(columns, [values, [7] * len(values)], header=False).decode()
    read = [row[0] for row in csv.reader(io.StringIO(content, newline=""))]
    assert read == ["" if value is None else value for value in values]
    lines = (
        csv_rows(columns[:1], [[value] for value in (None,)], header=False),
        csv_rows(columns[:1], [[""]], header=False),
    )
    assert lines == (b"\r\n", b'""\r\n')


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (Decimal("1E+2"), "100"), (1.5, "1.5")],
)
def test_a_value_in_csv(value: object, text: str) -> None:
    assert csv_rows([ResultColumn("x", DataType("double"))], [[value]], header=False).decode() == text + "\r\n"
