"""Programs that know Athena alone, unmodified, against the emulated one: their frames are what DuckDB gives."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import awswrangler
import duckdb
import pandas as pd
import pyarrow as pa
import pyathena
import pytest
from pyathena.pandas.cursor import PandasCursor

from lakegate.emulate.stack import create_workgroup
from tests.cloud import Cloud

# What these libraries deprecate in each other is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

WORKGROUP = "clients"
DAY, SECOND = date(2024, 2, 29), datetime(1969, 12, 31, 23, 59, 59)
EVERY = pa.table(
    {
        "s": pa.array(["UA", 'A,"A"\n', None, "naïve", "NULL"]),
        "i": pa.array([1, 2, None, -3, 4], pa.int32()),
        "l": pa.array([2**53 + 1, 2, None, -3, 4], pa.int64()),
        "d": pa.array([1.5, None, math.inf, 1e-7, 1e300], pa.float64()),
        "n": pa.array(
            [Decimal("1.50"), None, Decimal("-2.00"), Decimal("0.00"), Decimal("9" * 10)], pa.decimal128(12, 2)
        ),
        "b": pa.array([True, None, False, True, False]),
        "day": pa.array([DAY, None, date(1969, 12, 31), DAY, DAY]),
        "t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 678901), None, SECOND, SECOND, SECOND], pa.timestamp("us")),
        "tz": pa.array(
            [datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), None, *[SECOND] * 3], pa.timestamp("us", "UTC")
        ),
    }
)
QUESTIONS = {
    "everything": "SELECT * FROM every ORDER BY l",
    "nothing": "SELECT * FROM every WHERE false",
    "groups": "SELECT b, count(*) AS c, sum(n) AS n, max(t) AS t FROM every GROUP BY b ORDER BY c, b",
    "one value": "SELECT avg(d) AS x FROM every WHERE i < 3",
}


@pytest.fixture(scope="module", autouse=True)
def place(cloud: Cloud) -> Iterator[None]:
    """The table `every`, a work group, and an environment that turns every client to the emulated AWS."""
    cloud.tables().append("every", EVERY)
    bucket = cloud.bucket()
    create_workgroup(cloud.client("athena"), WORKGROUP, f"s3://{bucket.name}/here/")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.emulator.environment.items():
            patch.setenv(name, value)
        yield


def directly(sql: str) -> list[list[Any]]:
    """What DuckDB gives on the rows themselves."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("every", EVERY)
        # Trino puts NULL last, whichever way a column is sorted.
        connection.execute("SET default_null_order = 'nulls_last'")
        found: pa.Table = connection.execute(sql).to_arrow_table()
        return plain(zip(*(column.to_pylist() for column in found.columns), strict=True))


def plain(rows: Any) -> list[list[Any]]:
    """Rows as Python values, however a library spells them."""
    return [[_plain(value) for value in row] for row in rows]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value.item() if hasattr(value, "item") else value


def wrangled(sql: str, **more: Any) -> Any:
    return awswrangler.athena.read_sql_query(
        sql, database="lake", ctas_approach=False, workgroup=WORKGROUP, athena_query_wait_polling_delay=0.05, **more
    )


def connected() -> Any:
    return pyathena.connect(work_group=WORKGROUP, schema_name="lake", poll_interval=0.05)


@pytest.mark.parametrize("name", QUESTIONS)
def test_wranglers_frame_is_what_duckdb_gives(name: str) -> None:
    frame = wrangled(QUESTIONS[name])
    assert plain(frame.astype(object).itertuples(index=False)) == directly(QUESTIONS[name])


@pytest.mark.parametrize("name", QUESTIONS)
def test_pyathenas_rows_are_what_duckdb_gives(name: str) -> None:
    with connected() as connection, connection.cursor() as cursor:
        assert plain(cursor.execute(QUESTIONS[name]).fetchall()) == directly(QUESTIONS[name])


def test_pyathenas_frame_is_what_duckdb_gives() -> None:
    question = "SELECT s, i, l, d, n, t, tz FROM every ORDER BY l"
    with connected() as connection, connection.cursor(PandasCursor) as cursor:
        frame = cursor.execute(question).as_pandas()
    assert plain(frame.astype(object).itertuples(index=False)) == directly(question)


def test_columns_have_their_types_also_without_rows() -> None:
    frame = wrangled(QUESTIONS["nothing"])
    assert list(frame.columns) == EVERY.column_names
    assert [str(kind) for kind in frame.dtypes[:4]] == ["string", "Int32", "Int64", "float64"]
    with connected() as connection, connection.cursor() as cursor:
        told = [(one[0], one[1]) for one in cursor.execute(QUESTIONS["nothing"]).description]
    assert told[:5] == [("s", "varchar"), ("i", "integer"), ("l", "bigint"), ("d", "double"), ("n", "decimal")]
    assert told[6:] == [("day", "date"), ("t", "timestamp"), ("tz", "timestamp with time zone")]


