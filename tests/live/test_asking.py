"""The read story in a real account, on statements without tables: types, cache, pages, failures, links, cancelling.

Runs where `LAKEGATE_LIVE_STAGE` names a deployed stage and the process has credentials that may use it. It costs a few
cents and leaves answers behind that the bucket's lifecycle rule removes.
"""

import json
import os
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from athena.ask import ask, cancel, link, page, wait
from athena.aws import client
from athena.forms import Form
from athena.lake import Lake
from athena.question import OWNER, Answer, State
from athena.settings_aws import read_aws_settings
from tests.lakes import question, rows

STAGE = os.environ.get("LAKEGATE_LIVE_STAGE", "")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not STAGE, reason="LAKEGATE_LIVE_STAGE names no stage: nothing was asked of AWS"),
]


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    settings = read_aws_settings(STAGE, os.environ, client("ssm"))
    with Lake.aws(settings) as made:
        yield made


def done(lake: Lake, sql: str) -> Answer:
    answer = ask(lake, question(sql))
    return wait(lake, OWNER, answer.id, seconds=120)


def test_every_type_comes_back_as_in_the_embedded_home(lake: Lake) -> None:
    sql = (
        "SELECT CAST(9007199254740993 AS bigint) AS l, 1 AS i, 1.5e0 AS d, decimal '1.50' AS n, true AS b, "
        "date '2024-02-29' AS day, timestamp '2024-01-02 03:04:05.678901' AS t, "
        "timestamp '2024-07-01 12:00:00 Europe/Berlin' AS tz, 'a,\"b\"\n' AS s, "
        "'' AS empty, CAST(NULL AS varchar) AS nothing"
    )
    answer = done(lake, sql)
    assert answer.state is State.SUCCEEDED
    assert rows(answer) == [
        [
            *("9007199254740993", 1, 1.5, "1.50", True, "2024-02-29"),
            *("2024-01-02T03:04:05.678901", "2024-07-01T10:00:00Z", 'a,"b"\n', "", None),
        ]
    ]


def test_the_second_asking_is_a_hit_and_starts_nothing(lake: Lake) -> None:
    sql = "SELECT 1 AS one, 'cached' AS what"
    first, second = done(lake, sql), done(lake, sql)
    assert second.cache == "hit"
    assert rows(first) == rows(second)
    assert first.receipt is not None and second.receipt is not None
    assert first.receipt.result_id == second.receipt.result_id


def test_pages_and_the_link_hold_every_row_once(lake: Lake) -> None:
    answer = done(lake, "SELECT n FROM UNNEST(sequence(1, 5000)) AS t (n) ORDER BY n")
    seen, token = [int(str(row[0])) for row in rows(answer)], answer.next
    while token is not None:
        more = page(lake, OWNER, answer.id, token=token)
        seen += [int(one) for one in _numbers(more.page.fragment)]
        token = more.next
    assert seen == list(range(1, 5001))
    address = link(lake, OWNER, answer.id, form=Form.CSV, seconds=60, filename="all.csv")
    assert address is not None
    with urlopen(address) as fetched:
        assert fetched.read().count(b"\n") == 5001


def test_failures_have_our_codes_and_are_not_cached(lake: Lake) -> None:
    broken = "SELECT 1 / (n - n) AS x FROM UNNEST(sequence(1, 2)) AS t (n)"
    first, second = done(lake, broken), done(lake, broken)
    assert first.error_code == second.error_code == "division-by-zero"
    assert second.cache == "miss"


def test_a_cancelled_question_stops_athena(lake: Lake) -> None:
    slow = "SELECT count(*) AS n FROM UNNEST(sequence(1, 9999)) AS a (x) CROSS JOIN UNNEST(sequence(1, 9999)) AS b (y)"
    asked = ask(lake, question(slow))
    assert cancel(lake, OWNER, asked.id).state is State.CANCELLED


def _numbers(fragment: bytes) -> list[str]:
    return [str(row[0]) for row in json.loads(b"{" + fragment + b"}")["rows"]]
