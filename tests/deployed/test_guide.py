"""docs/operations.md, followed to the letter: every command of it, in order, in a new account."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.deployed.conftest import FILLED, GUIDE
from tests.deployed.emulated import ACCOUNT, REGION, ministack
from tests.deployed.guide import blocks_of
from tests.deployed.reader import Reader

pytestmark = pytest.mark.deploy
BLOCKS = blocks_of(GUIDE)
LANDING = f"lakegate-test-landing-{ACCOUNT}-{REGION}"
WAREHOUSE = f"lakegate-test-warehouse-{ACCOUNT}-{REGION}"
GRANT = {"pk": {"S": "grant"}, "sk": {"S": "united"}}


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Reader]:
    with ministack(tmp_path_factory.mktemp("account")) as aws:
        made = Reader(tmp_path_factory.mktemp("reader"), aws)
        pytestconfig.stash[FILLED] = made.values
        yield made


def give_up_a_letter(reader: Reader) -> None:
    """A file landed, and nobody could start a job for it."""
    reader.aws.client("s3").put_object(
        Bucket=LANDING, Key="landing/flights/late.csv", Body=b"carrier,dep_delay\nB6,1\n"
    )
    detail = {"bucket": {"name": LANDING}, "object": {"key": "landing/flights/late.csv"}}
    letter = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    sqs = reader.aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="lakegate-test-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(letter))


def damage(reader: Reader) -> None:
    """Somebody deletes a landing file, a data file and a grant, and writes over a contract."""
    time.sleep(1.1)  # S3's instants are whole seconds
    reader.values["<when it was right>"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    time.sleep(1.1)
    s3 = reader.aws.client("s3")
    s3.delete_object(Bucket=LANDING, Key="landing/flights/flights.csv")
    s3.put_object(Bucket=LANDING, Key="datasets/airports.toml", Body=b"gone")
    for key in data_files(reader):
        s3.delete_object(Bucket=WAREHOUSE, Key=key)
    assert not data_files(reader)
    reader.aws.client("dynamodb").delete_item(TableName="lakegate-test-state", Key=GRANT)


def data_files(reader: Reader) -> list[str]:
    found = reader.aws.client("s3").list_objects_v2(Bucket=WAREHOUSE, Prefix="lake_test/flights/data/")
    return [one["Key"] for one in found.get("Contents", ())]


def all_is_back(reader: Reader) -> None:
    s3 = reader.aws.client("s3")
    assert s3.get_object(Bucket=LANDING, Key="landing/flights/flights.csv")["Body"].read().startswith(b"carrier")
    assert b"inferred" in s3.get_object(Bucket=LANDING, Key="datasets/airports.toml")["Body"].read()
    assert data_files(reader)


def nothing_is_left(reader: Reader) -> None:
    assert not [one["Name"] for one in reader.aws.client("s3").list_buckets()["Buckets"] if "-test-" in one["Name"]]


# What happens to the reader's stage before a section, and what holds after it.
BEFORE: dict[str, Callable[[Reader], None]] = {"Re-drive dead letters": give_up_a_letter, "Restore": damage}
AFTER: dict[str, Callable[[Reader], None]] = {"Restore": all_is_back, "The end of a stage": nothing_is_left}


def nothing(_: Reader) -> None:
    """Most sections need nothing."""


def test_whoever_follows_the_guide_to_the_letter_gets_where_it_leads(reader: Reader) -> None:
    section = ""
    for block in BLOCKS:
        if block.reason:
            continue
        if block.section != section:
            AFTER.get(section, nothing)(reader)
            BEFORE.get(block.section, nothing)(reader)
            section = block.section
        reader.follow(block)
    AFTER.get(section, nothing)(reader)
