"""Leases, heads, the outbox and the catalog's word on AWS, while the line breaks."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from athena.dynamodb import Key, Table
from athena.errors import Damaged, Failed, OutcomeUnknown
from athena.events.eventbridge import DynamoOutbox, EventBridge
from athena.heads.dynamodb import DynamoHeads
from athena.heads.glue import GlueHeads
from athena.leases.dynamodb import DynamoLeases
from tests.clock import SetClock
from tests.cloud import (
    AT_ONCE,
    Cloud,
    Fault,
    Faults,
    answer_lost,
    answered,
    denied,
    request_lost,
    server_error,
    throttled,
)
from tests.contracts.test_events import EVENT
from tests.contracts.test_heads import HEAD

UNSURE = [throttled, server_error, request_lost, answer_lost]


@pytest.fixture
def table(cloud: Cloud) -> Table:
    return cloud.table()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def broken(cloud: Cloud, table: Table, operation: str, *faults: Fault) -> Table:
    client = cloud.client("dynamodb")
    Faults.on(client, operation, *faults)
    return Table(client, table.name, AT_ONCE)


@pytest.mark.parametrize("fault", UNSURE)
def test_who_acquired_without_hearing_so_holds_it(cloud: Cloud, table: Table, clock: SetClock, fault: Fault) -> None:
    lease = DynamoLeases(broken(cloud, table, "UpdateItem", fault), clock).acquire("flights", "a", seconds=10)
    assert lease is not None
    assert lease.token == 1
    leases = DynamoLeases(table, clock)
    assert leases.current("flights") == lease
    assert leases.acquire("flights", "b", seconds=10) is None


def test_of_two_holders_after_the_end_one_has_it_though_his_answer_was_lost(
    cloud: Cloud, table: Table, clock: SetClock
) -> None:
    leases = DynamoLeases(table, clock)
    leases.acquire("flights", "a", seconds=10)
    clock.move(seconds=11)
    second = DynamoLeases(broken(cloud, table, "UpdateItem", answer_lost), clock).acquire("flights", "b", seconds=10)
    third = leases.acquire("flights", "c", seconds=10)
    assert second is not None
    assert (second.holder, second.token, third) == ("b", 2, None)


def test_a_renewal_whose_answer_is_lost_after_an_heir_came_is_lost(cloud: Cloud, table: Table, clock: SetClock) -> None:
    leases = DynamoLeases(table, clock)
    first = leases.acquire("flights", "a", seconds=10)
    clock.move(seconds=11)
    leases.acquire("flights", "b", seconds=10)
    assert first is not None
    assert DynamoLeases(broken(cloud, table, "UpdateItem", answer_lost), clock).renew(first, seconds=10) is None


@pytest.mark.parametrize("fault", UNSURE)
def test_a_head_is_published_once_whatever_the_line_does(cloud: Cloud, table: Table, fault: Fault) -> None:
    heads = DynamoHeads(table)
    heads.intend("flights", "c1")
    DynamoHeads(broken(cloud, table, "UpdateItem", fault, fault)).publish(replace(HEAD, intent="c1"))
    assert heads.get("flights") == HEAD
    assert heads.pending("flights") is None


def test_a_head_that_may_have_been_published_is_not_called_failed(cloud: Cloud, table: Table) -> None:
    with pytest.raises(OutcomeUnknown):
        DynamoHeads(broken(cloud, table, "UpdateItem", *[answer_lost] * AT_ONCE.tries)).publish(HEAD)
    assert DynamoHeads(table).get("flights") == HEAD


def test_a_head_that_somebody_spoilt_is_told_as_damaged(table: Table) -> None:
    table.change(Key("head", "flights"), "SET head = :head", head=b"no zlib")
    with pytest.raises(Damaged, match="flights"):
        DynamoHeads(table).get("flights")


def test_a_list_longer_than_one_answer_of_dynamodb_is_whole(table: Table) -> None:
    heads = DynamoHeads(table)
    # One answer holds 1 MB; descriptions that do not compress make three items of 400 KB at most.
    noise = "".join(chr(0x4E00 + at * 7919 % 20000) for at in range(120_000))
    for at in range(5):
        heads.publish(replace(HEAD, dataset=f"d{at}", description=noise))
    assert [head.dataset for head in heads.all()] == [f"d{at}" for at in range(5)]


@pytest.mark.parametrize("fault", UNSURE)
def test_an_event_is_kept_once_whatever_the_line_does(
    cloud: Cloud, table: Table, clock: SetClock, fault: Fault
) -> None:
    DynamoOutbox(broken(cloud, table, "UpdateItem", fault, fault), clock).put(EVENT)
    outbox = DynamoOutbox(table, clock)
    assert outbox.undelivered() == (EVENT,)
    DynamoOutbox(broken(cloud, table, "DeleteItem", fault), clock).delivered(EVENT.id)
    assert outbox.undelivered() == ()


def test_an_event_reaches_who_listens_on_the_bus(cloud: Cloud) -> None:
    events, sqs = cloud.client("events"), cloud.client("sqs")
    events.create_event_bus(Name="lake")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="lake", EventPattern='{"source": ["lakegate"]}')
    events.put_targets(Rule="all", EventBusName="lake", Targets=[{"Id": "1", "Arn": arn}])
    EventBridge(events, "lake", AT_ONCE).tell(EVENT)
    heard = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    assert heard["detail-type"] == "DatasetUpdated"
    assert (heard["detail"]["id"], heard["detail"]["dataset"], heard["detail"]["rows_added"]) == ("c1", "flights", 100)


def test_a_bus_that_takes_nothing_has_failed(cloud: Cloud) -> None:
    events = cloud.client("events")
    Faults.on(events, "PutEvents", denied)
    with pytest.raises(Failed, match="AccessDeniedException") as caught:
        EventBridge(events, "lake", AT_ONCE).tell(EVENT)
    assert caught.value.code == "events-unavailable"


def entry_failed(code: str) -> Fault:
    """The call is answered, and its one entry was not taken."""
    entry = {"ErrorCode": code, "ErrorMessage": "as documented"}
    return answered(200, json.dumps({"FailedEntryCount": 1, "Entries": [entry]}).encode())


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_an_entry_that_a_bus_could_not_take_is_put_again(cloud: Cloud, code: str) -> None:
    events = cloud.client("events")
    calls = Faults.on(events, "PutEvents", entry_failed(code))
    EventBridge(events, "default", AT_ONCE).tell(EVENT)
    assert calls.calls == 2


def test_an_entry_that_a_bus_refuses_has_failed_at_once(cloud: Cloud) -> None:
    events = cloud.client("events")
    calls = Faults.on(events, "PutEvents", entry_failed("MalformedDetail"))
    with pytest.raises(Failed, match="MalformedDetail"):
        EventBridge(events, "default", AT_ONCE).tell(EVENT)
    assert calls.calls == 1


def test_the_catalog_says_where_a_table_stands(cloud: Cloud) -> None:
    tables = cloud.tables()
    rows = pa.table({"carrier": ["UA"], "delay": pa.array([5], pa.int32())})
    committed = tables.append("flights", rows)
    catalog = GlueHeads(cloud.client("glue"), cloud.client("s3"), lake="lake", patience=AT_ONCE)
    head = catalog.head("flights")
    assert head is not None
    assert (head.snapshot_id, head.metadata_location) == (committed.snapshot_id, committed.metadata_location)
    assert [(column.name, str(column.type)) for column in head.columns] == [("carrier", "string"), ("delay", "int")]
    assert catalog.head("nothing") is None


def test_a_catalog_that_does_not_answer_has_failed(cloud: Cloud) -> None:
    glue = cloud.client("glue")
    Faults.on(glue, "GetTable", *[request_lost] * AT_ONCE.tries)
    with pytest.raises(Failed) as caught:
        GlueHeads(glue, cloud.client("s3"), lake="lake", patience=AT_ONCE).head("flights")
    assert caught.value.code == "state-unavailable"
