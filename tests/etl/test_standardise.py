"""Blocks → typed columns: the vectorised way equals the exact one, whatever stands in the file."""

import gc
import io
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dataset import Column, parse_type
from etl._plan import Plan, plan
from etl.contract import SourceRules
from etl.dialect import Dialect
from etl.read import Block, read_blocks
from etl.standardise import Typed, Way, standardise, standardise_exactly

TYPES = ["string", "boolean", "int", "long", "float", "double", "decimal(6,2)", "date", "timestamp", "timestamptz"]
CELLS = {
    "string": ["a", "", "NA", "x y", " b ", "ä", "-", "Ulm"],
    "boolean": ["true", "F", "yes", "1", "0", "Tr ue", " no"],
    "int": ["1", "-5", "007", "+3", "0x1F", "2147483648", "1.0", "1,5", " 7 ", "-", "1.234"],
    "long": ["1", "9223372036854775807", "9223372036854775808", "-0", "1e3", "12 "],
    "float": ["1.5", "3.5e38", "nan", "16777217", "1,5"],
    "double": ["1.5", "-2e3", "inf", "1e999", "NaN", "1.", ".5", "abc", "1,5", "1.234,5"],
    "decimal(6,2)": ["1.5", "1234.56", "12345.6", "1.234", "1e-61", "1e2", "-0.00", "1,5"],
    "date": ["2024-01-02", "2024-1-2", "0000-01-01", "03/04/2024", "2024-01-02 00:00:00", "13.04.2024"],
    "timestamp": ["2024-01-02", "2024-01-02 03:04:05.5", "2024-01-02T03:04Z", "2024-01-02 24:00:00"],
    "timestamptz": ["2024-01-02 03:04:05Z", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-01-02 03:04+02"],
}
RULES = [
    SourceRules(),
    SourceRules(null=("", "-", "NA")),
    SourceRules(null=("-",)),
    SourceRules(decimal=",", thousands="."),
    SourceRules(zone="Europe/Berlin"),
    SourceRules(values={"c0": {"a": "b", "1": "0", "-": ""}}, scale={"c1": 60.0}),
]
DIALECTS = [(",", '"', None), (";", "'", None), ("\t", '"', "\\"), (",", None, None)]


def written(cell: str, how: int, delimiter: str, quote: str | None) -> str:
    """A cell as it may stand in a file: plain, in quotes, or damaged."""
    if quote is None or (how < 4 and delimiter not in cell):
        return cell
    if how == 5:
        return f"{quote}{cell}"
    return f"{quote}{cell.replace(quote, quote * 2)}{quote}"


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Plan, Dialect]:
    """The bytes of a file in some dialect, with damage, and a plan for it."""
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    delimiter, quote, escape = draw(st.sampled_from(DIALECTS))
    rules = draw(st.sampled_from(RULES))
    required, allowed = draw(st.booleans()), draw(st.sampled_from([None, ("a", "1", "2024-01-02")]))
    columns = [Column(f"c{place}", parse_type(name)) for place, name in enumerate(types)]
    columns[0] = Column("c0", columns[0].type, required=required, allowed=allowed)
    rules = _fitting(rules, columns)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    pools = [CELLS[name] if draw(st.booleans()) else [*CELLS[name][:2], "NA", "", "N/A"] for name in types]
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        cells = [
            written(draw(st.sampled_from(pool)), draw(st.sampled_from([0, 1, 2, 3, 4, 5])), delimiter, quote)
            for pool in pools
        ]
        damage = draw(st.sampled_from([0] * 8 + [1, 2, 3]))
        cells = cells[:-1] if damage == 1 else [*cells, "x"] if damage == 2 else cells
        lines.append(delimiter.join(cells) + (end if damage == 3 else ""))
    text = (end.join(lines) + draw(st.sampled_from(["", end]))).encode() or b"\n"
    text = text.replace(b"Ulm", draw(st.sampled_from([b"Ulm", b"\xff"])))
    names = tuple(column.name for column in columns)
    dialect = Dialect("utf-8", delimiter, quote, escape, False, names, single=len(names) == 1)
    return text, plan(dialect, draw(st.permutations(columns)), rules), dialect


def _fitting(rules: SourceRules, columns: list[Column]) -> SourceRules:
    numbers = {column.name for column in columns if column.type.name in ("int", "long", "float", "double", "decimal")}
    scale = {name: factor for name, factor in rules.scale.items() if name in numbers}
    return SourceRules(
        null=rules.null,
        decimal=rules.decimal,
        thousands=rules.thousands,
        zone=rules.zone,
        values=rules.values,
        scale=scale,
    )


def _shown(kind: pa.DataType) -> str:
    # In how many bits a decimal comes is a matter of speed alone.
    return f"decimal({kind.precision}, {kind.scale})" if pa.types.is_decimal(kind) else str(kind)


def told(found: Typed) -> tuple[Any, ...]:
    """Everything in it but how it was read."""
    columns = [(_shown(column.type), [str(value) for value in column]) for column in found.columns]
    return columns, found.first_lines.to_pylist(), found.rejects, found.skipped, found.tally


def block_of(text: bytes, dialect: Dialect) -> Block:
    """The file's only block."""
    return next(iter(read_blocks(io.BytesIO(text), dialect)))


WORDS = st.lists(st.sampled_from(sorted({cell for cells in CELLS.values() for cell in cells})), max_size=6)
WAYS = st.builds(Way, st.sampled_from(["direct", "words", "text"]), WORDS.map(tuple))


