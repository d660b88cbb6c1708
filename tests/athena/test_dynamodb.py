"""What a table promises when the line to DynamoDB does not hold."""

import json

import pytest
from botocore.awsrequest import AWSPreparedRequest

from athena.aws import Patience
from athena.dynamodb import Key, Table
from athena.errors import Busy, Failed, OutcomeUnknown
from tests.cloud import (
    Cloud,
    Fault,
    Faults,
    answer_lost,
    answered,
    no_fault,
    refused,
    request_lost,
    server_error,
    throttled,
)

KEY = Key("thing#1", "it")
CREATE = ("SET state = :state", "attribute_not_exists(pk)")


@pytest.fixture
def table(cloud: Cloud) -> Table:
    return cloud.table()


def _faulty(cloud: Cloud, table: Table, operation: str, *faults: Fault, tries: int = 4) -> tuple[Table, Faults]:
    client = cloud.client("dynamodb")
    made = Faults.on(client, operation, *faults)
    return Table(client, table.name, Patience(tries=tries, sleep=lambda _: None)), made


def test_what_was_written_is_read_back(table: Table) -> None:
    made = table.change(
        KEY, "SET state = :s, size = :n, content = :b, names = :names", s="new", n=-3, b=b"\0", names=frozenset("ab")
    )
    assert made.won
    item = table.get(KEY)
    assert item is not None
    assert (item["state"], item["size"], item["content"], item["names"]) == ("new", -3, b"\0", frozenset("ab"))
    assert table.get(KEY, only="state") == {"state": "new"}


def test_an_absent_item_is_none(table: Table) -> None:
    assert table.get(KEY) is None
    assert table.last("thing#1") is None
    assert table.each("thing#1") == ()


def test_last_reads_the_highest_sort_key_alone(table: Table) -> None:
    for number in (1, 3, 2):
        table.change(Key("thing#1", f"{number:09d}"), "SET state = :s", s=str(number))
    last = table.last("thing#1")
    assert last is not None
    assert last["state"] == "3"
    assert [item["state"] for item in table.each("thing#1")] == ["1", "2", "3"]


def test_several_items_come_in_one_call_and_what_is_handed_back_is_asked_for_again(cloud: Cloud, table: Table) -> None:
    keys = [Key(f"thing#{number}", "it") for number in range(130)]
    for key in keys:
        table.change(key, "SET state = :s", s=key.pk)
    nothing_done = answering(b'{"Responses": {}, "UnprocessedKeys": {"%b": {"Keys": %b}}}', table, keys[:100])
    faulty, faults = _faulty(cloud, table, "BatchGetItem", nothing_done)
    found = faulty.several([*keys, keys[0], Key("nothing", "it")])
    assert sorted(str(item["state"]) for item in found) == sorted(key.pk for key in keys)
    assert faults.calls == 3
    busy, _ = _faulty(cloud, table, "BatchGetItem", *[nothing_done] * 4)
    with pytest.raises(Busy):
        busy.several(keys)


def answering(body: bytes, table: Table, keys: list[Key]) -> Fault:
    """DynamoDB does nothing of it and hands the keys back."""
    named = json.dumps([{"pk": {"S": key.pk}, "sk": {"S": key.sk}} for key in keys]).encode()
    return answered(200, body % (table.name.encode(), named))


def test_a_lost_condition_shows_the_item_that_won(table: Table) -> None:
    assert table.change(KEY, CREATE[0], when=CREATE[1], state="first").won
    lost = table.change(KEY, CREATE[0], when=CREATE[1], state="second")
    assert not lost.won
    assert lost.item is not None
    assert lost.item["state"] == "first"


@pytest.mark.parametrize("fault", [throttled, refused, server_error, request_lost, answer_lost])
def test_a_write_happens_once_whatever_the_line_does(cloud: Cloud, table: Table, fault: Fault) -> None:
    faulty, faults = _faulty(cloud, table, "UpdateItem", fault, fault)
    outcome = faulty.change(
        KEY,
        "SET holder = :me, count = if_not_exists(count, :zero) + :one",
        when="attribute_not_exists(pk)",
        me="me",
        zero=0,
        one=1,
    )
    assert outcome.won
    assert faults.calls >= 2
    item = table.get(KEY)
    assert item is not None
    assert item["count"] == 1


