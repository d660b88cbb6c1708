"""Everything that can go wrong at every call to AWS while partners ask: no wrong answer, no leak, always an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.parts import Parts
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.lake import utc_now
from athena.notices.dynamodb import DynamoNotices
from athena.settings_aws import AwsSettings
from tests.cloud import Cloud
from tests.gateway import CLAIMS, Gateway, Response
from tests.lakes import FLIGHTS
from tests.test_docs import documented_codes
from tests.weather import FAULTS, Fault, fails_after, fails_before, is_throttled, weather

MARK = 100_000
ALL_PAGES = [[["UA", "5"], ["UA", "6"]], [["UA", "7"]]]


@dataclass
class Place:
    """A stage whose tables hold rows that its partner may not see, and a count that makes each question new."""

    cloud: Cloud
    settings: AwsSettings
    instances: tuple[Gateway, Gateway]
    asked: int = 0

    def question(self) -> str:
        """Nobody has asked it yet."""
        self.asked += 1
        numbers = "UNNEST(sequence(0, 2)) AS s (n)"
        where = f"dep_delay < {MARK + self.asked}"
        return f"SELECT carrier, dep_delay + n AS d FROM flights CROSS JOIN {numbers} WHERE {where} ORDER BY 2"


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Iterator[Place]:
    settings = cloud.settings()
    with cloud.lake(settings) as lake:
        lake.heads.publish(cloud.tables().append("flights", FLIGHTS))
        assert isinstance(lake.grants, DynamoGrants)
        for partner, rows in (("united", "carrier = 'UA'"), ("american", "carrier = 'AA'")):
            lake.grants.put(Grant(partner, "", {"flights": DatasetGrant(rows, ("*",))}, Limits(), ""))
    clients = DynamoClients(cloud.state(settings))
    clients.put(Client("machine1", "united"))
    clients.put(Client("machine2", "american"))
    yield Place(cloud, settings, (instance(cloud, settings), instance(cloud, settings)))


def instance(cloud: Cloud, settings: AwsSettings) -> Gateway:
    lake, clients = cloud.lake(settings), DynamoClients(cloud.state(settings))
    return Gateway(lambda: Parts(lake, Claims(clients), DynamoNotices(cloud.state(settings), utc_now)))


def story(place: Place, sql: str) -> list[Response]:
    """Asked, looked at, read to the end, asked again elsewhere, and asked by somebody who may see other rows."""
    instance, other = place.instances
    told = [instance.ask(sql)]
    if told[0].status == 200 and told[0].json["state"] == "SUCCEEDED":
        answer_id, query = told[0].json["id"], {"page": [told[0].json["next"]]}
        told.append(other.call("GET", "/v1/queries/{id}", id=answer_id))
        told.append(other.call("GET", "/v1/queries/{id}/rows", id=answer_id, query=query))
        told.append(other.call("GET", "/v1/queries/{id}/download", id=answer_id))
        foreign = {**CLAIMS, "client_id": "machine2"}
        told.append(other.call("GET", "/v1/queries/{id}", id=answer_id, claims=foreign))
    told.append(other.ask(sql))
    told.append(other.call("GET", "/v1/datasets"))
    return told


def judged(told: list[Response], codes: list[str]) -> list[Any]:
    """What each response is, after making sure that it is one: right rows, or a problem that is documented."""
    found: list[Any] = []
    for response in told:
        assert '"AA"' not in response.text, "a row that is not granted"
        if response.status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json["code"] in codes, response.text
            assert response.json["remedy"]
            found.append(response.json["code"])
        elif response.status in (202, 303):
            found.append(response.status)
        elif response.json.get("state") == "FAILED":
            assert response.json["error"]["code"] in codes
            found.append(response.json["error"]["code"])
        elif "state" in response.json:
            assert response.json["state"] == "SUCCEEDED", response.text
            assert response.json["rows"] == ALL_PAGES[0]
            found.append(response.json["cache"])
        elif "rows" in response.json:
            assert response.json["rows"] == ALL_PAGES[1]
            found.append("page")
        else:
            found.append([one["name"] for one in response.json["datasets"]])
    return found


RIGHT = ["miss", "miss", "page", 303, "not-found", "hit", ["flights"]]


def test_without_faults_the_story_goes_well(place: Place) -> None:
    assert judged(story(place, place.question()), documented_codes()) == RIGHT


def healed(place: Place, fault: Fault, wrong: int) -> int:
    """How many calls the story took with this fault at the call number `wrong`, after making sure that it went well."""
    sql = place.question()
    with weather(place.cloud.emulator, fault, lambda number: number == wrong) as seen:
        found = judged(story(place, sql), documented_codes())
    assert (found, executions(place)) == (RIGHT, 1), seen.log[min(wrong, len(seen.log)) - 1]
    return len(seen.log)


def test_one_fault_at_any_call_is_healed_without_anybody_noticing(place: Place) -> None:
    wrong = 1
    # Every second call, the kinds in turn; the long form has every kind at every call.
    while wrong <= healed(place, FAULTS[wrong % len(FAULTS)], wrong):
        wrong += 2
    assert wrong > 20


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_fault_at_any_call_is_healed_without_anybody_noticing(place: Place, fault: Fault) -> None:
    wrong = 1
    while wrong <= healed(place, fault, wrong):
        wrong += 1


@pytest.mark.long
@pytest.mark.parametrize("fault", (fails_before, fails_after, is_throttled), ids=lambda fault: fault.__name__)
def test_when_a_service_stays_away_every_request_ends_and_the_next_one_after_it_is_right(
    place: Place, fault: Fault
) -> None:
    codes = documented_codes()
    for service in ("AmazonAthena", "DynamoDB", "S3"):
        sql = place.question()
        with weather(place.cloud.emulator, fault, lambda _: False) as sky:
            sky.hit = lambda number, sky=sky, service=service: sky.log[number - 1].startswith(service)  # type: ignore[misc]
            found = judged(story(place, sql), codes)
        assert found != RIGHT
        last = judged([place.instances[0].ask(sql)], codes)
        assert last[0] in ("miss", "hit", "joined"), (service, found, last)


def executions(place: Place) -> int:
    """How many the last question has started."""
    mark = f"{MARK + place.asked}"
    return sum(mark in one.request["QueryString"] for one in place.cloud.started(place.settings))
