"""What a grant makes of a statement."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from athena.dataset import Column, parse_type
from athena.entitlement import Entitled, entitle, grant_problems, not_found, visible_columns
from athena.errors import Failed, NotFound, SqlRefused
from athena.grants import DatasetGrant, Grant, Limits
from athena.heads import Head
from athena.parameters import Parameters
from athena.statement import parse

TODAY = date(2013, 6, 30)


def head(name: str, /, *, version: str = "v1", **types: str) -> Head:
    """A head with these columns; a type that ends in ! is sensitive."""
    columns = tuple(
        Column(each, parse_type(kind.removesuffix("!")), sensitive=kind.endswith("!")) for each, kind in types.items()
    )
    return Head(name, "1", version, "", datetime(2026, 1, 1, tzinfo=UTC), 1, columns)


HEADS = {
    "flights": head("flights", carrier="string", day="date", n="int", fare="decimal(10,2)", tail="string!"),
    "airlines": head("airlines", carrier="string", name="string"),
}


def grant(
    rows: str | None = None,
    columns: tuple[str, ...] = ("*",),
    mask: Mapping[str, str] | None = None,
    **others: DatasetGrant,
) -> Grant:
    """A grant on flights, and on `others`."""
    datasets = {"flights": DatasetGrant(rows, columns, dict(mask or {})), **others}
    return Grant("p", "", datasets, Limits(), "digest")


def entitled(
    sql: str, given: Grant | None, *, parameters: Parameters = (), heads: Mapping[str, Head] = HEADS
) -> Entitled:
    """The statement under a grant."""
    return entitle(parse(sql), given, heads, lake="lake", parameters=parameters, today=TODAY, salt="pepper")


UA = grant("carrier = 'UA'")


def test_a_dataset_becomes_the_granted_rows_and_the_columns_that_are_read() -> None:
    made = entitled("SELECT carrier, count(*) AS n FROM flights GROUP BY 1", UA)
    assert made.sql == (
        'SELECT "t1"."carrier" AS "carrier", COUNT(*) AS "n" FROM (SELECT "r"."carrier" AS "carrier" FROM '
        '"lake"."flights" AS "r" WHERE "r"."carrier" = \'UA\') AS "t1" GROUP BY 1'
    )
    assert (made.tables, made.output, made.volatile, made.guarded) == (("flights",), ("carrier", "n"), False, False)


def test_where_something_may_fail_each_column_comes_through_the_guard() -> None:
    made = entitled("SELECT 1 / n FROM flights", UA)
    assert made.guarded
    assert made.sql == (
        'SELECT 1 / "t1"."n" AS "_col0" FROM (SELECT CASE WHEN "g"."i0" THEN "g"."i1" WHEN RAND() < 0 THEN NULL END '
        'AS "n" FROM (SELECT "r"."n" AS "i1", "r"."carrier" = \'UA\' AS "i0" FROM "lake"."flights" AS "r") AS "g" '
        'WHERE "g"."i0") AS "t1"'
    )


@pytest.mark.parametrize(
    ("sql", "guarded"),
    [
        ("SELECT * FROM flights WHERE day >= DATE '2013-01-01' AND n IN (1, 2) AND carrier LIKE 'U%'", False),
        ("SELECT count(*), sum(n), avg(n), min(day), max(fare) FROM flights", False),
        ("SELECT sum(n) / count(*) FROM flights", False),
        ("SELECT lower(carrier), substr(carrier, 1, 1), year(day), date_trunc('month', day) FROM flights", False),
        ("SELECT coalesce(carrier, 'x'), CASE WHEN n > 1 THEN 'a' ELSE 'b' END FROM flights", False),
        ("SELECT try_cast(carrier AS int), CAST(n AS varchar), CAST(n AS double) FROM flights", False),
        ("SELECT rank() OVER (PARTITION BY carrier ORDER BY n) FROM flights", False),
        ("SELECT 1 FROM flights AS f JOIN flights AS g ON f.n = g.n AND f.day < g.day", False),
        ("SELECT CAST(carrier AS int) FROM flights", True),
        ("SELECT n + 1 FROM flights", True),
        ("SELECT n / 2 FROM flights", True),
        ("SELECT sum(n + 1) FROM flights", True),
        ("SELECT sum(fare) FROM (SELECT fare FROM flights) AS q", False),
        ("SELECT s FROM (SELECT sum(fare) AS s FROM flights) AS q", True),
        ("SELECT a FROM (SELECT sum(n) / count(*) AS a FROM flights) AS q", True),
        ("SELECT 1 FROM flights WHERE n = 1.5", False),
        ("SELECT 1 FROM flights WHERE carrier = n", True),
        ("SELECT 1 FROM flights WHERE n", True),
        ("SELECT 1 FROM flights WHERE day > DATE '2013-02-31'", True),
        ("SELECT (SELECT n FROM flights)", True),
        ("SELECT (SELECT max(n) FROM flights)", False),
        ("SELECT x FROM flights CROSS JOIN UNNEST(split(carrier, 'A')) AS t(x)", True),
        ("SELECT regexp_like(carrier, 'U') FROM flights", True),
        ("SELECT carrier FROM flights UNION SELECT CAST(n AS varchar) FROM flights", False),
        ("SELECT carrier FROM flights UNION SELECT n FROM flights", True),
    ],
)
def test_the_guard_stands_only_where_something_may_fail(sql: str, guarded: bool) -> None:
    assert entitled(sql, UA).guarded is guarded
    assert ("RAND()" in entitled(sql, UA).sql) is guarded


def test_a_grant_of_all_rows_needs_no_guard() -> None:
    made = entitled("SELECT 1 / n FROM flights", grant())
    assert not made.guarded
    assert "RAND()" not in made.sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 / n FROM flights WHERE day = DATE '2013-01-01'",
        "SELECT 1 / f.n FROM flights AS f JOIN airlines AS a ON f.carrier = a.carrier WHERE f.day = DATE '2013-01-01'",
        "SELECT 1 / f.n FROM airlines AS a JOIN flights AS f ON f.carrier = a.carrier AND f.day = DATE '2013-01-01'",
        "SELECT 1 / f.n FROM airlines AS a LEFT JOIN flights AS f ON f.day = DATE '2013-01-01'",
        "SELECT 1 / x FROM (SELECT n AS x, day AS d FROM flights) AS q WHERE d = DATE '2013-01-01'",
        "WITH q AS (SELECT n, day FROM flights) SELECT 1 / n FROM q WHERE q.day = DATE '2013-01-01' AND n / 2 = 1",
    ],
)
def test_conditions_that_cannot_fail_are_copied_below_the_guard(sql: str) -> None:
    everything = DatasetGrant()
    made = entitled(sql, grant("carrier = 'UA'", airlines=everything))
    assert made.guarded
    assert '"lake"."flights" AS "r" WHERE "r"."day" = CAST(\'2013-01-01\' AS DATE)) AS "g"' in made.sql


def test_they_stand_beside_the_grants_rows_where_no_guard_is_needed() -> None:
    sql = "SELECT count(*) FROM flights AS f WHERE f.day = DATE '2013-01-01' AND (n = 1 OR n = 2)"
    inner = 'FROM "lake"."flights" AS "r" WHERE {}"r"."day" = CAST(\'2013-01-01\' AS DATE)) AS "t1"'
    assert inner.format('"r"."carrier" = \'UA\' AND ') in entitled(sql, UA).sql
    assert inner.format("") in entitled(sql, None).sql
    either = entitled("SELECT 1 FROM flights WHERE n = 1", grant("carrier = 'UA' OR carrier = 'DL'")).sql
    assert """WHERE ("r"."carrier" = 'UA' OR "r"."carrier" = 'DL') AND "r"."n" = 1) AS "t1\"""" in either


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 / n FROM flights WHERE n = '1'",  # another type
        "SELECT 1 / n FROM flights WHERE n + 1 = 2",
        "SELECT 1 / n FROM flights WHERE n = 1 OR n = 2",
        "SELECT 1 / n FROM flights WHERE day = DATE 'x'",
        "SELECT 1 / n FROM airlines AS a LEFT JOIN flights AS f ON TRUE WHERE f.n = 1",
        "SELECT 1 / n FROM flights AS f LEFT JOIN airlines AS a ON f.n = 1",
        "SELECT 1 / n FROM flights AS f FULL JOIN airlines AS a ON f.n = 1",
        "SELECT 1 / c FROM (SELECT count(*) AS c, n FROM flights GROUP BY n) AS q WHERE n = 1",
        "SELECT 1 / n FROM (SELECT n FROM flights LIMIT 3) AS q WHERE n = 1",
        "SELECT 1 / n FROM (SELECT n, rank() OVER (ORDER BY day) AS r FROM flights) AS q WHERE n = 1",
        "SELECT 1 / n FROM (SELECT DISTINCT n FROM flights) AS q WHERE n = 1",
        "WITH q AS (SELECT n FROM flights) SELECT 1 / a.n FROM q AS a JOIN q AS b ON TRUE WHERE a.n = 1",
        "SELECT 1 / n FROM flights GROUP BY n HAVING n = 1",
    ],
)
def test_conditions_that_mean_something_else_below_the_guard_are_not_copied(sql: str) -> None:
    made = entitled(sql, grant("carrier = 'UA'", airlines=DatasetGrant()))
    assert made.guarded
    assert '"lake"."flights" AS "r") AS "g"' in made.sql


