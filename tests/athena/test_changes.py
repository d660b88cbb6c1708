"""Conditions, bounds and regions: a commit may be thought to matter when it does not, never the other way round."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from athena.changes import Changes, Region, Span, last_change
from athena.conditions import Condition, Reading, holds
from athena.dataset import parse_type
from athena.sql.accepted import MOST_RANGES, accepted
from athena.statement import parse
from etl.regions import MOST_REGIONS, folded

TYPES = {
    "n": "int",
    "l": "long",
    "f": "float",
    "x": "double",
    "d": "decimal(12,2)",
    "s": "string",
    "day": "date",
    "at": "timestamp",
    "z": "timestamptz",
    "b": "boolean",
}
FIELDS = {name: number for number, name in enumerate(TYPES, 1)}


def told(condition: str) -> tuple[Condition, ...]:
    """The values of a condition in SQL."""
    where = parse(f"SELECT 1 FROM t WHERE {condition}").tree.args["where"]
    assert isinstance(where, exp.Where)
    return accepted([where.this], {name: parse_type(kind) for name, kind in TYPES.items()})


def may(condition: str, low: Any, high: Any, *, nulls: bool = False) -> bool:
    """Whether rows within these bounds may satisfy all that is understood of a condition."""
    return all(holds(each, Span(low, high, nulls=nulls)) for each in told(condition))


@pytest.mark.parametrize(
    ("condition", "low", "high", "possible"),
    [
        ("n = 5", 5, 5, True),
        ("n = 5", 6, 9, False),
        ("5 < n", 1, 5, False),
        ("5 <= n", 1, 5, True),
        ("n <> 5", 5, 5, False),
        ("n <> 5", 5, 6, True),
        ("n IN (1, NULL, 9)", 2, 8, False),
        ("n NOT IN (1, 2)", 1, 1, False),
        ("n NOT IN (1, NULL)", 3, 4, False),  # never true
        ("n = NULL", 1, 9, False),
        ("n BETWEEN 3 AND NULL", 1, 9, False),
        ("n BETWEEN 3 AND 5", 6, 9, False),
        ("n NOT BETWEEN 3 AND 5", 3, 5, True),
        ("n IS NULL", 1, 9, False),
        ("n > 4.5", 1, 4, False),
        ("n >= 4.5e0", 1, 4, False),
        ("l = 9007199254740992e0", 2**53 + 1, 2**53 + 1, True),  # equal once it is a double
        ("d >= 1.5", 100, 149, False),
        ("d >= 1.5", 100, 150, True),
        ("d = 0.100", 10, 10, True),
        ("d = 0.1e0", 10, 10, True),
        ("d < DECIMAL '-1.50'", -149, 0, False),
        ("x = 0.1", 0.1, 0.1, True),
        ("x = 0", -0.0, -0.0, True),
        ("x > 1.5e0", 0.0, 1.5, False),
        ("x <> 1e0", 1.0, 1.0, True),  # NaN <> 1 is true, and no bound tells of NaN
        ("NOT x = 1e0", 1.0, 1.0, True),
        ("NOT x < 1e0", -1.0, 0.5, True),
        ("f = 0.1", 0.10000000149011612, 0.10000000149011612, True),  # the real that is next to 0.1
        ("s = 'b'", "c", "d", False),
        ("s < 'é'", "z", "z", True),  # by bytes
        ("s > '\U0001f6e9'", "\uffff", "\uffff", False),
        ("s = 'a text of more than sixteen letters'", "a text of more t", "a text of more u", True),
        ("s LIKE 'ab%'", "ac", "ad", False),
        ("s LIKE 'ab%'", "aa", "abc", True),
        ("s LIKE 'ab%'", "abz", "b", True),
        ("s LIKE 'ab'", "abc", "abd", False),
        ("s LIKE '%b'", "x", "y", True),
        ("s NOT LIKE 'a%'", "a", "az", True),
        ("s = CAST('abc' AS varchar(2))", "ab", "ab", True),  # not understood
        ("s LIKE 'a!%%' ESCAPE '!'", "b", "c", True),  # not understood
        ("day >= DATE '2024-02-01'", 19700, 19753, False),
        ("day BETWEEN DATE '2024-01-01' AND DATE '2024-01-31'", 19754, 19800, False),
        ("at < TIMESTAMP '2024-01-01 00:00:00.5'", 1704067200_500000, 1704067200_600000, False),
        ("at = CAST('2024-01-01 00:00:00.1234' AS timestamp)", 0, 0, True),  # rounded to milliseconds
        ("z < TIMESTAMP '2024-01-01 02:00:00 +02:00'", 1704067200_000000, 1704067201_000000, False),
        ("z >= TIMESTAMP '2024-01-01 00:00:00 UTC'", 1704067100_000000, 1704067199_999999, False),
        ("z = TIMESTAMP '2024-01-01 00:00:00 Europe/Berlin'", 0, 0, True),  # not understood
        ("b = true", False, False, False),
        ("n = 1 OR s = 'x'", 5, 6, True),  # not understood
        ("n = 1 AND day = DATE '2024-01-01' OR n = 7", 5, 6, True),
        ("n + 1 = 2", 5, 6, True),
        ("n = l", 5, 6, True),
        ("5 NOT IN (n, 3)", 3, 3, True),  # 5 is not 3
        ("5 BETWEEN n AND 7", 1, 5, True),
        ("'A' LIKE s", "A", "A", True),  # the column is the pattern
        ("'A' NOT LIKE s", "B", "B", True),
    ],
)
def test_what_rows_within_bounds_may_be_accepted(condition: str, low: Any, high: Any, *, possible: bool) -> None:
    assert may(condition, low, high) is possible


@pytest.mark.parametrize(
    "condition", ["n = 1", "n <> 1", "n NOT IN (2)", "NOT n = 1", "n IS NOT NULL", "n NOT BETWEEN 1 AND 2"]
)
def test_rows_of_nothing_but_null_satisfy_no_comparison(condition: str) -> None:
    nothing = Span(values=False)
    assert not all(holds(each, nothing) for each in told(condition))
    assert all(holds(each, nothing) for each in told("n IS NULL"))
    assert all(holds(each, nothing) for each in told("5 NOT BETWEEN n AND 3"))  # NULL AND false is false


def test_bounds_that_are_not_known_accept_everything_but_what_nulls_tell() -> None:
    for condition in ("n = 1", "n < 1", "n <> 1", "s LIKE 'a%'", "n IN (1, 2)"):
        assert may(condition, None, None)
    assert not may("n IS NULL", None, None)
    assert may("n > 3", 1, None)
    assert not may("n < 1", 1, None)


def test_a_long_list_is_one_range() -> None:
    (condition,) = told(f"n IN ({', '.join(map(str, range(0, 400, 2)))})")
    assert condition.ranges == ((0, 398),)
    assert len(told("n IN (1, 2, 3)")[0].ranges) <= MOST_RANGES


def test_a_condition_on_a_decimal_is_exact_beyond_28_digits() -> None:
    wide = {"d": parse_type("decimal(38,9)")}
    where = parse("SELECT 1 FROM t WHERE d = 12345678901234567890123456789.123456789").tree.args["where"]
    (condition,) = accepted([where.this], wide)
    assert condition.ranges[0][0] == Decimal(12345678901234567890123456789123456789)


Rows = list[tuple[int | None, str | None]]
rows = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(-20, 20)), st.sampled_from([None, "a", "ab", "b", "é"])),
    min_size=1,
    max_size=3,
)
commits = st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=30)
wanted = st.sampled_from(
    [
        "n = 3",
        "n < -5",
        "n >= 10",
        "n IN (1, 19)",
        "n <> 4",
        "n IS NULL",
        "s = 'ab'",
        "s LIKE 'a%'",
        "n > 2 AND s = 'b'",
    ]
)


def box(version: str, held: Rows) -> Region:
    """The bounds of a file, as its statistics tell them."""
    spans = {}
    for number, values in ((FIELDS["n"], [n for n, _ in held]), (FIELDS["s"], [s for _, s in held])):
        there: list[Any] = [value for value in values if value is not None]
        span = Span(min(there), max(there), nulls=None in values) if there else Span(values=False)
        spans[number] = span
    return Region(version, spans)


def accepts(condition: str, n: int | None, s: str | None) -> bool:
    """The condition in Python, with SQL's NULL."""
    if "IS NULL" in condition:
        return n is None
    number, text = (n if n is not None else None), s
    tests = {
        "n = 3": number is not None and number == 3,
        "n < -5": number is not None and number < -5,
        "n >= 10": number is not None and number >= 10,
        "n IN (1, 19)": number in (1, 19),
        "n <> 4": number is not None and number != 4,
        "s = 'ab'": text == "ab",
        "s LIKE 'a%'": text is not None and text.startswith("a"),
        "n > 2 AND s = 'b'": number is not None and number > 2 and text == "b",
    }
    return tests[condition]