@pytest.mark.parametrize("fault", [throttled, refused, server_error, request_lost, answer_lost])
@pytest.mark.parametrize("when", [None, "count <= :room OR attribute_not_exists(count)"])
def test_what_is_added_is_added_once_whatever_the_line_does(
    cloud: Cloud, table: Table, fault: Fault, when: str | None
) -> None:
    faulty, _ = _faulty(cloud, table, "UpdateItem", fault, no_fault, fault)
    room = {} if when is None else {"room": 10}
    for total in (1, 2):
        update = "SET count = if_not_exists(count, :zero) + :one"
        outcome = faulty.change(KEY, update, when=when, zero=0, one=1, **room)
        assert outcome.won
        assert outcome.item is not None
        assert outcome.item["count"] == total


def test_what_timed_out_within_s3_is_asked_again(cloud: Cloud) -> None:
    client = cloud.client("s3")
    timed_out = answered(400, b"<Error><Code>RequestTimeout</Code><Message>m</Message></Error>")
    faults = Faults.on(client, "PutObject", timed_out)
    bucket = cloud.bucket(with_client=client)
    bucket.put("a", b"1")
    assert (bucket.get("a"), faults.calls) == (b"1", 2)


def test_a_lost_answer_does_not_make_a_loser_a_winner(cloud: Cloud, table: Table) -> None:
    table.change(KEY, CREATE[0], when=CREATE[1], state="first")
    faulty, _ = _faulty(cloud, table, "UpdateItem", answer_lost)
    assert not faulty.change(KEY, CREATE[0], when=CREATE[1], state="second").won


def test_a_write_overtaken_after_its_answer_was_lost_has_lost(cloud: Cloud, table: Table) -> None:
    def lost_and_overtaken(request: AWSPreparedRequest) -> None:
        try:
            answer_lost(request)
        finally:
            table.change(KEY, "SET holder = :you", you="you")

    faulty, _ = _faulty(cloud, table, "UpdateItem", lost_and_overtaken)
    outcome = faulty.change(KEY, "SET holder = :me", when="attribute_not_exists(pk)", me="me")
    assert not outcome.won
    assert outcome.item is not None
    assert outcome.item["holder"] == "you"


def test_throttling_to_the_end_is_busy(cloud: Cloud, table: Table) -> None:
    faulty, faults = _faulty(cloud, table, "UpdateItem", *[throttled] * 4)
    with pytest.raises(Busy) as caught:
        faulty.change(KEY, CREATE[0], state="x")
    assert caught.value.retry_after_seconds >= 1
    assert faults.calls == 4


def test_a_write_that_may_have_happened_is_not_called_failed(cloud: Cloud, table: Table) -> None:
    faulty, _ = _faulty(cloud, table, "UpdateItem", throttled, answer_lost, throttled, refused)
    with pytest.raises(OutcomeUnknown):
        faulty.change(KEY, CREATE[0], state="x")
    assert table.get(KEY) is not None


def test_a_read_that_gets_no_answer_failed(cloud: Cloud, table: Table) -> None:
    faulty, _ = _faulty(cloud, table, "GetItem", *[request_lost] * 4)
    with pytest.raises(Failed) as caught:
        faulty.get(KEY)
    assert caught.value.code == "state-unavailable"


def test_pauses_double_up_to_a_bound_and_are_spread(cloud: Cloud, table: Table) -> None:
    pauses: list[float] = []
    client = cloud.client("dynamodb")
    Faults.on(client, "GetItem", *[throttled] * 5, no_fault)
    patience = Patience(tries=6, first_seconds=1, cap_seconds=4, sleep=pauses.append, random=lambda: 0.5)
    assert Table(client, table.name, patience).get(KEY) is None
    assert pauses == [0.5, 1, 2, 2, 2]


def test_a_missing_table_is_told_with_a_remedy(cloud: Cloud) -> None:
    with pytest.raises(Failed, match="ResourceNotFoundException") as caught:
        Table(cloud.client("dynamodb"), "nowhere").get(KEY)
    assert "exists in this region" in caught.value.remedy