def test_a_condition_on_a_masked_column_means_the_mask() -> None:
    made = entitled("SELECT 1 / n FROM flights WHERE carrier = 'UA'", grant("n > 0", mask={"carrier": "first(1)"}))
    assert '"lake"."flights" AS "r") AS "g"' in made.sql
    swapped = entitled("SELECT 1 / n FROM flights WHERE carrier = 'UA'", grant("n > 0", mask={"carrier": "tail"}))
    assert '"lake"."flights" AS "r") AS "g"' in swapped.sql


@pytest.mark.parametrize(
    ("mask", "written"),
    [
        ("NULL", 'CAST(NULL AS VARCHAR) AS "carrier"'),
        ("hash", 'LOWER(TO_HEX(SHA256(TO_UTF8(\'pepper\' || CAST("r"."carrier" AS VARCHAR))))) AS "carrier"'),
        ("first(2)", 'SUBSTR("r"."carrier", 1, 2) AS "carrier"'),
        ("concat(carrier, '-', tail)", '(CONCAT("r"."carrier", \'-\', "r"."tail")) AS "carrier"'),
        ("CASE WHEN n > 1 THEN carrier END", 'CASE WHEN "r"."n" > 1 THEN "r"."carrier" END'),
    ],
)
def test_a_mask_stands_in_the_columns_place(mask: str, written: str) -> None:
    assert written in entitled("SELECT carrier FROM flights", grant("n > 0", mask={"carrier": mask})).sql


