"""The whole of it on AWS and on one machine, by the same script: a file in, a partner's question out."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.parts import Parts
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.grants.files import write_grant
from athena.lake import Lake, utc_now
from athena.notices.dynamodb import DynamoNotices
from etl.ingest import reconcile
from etl.intake import Intake
from lakegate.home import init_home
from tests.api.asker import Asker, body
from tests.cloud import Cloud
from tests.gateway import Gateway
from tests.home import reports_of
from tests.trigger import Trigger

MAY = (
    "carrier,day,seats,fare\nUA,2026-05-01,100,12.50\nUA,2026-05-02,80,9.99\n"
    + "DL,2026-05-01,50,7.00\n" * 20
    + "broken\n"
)
JUNE = "carrier,day,seats,fare\nUA,2026-06-01,9999999999,1.25\nUA,2026-06-02,,0.10\n"
SQL = "SELECT day, sum(seats) AS seats, sum(fare) AS fare, count(*) AS n FROM flights GROUP BY day ORDER BY day"
GRANT = Grant("united", "", {"flights": DatasetGrant("carrier = 'UA'", ("*", "!carrier"))}, Limits(), "")


class Place(Protocol):
    """A home that files are uploaded to, and that a partner asks."""

    def upload(self, key: str, content: str) -> None:
        """Put a file into landing, and wait until everything that this sets off has happened."""
        ...

    def ask(self, sql: str) -> tuple[int, Any]:
        """Status and body of the partner's question."""
        ...

    def computed(self) -> int:
        """How many questions the engine was asked so far."""
        ...


class OnAws:
    """Boto3 uploads, S3 tells EventBridge and that the queue; dispatcher, job and API are functions of ours."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.settings = replace(cloud.writing(), page_rows=1000)
        self.trigger = Trigger(cloud, self.settings)
        self.lake = cloud.lake(self.settings)
        assert isinstance(self.lake.grants, DynamoGrants)
        self.lake.grants.put(GRANT)
        clients = DynamoClients(cloud.state(self.settings))
        clients.put(Client("machine1", "united"))
        self.gateway = Gateway(
            lambda: Parts(self.lake, Claims(clients), DynamoNotices(cloud.state(self.settings), utc_now))
        )

    def upload(self, key: str, content: str) -> None:
        self.cloud.drop(self.settings, key, content)
        self.trigger.settle()

    def ask(self, sql: str) -> tuple[int, Any]:
        answer = self.gateway.ask(sql)
        return answer.status, answer.json

    def computed(self) -> int:
        return len(self.cloud.started(self.settings))


class OnOneMachine:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        settings = init_home(folder)
        write_grant(settings.partners, GRANT)
        self.lake = Lake.embedded(settings.home)
        self.intake = Intake.embedded(self.lake)
        self.asker = Asker(Parts.embedded(self.lake), "united")
        self._computed = 0

    def upload(self, key: str, content: str) -> None:
        path = self.lake.settings.landing / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        reports_of(reconcile(self.intake))

    def ask(self, sql: str) -> tuple[int, Any]:
        import json

        reply = self.asker.send("POST", "/v1/queries", {"sql": sql, "wait_seconds": 25})
        told = json.loads(body(reply))
        self._computed += told.get("cache") == "miss"
        return reply.status, told

    def computed(self) -> int:
        return self._computed


@pytest.fixture(params=["aws", "embedded"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = OnAws(request.getfixturevalue("cloud")) if request.param == "aws" else OnOneMachine(tmp_path / "home")
    yield made
    made.lake.close()


EXPECTED = [["2026-05-01", "100", "12.50", "1"], ["2026-05-02", "80", "9.99", "1"]]
LATER = [*EXPECTED, ["2026-06-01", "9999999999", "1.25", "1"], ["2026-06-02", None, "0.10", "1"]]


def test_a_file_lands_and_a_partner_asks(place: Place) -> None:
    assert place.ask(SQL)[0] == 404
    place.upload("flights/may.csv", MAY)
    status, first = place.ask(SQL)
    assert (status, first["cache"], shown(first)) == (200, "miss", EXPECTED)

    before = place.computed()
    status, second = place.ask(SQL)
    assert (status, second["cache"], shown(second), place.computed()) == (200, "hit", EXPECTED, before)

    place.upload("flights/default/june 1+2.csv", JUNE)
    status, third = place.ask(SQL)
    assert (status, third["cache"], shown(third)) == (200, "miss", LATER)
    assert place.ask("SELECT carrier FROM flights")[0] == 404
    assert third["columns"][0] == {"name": "day", "type": "date"}

    place.upload("flights/default/june 1+2.csv", JUNE)
    assert place.ask(SQL)[1]["cache"] == "hit"
    place.upload("flights/may.csv", "carrier,day,seats,fare\nUA,2026-05-01,1,1.00\n")
    assert shown(place.ask(SQL)[1])[0] == ["2026-05-01", "1", "1.00", "1"]


def shown(answer: Any) -> list[list[object]]:
    """The rows, numbers as they are written."""
    return [[None if value is None else _written(value) for value in row] for row in answer["rows"]]


def _written(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def test_a_hit_on_aws_calls_neither_athena_nor_glue(cloud: Cloud) -> None:
    place = OnAws(cloud)
    place.upload("flights/may.csv", MAY)
    place.ask(SQL)
    before = Counter(cloud.emulator.calls)
    assert place.ask(SQL)[1]["cache"] == "hit"
    assert set(cloud.emulator.calls - before) == {"dynamodb"}
    place.lake.close()


def test_its_owner_finds_report_and_rejects(cloud: Cloud) -> None:
    place = OnAws(cloud)
    place.upload("flights/may.csv", MAY)
    bucket = place.settings.owners.removeprefix("s3://").rstrip("/")
    found = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix="reports/flights/may.csv/")["Contents"]
    names = sorted(one["Key"].rpartition("/")[2].partition(".")[2] for one in found)
    assert names == ["json", "rejects.csv"]
    assert cloud.rows(place.settings, "flights__rejects").num_rows == 1
    place.lake.close()


def test_failed_loads_and_new_rows_are_told_to_programs_and_people(cloud: Cloud) -> None:
    sns, sqs, events = cloud.client("sns"), cloud.client("sqs"), cloud.client("events")
    settings = cloud.writing()
    topic = sns.create_topic(Name=settings.stage)["TopicArn"]
    queues = [sqs.create_queue(QueueName=f"{settings.stage}-{name}")["QueueUrl"] for name in ("people", "programs")]
    people, programs = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for url in queues
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=people)
    bus = settings.event_bus
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["lakegate"]}', State="ENABLED")
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "q", "Arn": programs}])
    trigger = Trigger(cloud, replace(settings, topic=topic))
    cloud.drop(settings, "flights/may.csv", MAY)
    cloud.drop(settings, "flights/bad.csv", "")
    trigger.settle()
    found = [sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"] for url in queues]
    assert sorted(json.loads(one["Body"])["Subject"] for one in found[0]) == [
        "flights was updated",
        "flights: a file failed",
    ]
    told = {one["detail-type"]: one["detail"] for one in (json.loads(one["Body"]) for one in found[1])}
    assert (told["DatasetUpdated"]["dataset"], told["DatasetUpdated"]["rows_added"]) == ("flights", 22)
    assert (told["LoadFailed"]["file"], told["LoadFailed"]["code"]) == ("flights/bad.csv", "empty-file")
