"""From bytes to typed batches: balance over any damage, in any dialect and encoding, whatever the block size."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import etl.read
from athena.dataset import SYSTEM_COLUMNS, Column, parse_type
from athena.errors import Damaged, Failed, Refused
from etl.contract import Contract, SourceRules
from etl.source import Source
from etl.transform import Portion, Study, Tally, arrow_schema, repeating, study, transform, with_origin

VALUES = st.text(
    st.characters(codec="cp1252", categories=["L", "N", "P", "S", "Zs"]) | st.sampled_from('",;\n\t|'), max_size=8
)


def source_of(data: bytes) -> Source:
    """Bytes as a source."""

    def opened() -> BinaryIO:
        return io.BytesIO(data)

    return Source("case.csv", opened, "", len(data), len(data))


def whole(
    data: bytes, contract: Contract | None = None, rules: SourceRules | None = None
) -> tuple[Study, list[Portion]]:
    """Study and portions of some bytes."""
    source = source_of(data)
    studied = study(source, contract=contract, rules=rules or SourceRules())
    return studied, list(transform(source, studied, studied.columns, studied.rules))


def total(portions: list[Portion]) -> Tally:
    """All tallies together."""
    tally = Tally()
    for portion in portions:
        tally += portion.tally
    return tally


def rows_of(portions: list[Portion]) -> list[list[object]]:
    """All rows."""
    table = pa.Table.from_batches([portion.rows for portion in portions])
    return [list(row.values()) for row in table.to_pylist()]


@pytest.fixture(params=[64, 8 * 1024 * 1024])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(etl.read, "BLOCK_BYTES", request.param)
    yield request.param


@settings(max_examples=60)
@given(
    st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]),
    st.booleans(),
)
def test_what_is_written_is_read_in_every_dialect_and_encoding(
    rows: list[list[str]], delimiter: str, end: str, encoding: str, everything: bool
) -> None:
    everything = everything or end == "\r"  # the writer does not quote an LF then
    stream = io.StringIO()
    head = [["key", "first", "second", "third"]]
    body = [[str(place), *row] for place, row in enumerate(rows)]
    if everything:
        csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(head + body)
    else:
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(head + body)
    rules = SourceRules(delimiter=delimiter, quote='"', encoding=encoding.removesuffix("-sig"), header=True)
    source = source_of(stream.getvalue().encode(encoding))
    studied = study(source, contract=None, rules=rules, text=True)
    portions = list(transform(source, studied, studied.columns, studied.rules))
    expected = [[value if everything or value else None for value in row] for row in body]
    assert rows_of(portions) == expected
    assert total(portions).balances


DAMAGE = st.sampled_from([b"", b"", b"", b",", b'"', b"\n", b"\r", b"\xff", b"\x00", b"#", b"Total,", b",,,,", b"\\"])


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 200), DAMAGE, st.integers(0, 3)), max_size=8), st.sampled_from([b"\n", b"\r\n"])
)
def test_lines_and_rows_balance_over_any_damage(wounds: list[tuple[int, bytes, int]], end: bytes) -> None:
    lines = [b"id,name,day"] + [b'%d,"name %d",2024-01-%02d' % (place, place, place % 28 + 1) for place in range(12)]
    data = end.join(lines) + end
    for place, piece, gone in wounds:
        data = data[:place] + piece + data[place + gone :]
    columns = (Column("id", parse_type("int")), Column("name", parse_type("string")), Column("day", parse_type("date")))
    for contract in (None, Contract("case", columns, inferred=False, max_rejected=1.0)):
        try:
            studied, portions = whole(data, contract)
        except Refused as refused:
            assert refused.code in ("contract-mismatch", "not-text", "empty-file")
            continue
        tally = total(portions)
        assert tally.lines_in == studied.lines
        assert tally.balances
        assert tally.rows_loaded == sum(portion.rows.num_rows for portion in portions)
        assert tally.rows_rejected == sum(len(portion.rejects) for portion in portions)
        for reject in (reject for portion in portions for reject in portion.rejects):
            stored = data[reject.first_byte : reject.last_byte + 1]
            assert stored.decode(studied.dialect.encoding, "backslashreplace") == reject.raw


def test_portions_come_in_the_order_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"n\n" + b"".join(b"%d\n" % number for number in range(300_000))
    source = source_of(data)
    studied = study(source, contract=None, rules=SourceRules())
    advanced: list[int] = []
    portions = list(transform(source, studied, studied.columns, studied.rules, advance=advanced.append))
    table = pa.Table.from_batches([portion.rows for portion in portions])
    assert table["n"].to_pylist() == list(range(300_000))
    assert pa.concat_arrays([portion.first_lines for portion in portions]).to_pylist() == list(range(2, 300_002))
    assert advanced == sorted(advanced)
    assert advanced[-1] == len(data)


def test_a_file_that_changes_between_the_passes_is_told() -> None:
    studied = study(source_of(b"a,b\n1,2\n"), contract=None, rules=SourceRules())
    with pytest.raises(Failed) as failed:
        list(transform(source_of(b"a,b\n1,2\n3,4\n"), studied, studied.columns, studied.rules))
    assert failed.value.code == "file-changed"


def test_a_tally_that_does_not_balance_is_damage() -> None:
    studied = study(source_of(b"a,b\n1,2\n"), contract=None, rules=SourceRules())
    with pytest.raises(Damaged) as damaged:
        list(transform(source_of(b"a,b\n1\n\n\n"), studied, studied.columns, studied.rules))
    assert damaged.value.code == "unbalanced"


def test_bytes_behind_the_sample_settle_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (
        b"id,name\n" + b"".join(b"%d,Ann\n" % number for number in range(200_000)) + "200000,Müller\n".encode("cp1252")
    )
    studied, portions = whole(data)
    assert studied.dialect.encoding == "cp1252"
    assert rows_of(portions[-1:])[-1] == [200000, "Müller"]
    assert total(portions).rows_rejected == 0


def test_types_come_from_values_behind_the_sample() -> None:
    data = b"id,n\n" + b"".join(b"%d,1\n" % number for number in range(200_000)) + b"x1,2.5\n"
    studied, portions = whole(data)
    assert [str(column.type) for column in studied.columns] == ["string", "double"]
    assert any("line 200002" in warning for warning in studied.warnings)
    assert total(portions).rows_loaded == 200_001


def test_origin_is_told_in_every_row() -> None:
    studied, portions = whole(b"n\n1\n2\n")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    rows = with_origin(portions[0], file="d/case.csv", content=studied.content, loaded_at=now)
    assert rows.schema.names == ["n", *(column.name for column in SYSTEM_COLUMNS)]
    assert rows.schema.types[1:] == repeating(arrow_schema(SYSTEM_COLUMNS)).types
    assert rows.slice(1).to_pylist() == [
        {"n": 2, "_file": "d/case.csv", "_line": 3, "_content": studied.content, "_loaded_at": now}
    ]


@pytest.mark.parametrize("policy", ["add", "ignore", "reject"])
def test_new_columns_by_contract(policy: str) -> None:
    contract = Contract("case", (Column("a", parse_type("int")),), inferred=False, new_columns=policy)  # type: ignore[arg-type]
    if policy == "reject":
        with pytest.raises(Refused) as refused:
            whole(b"a,b\n1,2\n", contract)
        assert refused.value.code == "contract-mismatch"
        assert "b" in refused.value.message
        return
    studied, portions = whole(b"a,b\n1,2\n", contract)
    assert studied.added == (("b",) if policy == "add" else ())
    assert rows_of(portions) == [[1, 2] if policy == "add" else [1]]
