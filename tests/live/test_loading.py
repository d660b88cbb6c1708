"""The write story in a real account: a file is uploaded, and everything that AWS and the stage do about it happens.

Runs where `LAKEGATE_LIVE_STAGE` names a deployed stage. It costs some cents (a Glue run is billed for a minute), takes
minutes, and takes its rows out again; the reports and the table `live_<random>` stay.
"""

import os
import time
from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest

from athena.ask import ask, wait
from athena.aws import client
from athena.lake import Lake
from athena.question import OWNER, State
from athena.settings_aws import AwsSettings, read_aws_settings
from etl.ingest import loads, retract
from etl.intake import Intake
from etl.on_landing import dispatcher_of, reconcile_landing
from tests.lakes import question, rows

STAGE = os.environ.get("LAKEGATE_LIVE_STAGE", "")
PATIENCE_SECONDS = 900

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not STAGE, reason="LAKEGATE_LIVE_STAGE names no stage: nothing was loaded on AWS"),
]


@pytest.fixture(scope="module")
def settings() -> AwsSettings:
    return read_aws_settings(STAGE, os.environ, client("ssm"))


@pytest.fixture(scope="module")
def dataset(settings: AwsSettings) -> Iterator[str]:
    """A dataset of its own, emptied afterwards."""
    name = f"live_{token_hex(4)}"
    yield name
    intake = Intake.aws(settings)
    for unit in intake.ledger.holdings(name).units:
        retract(intake, unit)


def upload(settings: AwsSettings, key: str, text: str) -> None:
    bucket, _, prefix = settings.owners.removeprefix("s3://").partition("/")
    client("s3").put_object(Bucket=bucket, Key=f"{prefix}landing/{key}", Body=text.encode())


def eventually(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(10)


def test_a_file_lands_and_can_be_asked_for(settings: AwsSettings, dataset: str) -> None:
    intake = Intake.aws(settings)
    upload(settings, f"{dataset}/some file+1.csv", "n,name\n1,ä\n" + "2,x\n" * 20 + "broken\n")
    eventually(lambda: intake.heads.get(dataset) is not None and intake.heads.get(f"{dataset}__rejects") is not None)
    (load,) = loads(intake, dataset)
    assert (load.status, load.current) == ("loaded", True)
    with Lake.aws(settings) as lake:
        asked = ask(lake, question(f"SELECT count(*) AS n, sum(n) AS s, min(_file) AS f FROM {dataset}"))
        answer = wait(lake, OWNER, asked.id, seconds=120)
    assert answer.state is State.SUCCEEDED
    assert rows(answer) == [["21", "41", f"{dataset}/some file+1.csv"]]


def test_a_corrected_file_replaces_the_rows_of_the_old_one(settings: AwsSettings, dataset: str) -> None:
    intake = Intake.aws(settings)
    upload(settings, f"{dataset}/some file+1.csv", "n,name\n5,y\n")
    eventually(lambda: (head := intake.heads.get(dataset)) is not None and head.rows == 1)
    assert [one.status for one in loads(intake, dataset)] == ["replaced", "loaded"]


def test_a_reconciliation_of_what_is_loaded_starts_nothing_for_it(settings: AwsSettings, dataset: str) -> None:
    assert dataset not in reconcile_landing(dispatcher_of(settings))
