"""The emulated Athena, as boto3 sees it."""

import time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from lakegate.emulate.stack import create_workgroup
from tests.cloud import Cloud
from tests.tables import Tables

ROWS = pa.table(
    {
        "carrier": ["UA", "", None, 'A,"A"\n'],
        "fare": pa.array([Decimal("1.50"), None, Decimal("-2.00"), Decimal("0.00")], pa.decimal128(12, 2)),
    }
)


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Any:
    return cloud.client("athena")


@pytest.fixture(scope="module")
def snapshots(cloud: Cloud) -> tuple[str, str]:
    """The lake's table `fares` after its first and its second append."""
    tables: Tables = cloud.tables()
    return tables.append("fares", ROWS).snapshot_id, tables.append("fares", ROWS.slice(0, 1)).snapshot_id


@pytest.fixture(scope="module")
def place(cloud: Cloud, athena: Any, snapshots: tuple[str, str]) -> str:
    """A work group that writes to a bucket of its own."""
    bucket = cloud.bucket()
    create_workgroup(athena, "service", f"s3://{bucket.name}/here/")
    return f"s3://{bucket.name}/here/"


def run(athena: Any, sql: str, **more: Any) -> dict[str, Any]:
    asked = {"WorkGroup": "service", "QueryExecutionContext": {"Database": "lake"}, **more}
    execution = athena.start_query_execution(QueryString=sql, **asked)["QueryExecutionId"]
    while True:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return found
        time.sleep(0.01)


def rows(athena: Any, found: dict[str, Any], **more: Any) -> list[list[str | None]]:
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=found["QueryExecutionId"], **more)
    return [[one.get("VarCharValue") for one in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


def test_a_query_runs_on_the_table_in_glue(athena: Any, place: str) -> None:
    found = run(athena, "SELECT carrier, fare FROM fares")
    assert found["Status"]["State"] == "SUCCEEDED"
    assert found["Statistics"]["DataScannedInBytes"] > 0
    assert found["ResultConfiguration"]["OutputLocation"] == f"{place}{found['QueryExecutionId']}.csv"
    assert sorted(rows(athena, found)[1:], key=str)[:2] == [["", None], ['A,"A"\n', "0.00"]]


def test_results_lie_in_s3_as_athena_quotes_them(cloud: Cloud, athena: Any, place: str) -> None:
    found = run(athena, "SELECT carrier, fare FROM fares WHERE fare <> 0 OR carrier = '' ORDER BY fare")
    bucket, _, key = found["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    content = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert content.startswith(b'"carrier","fare"\n,"-2.00"\n"UA","1.50"\n')
    assert content.endswith(b'"",\n')


def test_time_travel_reads_the_older_snapshot(athena: Any, place: str, snapshots: tuple[str, str]) -> None:
    counts = [f"SELECT count(*) FROM fares FOR VERSION AS OF {snapshot} AS f" for snapshot in snapshots]
    assert [rows(athena, run(athena, sql))[1] for sql in counts] == [["4"], ["5"]]
    both = f"SELECT (SELECT count(*) FROM fares FOR VERSION AS OF {snapshots[0]}), (SELECT count(*) FROM fares)"
    assert rows(athena, run(athena, both))[1] == ["4", "5"]


def test_types_are_told_in_athenas_words(athena: Any, place: str) -> None:
    found = run(athena, "SELECT carrier, fare, 1.5e0 AS x, CAST(1 AS bigint) AS n, true AS b FROM fares")
    result = athena.get_query_results(QueryExecutionId=found["QueryExecutionId"], MaxResults=1)
    told = result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(one["Name"], one["Type"]) for one in told] == [
        ("carrier", "varchar"),
        ("fare", "decimal"),
        ("x", "double"),
        ("n", "bigint"),
        ("b", "boolean"),
    ]
    assert (told[1]["Precision"], told[1]["Scale"]) == (12, 2)


def test_pages_have_the_header_once(athena: Any, place: str) -> None:
    found = run(athena, "SELECT carrier FROM fares")
    assert len(rows(athena, found, PaginationConfig={"PageSize": 2})) == 6


def test_parameters_are_bound_in_order(athena: Any, place: str) -> None:
    found = run(athena, "SELECT ? AS a, ? AS b -- really?", ExecutionParameters=["'it''s'", "2"])
    assert rows(athena, found)[1] == ["it's", "2"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND"),
        ("SELECT count(*) FROM fares FOR VERSION AS OF 1", "ICEBERG_INVALID_SNAPSHOT_ID"),
        ("SELECT CAST(carrier AS integer) FROM fares WHERE carrier = 'UA'", "INVALID_CAST_ARGUMENT"),
        ("SELECT (1", "SYNTAX_ERROR"),
        ("DROP TABLE fares", "NOT_SUPPORTED"),
        ("SELECT ?", "INVALID_PARAMETER_USAGE"),
    ],
)
def test_a_query_fails_with_trinos_name_of_the_error(athena: Any, place: str, sql: str, reason: str) -> None:
    found = run(athena, sql)
    assert found["Status"]["State"] == "FAILED"
    assert found["Status"]["StateChangeReason"].partition(":")[0] == reason
    assert found["Status"]["AthenaError"]["ErrorCategory"] == 2
    with pytest.raises(ClientError, match="Current state: FAILED"):
        athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])


def test_the_same_token_is_the_same_execution_even_when_its_object_is_gone(
    cloud: Cloud, athena: Any, place: str
) -> None:
    token = "ab" * 16
    first = run(athena, "SELECT 1", ClientRequestToken=token)
    bucket, _, key = first["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    cloud.client("s3").delete_object(Bucket=bucket, Key=key)
    assert run(athena, "SELECT 1", ClientRequestToken=token)["QueryExecutionId"] == first["QueryExecutionId"]
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        run(athena, "SELECT 2", ClientRequestToken=token)
    with pytest.raises(ClientError, match="Could not find results"):
        athena.get_query_results(QueryExecutionId=first["QueryExecutionId"])


def test_a_work_group_enforces_where_results_go(athena: Any, place: str) -> None:
    found = run(athena, "SELECT 1", ResultConfiguration={"OutputLocation": "s3://elsewhere/"})
    assert found["ResultConfiguration"]["OutputLocation"].startswith(place)


def test_an_execution_that_nobody_started_is_not_found(athena: Any) -> None:
    with pytest.raises(ClientError, match="was not found"):
        athena.get_query_execution(QueryExecutionId="none")
    batch = athena.batch_get_query_execution(QueryExecutionIds=["none"])
    assert batch["UnprocessedQueryExecutionIds"] == [{"QueryExecutionId": "none"}]


def test_what_is_not_about_queries_is_motos(athena: Any, place: str) -> None:
    assert athena.get_work_group(WorkGroup="service")["WorkGroup"]["Name"] == "service"
