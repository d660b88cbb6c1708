"""The same questions on the same rows in both homes: equal answers, byte by byte."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from os import environ
from pathlib import Path

import pyarrow as pa
import pytest

from athena.ask import ask, page, wait
from athena.embedded import embedded_lake
from athena.forms import Form
from athena.lake import Lake, utc_now
from athena.question import OWNER, Answer, State
from athena.settings_aws import AwsSettings
from tests.cloud import Cloud
from tests.lakes import Home, question

ROWS = pa.table(
    {
        "s": ["", None, 'say "x", or\nnot', "007", "NULL"],
        "b": [True, None, False, True, False],
        "i": pa.array([2**31 - 1, None, -1, 0, 7], pa.int32()),
        "l": pa.array([2**63 - 1, None, -(2**53) - 1, 0, 7], pa.int64()),
        "f": pa.array([0.1, None, float("nan"), 1e10, -0.0], pa.float32()),
        "d": pa.array([0.1, None, float("inf"), 1e-7, 123456789.0], pa.float64()),
        "n": pa.array([Decimal("1.50"), None, Decimal("-0.01"), Decimal("0.00"), Decimal("9999999999.99")],
                      pa.decimal128(12, 2)),
        "day": pa.array([date(2024, 2, 29), None, date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1)]),
        "at": pa.array([datetime(2024, 2, 29, 1, 2, 3, 456789), None, datetime(1, 1, 1), datetime(1999, 1, 1), None],
                       pa.timestamp("us")),
        "z": pa.array([datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), None, datetime(1970, 1, 1, tzinfo=UTC), None,
                       datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        "_file": ["things/1.csv"] * 5,
        "_line": [2, 3, 4, 6, 7],
        "_content": ["ab"] * 5,
        "_loaded_at": pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * 5, pa.timestamp("us", "UTC")),
    }
)  # fmt: skip

QUESTIONS = [
    "SELECT * FROM things ORDER BY l",
    "SELECT s, b, i FROM things WHERE s IS NOT NULL ORDER BY s",
    "SELECT f, d, n FROM things ORDER BY i",
    "SELECT day, at, z FROM things ORDER BY i",
    "SELECT * FROM things WHERE i > 100 AND i < 50",
    "SELECT count(*), count(s), sum(i), sum(l), sum(n), avg(d), min(day), max(z) FROM things WHERE l < 1000",
    "SELECT s AS x, s AS x FROM things ORDER BY i LIMIT 3",
    "SELECT NULL AS nothing, '' AS empty, 1 AS one, DECIMAL '1.50' AS money, DATE '2024-01-01' AS day",
    "SELECT b, count(*) AS n FROM things GROUP BY b ORDER BY n DESC, b",
    "WITH t AS (SELECT i, s FROM things) SELECT a.s, c.s FROM t AS a JOIN t AS c ON a.i = c.i ORDER BY 1, 2",
    "SELECT s FROM things UNION ALL SELECT 'more' ORDER BY 1",
    "SELECT 7 / 2, 7 / 2.0, CAST('12' AS bigint), date_diff('day', DATE '2024-01-01', DATE '2024-03-01')",
    "SELECT 1 / (i - i) FROM things",
    "SELECT CAST(s AS integer) FROM things",
    "SELECT ARRAY[i] FROM things",
]


@dataclass
class Homes:
    """Both lakes, with the same rows in the same table."""

    embedded: Lake
    aws: Lake
    settings: AwsSettings
    cloud: Cloud


@pytest.fixture(scope="module")
def homes(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    home = Home(tmp_path_factory.mktemp("home"))
    settings = cloud.settings()
    with embedded_lake(home.settings, clock=utc_now) as embedded, cloud.lake(settings) as aws:
        embedded.heads.publish(home.tables.append("things", ROWS))
        aws.heads.publish(cloud.tables().append("things", ROWS))
        yield Homes(embedded, aws, settings, cloud)
    home.tables.close()


def done(lake: Lake, sql: str) -> Answer:
    answer = ask(lake, question(sql))
    return wait(lake, OWNER, answer.id, seconds=120)


def told(lake: Lake, sql: str) -> tuple[object, ...]:
    """Everything of an answer that may not depend on the home."""
    answer = done(lake, sql)
    if answer.state is not State.SUCCEEDED:
        return (answer.state, answer.error_code)
    assert answer.receipt is not None and answer.page is not None
    receipt = answer.receipt
    fragments = [answer.page.fragment]
    following = answer.next
    while following is not None:
        found = page(lake, OWNER, answer.id, token=following)
        fragments.append(found.page.fragment)
        following = found.next
    content = page(lake, OWNER, answer.id, limit=1000, form=Form.CSV).page.fragment
    return (receipt.columns, receipt.row_count, receipt.truncated, receipt.warnings, fragments, content)


@pytest.mark.parametrize("sql", QUESTIONS)
def test_both_homes_answer_alike(homes: Homes, sql: str) -> None:
    assert told(homes.aws, sql) == told(homes.embedded, sql)


def test_a_limit_cuts_both_alike(homes: Homes) -> None:
    sql = "SELECT i FROM things ORDER BY i"
    found = []
    for lake in (homes.aws, homes.embedded):
        answer = ask(lake, replace(question(sql), limit=3))
        receipt = wait(lake, OWNER, answer.id, seconds=120).receipt
        assert receipt is not None
        found.append((receipt.row_count, receipt.truncated))
    assert found == [(3, True), (3, True)]


LIGHT = """
import json, sys
from athena import aws
from athena.ask import ask, page, wait
from athena.forms import Form
from athena.lake import Lake
from athena.question import OWNER, Question
from athena.records import decode
from athena.settings_aws import AwsSettings
aws.READ_TIMEOUT_SECONDS = 60.0
with Lake.aws(decode(AwsSettings, sys.argv[1].encode())) as lake:
    for sql in ("SELECT s, n, z FROM things ORDER BY i", "SELECT count(*) + 0 FROM things"):
        answer = wait(lake, OWNER, ask(lake, Question(OWNER, sql)).id, seconds=120)
        assert answer.state == "SUCCEEDED", answer
        page(lake, OWNER, answer.id, token=answer.next)
        page(lake, OWNER, answer.id, limit=1000, form=Form.CSV)
print(*sorted({"pyarrow", "pandas", "duckdb", "pyiceberg", "numpy", "moto"} & set(sys.modules)))
"""


def test_a_question_on_aws_loads_nothing_heavy(homes: Homes) -> None:
    done_ = subprocess.run(
        [sys.executable, "-c", LIGHT, json.dumps(asdict(homes.settings))],
        env={**environ, **homes.cloud.emulator.environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done_.returncode, done_.stdout.strip()) == (0, ""), done_.stderr
