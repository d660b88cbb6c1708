"""Change notices on AWS: from the event to the partner's receiver, tried again and given up, on emulated services."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.on_change import on_change
from api.parts import Parts
from athena.events import DatasetUpdated
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.notices import RETRY_SECONDS
from athena.notices.dynamodb import DynamoNotices
from athena.notices.notifier import Notifier
from athena.records import encode
from tests.clock import SetClock
from tests.cloud import Cloud
from tests.gateway import Context, Gateway
from tests.lakegate.test_webhooks import Receiver, receiving
from tests.lakes import FLIGHTS

PLENTY, LITTLE = Context(left_seconds=300), Context(left_seconds=5)


class Told:
    """A stage with a partner's webhook, and the function that tells."""

    def __init__(self, cloud: Cloud, receiver: Receiver) -> None:
        self.clock, self.receiver = SetClock(), receiver
        settings = cloud.settings()
        self.lake = cloud.lake(settings)
        self.lake.heads.publish(cloud.tables().append("flights", FLIGHTS))
        assert isinstance(self.lake.grants, DynamoGrants)
        self.grants = self.lake.grants
        self.grants.put(Grant("united", "", {"flights": DatasetGrant()}, Limits(), ""))
        clients = DynamoClients(cloud.state(settings))
        clients.put(Client("machine1", "united"))
        self.notices = DynamoNotices(cloud.state(settings), self.clock)
        self.gateway = Gateway(lambda: Parts(self.lake, Claims(clients), self.notices))
        body = {"url": "https://partner.example/changed", "dataset": "flights"}
        self.hook = self.gateway.call("POST", "/v1/webhooks", body=json.dumps(body)).json
        # What partners may not register: the receiver here speaks plain HTTP at a private address.
        (kept,) = self.notices.webhooks("united")
        self.notices.remove("united", kept.id)
        self.notices.register(replace(kept, url=receiver.url))
        inside = replace(self.lake.settings, webhook_networks=("127.0.0.0/8",))
        local = replace(self.lake, clock=self.clock, settings=inside)
        self.notifier = Notifier(local, self.notices, lambda host, port: ["127.0.0.1"], lambda: 1.0)

    def tell(self, *events: dict[str, Any], context: Context = PLENTY) -> list[str]:
        """One call of the function; the messages that have to come again."""
        records = [{"messageId": f"m{at}", "body": json.dumps(one)} for at, one in enumerate(events)]
        answer = on_change({"Records": records} if events else {}, context, self.notifier)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.fixture
def told(cloud: Cloud) -> Iterator[Told]:
    with receiving() as receiver:
        made = Told(cloud, receiver)
        with made.lake:
            yield made


def changed(number: int = 1) -> dict[str, Any]:
    """What EventBridge puts into the queue."""
    event = DatasetUpdated(f"c{number}", "flights", "7", "7", SetClock().now, 3, 0)
    return {"source": "lakegate", "detail-type": "DatasetUpdated", "detail": json.loads(encode(event))}


def test_a_change_is_told_once_and_what_is_no_event_comes_again(told: Told) -> None:
    assert told.hook["secret"].startswith("whsec_")
    assert told.tell(changed(), {"detail": {}}, changed()) == ["m1"]
    headers, body = told.receiver.next()
    assert json.loads(body)["data"]["dataset"] == "flights"
    assert headers["webhook-signature"].startswith("v1,")
    assert told.tell(changed()) == []
    assert told.receiver.got.empty()


def test_what_is_not_taken_is_tried_again_by_the_schedule_and_given_up_in_the_end(told: Told) -> None:
    told.receiver.status = 500
    told.tell(changed())
    first = told.receiver.next()[0]["webhook-id"]
    for pause in RETRY_SECONDS:
        told.tell()
        assert told.receiver.got.empty()
        told.clock.move(seconds=pause + 1)
        told.tell()
        assert told.receiver.next()[0]["webhook-id"] == first
    path = {"id": told.hook["id"]}
    (dead,) = told.gateway.call("GET", "/v1/webhooks/{id}/dead", **path).json["dead"]
    assert (dead["id"], dead["attempts"]) == (first, len(RETRY_SECONDS) + 1)
    told.receiver.status = 204
    assert told.gateway.call("POST", "/v1/webhooks/{id}/dead", body="{}", **path).json == {"revived": 1}
    told.clock.now = told.lake.clock()
    told.tell()
    assert told.receiver.next()[0]["webhook-id"] == first


def test_without_time_for_another_try_it_is_left_to_the_next_call(told: Told) -> None:
    assert told.tell(changed(), context=LITTLE) == []
    assert told.receiver.got.empty()
    told.tell()
    told.receiver.next()


def test_who_may_not_see_it_any_more_is_told_nothing(told: Told) -> None:
    told.grants.put(Grant("united", "", {}, Limits(), ""))
    told.tell(changed())
    assert told.receiver.got.empty()


def test_on_aws_no_private_address_is_ever_told(told: Told) -> None:
    # No setting of a stage names networks.
    outside = replace(told.notifier, lake=replace(told.lake, clock=told.clock))
    told.notifier = outside
    told.tell(changed())
    assert told.receiver.got.empty()
    for url in ("https://10.0.0.1/", "https://169.254.169.254/", "http://partner.example/", "https://[::1]:9001/"):
        body = json.dumps({"url": url, "dataset": "flights"})
        assert told.gateway.call("POST", "/v1/webhooks", body=body).status == 400
