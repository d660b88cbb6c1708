"""What is judged to be safe is safe: it is run on the worst values that there are."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dataset import Column, parse_type
from athena.entitlement import entitle
from athena.errors import Refused
from athena.grants import DatasetGrant, Grant, Limits
from athena.heads import Head
from athena.sql.functions import FUNCTIONS, Function, Kind, Takes
from athena.statement import parse
from athena.trino import translation as trino
from tests.athena.granted import Base, Row, store

TYPES = {
    "s": "string",
    "u": "string",
    "i": "int",
    "j": "int",
    "l": "long",
    "x": "double",
    "y": "double",
    "m": "decimal(38,4)",
    "d": "date",
    "e": "date",
    "b": "boolean",
    "t": "timestamp",
    "z": "timestamptz",
}
COLUMNS = tuple(Column(name, parse_type(kind)) for name, kind in TYPES.items())
HEADS = {"nasty": Head("nasty", "1", "v1", "", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 1, COLUMNS)}
# Rows are hidden, so that what may fail is guarded; nothing is hidden in fact.
GRANT = Grant("p", "", {"nasty": DatasetGrant("i IS NULL OR i IS NOT NULL")}, Limits(), "")

_TEXTS = [None, "", " ", "a", "Ünï©ødé", "\U0001f600" * 40, "x" * 5000, "1", "-0", "%_\\", "'", "2013-02-30", "\t\n"]
_INTS = [None, 0, 1, -1, 2**31 - 1, -(2**31)]
_LONGS = [None, 0, 2**63 - 1, -(2**63)]
_DOUBLES = [None, 0.0, -0.0, 1.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf")]
_DECIMALS = [None, Decimal("9" * 34 + ".9999"), Decimal("-" + "9" * 34 + ".9999")]
_DATES = [None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1), dt.date(2012, 2, 29)]
_TIMES = [None, dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(1970, 1, 1)]


def _rows() -> list[Row]:
    def pick(values: list[object], place: int) -> object:
        return values[place % len(values)]

    rows: list[Row] = []
    for place in range(260):
        at = pick(list(_TIMES), place)
        rows.append(
            (
                pick(list(_TEXTS), place),
                pick(list(_TEXTS), place * 7 + 3),
                pick(list(_INTS), place),
                pick(list(_INTS), place * 5 + 1),
                pick(list(_LONGS), place),
                pick(list(_DOUBLES), place),
                pick(list(_DOUBLES), place * 3 + 1),
                pick(list(_DECIMALS), place),
                pick(list(_DATES), place),
                pick(list(_DATES), place * 3 + 2),
                pick([None, True, False], place),
                at,
                at.replace(tzinfo=dt.UTC) if isinstance(at, dt.datetime) else None,
            )
        )
    return rows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder: Path = tmp_path_factory.mktemp("nasty")
    made = Base(store(folder, {"nasty": _rows()}, HEADS), HEADS)
    yield made
    made.close()


def is_safe(sql: str) -> bool:
    """Whether nothing in the statement is judged to be able to fail."""
    return not entitle(parse(sql), GRANT, HEADS, lake="lake", parameters=(), today=dt.date(2013, 1, 1), salt="").guarded


def _calls() -> list[str]:
    """Each total function on arguments of the right types."""
    arguments = {
        Takes.TEXT: ["s", "s, u", "s, u, s"],
        Takes.TEXT_CONSTANTS: ["s, 1", "s, 2, 3", "s, 0", "s, -2", "s, 999999999"],
        Takes.TIME: ["d", "t", "z"],
        Takes.DOUBLE_CONSTANTS: ["x", "x, 2"],
        Takes.SAME: ["s, u", "i, j", "x, y", "d, e", "m, m", "b, b"],
        Takes.ANY: ["", "s", "i", "x", "d", "m", "t", "b", "s, x"],
    }
    calls = []
    for name, function in FUNCTIONS.items():
        if not function.total or name == "now":  # Python would need pytz to read its result
            continue
        over = " OVER (PARTITION BY b ORDER BY i, l)" if function.kind == Kind.WINDOW else ""
        fitting = [given for given in arguments[function.takes] if _fits(function, given)]
        assert fitting, name
        calls += [f"{name}({given}){over}" for given in fitting]
    return calls


def _fits(function: Function, given: str) -> bool:
    count = len(given.split(",")) if given else 0
    return function.fewest <= count <= function.most


EXPRESSIONS = [
    *_calls(),
    *(f"sum({each})" for each in ("i", "x")),
    *(f"avg({each})" for each in ("i", "l", "x")),
    *(f"lag({each}) OVER (ORDER BY l)" for each in ("s", "x", "d")),
    *(f"date_trunc('{unit}', {each})" for unit in ("day", "week", "month", "quarter", "year") for each in ("d", "t")),
    *(f"extract({part} FROM {each})" for part in ("year", "dow", "doy", "week", "quarter") for each in ("d", "t", "z")),
    *(f"CAST({each} AS varchar)" for each in ("i", "l", "x", "m", "d", "b", "t", "z")),
    *("CAST(i AS bigint)", "CAST(i AS double)", "CAST(l AS double)", "CAST(t AS date)", "CAST(s AS varchar)"),
    *(
        f"TRY_CAST(s AS {kind})"
        for kind in ("integer", "bigint", "double", "date", "timestamp", "boolean", "decimal(9,2)")
    ),
    *(f"TRY_CAST({each} AS integer)" for each in ("l", "x", "m")),
    *("s = u", "i < j", "i <= l", "x >= y", "i <> x", "d > e", "m = m", "m > 1.5", "i = 1.5", "l = 1.25", "x = 1.5"),
    *(
        "s IS DISTINCT FROM u",
        "i IN (1, 2, NULL)",
        "s IN ('a', u)",
        "x BETWEEN y AND 1.5",
        "d BETWEEN e AND DATE '2013-01-01'",
    ),
    *("s LIKE 'a%'", "s LIKE ''", "s LIKE '%\\_%'", "NOT b", "b AND i = 1 OR s = 'a'", "s IS NULL", "s || u || 'x'"),
    *("count(DISTINCT s)", "count(*)", "CAST(current_timestamp AS varchar)", "CAST(localtimestamp AS varchar)"),
    *("trim(BOTH ' ' FROM s)", "CASE WHEN b THEN s ELSE u END", "CASE i WHEN j THEN 1 ELSE 2 END", "if(b, x, y)"),
    *("count(*) FILTER (WHERE i = 1)", "count_if(b)", "t < TIMESTAMP '2013-01-01 00:00:00'", "grouping(s)"),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_judged_safe_does_not_fail(base: Base, expression: str) -> None:
    group = f" GROUP BY {expression[9:-1]}" if expression.startswith("grouping") else ""
    sql = f"SELECT {expression} FROM nasty{group}"
    try:
        safe = is_safe(f"SELECT q FROM ({sql.replace(' FROM nasty', ' AS q FROM nasty')}) AS q")
        came = base.ask(sql, GRANT)
    except Refused:
        return
    if safe and came.failure not in ("sql-unsupported", "sql-syntax"):
        assert came.failure is None, came


def test_most_of_these_expressions_are_judged_safe() -> None:
    safe = 0
    for expression in EXPRESSIONS:
        try:
            safe += is_safe(f"SELECT q FROM (SELECT {expression} AS q FROM nasty) AS q")
        except Refused:
            continue
    assert safe > len(EXPRESSIONS) * 0.7


_LEAVES = {
    "string": ["s", "u", "'a'", "''"],
    "int": ["i", "j", "1", "0"],
    "double": ["x", "y", "1e0", "0e0"],
    "date": ["d", "e", "DATE '2013-01-31'"],
    "boolean": ["b", "TRUE", "s = u", "i > j", "x < y", "d <= e", "s IS NULL", "s LIKE 'a%'", "i IN (1, 2)"],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str = "boolean", depth: int = 3) -> str:
    """An expression of a type, out of what is judged safe."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(_LEAVES[kind]))

    def part(of: str = kind) -> str:
        return str(draw(expressions(of, depth - 1)))

    forms = [
        lambda: f"coalesce({part()}, {part()})",
        lambda: f"nullif({part()}, {part()})",
        lambda: f"CASE WHEN {part('boolean')} THEN {part()} ELSE {part()} END",
    ]
    if kind == "string":
        forms += [
            lambda: f"{draw(st.sampled_from(['lower', 'upper', 'reverse', 'trim']))}({part()})",
            lambda: f"({part()} || {part()})",
            lambda: f"substr({part()}, {draw(st.integers(0, 9))}, {draw(st.integers(0, 9))})",
            lambda: f"CAST({part(draw(st.sampled_from(['int', 'double', 'date', 'boolean'])))} AS varchar)",
        ]
    elif kind == "int":
        forms += [lambda: f"TRY_CAST({part('string')} AS integer)"]
    elif kind == "double":
        forms += [lambda: f"CAST({part('int')} AS double)", lambda: f"round({part()}, {draw(st.integers(0, 9))})"]
    elif kind == "date":
        forms += [lambda: f"date_trunc('month', {part()})", lambda: f"TRY_CAST({part('string')} AS date)"]
    else:
        other = draw(st.sampled_from(["string", "int", "double", "date"]))
        sign = draw(st.sampled_from(["=", "<", ">=", "<>", "IS DISTINCT FROM"]))
        forms += [
            lambda: f"({part(other)} {sign} {part(other)})",
            lambda: f"({part()} {draw(st.sampled_from(['AND', 'OR']))} {part()})",
            lambda: f"(NOT {part()})",
            lambda: f"({part(other)} IS NULL)",
            lambda: f"(year({part('date')}) > {part('int')})",
        ]
    return str(draw(st.sampled_from(forms))())


@settings(max_examples=120)
@given(condition=expressions(), value=expressions("string"))
def test_safe_expressions_make_safe_ones(base: Base, condition: str, value: str) -> None:
    sql = f"SELECT {value} FROM nasty WHERE {condition}"
    assert is_safe(sql)
    assert base.ask(sql, GRANT).failure is None


def test_every_function_that_may_be_called_is_one_that_the_embedded_engine_can_do() -> None:
    assert sorted(set(FUNCTIONS) - set(trino.FUNCTIONS)) == []


def test_no_function_counts_as_safe_that_the_embedded_engine_says_may_fail() -> None:
    conditional = {Takes.DOUBLE_CONSTANTS}  # safe for doubles alone; theirs is said of every type
    bold = {
        name
        for name, function in FUNCTIONS.items()
        if function.total and not trino.FUNCTIONS[name].total and not function.volatile
        if function.takes not in conditional
    }
    assert bold == set()
