"""What the translation promises beside values: names, cost, the list of functions, what a connection needs."""

import re

import pytest
from sqlglot import parse_one

from athena.dataset import Column, DataType
from athena.errors import Refused
from athena.trino.translation import FUNCTIONS, failure_code, macros, result_types, to_duckdb
from tests.athena.trino.golden import engine, golden_cases
from tests.costs import cost_ratio

_TABLES = {
    "flights": [
        Column("carrier", DataType("string")),
        Column("origin", DataType("string")),
        Column("day", DataType("date")),
        Column("dep_delay", DataType("double")),
        Column("fare", DataType("decimal", 12, 2)),
        Column("seats", DataType("int")),
        Column("left_at", DataType("timestamptz")),
    ],
    "airlines": [Column("carrier", DataType("string")), Column("name", DataType("string"))],
    "airports": [Column("faa", DataType("string")), Column("name", DataType("string"))],
}
_TYPICAL = """
WITH monthly AS (
  SELECT f.carrier, f.origin, date_trunc('month', f.day) AS m, count(*) AS n, avg(f.dep_delay) AS d
  FROM lake.flights AS f WHERE f.day >= date '2013-01-01' AND f.dep_delay > 10 GROUP BY 1, 2, 3)
SELECT a.name, p.name AS airport, m.m, sum(m.n) AS n, round(avg(m.d), 2) AS d,
       rank() OVER (PARTITION BY a.name ORDER BY sum(m.n) DESC) AS r
FROM monthly AS m JOIN lake.airlines AS a ON a.carrier = m.carrier LEFT JOIN lake.airports AS p ON p.faa = m.origin
WHERE a.name LIKE 'U%' OR m.n IN (1, 2, 3) GROUP BY a.name, p.name, m.m HAVING sum(m.n) > 5
ORDER BY n DESC, a.name LIMIT 100
"""


def test_translating_a_typical_question_costs_little_more_than_parsing_it() -> None:
    ratio = cost_ratio(lambda: to_duckdb(_TYPICAL, _TABLES), lambda: parse_one(_TYPICAL, dialect="athena"))
    assert ratio <= 30  # 5 as measured: it is also resolved, typed and written


def test_columns_have_the_types_of_the_dataset() -> None:
    selected = "sum(seats), avg(fare), sum(fare) / sum(seats), max(left_at), avg(dep_delay), day"
    assert result_types(f"SELECT {selected} FROM flights GROUP BY day", _TABLES) == [
        "bigint",
        "decimal(12,2)",
        "decimal(38,2)",
        "timestamp(6) with time zone",
        "double",
        "date",
    ]


def test_an_output_name_never_captures_a_column() -> None:
    made = to_duckdb("SELECT seats + 1 AS seats FROM flights WHERE seats > 3", _TABLES)
    assert 'WHERE "flights"."seats" > 3' in made


def test_a_comparison_with_a_literal_leaves_the_column_alone_so_that_files_can_be_pruned() -> None:
    made = to_duckdb("SELECT 1 FROM flights WHERE fare > 10 AND day >= date '2026-01-01' AND seats = 3", _TABLES)
    assert '"flights"."fare" > CAST(10 AS DECIMAL(12, 2))' in made
    assert '"flights"."day" >= CAST(\'2026-01-01\' AS DATE)' in made
    assert '"flights"."seats" = 3' in made


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT nonsense FROM flights", "nonsense"),
        ("SELECT 1 FROM absent", "absent"),
        ("SELECT duckdb_settings()", "duckdb_settings"),
        ("SELECT TRINO_FAIL('x')", "trino_fail"),
        ("SELECT getvariable('x')", "getvariable"),
    ],
)
def test_what_is_not_known_is_refused_by_name(sql: str, word: str) -> None:
    with pytest.raises(Refused, match=word) as refusal:
        to_duckdb(sql, _TABLES)
    assert refusal.value.code == "sql-unsupported"
    assert refusal.value.remedy


def test_every_macro_can_be_made_and_is_named_ours() -> None:
    assert all(statement.startswith("CREATE MACRO trino_") for statement in macros())
    made = engine().execute("SELECT count(*) FROM duckdb_functions() WHERE function_name LIKE 'trino_%'").fetchone()
    assert made is not None and made[0] == len(macros())


def test_a_failure_of_a_macro_tells_its_code_and_no_value() -> None:
    assert failure_code("Could not convert string 'lakegate:bad-argument' to INT64") == "bad-argument"
    assert failure_code("Division by zero") is None


def test_every_function_has_a_golden_case() -> None:
    told = " ".join(case.sql for case in golden_cases()).lower()
    named = set(re.findall(r"([a-z_0-9]+) ?\(", told)) | set(
        re.findall(r"\b(?:localtimestamp|current_timestamp)\b", told)
    )
    assert sorted(set(FUNCTIONS) - named) == []


def test_a_long_row_is_not_written_once_for_each_of_its_fields() -> None:
    def sizes(fields: int) -> list[int]:
        row = f"ROW({', '.join('1' * fields)})"
        kind = f"row({', '.join(f'a{place} integer' for place in range(fields))})"
        asked = (
            f"{row} = {row}",
            f"{row} < {row}",
            f"cast(cast({row} AS {kind}) AS json)",
            f"coalesce({row}, {row}) = {row}",
        )
        return [len(to_duckdb(f"SELECT {part}")) for part in asked]

    assert all(long < 12 * short for short, long in zip(sizes(20), sizes(200), strict=True))