def test_a_mask_that_may_fail_is_guarded() -> None:
    assert entitled("SELECT carrier FROM flights", grant("n > 0", mask={"carrier": "CAST(1 / n AS varchar)"})).guarded


def test_visible_columns_have_the_type_that_is_seen() -> None:
    given = grant("n > 0", ("*", "tail", "!fare", "_file"), {"n": "hash", "day": "NULL", "tail": "length(tail)"})
    seen = visible_columns(given, HEADS["flights"])
    assert [(each.name, str(each.type)) for each in seen] == [
        ("carrier", "string"),
        ("day", "date"),
        ("n", "string"),
        ("tail", "long"),
        ("_file", "string"),
    ]


def test_the_owner_sees_everything_and_system_columns() -> None:
    names = [each.name for each in visible_columns(None, HEADS["flights"])]
    assert names == ["carrier", "day", "n", "fare", "tail", "_file", "_line", "_content", "_loaded_at"]
    assert entitled("SELECT * FROM flights", None).output == tuple(names)


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("SELECT * FROM nonesuch", UA),
        ("SELECT * FROM airlines", UA),
        ("SELECT tail FROM flights", UA),
        ("SELECT nonesuch FROM flights", UA),
        ("SELECT _file FROM flights", UA),
        ("SELECT 1 FROM flights", grant(columns=("!tail",))),
        ("SELECT 1 FROM flights", grant(columns=())),
        ("SELECT 1 FROM flights", Grant("p", "", {}, Limits(), "")),
    ],
)
def test_denied_absent_and_hidden_read_the_same(sql: str, given: Grant) -> None:
    with pytest.raises(NotFound) as caught:
        entitled(sql, given)
    assert str(caught.value) == str(not_found())
    with pytest.raises(NotFound):
        visible_columns(Grant("p", "", {}, Limits(), ""), HEADS["flights"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nonesuch FROM flights",
        "SELECT * FROM nonesuch",
        "SELECT nonesuch.* FROM flights",
        "SELECT 1 FROM flights JOIN airlines USING (nonesuch)",
        "SELECT day FROM flights ORDER BY nonesuch",
        "SELECT day FROM flights UNION SELECT day FROM flights ORDER BY nonesuch",
    ],
)
def test_the_owner_is_told_the_name_that_means_nothing(sql: str) -> None:
    with pytest.raises(NotFound, match="no dataset or column 'nonesuch'"):
        entitled(sql, None)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (grant("carier = 'UA'"), "carier"),
        (grant("carrier = 'UA' AND (SELECT 1) = 1"), "more than one row"),
        (grant("count(*) > 1"), "more than one row"),
        (grant("day > current_date"), "more than one row"),
        (grant("n = ?"), "more than one row"),
        (grant("random() < 0.5"), "more than one row"),
        (grant("carrier = 'UA' LIMIT 3"), "more than one row"),
        (grant("carrier = 'UA'; SELECT 1"), "';' is not supported"),
        (grant("CAST(carrier AS int) = 1"), "may fail"),
        (grant("n / 2 = 1"), "may fail"),
        (grant("carrier"), "no condition"),
        (grant("carrier = 5"), "may fail"),
        (grant("carrier ="), "Syntax error"),
        (grant(columns=("*", "tailnum")), "no column 'tailnum'. Did you mean 'tail'?"),
        (grant(columns=("*", "!tial")), "Did you mean 'tail'?"),
        (grant(columns=("tail", "!tail")), "both granted and taken away"),
        (grant(mask={"tial": "NULL"}), "Did you mean 'tail'?"),
        (grant(mask={"fare": "hash"}), "hash takes"),
        (grant(mask={"n": "first(2)"}), "first(n) takes text"),
        (grant(mask={"n": "md5(to_utf8(carrier))"}), "is not known"),
        (grant(mask={"n": "n, carrier"}), "no single expression"),
        (grant(mask={"n": "(SELECT max(n) FROM flights)"}), "more than one row"),
        (grant(columns=()), "grants no column"),
        (Grant("p", "", {"nonesuch": DatasetGrant()}, Limits(), ""), "there is no such dataset"),
    ],
)
def test_a_grant_that_does_not_fit_is_told_to_its_owner_and_grants_nothing(given: Grant, problem: str) -> None:
    problems = grant_problems(given, HEADS)
    assert len(problems) == 1
    assert problem in problems[0]
    with pytest.raises((Failed, NotFound)) as caught:
        entitled("SELECT n FROM flights", given)
    assert caught.value.code in ("grant-invalid", "not-found")
    assert problem not in str(caught.value)


