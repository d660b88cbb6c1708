"""The cost model counts what is really called, and the page shows what it says."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from athena.ask import ask, wait
from athena.lake import Lake
from athena.question import OWNER
from infra.cost import HIT, LEAST_SCANNED_BYTES, MISS, Month, cost, per_request, saved, table
from infra.prices import Prices
from tests.cloud import Cloud
from tests.lakes import FLIGHTS, question
from tests.weather import fails_before, weather

PAGE = Path(__file__).parents[2] / "docs" / "aws.md"


@pytest.fixture
def lake(cloud: Cloud) -> Iterator[Lake]:
    with cloud.lake(cloud.settings()) as made:
        made.heads.publish(cloud.tables().append("flights", FLIGHTS))
        yield made


def calls(cloud: Cloud, lake: Lake) -> Counter[str]:
    """What one question calls, reads and writes of DynamoDB and S3 apart; the owner has neither client nor grant."""
    with weather(cloud.emulator, fails_before, lambda _: False) as seen:
        answer = ask(lake, question("SELECT count(*) AS n FROM flights"))
        wait(lake, OWNER, answer.id, seconds=120)
    kinds = {
        "GetItem": "reads",
        "Query": "reads",
        "BatchGetItem": "reads",
        "UpdateItem": "writes",
        "DeleteItem": "writes",
        "S3 GET": "s3 reads",
    }
    return Counter(kinds.get(call.rpartition(".")[2], call) for call in seen.log)


def test_a_miss_and_a_hit_call_no_more_than_the_model_counts(cloud: Cloud, lake: Lake) -> None:
    of_partner = 2  # client and grant
    miss, hit = calls(cloud, lake), calls(cloud, lake)
    assert miss["reads"] + of_partner <= MISS.reads
    assert miss["writes"] <= MISS.writes
    assert miss["s3 reads"] + miss["S3 HEAD"] <= MISS.s3_reads
    # Waiting looks at the flight once more; a request that is answered at once does not.
    assert hit["reads"] + of_partner - 1 <= HIT.reads
    assert hit["writes"] + hit["s3 reads"] + hit["S3 HEAD"] == 0


def test_the_page_shows_the_table_that_the_model_makes() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run `python -m infra.cost`"


def test_what_is_saved_is_what_is_not_run() -> None:
    month = Month(1000, 0.5, 10**9)
    assert saved(month) == pytest.approx(cost(Month(1000, 0.0, 10**9)).total - cost(month).total)
    assert saved(Month(1000, 0.0, 10**9)) == 0
    prices = Prices(athena_per_tb=0.0)
    assert cost(month, prices).athena == 0


def test_small_questions_are_billed_as_ten_megabytes() -> None:
    assert cost(Month(100, 0.0, 1)).athena == cost(Month(100, 0.0, LEAST_SCANNED_BYTES)).athena > 0


def test_a_hit_costs_a_fraction_of_a_miss() -> None:
    assert per_request(HIT, Prices(), 1.0) * 5 < per_request(MISS, Prices(), 1.0)
