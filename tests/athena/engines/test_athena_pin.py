"""What Athena is given: the entitled statement, every table of it at its snapshot, and nothing else changed."""

import re

import pytest
import sqlglot
from sqlglot import exp

from athena.engines.athena.pin import pinned
from athena.entitlement import entitle
from athena.errors import Failed, LakegateError
from athena.statement import parse
from tests.athena.cases import Case, cases
from tests.athena.granted import GRANTS, HEADS, SALT, TODAY

CASES = [*cases("hostile"), *cases("legal")]
PIN = re.compile(r" FOR VERSION AS OF \d+")
PINS = {name: f"90071992547409{at}" for at, name in enumerate(sorted(HEADS), 10)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            'SELECT "a" FROM "lake"."t" ORDER BY "a"',
            'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 7 ORDER BY "a" LIMIT 6',
        ),
        ('SELECT 1 FROM "lake"."t"', 'SELECT 1 FROM "lake"."t" FOR VERSION AS OF 7 LIMIT 6'),
        ('SELECT "a" FROM "lake"."t" LIMIT 3', 'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 7 LIMIT 3'),
        ('SELECT "a" FROM "lake"."t" LIMIT 30', 'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 7 LIMIT 6'),
        (
            'SELECT 30 AS "x" OFFSET 30 ROWS FETCH FIRST 30 ROWS ONLY',
            'SELECT 30 AS "x" OFFSET 30 ROWS FETCH FIRST 6 ROWS ONLY',
        ),
        ('SELECT 30 AS "x" FETCH FIRST 3 ROWS WITH TIES', 'SELECT 30 AS "x" FETCH FIRST 3 ROWS WITH TIES'),
        ('SELECT 1 AS "all" LIMIT ALL', 'SELECT 1 AS "all" LIMIT 6'),
        ('SELECT "u"."a" FROM "lake"."u"', 'SELECT "u"."a" FROM (SELECT * FROM "lake"."u" WHERE FALSE) AS "u" LIMIT 6'),
        (
            'SELECT "lake"."t"."a" FROM "lake"."t" WHERE "a" = \'"lake"."t"\'',
            'SELECT "lake"."t"."a" FROM "lake"."t" FOR VERSION AS OF 7 WHERE "a" = \'"lake"."t"\' LIMIT 6',
        ),
        (
            'SELECT "a" FROM "lake"."t" UNION ALL SELECT "a" FROM "lake"."u" ORDER BY 1 OFFSET 2',
            'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 7 UNION ALL SELECT "a" FROM (SELECT * FROM "lake"."u" '
            'WHERE FALSE) AS "u" ORDER BY 1 OFFSET 2 LIMIT 6',
        ),
        (
            'WITH "t" AS (SELECT 1 AS "a") SELECT * FROM "t" AS "t", "lake"."t" AS "x"',
            'WITH "t" AS (SELECT 1 AS "a") SELECT * FROM "t" AS "t", "lake"."t" FOR VERSION AS OF 7 AS "x" LIMIT 6',
        ),
    ],
)
def test_every_table_is_pinned_and_the_statement_limited(sql: str, expected: str) -> None:
    assert pinned(sql, {"t": "7", "u": ""}, row_limit=5) == expected


def test_a_table_without_a_pin_is_not_run() -> None:
    with pytest.raises(Failed):
        pinned('SELECT 1 FROM "lake"."other"', {"t": "7"}, row_limit=5)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_nothing_but_pins_and_a_limit_is_added(case: Case) -> None:
    for grant in GRANTS.values():
        try:
            entitled = entitle(parse(case.sql), grant, HEADS, lake="lake", parameters=(), today=TODAY, salt=SALT)
        except LakegateError:
            continue
        given = pinned(entitled.sql, PINS, row_limit=10**9)
        kept = given.removesuffix(f" LIMIT {10**9 + 1}")
        assert PIN.sub("", kept) == entitled.sql
        _check_pins(given)


def _check_pins(given: str) -> None:
    """Every table stands at its own snapshot, as a parser sees it too."""
    for table in sqlglot.parse_one(given, read="athena").find_all(exp.Table):
        if table.db:
            version = table.args["version"]
            assert (version.name, version.args["kind"]) == ("VERSION", "AS OF")
            assert version.expression.name == PINS[table.name]
