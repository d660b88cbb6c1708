"""Types from every value: what is inferred, what stays text, and that the vectorised look equals the exact one."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dataset import Column, parse_type
from athena.errors import Refused
from etl._observe import observe, observe_exactly
from etl._prime import observe_first, prime
from etl._seen import Seen
from etl.contract import SourceRules
from etl.dialect import Dialect
from etl.infer import Inferred, decide, fit
from etl.read import read_blocks

POOLS = [
    ["1", "22", "-3", "0"],
    ["1", "2147483648", "9007199254740993"],
    ["1", "9223372036854775808", "12345678901234567890"],
    ["1.5", "2", "-0.25", "1e-05", "nan", "inf"],
    ["1,5", "2", "1.234,5"],
    ["1,50", "0,5", "7", "12,"],
    ["1,234", "0,5"],
    ["1,234.5", "2.5"],
    ["007", "12"],
    ["-05", "1"],
    ["+5", "6.5"],
    ["2e10", "1.5"],
    ["0x1F", "1"],
    ["true", "FALSE", "True"],
    ["yes", "no"],
    ["t", "1"],
    ["2024-01-02", "1999-12-31", "0000-01-01"],
    ["2024-01-02 03:04:05", "2024-01-02", "2024-01-02T03:04:05.123456"],
    ["2024-01-02 03:04:05Z", "2024-01-02T03:04+02:00", "2024-01-02 03:04"],
    ["13/04/2026", "03/04/2026"],
    ["04/13/2026", "03/04/2026"],
    ["13.04.26", "03.04.26"],
    ["a", "b", "1"],
]
WORDS = ["", "NA", "N/A", "NULL", "null", " 7 ", "None"]


def inferred_from(columns: Sequence[Sequence[str]], rules: SourceRules | None = None) -> Inferred:
    """What is inferred from a table given by its columns."""
    seen = {
        f"c{place}": Seen().and_values([(value, 1) for value in values], len(values))
        for place, values in enumerate(columns)
    }
    return decide(seen, rules or SourceRules())


def types_of(*columns: Sequence[str]) -> list[str]:
    """The types, as written in contracts."""
    return [str(column.type) for column in inferred_from(columns).columns]


@settings(max_examples=300)
@given(st.data())
def test_the_vectorised_look_sees_what_the_exact_one_does(data: st.DataObject) -> None:
    pools = data.draw(st.lists(st.sampled_from(POOLS), min_size=1, max_size=4))
    mixed = [[*pool, *data.draw(st.lists(st.sampled_from(WORDS), max_size=2))] for pool in pools]
    count = data.draw(st.integers(1, 15))
    rows = [[data.draw(st.sampled_from(pool)) for pool in mixed] for _ in range(count)]
    names = tuple(f"c{place}" for place in range(len(pools)))
    places = {name: place for place, name in enumerate(names)}
    dialect = Dialect("utf-8", ";", '"', None, False, names, single=len(names) == 1)
    seen = exact = {name: Seen() for name in names}
    for cut in (slice(0, count // 2), slice(count // 2, None)):
        text = "".join(";".join(row) + "\n" for row in rows[cut]).encode()
        for block in read_blocks(io.BytesIO(text), dialect):
            seen = observe(block, dialect.shape, places, seen)
            exact = observe_exactly(block, dialect.shape, places, exact)
    assert decide(seen, SourceRules()).columns == decide(exact, SourceRules()).columns
    assert decide(seen, SourceRules()).rules == decide(exact, SourceRules()).rules


@settings(max_examples=300)
@given(st.data())
def test_a_few_values_hint_at_nothing_that_all_values_do_not_tell(data: st.DataObject) -> None:
    pools = data.draw(st.lists(st.lists(st.sampled_from(POOLS), min_size=1, max_size=2), min_size=1, max_size=4))
    count = data.draw(st.integers(1, 40))
    turn = data.draw(st.integers(0, count))
    mixed = [[[*one, *data.draw(st.lists(st.sampled_from(WORDS), max_size=1))] for one in some] for some in pools]
    rows = [[data.draw(st.sampled_from(some[-1 if at >= turn else 0])) for some in mixed] for at in range(count)]
    quote = data.draw(st.sampled_from(["", '"']))
    names = tuple(f"c{place}" for place in range(len(pools)))
    places = {name: place for place, name in enumerate(names)}
    dialect = Dialect("utf-8", ";", '"', None, False, names, single=len(names) == 1)
    text = "".join(";".join(f"{quote}{value}{quote}" for value in row) + "\n" for row in rows).encode()
    seen = {name: Seen() for name in names}
    for block in read_blocks(io.BytesIO(text), dialect):
        found = observe_first(block, dialect.shape, places, seen)
        if found is not None:
            closely = observe(block, dialect.shape, places, prime(block, dialect.shape, places, seen))
            assert decide(found, SourceRules()) == decide(closely, SourceRules())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2147483647"], "int"),
        (["1", "2147483648"], "long"),
        (["1", "2.5"], "double"),
        (["007", "12"], "string"),
        (["12345678901234567890"], "string"),
        (["1", "9223372036854775808"], "string"),
        (["1.5", "9007199254740993"], "string"),
        (["+491234"], "string"),
        (["12E4", "3E10"], "string"),
        (["1e-05", "1.5"], "double"),
        (["true", "FALSE"], "boolean"),
        (["Yes", "no"], "boolean"),
        (["Y", "N"], "string"),
        (["t", "f"], "string"),
        (["0", "1"], "int"),
        (["2024-01-02", "NA", "", "null"], "date"),
        (["2024-01-02", "2024-01-02 03:04"], "timestamp"),
        (["2024-01-02T03:04:05Z"], "timestamptz"),
        (["2024-01-02T03:04:05Z", "2024-01-02T03:04:05"], "string"),
        (["03/04/2026", "13/04/2026"], "date"),
        (["03/04/2026", "04/03/2026"], "string"),
        (["13/04/2026", "04/13/2026"], "string"),
        (["02-Jan-2024"], "date"),
        (["3/14/2024 3:04 PM"], "timestamp"),
        (["12%"], "string"),
        (["$5"], "string"),
        (["", "NA"], "string"),
        (["a", "NA"], "string"),
        (["20240102"], "int"),
        (["2024-01-02 03:04:05.1234567"], "string"),
    ],
)
def test_a_type_only_when_every_value_agrees(values: list[str], expected: str) -> None:
    assert types_of(values) == [expected]


def test_a_point_beside_a_comma_is_text() -> None:
    assert types_of(["1.234", "1,5"]) == ["string"]


def test_the_decimal_mark_is_that_of_most_columns_and_the_others_stay_text() -> None:
    found = inferred_from([["1,5"], ["2,5", "3"], ["1.5"]])
    assert [str(column.type) for column in found.columns] == ["double", "double", "string"]
    assert found.rules.decimal == ","
    assert "c2 stays text" in found.warnings[0]


def test_grouping_is_told_by_values_that_have_both_marks() -> None:
    found = inferred_from([["1.234,50", "2,5"]])
    assert (str(found.columns[0].type), found.rules.decimal, found.rules.thousands) == ("double", ",", ".")


def test_a_date_format_is_recorded_and_an_ambiguous_one_is_told() -> None:
    found = inferred_from([["13/04/2026"], ["03/04/2026"]])
    assert found.rules.formats == {"c0": "%d/%m/%Y"}
    assert found.warnings[0].startswith("c1 stays text: its dates can be read as %d/%m/%Y or %m/%d/%Y.")


@pytest.mark.parametrize("flags", [["Y", "N"], ["t", "f", "T"], ["on", "off"], ["N"]])
def test_flags_that_may_be_names_stay_text_and_that_is_told(flags: list[str]) -> None:
    found = inferred_from([flags, ["M", "F"]])
    assert [str(column.type) for column in found.columns] == ["string", "string"]
    assert found.warnings == (
        "c0 stays text: it looks like numbers, dates or booleans, but no type holds every value as it is written.",
    )


def test_words_that_count_as_missing_are_told() -> None:
    assert inferred_from([["1", "NA"]]).warnings == (
        "c0: NA counted as missing, because every other value is of type int.",
    )


def test_a_late_odd_value_is_told_with_its_line() -> None:
    seen = {"n": Seen().and_values([(str(line), line) for line in range(2, 40)], 38).and_values([("N.A.", 41)], 1)}
    (warning,) = decide(seen, SourceRules()).warnings
    assert "line 41" in warning
    assert "'N.A.'" in warning


def columns(**types: str) -> tuple[Column, ...]:
    """Columns by name and type."""
    return tuple(Column(name, parse_type(kind)) for name, kind in types.items())


def test_an_inferred_contract_widens_as_iceberg_allows() -> None:
    found = inferred_from([["2147483648"], ["1"], ["x"]])
    merged, added = fit(columns(c0="int", c1="double"), found, new=["c2"], widen=True)
    assert [str(column.type) for column in merged] == ["long", "double", "string"]
    assert added == ("c2",)


@pytest.mark.parametrize(
    ("old", "value"), [("int", "1.5"), ("int", "x"), ("date", "x"), ("boolean", "1"), ("long", "2.5")]
)
def test_what_cannot_be_widened_fails_whole_with_its_remedy(old: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        fit(columns(c0=old), inferred_from([[value]]), new=(), widen=True)
    assert refused.value.code == "type-conflict"
    assert "confirm the contract" in refused.value.remedy


def test_a_column_without_values_takes_any_type() -> None:
    assert fit(columns(c0="date"), inferred_from([["", "NA"]]), new=(), widen=True)[0] == columns(c0="date")


def test_a_confirmed_contract_is_not_widened() -> None:
    assert fit(columns(c0="int"), inferred_from([["x"]]), new=(), widen=False)[0] == columns(c0="int")