def test_parameters_keep_their_types_both_ways() -> None:
    named = wrangled("SELECT s FROM every WHERE s = :s AND l > :l", params={"s": 'A,"A"\n', "l": 1})
    assert named["s"].tolist() == ['A,"A"\n']
    marked = wrangled("SELECT s FROM every WHERE s = ? AND n = ?", params=["'UA'", "1.50"], paramstyle="qmark")
    assert marked["s"].tolist() == ["UA"]
    with connected() as connection, connection.cursor() as cursor:
        asked = cursor.execute("SELECT s FROM every WHERE n = %(n)s", {"n": Decimal("1.50")})
        assert asked.fetchall() == [("UA",)]
        asked = cursor.execute("SELECT i FROM every WHERE s = ?", ["'UA'"], paramstyle="qmark")
        assert asked.fetchall() == [(1,)]


def test_pages_and_chunks_hold_every_row_once() -> None:
    question = "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n) ORDER BY n"
    chunks = list(wrangled(question, chunksize=1000))
    assert [len(chunk) for chunk in chunks] == [1000, 1000, 500]
    assert pd.concat(chunks)["n"].tolist() == list(range(1, 2501))
    with connected() as connection, connection.cursor(arraysize=700) as cursor:
        assert [row[0] for row in cursor.execute(question).fetchall()] == list(range(1, 2501))


def test_an_empty_string_is_not_null_where_the_client_keeps_them_apart() -> None:
    with connected() as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT '' AS a, CAST(NULL AS varchar) AS b").fetchall() == [("", None)]


def test_a_query_that_fails_fails_in_the_client() -> None:
    question = "SELECT CAST(s AS integer) FROM every"
    with pytest.raises(awswrangler.exceptions.QueryFailed, match="INVALID_CAST_ARGUMENT"):
        wrangled(question)
    with connected() as connection, connection.cursor() as cursor:
        with pytest.raises(pyathena.error.OperationalError, match="INVALID_CAST_ARGUMENT"):
            cursor.execute(question)
        with pytest.raises(pyathena.error.OperationalError, match="TABLE_NOT_FOUND"):
            cursor.execute("SELECT * FROM nowhere")


def test_the_catalog_lists_the_tables_of_the_lake() -> None:
    assert "every" in awswrangler.catalog.tables(database="lake")["Table"].tolist()


def test_awswranglers_unload_gives_what_duckdb_gives(cloud: Cloud) -> None:
    group = cloud.client("athena").get_work_group(WorkGroup=WORKGROUP)["WorkGroup"]
    results = group["Configuration"]["ResultConfiguration"]["OutputLocation"]
    # Hive's Parquet has neither zones nor microseconds.
    wanted = "SELECT s, i, l, d, n, b, day FROM every"
    found = awswrangler.athena.read_sql_query(
        wanted,
        database="lake",
        workgroup=WORKGROUP,
        ctas_approach=False,
        unload_approach=True,
        s3_output=f"{results}unloaded/",
    )
    assert sorted(map(repr, plain(found.itertuples(index=False)))) == sorted(map(repr, directly(wanted)))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UNLOAD (SELECT t FROM every) TO 's3://x/y/' WITH (format = 'PARQUET')", "MILLISECONDS"),
        ("UNLOAD (SELECT tz FROM every) TO 's3://x/y/' WITH (format = 'PARQUET')", "Unsupported Hive type"),
        ("UNLOAD (SELECT s, s FROM every) TO 's3://x/y/' WITH (format = 'PARQUET')", "more than once"),
        ("UNLOAD (SELECT s FROM nowhere) TO 's3://x/y/' WITH (format = 'PARQUET')", "does not exist"),
    ],
)
def test_what_athena_cannot_unload_fails_here_too(cloud: Cloud, sql: str, reason: str) -> None:
    place = cloud.bucket()
    athena = cloud.client("athena")
    started = athena.start_query_execution(
        QueryString=sql.replace("s3://x/y/", f"s3://{place.name}/y/"),
        QueryExecutionContext={"Database": "lake"},
        WorkGroup=WORKGROUP,
    )
    execution = cloud.emulator.athena.executions[started["QueryExecutionId"]]
    assert execution.at_rest.wait(60)
    assert (execution.state, reason in execution.reason) == ("FAILED", True), execution.reason


def test_unload_wants_an_empty_place_and_leaves_a_list_of_its_files(cloud: Cloud) -> None:
    place, athena = cloud.bucket(), cloud.client("athena")
    sql = f"UNLOAD (SELECT s FROM every) TO 's3://{place.name}/z/' WITH (format = 'PARQUET', compression = 'ZSTD')"
    states = []
    for _ in range(2):
        given = {"QueryString": sql, "QueryExecutionContext": {"Database": "lake"}, "WorkGroup": WORKGROUP}
        number = athena.start_query_execution(**given)["QueryExecutionId"]
        execution = cloud.emulator.athena.executions[number]
        assert execution.at_rest.wait(60)
        states.append(execution.state)
        found = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
        if execution.state == "SUCCEEDED":
            bucket, _, key = found["Statistics"]["DataManifestLocation"].removeprefix("s3://").partition("/")
            lines = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().split()
            assert [line.startswith(f"s3://{place.name}/z/") for line in lines] == [True]
            assert athena.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"] == []
    assert states == ["SUCCEEDED", "FAILED"]
    assert "HIVE_PATH_ALREADY_EXISTS" in execution.reason
