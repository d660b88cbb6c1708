"""What a text must be to be a statement, and how a refusal tells what is wrong and where."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import parse_one

from athena.errors import SqlRefused
from athena.sql.tokens import MAX_BYTES
from athena.statement import parse
from tests.costs import cost_ratio


def refusal(sql: str) -> SqlRefused:
    """The refusal that `sql` meets."""
    with pytest.raises(SqlRefused) as caught:
        parse(sql)
    return caught.value


@pytest.mark.parametrize(
    ("sql", "line", "column", "message"),
    [
        ("SELECT carrier FORM flights x", 1, 21, "Syntax error near 'flights' (line 1, column 21)."),
        ("SELECT\n  a,\n  (1 FROM t", 3, 6, "Syntax error near 'FROM' (line 3, column 6)."),
        ("SELEC 1", 1, 1, "Statements begin with SELECT, WITH or VALUES, not with 'SELEC' (line 1, column 1)."),
        ("SELECT 1_000", 1, 8, "'1_000' is no number (line 1, column 8)."),
    ],
)
def test_a_syntax_error_says_where(sql: str, line: int, column: int, message: str) -> None:
    error = refusal(sql)
    assert (error.code, error.message, error.line, error.column) == ("sql-syntax", message, line, column)
    assert error.remedy == "Mend the statement there; Lakegate reads Athena's SQL."


@pytest.mark.parametrize(
    ("sql", "line", "column", "word"),
    [
        ("EXPLAIN SELECT 1", 1, 1, "EXPLAIN"),
        ("SELECT 1;\nDROP TABLE flights", 1, 9, ";"),
        ("SELECT a,\n  Read_Text('x') FROM t", 2, 3, "Read_Text"),
        ("SELECT * FROM t\n  TABLESAMPLE BERNOULLI (10)", 2, 3, "TABLESAMPLE"),
        ("SELECT * FROM other.t", 1, 15, "other"),
        ('SELECT "$path" FROM t', 1, 8, '"$path"'),
        ("SELECT a FROM t WHERE b ILIKE 'x'", 1, 25, "ILIKE"),
        ("SELECT current_user", 1, 8, "CURRENT_USER"),
    ],
)
def test_what_is_not_answered_is_named_by_the_callers_own_word(sql: str, line: int, column: int, word: str) -> None:
    error = refusal(sql)
    assert error.code == "sql-unsupported"
    assert error.message == f"{word!r} is not supported (line {line}, column {column})."
    assert (error.line, error.column) == (line, column)
    assert error.remedy.startswith("Ask with one SELECT over your datasets")


def test_refusals_are_derived_from_the_text_alone() -> None:
    long = "x" * 5000
    assert len(refusal(f"SELECT '{long}' FROM \"{long}$\"").message) < 200


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", ()),
        ("SELECT * FROM Flights", ("flights",)),
        ("SELECT * FROM lake.flights, airlines", ("airlines", "flights")),
        ("WITH a AS (SELECT * FROM b) SELECT * FROM a", ("b",)),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", ("a",)),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b", ("b",)),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) AS q, a", ("a",)),
        ("WITH a AS (SELECT 1) SELECT * FROM lake.a", ("a",)),
        ("WITH a AS (SELECT 1) SELECT (SELECT max(x) FROM A) FROM b", ("b",)),
        ("SELECT * FROM flights__rejects", ("flights__rejects",)),
    ],
)
def test_tables_are_those_that_no_with_item_shadows(sql: str, tables: tuple[str, ...]) -> None:
    assert parse(sql).tables == tables


def test_the_lakes_own_name_is_the_database() -> None:
    assert parse("SELECT * FROM trips.flights", lake="trips").tables == ("flights",)
    with pytest.raises(SqlRefused):
        parse("SELECT * FROM lake.flights", lake="trips")


@pytest.mark.parametrize(
    ("sql", "volatile"),
    [
        ("SELECT now()", True),
        ("SELECT current_timestamp", True),
        ("SELECT localtimestamp", True),
        ("SELECT 1 FROM t ORDER BY random()", True),
        ("SELECT 1 FROM t WHERE x < (SELECT rand())", True),
        ("SELECT current_date", False),
        ("SELECT 'now()'", False),
        ("SELECT 1 -- now()", False),
    ],
)
def test_a_statement_that_answers_differently_each_time_is_volatile(sql: str, volatile: bool) -> None:
    assert parse(sql).volatile is volatile


def test_question_marks_are_numbered_in_the_order_of_the_text() -> None:
    sql = "WITH a AS (SELECT ?) SELECT ? FROM a WHERE x = ? GROUP BY 1 ORDER BY ? LIMIT ?"
    assert parse(sql).placeholders == ("?0", "?1", "?2", "?3", "?4")
    assert parse("SELECT :b, :a, :b").placeholders == ("a", "b")


def test_question_marks_and_names_do_not_mix() -> None:
    assert refusal("SELECT ?, :a").message == "'?' is not supported (line 1, column 8)."


def test_many_question_marks_keep_their_order() -> None:
    sql = f"SELECT 1 WHERE 1 IN ({', '.join('?' * 12)})"
    assert parse(sql).placeholders == tuple(f"?{number}" for number in range(12))


def test_reading_the_largest_allowed_text_costs_little_more_than_parsing_it() -> None:
    sql = f"SELECT count(*) FROM t WHERE n IN ({','.join(['1'] * 9000)})"
    assert len(sql) < MAX_BYTES
    ratio = cost_ratio(lambda: parse(sql), lambda: parse_one(sql, dialect="athena"))
    assert ratio <= 20  # 2 as measured


_WORDS = """
    SELECT FROM WHERE ( ) [ ] , . + - * / % < > = <> || ' " CASE WHEN THEN ELSE END AND OR NOT IN IS NULL LIKE BETWEEN
    EXISTS ANY ALL UNION INTERSECT EXCEPT JOIN LEFT ON USING CROSS WITH AS VALUES UNNEST ARRAY CAST TRY_CAST EXTRACT
    TRIM POSITION OVER PARTITION BY ORDER GROUP HAVING LIMIT OFFSET ROWS RANGE FILTER WITHIN INTERVAL DAY DATE DECIMAL
    TIMESTAMP ROW MAP IF COALESCE count sum flights a b 1 1.5 'x' "q" ? :p ; -- /* */ @ $ ~ ^ & | -> => :: ! { } ` # \\
    TABLE LATERAL PIVOT TABLESAMPLE FOR VERSION RECURSIVE DISTINCT GROUPING SETS CUBE ROLLUP WINDOW FETCH FIRST ONLY
    ESCAPE COLLATE AT TIME ZONE CURRENT_DATE TRUE FALSE SELECT FROM ( ) ,
""".split()  # noqa: SIM905 - a list of a hundred quoted words could not be read


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_WORDS), max_size=40))
def test_any_soup_of_words_is_a_statement_or_refused(words: list[str]) -> None:
    try:
        parse("SELECT " + " ".join(words))
    except SqlRefused as error:
        assert error.code in ("sql-syntax", "sql-unsupported")


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_is_a_statement_or_refused(text: str) -> None:
    try:
        parse(text)
    except SqlRefused as error:
        assert error.code in ("sql-syntax", "sql-unsupported")


_REPEATED = """
import sys
from athena.errors import SqlRefused
from athena.statement import parse
from tests.costs import cost_ratio
for word in sys.stdin.read().split("\\n"):
    for count in (60, 5000):
        often = (word + " ") * count
        for text in (f"SELECT {often}1", f"SELECT a FROM b {often}"):
            try:
                parse(text[:65000])
            except SqlRefused:
                pass
print("alive")
"""


def test_no_word_however_often_repeated_ends_the_process() -> None:
    words = sorted(
        {*_WORDS, "(SELECT", "CASE WHEN", "EXISTS (", "CAST(", "NOT (", "a IN (", "WITH a AS (", "x ->", "b."}
    )
    done = subprocess.run(
        [sys.executable, "-c", _REPEATED], input="\n".join(words), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr[-500:]