def test_a_grant_that_fits_has_no_problems() -> None:
    given = grant("carrier IN ('UA', 'DL') AND day >= DATE '2013-01-01' OR n IS NULL", ("*", "tail"), {"tail": "hash"})
    assert grant_problems(given, HEADS) == ()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT carrier, count(*) FROM flights", "'carrier' must stand in GROUP BY or inside of an aggregate"),
        ("SELECT n AS x FROM flights AS f GROUP BY f.carrier", "'n' must stand in GROUP BY"),
        ("SELECT carrier FROM flights GROUP BY carrier ORDER BY n", "'n' must stand in GROUP BY"),
        ("SELECT carrier FROM flights GROUP BY carrier HAVING n > 1", "'n' must stand in GROUP BY"),
        ("SELECT x FROM (SELECT n AS x FROM flights) AS q HAVING count(*) > 1", "'x' must stand in GROUP BY"),
        ("SELECT sum(n) OVER () FROM flights GROUP BY carrier", "'n' must stand in GROUP BY"),
        ("SELECT 1 FROM flights WHERE count(*) > 1", "An aggregate in WHERE is not supported"),
        ("SELECT 1 FROM flights AS f JOIN flights AS g ON max(f.n) = g.n", "An aggregate in ON is not supported"),
        ("SELECT 1 FROM flights GROUP BY count(*)", "An aggregate in GROUP BY is not supported"),
        ("SELECT n FROM flights ORDER BY 2", "'2' in ORDER BY is no column of the answer: it has 1"),
        ("SELECT n FROM flights GROUP BY 0", "'0' in GROUP BY is no column of the answer: it has 1"),
        ("SELECT n FROM flights ORDER BY 'n'", "'n' in ORDER BY is no column of the answer"),
        ("SELECT n FROM flights UNION SELECT n FROM flights ORDER BY 3", "'3' in ORDER BY is no column"),
    ],
)
def test_misplaced_columns_and_aggregates_are_refused_by_the_callers_own_names(sql: str, message: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        entitled(sql, UA)
    assert message in caught.value.message
    assert caught.value.code == "sql-unsupported"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT carrier, count(*) FROM flights GROUP BY 1",
        "SELECT lower(carrier) || 'x', max(n) + 1 FROM flights GROUP BY lower(carrier)",
        "SELECT (n + 1) * 2 FROM flights GROUP BY (n + 1)",
        "SELECT carrier, n FROM flights GROUP BY GROUPING SETS ((carrier), (n), ())",
        "SELECT carrier, sum(count(*)) OVER (ORDER BY carrier) FROM flights GROUP BY carrier",
        "SELECT sum(n) FILTER (WHERE n > 1) FROM flights HAVING count(*) > 1",
        "SELECT count(*) FROM flights ORDER BY max(n)",
        "SELECT carrier, sum(n) OVER (PARTITION BY carrier), rank() OVER (ORDER BY n) FROM flights",
        "SELECT carrier FROM flights AS f GROUP BY carrier HAVING EXISTS (SELECT n FROM flights AS g WHERE g.n = 1)",
        "SELECT 1, count(*), current_date FROM flights",
        "SELECT (SELECT max(g.n) FROM flights AS g WHERE g.carrier = f.carrier) FROM flights AS f",
    ],
)
def test_well_placed_ones_are_not(sql: str) -> None:
    assert entitled(sql, UA).sql


