"""Equal questions share an answer, unequal ones never."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings

from athena.conditions import Condition
from athena.entitlement import entitle
from athena.fingerprint import fingerprint
from athena.grants import DatasetGrant, Grant, Limits
from athena.parameters import Parameters
from athena.statement import parse
from tests.athena.questions import conditions
from tests.athena.test_entitlement import HEADS, UA, entitled, grant

SQL = "SELECT carrier, count(*) FROM flights WHERE day < current_date AND n = ? GROUP BY 1"


def key(
    sql: str = SQL,
    given: Grant | None = UA,
    parameters: Parameters = (1,),
    *,
    version: str = "v1",
    limit: int = 10,
    engine: str = "duckdb-1",
    day: int = 1,
    salt: str = "s",
) -> str:
    """The fingerprint of a question."""
    made = entitle(parse(sql), given, HEADS, lake="lake", parameters=parameters, today=date(2013, 1, day), salt=salt)
    return fingerprint(made, dict.fromkeys(HEADS, version), row_limit=limit, engine_version=engine)


def test_it_is_64_hex_digits_and_the_same_each_time() -> None:
    assert len(key()) == 64
    assert int(key(), 16) >= 0
    assert key() == key()


def test_white_space_comments_case_and_aliases_share() -> None:
    assert key() == key(
        "select F.carrier, COUNT(*) -- how many\nfrom lake.flights as F where f.day < Current_Date and N=? group by 1"
    )


def test_everything_that_may_change_the_answer_is_another_key() -> None:
    keys = [
        key(),
        key(SQL + " ORDER BY 1"),
        key(SQL.replace("carrier, count", "carrier AS c, count")),
        key(parameters=(2,)),
        key(parameters=(1.0,)),
        key(parameters=("1",)),
        key(parameters=(None,)),
        key(parameters=(True,)),
        key(version="v2"),
        key(limit=11),
        key(engine="duckdb-2"),
        key(day=2),
        key(given=None),
        key(given=grant("carrier = 'DL'")),
        key(given=grant("carrier = 'UA'", ("*", "!fare"))),
        key(given=grant("carrier = 'UA'", mask={"fare": "NULL"})),
        key(given=grant("carrier = 'UA'", mask={"carrier": "hash"})),
        key(given=grant("carrier = 'UA'", mask={"carrier": "hash"}), salt="other"),
    ]
    assert len(set(keys)) == len(keys)


def test_equal_grants_share_whoever_holds_them() -> None:
    other = replace(UA, partner="another", description="x", digest="y", limits=Limits(result_rows=5))
    assert key(given=other) == key()
    assert key(given=replace(other, datasets={**UA.datasets, "airlines": DatasetGrant()})) == key()


def test_only_tables_that_are_read_count() -> None:
    made = entitled("SELECT count(*) FROM flights", UA)
    one = fingerprint(made, {"flights": "v1"}, row_limit=1, engine_version="e")
    assert fingerprint(made, {"flights": "v1", "airlines": "v9"}, row_limit=1, engine_version="e") == one


def test_a_literal_and_an_equal_parameter_are_one_question() -> None:
    assert key("SELECT count(*) FROM flights WHERE n = ?", parameters=(1,)) == key(
        "SELECT count(*) FROM flights WHERE n = 1", parameters=()
    )


@settings(max_examples=60)
@given(conditions(), conditions())
def test_unequal_grants_never_share_an_answer(one: str, other: str) -> None:
    def made(rows: str) -> str:
        return key("SELECT count(*) FROM flights", grant(_named(rows)), ())

    assert (made(one) == made(other)) is (one == other)


def _named(rows: str) -> str:
    """The random condition on the columns of this test's flights."""
    for old, new in (
        ("c ", "carrier "),
        ("(c)", "(carrier)"),
        ("k ", "n "),
        ("v ", "n "),
        ("d ", "day "),
        ("(d)", "(day)"),
    ):
        rows = rows.replace(old, new)
    return rows


def test_hidden_rows_decide_on_freshness_by_months_alone() -> None:
    sql = "SELECT 1 FROM flights WHERE day >= DATE '2013-01-20' AND fare > 7 AND carrier = 'DL'"

    def conditions_of(given: Grant | None) -> tuple[Condition, ...]:
        made = entitle(parse(sql), given, HEADS, lake="lake", parameters=(), today=date(2013, 1, 1), salt="s")
        return made.readings[0].conditions

    first, next_first = ((date(2013, month, 1) - date(1970, 1, 1)).days for month in (1, 2))
    own = Condition("day", ">=", ((first, next_first),))
    assert conditions_of(grant("carrier = 'UA'")) == (Condition("carrier", "=", (("UA", "UA"),)), own)
    assert [one.column for one in conditions_of(None)] == ["day", "fare", "carrier"]
