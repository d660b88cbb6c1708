"""Which answers may be written anew, and how the statement that does it reads."""

import pytest

from athena.dataset import parse_type
from athena.engines.athena.unload import selected, unlimited, why_not
from athena.question import ResultColumn
from athena.trino.text import read

A = (ResultColumn("a", parse_type("long")),)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT "a" FROM "lake"."t" FOR VERSION AS OF 7 AS "t" LIMIT 101',
        'SELECT "a" FROM "lake"."t" UNION ALL SELECT "a" FROM "lake"."u" LIMIT 101',
        'WITH "x" AS (SELECT "a" FROM "lake"."t" ORDER BY "a") SELECT "a" FROM "x" LIMIT 101',
        'SELECT "b", COUNT(*) AS "a" FROM "lake"."t" GROUP BY "b" LIMIT 101',
        'SELECT "a" FROM "lake"."t" FETCH FIRST 101 ROWS ONLY',
        'SELECT "a" FROM "lake"."t"',
    ],
)
def test_what_gives_the_same_rows_each_time_is_unloaded_without_its_limit(sql: str) -> None:
    assert why_not(sql, A, row_count=100) is None
    assert "LIMIT" not in unlimited(sql)
    assert "FETCH" not in unlimited(sql)
    assert read(selected(unlimited(sql), A))


@pytest.mark.parametrize(
    ("sql", "rows", "why"),
    [
        ('SELECT "a" FROM "t" ORDER BY "a" LIMIT 101', 100, "order"),
        ('SELECT "a" FROM "t" UNION SELECT "a" FROM "u" ORDER BY "a" LIMIT 101', 100, "order"),
        ('SELECT "a" FROM "t" LIMIT 100', 100, "cut at 100 rows"),
        ('SELECT "a" FROM "t" OFFSET 5 LIMIT 101', 100, "among equals"),
        ('SELECT "a" FROM (SELECT "a" FROM "t" LIMIT 5) AS "x" LIMIT 101', 5, "among equals"),
        ('SELECT ROW_NUMBER() OVER (ORDER BY "b") AS "a" FROM "t" LIMIT 101', 100, "among equals"),
        ('SELECT ARBITRARY("b") AS "a" FROM "t" LIMIT 101', 1, "among equals"),
        ('SELECT MAX_BY("b", "c") AS "a" FROM "t" LIMIT 101', 1, "among equals"),
        ('SELECT LISTAGG("b", \',\') WITHIN GROUP (ORDER BY "c") AS "a" FROM "t" LIMIT 101', 1, "among equals"),
        ('SELECT "a" FROM "t" LIMIT 101', 0, "no rows"),
    ],
)
def test_what_another_run_may_answer_otherwise_is_not(sql: str, rows: int, why: str) -> None:
    assert why in (why_not(sql, A, row_count=rows) or "")


def test_odd_and_equal_names_are_not_unloaded() -> None:
    for names in (("a", "a"), ("a b",), ('a"b',), ("ä",)):
        columns = [ResultColumn(name, parse_type("long")) for name in names]
        assert "column names" in (why_not('SELECT 1 AS "a"', columns, row_count=1) or "")
