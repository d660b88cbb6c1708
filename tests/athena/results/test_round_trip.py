"""Every type through every form and back is the value that it was: NULLs, empty texts, extremes, all of Unicode."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from athena.dataset import parse_type
from athena.forms import Form
from athena.page import csv_rows
from athena.question import Receipt, ResultColumn
from athena.results.arrow import result_columns, values_of
from athena.results.lines import csv_lines
from athena.results.local import LocalResults

AT = datetime(2026, 11, 21, tzinfo=UTC)
ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "decimal(38,9)": pa.decimal128(38, 9),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
COLUMNS = tuple(ResultColumn(f"c{at}", parse_type(kind)) for at, kind in enumerate(ARROW))
SCHEMA = pa.schema([(column.name, kind) for column, kind in zip(COLUMNS, ARROW.values(), strict=True)])

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
VALUES: tuple[st.SearchStrategy[Any], ...] = (
    TEXT | st.sampled_from(["", '"', '""', ",", "\r\n", "=1+1", "NULL", "\ufeff", "🜚"]),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32),
    st.floats(),
    st.decimals(-(10**29) + 1, 10**29 - 1, places=9),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
)
ROW = st.tuples(*(st.none() | value for value in VALUES))
LARGEST = Decimal("9" * 29 + "." + "9" * 9)
LATEST = (datetime.max, datetime.max.replace(tzinfo=UTC))
EARLIEST = (datetime.min, datetime.min.replace(tzinfo=UTC))
EXTREMES = (
    ("\U0010ffff", True, 2**31 - 1, 2**63 - 1, 3.4028234663852886e38, 5e-324, LARGEST, date.max, *LATEST),
    ("", False, -(2**31), -(2**63), -0.0, math.inf, Decimal("-0.000000001"), date.min, *EARLIEST),
    (None,) * len(COLUMNS),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> LocalResults:
    return LocalResults(tmp_path_factory.mktemp("results"), kept_seconds=1000)


def kept(results: LocalResults, rows: Sequence[Sequence[object]]) -> Receipt:
    place: Path = results.stage("run")
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
    pq.write_table(table, place / "r.parquet", row_group_size=3, write_page_checksum=True)
    size = (place / "r.parquet").stat().st_size
    results.keep(place / "r.parquet", "aa")
    results.unstage(place)
    return Receipt("aa", COLUMNS, len(rows), False, size, 0, "", AT)


def whole(results: LocalResults, receipt: Receipt, form: Form) -> bytes:
    return b"".join(results.stream(receipt, offset=0, form=form))


def pages(results: LocalResults, receipt: Receipt, form: Form, limit: int) -> list[bytes]:
    found, offset = [], 0
    while True:
        page = results.page(receipt, offset=offset, limit=limit, form=form)
        found.append(page.fragment)
        if page.next_offset is None:
            return found
        offset = page.next_offset


def stored(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """The rows as the types of the columns hold them: a float has 32 bits."""
    return [
        [None if v is None else pa.scalar(v, ARROW[kind]).as_py() for v, kind in zip(row, ARROW, strict=True)]
        for row in rows
    ]


def same(found: Sequence[Sequence[object]], expected: Sequence[Sequence[object]]) -> None:
    assert [[_exact(value) for value in row] for row in found] == [[_exact(value) for value in row] for row in expected]


def _exact(value: object) -> object:
    # NaN equals NaN here, and -0.0 is not 0.0.
    return (repr(value), type(value)) if isinstance(value, float | Decimal) else value


READERS: tuple[Callable[[Any], object], ...] = (
    str,
    lambda text: {"true": True, "false": False}[text],
    int,
    int,
    lambda text: pa.scalar(float(text), pa.float32()).as_py(),
    float,
    Decimal,
    date.fromisoformat,
    datetime.fromisoformat,
    datetime.fromisoformat,
)


def read_csv(content: bytes) -> list[list[object]]:
    """By the rule that partners are told: an empty field is NULL, `""` an empty text."""
    text = content.decode()
    names, *records = _records(text)
    assert names == SCHEMA.names
    return [[None if v is None else read(v) for v, read in zip(row, READERS, strict=True)] for row in records]


def _records(text: str) -> list[list[str | None]]:
    # Python's reader drops the quotes: their presence is found by marking every quoted field.
    fields: list[list[str | None]] = [[]]
    at = 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            while text[end] != '"' or text[end + 1] == '"':
                end += 2 if text[end] == '"' else 1
            fields[-1].append(text[at + 1 : end].replace('""', '"'))
            at = end + 1
        else:
            end = min(place for place in (text.find(",", at), text.find("\r\n", at)) if place >= 0)
            fields[-1].append(text[at:end] or None)
            at = end
        if text[at] == ",":
            at += 1
        else:
            at += 2
            fields.append([])
    return fields[:-1]


def read_json(fragments: Sequence[bytes]) -> list[list[object]]:
    rows = [row for fragment in fragments for row in orjson.loads(b"{" + fragment + b"}")["rows"]]
    reads: tuple[Callable[[Any], object], ...] = (str, bool, *READERS[2:])
    assert all(isinstance(row[at], str | None) for row in rows for at in (3, 6))
    return [[None if v is None else read(v) for v, read in zip(row, reads, strict=True)] for row in rows]


def read_arrow(content: bytes) -> list[list[object]]:
    table = pa.ipc.open_stream(content).read_all()
    assert table.schema == SCHEMA
    return [list(row.values()) for row in table.to_pylist()]


def read_parquet(content: bytes) -> list[list[object]]:
    table = pq.read_table(io.BytesIO(content))
    assert table.schema == SCHEMA
    return [list(row.values()) for row in table.to_pylist()]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=8), limit=st.integers(1, 9))
@example(list(EXTREMES), 2)
@example([], 1)
def test_every_type_survives_every_form(results: LocalResults, rows: list[tuple[Any, ...]], limit: int) -> None:
    receipt, expected = kept(results, rows), stored(rows)
    same(read_csv(whole(results, receipt, Form.CSV)), expected)
    same(read_arrow(whole(results, receipt, Form.ARROW)), expected)
    same(read_parquet(whole(results, receipt, Form.PARQUET)), expected)
    assert b"".join(pages(results, receipt, Form.CSV, limit)) == whole(results, receipt, Form.CSV)
    same([row for page in pages(results, receipt, Form.ARROW, limit) for row in read_arrow(page)], expected)
    same([row for page in pages(results, receipt, Form.PARQUET, limit) for row in read_parquet(page)], expected)
    # JSON has no NaN and no infinity: they are null, with a warning in the answer.
    finite = [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in expected]
    same(read_json(pages(results, receipt, Form.JSON, limit)), finite)


@settings(max_examples=60)
@given(rows=st.lists(ROW, max_size=8), guarded=st.booleans())
def test_columns_written_at_once_are_the_values_written_one_by_one(rows: list[tuple[Any, ...]], guarded: bool) -> None:
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
    one_by_one = csv_rows(result_columns(SCHEMA), values_of(table), header=False, guarded=guarded)
    assert csv_lines(table, guarded=guarded) == one_by_one


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_no_text_of_a_guarded_csv_is_a_formula(text: str) -> None:
    content = csv_lines(pa.table({"a": [text, "plain", "", None], "n": [-1, 1, 2, 3]}), guarded=True)
    found = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert found == [["'" + text, "-1"], ["plain", "1"], ["", "2"], ["", "3"]]
