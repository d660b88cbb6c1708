"""Values beside a statement: typed, and never text."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.entitlement import entitle
from athena.errors import Refused
from athena.parameters import Parameters, typed_text
from athena.question import Scalar
from athena.statement import parse
from athena.trino.text import read


def bound(sql: str, parameters: Parameters) -> str:
    """The entitled SQL of a statement without tables."""
    made = entitle(parse(sql), None, {}, lake="lake", parameters=parameters, today=date(2013, 1, 1), salt="")
    return made.sql


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("UA", "'UA'"),
        ("it's", "'it''s'"),
        ("' OR 1=1 --", "''' OR 1=1 --'"),
        ("\\", "'\\'"),
        ("", "''"),
        ("a\nb", "'a\nb'"),
        (1, "1"),
        (-1, "(-1)"),
        (2**63 - 1, "9223372036854775807"),
        (1.0, "1.0E0"),
        (-0.5, "(-0.5E0)"),
        (1e300, "1E300"),
        (5e-324, "5E-324"),
        (True, "TRUE"),
        (None, "NULL"),
    ],
)
def test_a_value_becomes_a_literal_of_its_own_type(value: Scalar, written: str) -> None:
    assert bound("SELECT ? AS x", (value,)) == f'SELECT {written} AS "x"'
    assert bound("SELECT :v AS x", {"v": value}) == f'SELECT {written} AS "x"'


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50))
def test_a_text_stays_the_text_that_it_is(value: str) -> None:
    literal = read(bound("SELECT ? AS x", (value,))).selects[0].this
    assert (literal.name, literal.is_string) == (value, True)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_every_bit(value: float) -> None:
    literal = read(bound("SELECT ? AS x", (value,))).selects[0].this
    text = literal.sql().strip("()").replace(" ", "")
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    assert float(text) == value


def test_values_go_where_the_text_has_them() -> None:
    sql = "WITH a AS (SELECT ? AS x) SELECT ? AS y FROM a WHERE x = ? ORDER BY 1 LIMIT ?"
    made = bound(sql, (1, 2, 3, 4))
    assert made == (
        'WITH "w1" AS (SELECT 1 AS "c1") SELECT 2 AS "y" FROM "w1" AS "t1" WHERE "t1"."c1" = 3 ORDER BY 1 LIMIT 4'
    )


def test_a_name_may_stand_twice() -> None:
    assert bound("SELECT :a AS x, :a AS y", {"a": "z"}) == "SELECT 'z' AS \"x\", 'z' AS \"y\""


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT ?, ?", (1,), "Parameter 2 has no value."),
        ("SELECT ?", (1, 2), "Parameter 2 is not in the statement."),
        ("SELECT 1", (1,), "Parameter 1 is not in the statement."),
        ("SELECT :a", {}, "Parameter :a has no value."),
        ("SELECT :a", {"a": 1, "b": 2}, "Parameter :b is not in the statement."),
        ("SELECT :a", (1,), "Parameter :a has no value."),
        ("SELECT ?", {"a": 1}, "Parameter 1 has no value."),
        ("SELECT ?", (math.nan,), "Parameter 1 is no finite number."),
        ("SELECT ?", (-math.inf,), "Parameter 1 is no finite number."),
        ("SELECT ?", (2**63,), "Parameter 1 is beyond the range of a long."),
        ("SELECT ?", ("\ud800",), "Parameter 1 is no valid Unicode."),
        ("SELECT ?", ("a\0b",), "Parameter 1 is too long or holds a NUL."),
        ("SELECT ?", ("x" * 70_000,), "Parameter 1 is too long or holds a NUL."),
        ("SELECT 1 LIMIT ?", ("1",), "Parameter 1 is no number of rows."),
        ("SELECT 1 LIMIT ?", (-1,), "Parameter 1 is no number of rows."),
        ("SELECT 1 OFFSET ?", (1.0,), "Parameter 1 is no number of rows."),
        ("SELECT ?", (b"x",), "Parameter 1 is a bytes."),
    ],
)
def test_values_that_do_not_fit_are_refused(sql: str, parameters: Parameters, message: str) -> None:
    with pytest.raises(Refused) as caught:
        bound(sql, parameters)
    assert (caught.value.code, caught.value.message) == ("parameters-invalid", message)
    assert caught.value.remedy


_VALUES = st.lists(st.one_of(st.text(max_size=2), st.integers(-2, 2), st.sampled_from([0.0, 1.0, True, False, None])))


@given(_VALUES, _VALUES)
def test_typed_texts_are_equal_for_equal_values_of_equal_types_alone(one: list[Scalar], other: list[Scalar]) -> None:
    same = [(type(each), each) for each in one] == [(type(each), each) for each in other]
    assert (typed_text(tuple(one)) == typed_text(tuple(other))) is same


def test_a_memo_tells_one_from_true() -> None:
    assert len({typed_text((value,)) for value in (1, 1.0, True, "1", "True", None, "None")}) == 7
    assert typed_text(("a,str:'b'",)) != typed_text(("a", "b"))
    assert typed_text({"a": 1}) != typed_text((1,))