def test_output_names_are_all_different() -> None:
    made = entitled(
        "SELECT f.*, f.carrier, 1, 2 AS carrier_2, f.carrier FROM flights AS f", grant(columns=("carrier", "n"))
    )
    assert made.output == ("carrier", "n", "carrier_3", "_col3", "carrier_2", "carrier_4")


def test_current_date_is_a_literal_of_the_day() -> None:
    made = entitled("SELECT count(*) FROM flights WHERE day = current_date", UA)
    assert "CAST('2013-06-30' AS DATE)" in made.sql
    assert not made.volatile


def test_a_volatile_question_says_so() -> None:
    assert entitled("SELECT now() FROM flights", UA).volatile


def test_entitling_leaves_the_statement_as_it_was_and_is_repeatable() -> None:
    statement = parse("WITH w AS (SELECT * FROM flights) SELECT 1 / n, current_date FROM w WHERE carrier = ?")
    before = repr(statement.tree)
    arguments = {"lake": "lake", "parameters": ("UA",), "today": TODAY, "salt": "s"}
    first = entitle(statement, UA, HEADS, **arguments)  # type: ignore[arg-type]
    again = entitle(statement, UA, HEADS, **arguments)  # type: ignore[arg-type]
    assert first == again
    assert repr(statement.tree) == before


def test_aliases_white_space_case_and_comments_make_no_difference() -> None:
    one = entitled("SELECT carrier, count(*) AS n FROM flights AS f GROUP BY carrier", UA)
    other = entitled("select F.carrier ,COUNT( * ) n -- how many\nfrom lake.Flights f group by f.Carrier", UA)
    assert one == other


@pytest.mark.parametrize("literal", ["1", "1.0", "1e0", "'1'", "'1 '", "'a'", "'A'", "TRUE", "NULL", "DECIMAL '1.00'"])
def test_literals_do(literal: str) -> None:
    others = {"1", "1.0", "1e0", "'1'", "'1 '", "'a'", "'A'", "TRUE", "NULL", "DECIMAL '1.00'"} - {literal}
    mine = entitled(f"SELECT {literal} AS x", UA).sql
    assert all(entitled(f"SELECT {other} AS x", UA).sql != mine for other in others)


def test_a_statement_that_grows_beyond_athenas_limit_is_refused() -> None:
    wide = head("flights", **{f"column_number_{number}": "int" for number in range(2000)})
    given = grant("column_number_0 > 0")
    with pytest.raises(SqlRefused, match="too long once your grant is applied"):
        entitled("SELECT *, 1 / column_number_1 FROM flights", given, heads={"flights": wide})


def test_unequal_grants_have_unequal_policies_even_where_the_sql_is_the_same() -> None:
    sql = "SELECT count(*) FROM flights"
    one, other = entitled(sql, grant(columns=("*",))), entitled(sql, grant(columns=("*", "!n")))
    assert one.sql == other.sql
    assert one.policy != other.policy
    assert one.policy == entitled(sql, replace(grant(columns=("*",)), partner="another", digest="x")).policy
    assert one.policy != entitled(sql, None).policy