@settings(max_examples=400)
@given(files(), WAYS)
def test_the_vectorised_way_equals_the_exact_one(file: tuple[bytes, Plan, Dialect], way: Way) -> None:
    text, planned, dialect = file
    block = block_of(text, dialect)
    assert told(standardise(block, planned, way)) == told(standardise_exactly(block, planned))
    unsplit = Block(block.text, block.raw, block.encoding, 1, 0, block.line_count)
    if b'"' not in text and b"'" not in text and b"\\" not in text:
        assert told(standardise(unsplit, planned, way)) == told(standardise_exactly(unsplit, planned))


@settings(max_examples=200)
@given(files())
def test_lines_and_rows_balance(file: tuple[bytes, Plan, Dialect]) -> None:
    text, planned, dialect = file
    block = block_of(text, dialect)
    found = standardise(block, planned)
    assert found.tally.balances
    assert found.tally.lines_in == block.line_count
    assert found.tally.rows_loaded == len(found.first_lines)
    assert all(len(column) == found.tally.rows_loaded for column in found.columns)
    for reject in found.rejects:
        assert text[reject.first_byte : reject.last_byte + 1].decode("utf-8", "backslashreplace") == reject.raw


def test_what_arrows_reader_would_take_is_refused_where_the_exact_one_does() -> None:
    columns = [Column("i", parse_type("int")), Column("d", parse_type("decimal(4,2)"))]
    dialect = Dialect("utf-8", ",", '"', None, False, ("i", "d"))
    found = standardise(
        block_of(b"0x1F,1\n1,123.45\n2,1e-61\n3,12.34\n", dialect), plan(dialect, columns, SourceRules())
    )
    assert [(one.first_line, one.column, one.reason) for one in found.rejects] == [
        (1, "i", "not-a-int"),
        (2, "d", "out-of-range"),
        (3, "d", "out-of-range"),
    ]
    assert found.first_lines.to_pylist() == [4]


def test_an_empty_field_is_missing_and_empty_quotes_are_text() -> None:
    columns = [Column("t", parse_type("string")), Column("n", parse_type("int"))]
    dialect = Dialect("utf-8", ",", '"', None, False, ("t", "n"))
    found = standardise(block_of(b'"",""\n,\nNA,NA\n', dialect), plan(dialect, columns, SourceRules()))
    assert [column.to_pylist() for column in found.columns] == [["", None, "NA"], [None, None, None]]


def test_a_column_that_the_file_does_not_have_is_null() -> None:
    columns = [Column("t", parse_type("string")), Column("later", parse_type("timestamptz"))]
    dialect = Dialect("utf-8", ",", '"', None, False, ("t",), single=True)
    found = standardise(block_of(b"a\nb\n", dialect), plan(dialect, columns, SourceRules()))
    assert found.columns[1].type == pa.timestamp("us", "UTC")
    assert found.columns[1].null_count == 2


def test_bad_values_that_were_met_before_are_found_in_one_step_and_mean_nothing_elsewhere() -> None:
    columns = [Column("t", parse_type("string")), Column("n", parse_type("int"), required=True)]
    dialect = Dialect("utf-8", ",", '"', None, False, ("t", "n"))
    planned = plan(dialect, columns, SourceRules())
    first = standardise(block_of(b"a,1\nb,n/k\nc,--\n", dialect), planned)
    assert (first.way.kind, set(first.way.odd), first.way.vain) == ("text", {"n/k", "--"}, 0)
    block = block_of(b'n/k,1\n"--",n/k\n,3\nd,\n"n/k",5\ne,--\n', dialect)
    again = standardise(block, planned, first.way)
    assert told(again) == told(standardise_exactly(block, planned))
    assert [column.to_pylist() for column in again.columns] == [["n/k", None, "n/k"], [1, 3, 5]]
    assert [(one.first_line, one.reason) for one in again.rejects] == [
        (2, "not-a-int"),
        (4, "missing-required"),
        (6, "not-a-int"),
    ]
    assert again.way == first.way


def test_knowing_bad_values_is_given_up_where_others_come() -> None:
    columns = [Column("n", parse_type("int"))]
    dialect = Dialect("utf-8", ",", None, None, False, ("n",), single=True)
    planned, way = plan(dialect, columns, SourceRules()), Way()
    for number in range(40):
        found = standardise(block_of(b"1\nno %d\n2\n" % number, dialect), planned, way)
        assert [one.raw for one in found.rejects] == [f"no {number}"]
        way = found.way
    assert (way.kind, way.vain, len(way.odd)) == ("text", 8, 32)


def test_records_without_values_are_read_as_ever_when_they_are_many() -> None:
    columns = [Column("n", parse_type("int")), Column("m", parse_type("int"))]
    dialect = Dialect("utf-8", ",", None, None, False, ("n", "m"))
    block = block_of(b"1,\n" * 300 + b"--,2\n", dialect)
    found = standardise(block, plan(dialect, columns, SourceRules()), Way("text", ("--",)))
    assert (found.tally.rows_loaded, found.tally.rows_rejected, found.way.vain) == (300, 1, 1)


def test_blocks_with_bad_values_are_freed_without_waiting_for_a_collection() -> None:
    columns = [Column("a", parse_type("int")), Column("b", parse_type("decimal(6,2)"), allowed=("1", "2"))]
    dialect = Dialect("utf-8", ",", None, None, False, ("a", "b"))
    planned = plan(dialect, columns, SourceRules())
    data = b"1,1\n" * 5000 + b"x,1\n1,y\n1,3\n" + b"2,2\n" * 5000
    held = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(4):
            for way in (standardise, standardise_exactly):
                for block in read_blocks(io.BytesIO(data), dialect):
                    assert len(way(block, planned).rejects) == 3
            held.append(pa.total_allocated_bytes())
    finally:
        gc.enable()
    assert held[-1] <= held[0]
