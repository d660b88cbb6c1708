"""The read story through the function: partners ask, instances come and go, and a hit costs next to nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pyarrow as pa
import pytest

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.on_lambda import parts_of
from api.parts import Parts
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.lake import Lake, utc_now
from athena.notices.dynamodb import DynamoNotices
from athena.settings_aws import AwsSettings
from tests.cloud import Cloud
from tests.gateway import CLAIMS, Context, Gateway
from tests.lakes import FLIGHTS

COUNT = "SELECT count(*) AS n FROM flights"


@dataclass
class Place:
    """One stage with a table, and instances of its function."""

    cloud: Cloud
    settings: AwsSettings
    lake: Lake
    clients: DynamoClients

    def publish(self, **datasets: pa.Table) -> None:
        """These datasets instead of all others, the whole of them granted."""
        tables = self.cloud.tables()
        for name, rows in datasets.items():
            self.lake.heads.publish(tables.append(name, rows))
        assert isinstance(self.lake.grants, DynamoGrants)
        self.lake.grants.put(Grant("united", "", {name: DatasetGrant() for name in datasets}, Limits(), ""))

    def instance(self) -> Gateway:
        """Another one, cold."""
        lake = self.cloud.lake(self.settings)
        notices = DynamoNotices(self.cloud.state(self.settings), utc_now)
        return Gateway(lambda: Parts(lake, Claims(self.clients), notices))


@pytest.fixture
def place(cloud: Cloud) -> Iterator[Place]:
    settings = cloud.settings(cors_origins="https://one.example https://two.example")
    with cloud.lake(settings) as lake:
        lake.heads.publish(cloud.tables().append("flights", FLIGHTS))
        assert isinstance(lake.grants, DynamoGrants)
        lake.grants.put(Grant("united", "", {"flights": DatasetGrant("carrier = 'UA'", ("*",))}, Limits(), ""))
        clients = DynamoClients(cloud.state(settings))
        clients.put(Client("machine1", "united"))
        yield Place(cloud, settings, lake, clients)
    cloud.emulator.athena.seconds = 0.0


def test_a_partner_asks_twice_and_the_second_answer_costs_four_calls(place: Place) -> None:
    instance = place.instance()
    first = instance.ask(COUNT)
    assert (first.status, first.json["cache"], first.json["rows"]) == (200, "miss", [["1"]])
    before = Counter(place.cloud.emulator.calls)
    second = instance.ask(COUNT)
    assert (second.status, second.json["cache"], second.json["rows"]) == (200, "hit", [["1"]])
    assert place.cloud.emulator.calls - before == Counter(dynamodb=4), "client, grant, head, answer"
    assert second.headers["etag"] == first.headers["etag"]
    assert instance.ask(COUNT, claims={**CLAIMS, "client_id": "another"}).status == 401


def test_a_hit_on_several_tables_costs_no_more_calls(place: Place) -> None:
    place.publish(flights=FLIGHTS, more=FLIGHTS, most=FLIGHTS)
    joined = "SELECT count(*) AS n FROM flights CROSS JOIN more CROSS JOIN most"
    assert place.instance().ask(joined).json["rows"] == [["27"]]
    cold = place.instance()
    cold.function.warm()
    before = Counter(place.cloud.emulator.calls)
    assert cold.ask(joined).json["cache"] == "hit"
    assert place.cloud.emulator.calls - before == Counter(dynamodb=4)


def test_a_first_page_too_large_for_the_item_is_fetched_once_by_each_instance(place: Place) -> None:
    # What hardly compresses leaves the item.
    place.publish(noise=pa.table({"a": [Random(1).randbytes(150_000).hex()]}))
    digests = "SELECT a FROM noise"
    first = place.instance().ask(digests)
    assert first.status == 200
    instance = place.instance()
    for calls in (Counter(dynamodb=4, s3=1), Counter(dynamodb=4)):
        before = Counter(place.cloud.emulator.calls)
        again = instance.ask(digests)
        assert (again.json["cache"], again.json["rows"]) == ("hit", first.json["rows"])
        assert place.cloud.emulator.calls - before == calls


def test_what_one_instance_began_another_brings_to_its_end_with_the_same_execution(place: Place) -> None:
    place.cloud.emulator.athena.seconds = 1.5
    first, second = place.instance(), place.instance()
    asked = first.ask(COUNT, wait_seconds=0)
    assert (asked.status, asked.json["state"]) == (202, "QUEUED")
    assert asked.headers["location"] == f"/v1/queries/{asked.json['id']}"
    found = second.call("GET", "/v1/queries/{id}", id=asked.json["id"])
    assert (found.json["state"], found.json["rows"]) == ("SUCCEEDED", [["1"]])
    assert len(place.cloud.started(place.settings)) == 1


def test_a_wait_ends_before_the_gateway_gives_up(place: Place) -> None:
    place.cloud.emulator.athena.seconds = 30.0
    asked = place.instance().ask(COUNT, wait_seconds=25, context=Context(left_seconds=5.2))
    assert asked.status == 202
    place.instance().call("DELETE", "/v1/queries/{id}", id=asked.json["id"])


def test_pages_follow_each_other(place: Place) -> None:
    place.clients.put(Client("machine2", "all"))
    assert isinstance(place.lake.grants, DynamoGrants)
    place.lake.grants.put(Grant("all", "", {"flights": DatasetGrant(None, ("*",))}, Limits(), ""))
    instance, claims = place.instance(), {**CLAIMS, "client_id": "machine2"}
    first = instance.ask("SELECT dep_delay FROM flights ORDER BY dep_delay", claims=claims)
    assert first.json["rows"] == [[-2], [5]]
    query = {"page": [first.json["next"]]}
    last = instance.call("GET", "/v1/queries/{id}/rows", id=first.json["id"], query=query, claims=claims)
    assert (last.json["rows"], last.json["next"]) == ([[7]], None)
    foreign = instance.call("GET", "/v1/queries/{id}/rows", id=first.json["id"], query=query)
    assert foreign.status == 404


def test_what_is_longer_than_one_response_comes_in_pages_that_fit(place: Place) -> None:
    quotes = "SELECT lpad('', 900000, '\"') AS a FROM flights CROSS JOIN UNNEST(sequence(1, 3)) AS s (n)"
    instance = place.instance()
    first = instance.ask(quotes)
    assert first.status == 200
    sizes = [len(first.json["rows"])]
    token = first.json["next"]
    while token:
        page = instance.call("GET", "/v1/queries/{id}/rows", id=first.json["id"], query={"page": [token]})
        assert page.status == 200
        sizes.append(len(page.json["rows"]))
        token = page.json["next"]
    assert sum(sizes) == 3
    huge = instance.ask("SELECT lpad('', 2000000, '\"') AS a FROM flights")
    assert (huge.status, huge.json["code"]) == (400, "page-too-large")


def test_browsers_of_listed_origins_may_ask_and_others_may_not(place: Place) -> None:
    instance = place.instance()
    for origin, allowed in (("https://two.example", "https://two.example"), ("https://evil.example", None)):
        preflight = instance.call("OPTIONS", "/v1/queries", claims=None, headers={"origin": origin})
        assert (preflight.status, preflight.headers.get("access-control-allow-origin")) == (204, allowed)
    assert preflight.headers["allow"] == "OPTIONS, POST"


def test_one_line_of_json_tells_each_request_and_counts_it_without_its_text(place: Place) -> None:
    instance = place.instance()
    secret = "SELECT count(*) AS n FROM flights WHERE carrier = 'secret'"
    instance.ask(secret)
    instance.ask(secret)
    told = [(line["route"], line["status"], line["partner"], line["cache"]) for line in instance.lines]
    assert told == [("/v1/queries", 200, "united", "miss"), ("/v1/queries", 200, "united", "hit")]
    assert [(line["Requests"], line["ColdStarts"], line.get("Hits", 0)) for line in instance.lines] == [
        (1, 1, 0),
        (1, 0, 1),
    ]
    assert "secret" not in str(instance.lines)


def test_a_stage_is_built_from_its_parameters_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in place.cloud.emulator.environment.items():
        monkeypatch.setenv(name, value)
    instance = Gateway(lambda: parts_of({"LAKEGATE_STAGE": place.settings.stage}))
    response = instance.ask(COUNT)
    assert (response.status, response.json["rows"]) == (200, [["1"]])


def test_an_event_of_another_kind_is_a_problem(place: Place) -> None:
    assert place.instance().function({"Records": []}, Context())["statusCode"] == 500