@settings(max_examples=150)
@given(commits, wanted)
def test_a_commit_that_touches_an_accepted_row_changes_the_version(made: list[list[Rows]], condition: str) -> None:
    reading = Reading("t", told(condition))
    changes = Changes("0", "0")
    before = "0"
    for number, files in enumerate(made, 1):
        version = str(number)
        changes = folded(changes, version, [box(version, held) for held in files], [1, 6])
        now = last_change(changes, [reading], FIELDS)
        if any(accepts(condition, *row) for held in files for row in held):
            assert now == version
        assert int(now) >= int(before)
        before = now


@settings(max_examples=30)
@given(st.lists(st.integers(0, 400), min_size=100, max_size=300), st.integers(0, 400))
def test_regions_are_few_and_never_forget(days: list[int], wanted_day: int) -> None:
    changes = Changes("0", "0")
    last = 0
    for number, day in enumerate(days, 1):
        region = Region(str(number), {1: Span(day, day, nulls=False)}, partition=str(day // 30))
        changes = folded(changes, str(number), [region], [1])
        last = number if day == wanted_day else last
        assert len(changes.regions) <= MOST_REGIONS
    found = last_change(changes, [Reading("t", (Condition("n", "=", ((wanted_day, wanted_day),)),))], {"n": 1})
    assert int(found) >= last


def test_a_load_of_thousands_of_files_is_told_roughly_and_whole() -> None:
    boxes = [Region("2", {1: Span(day, day, nulls=False)}) for day in range(5000)]
    changes = folded(Changes("1", "1"), "2", boxes, [1])
    assert len(changes.regions) <= MOST_REGIONS
    for day in (0, 2500, 4999):
        assert last_change(changes, [Reading("t", (Condition("n", "=", ((day, day),)),))], {"n": 1}) == "2"
    assert last_change(changes, [Reading("t", (Condition("n", ">", ((4999, 4999),)),))], {"n": 1}) == "1"
