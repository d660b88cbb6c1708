"""Flights while DynamoDB throttles, does things without saying so, or is away."""

import os
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from athena.dataset import DataType
from athena.dynamodb import Key, Table
from athena.errors import Busy, Damaged, Failed
from athena.flights.dynamodb import INLINE_BYTES, DynamoFlights
from athena.question import Page, ResultColumn, State
from athena.records import encode
from athena.s3 import Bucket
from tests.clock import SetClock
from tests.cloud import AT_ONCE, Cloud, Fault, Faults, answer_lost, request_lost, server_error, throttled
from tests.contracts.test_flights import AT, KEY, PAGE, RECEIPT, finish, lead


@pytest.fixture
def table(cloud: Cloud) -> Table:
    return cloud.table()


@pytest.fixture
def bucket(cloud: Cloud) -> Bucket:
    return cloud.bucket()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(AT)


@pytest.fixture
def flights(table: Table, bucket: Bucket, clock: SetClock) -> DynamoFlights:
    return DynamoFlights(table, bucket, clock)


@pytest.fixture
def broken(cloud: Cloud, table: Table, bucket: Bucket, clock: SetClock) -> tuple[DynamoFlights, Faults]:
    """The same store over a line of its own, and what will go wrong with its writes."""
    client = cloud.client("dynamodb")
    faults = Faults.on(client, "UpdateItem")
    return DynamoFlights(Table(client, table.name, AT_ONCE), bucket, clock), faults


UNSURE = [throttled, server_error, request_lost, answer_lost]


@pytest.mark.parametrize("fault", UNSURE)
def test_who_led_without_hearing_so_knows_that_he_leads(
    flights: DynamoFlights, broken: tuple[DynamoFlights, Faults], fault: Fault
) -> None:
    store, faults = broken
    faults.next(fault)
    assert lead(store, "l1", "a1").leader == "l1"
    assert lead(flights, "l2", "a2").leader == "l1"


@pytest.mark.parametrize("fault", UNSURE)
def test_an_answer_is_finished_once_whatever_the_line_does(
    flights: DynamoFlights, broken: tuple[DynamoFlights, Faults], fault: Fault
) -> None:
    store, faults = broken
    flight = lead(store, "l1", "a1")
    faults.next(fault, fault)
    assert finish(store, flight)
    found = flights.get(KEY)
    assert found is not None
    assert (found.state, found.page) == (State.SUCCEEDED, PAGE)


def test_of_two_heirs_one_leads_though_his_answer_was_lost(
    flights: DynamoFlights, broken: tuple[DynamoFlights, Faults], clock: SetClock
) -> None:
    store, faults = broken
    lead(flights, "l1", "a1")
    clock.move(seconds=11)
    faults.next(answer_lost)
    heir = store.take_over(KEY, 1, leader="l2", lease_seconds=10)
    assert heir is not None
    assert heir.leader == "l2"
    assert flights.take_over(KEY, 1, leader="l3", lease_seconds=10) is None


def test_a_late_finish_whose_answer_is_lost_is_still_late(
    flights: DynamoFlights, broken: tuple[DynamoFlights, Faults], clock: SetClock
) -> None:
    store, faults = broken
    late = lead(store, "l1", "a1")
    clock.move(seconds=11)
    flights.take_over(KEY, 1, leader="l2", lease_seconds=10)
    faults.next(answer_lost)
    assert not finish(store, late)
    found = flights.get(KEY)
    assert found is not None
    assert (found.state, found.leader) == (State.RUNNING, "l2")


def test_leaving_twice_by_a_lost_answer_counts_once(
    flights: DynamoFlights, broken: tuple[DynamoFlights, Faults]
) -> None:
    store, faults = broken
    lead(flights, "l1", "a1")
    lead(flights, "l2", "a2")
    faults.next(answer_lost, answer_lost)
    assert store.leave(KEY, 1, "a2") == 1
    assert not flights.has_left(KEY, 1, "a1")


def test_a_store_that_is_away_has_failed(broken: tuple[DynamoFlights, Faults]) -> None:
    store, faults = broken
    faults.next(*[request_lost] * AT_ONCE.tries)
    with pytest.raises(Failed) as caught:
        lead(store, "l1", "a1")
    assert caught.value.code == "state-unavailable"
    faults.next(*[throttled] * AT_ONCE.tries)
    with pytest.raises(Busy):
        lead(store, "l1", "a1")


def test_a_hit_is_one_look_up_and_touches_no_bucket(
    cloud: Cloud, flights: DynamoFlights, table: Table, bucket: Bucket, clock: SetClock
) -> None:
    finish(flights, lead(flights, "l1", "a1"))
    dynamodb, s3 = cloud.client("dynamodb"), cloud.client("s3")
    calls = Faults.on(dynamodb, "*"), Faults.on(s3, "*")
    again = DynamoFlights(Table(dynamodb, table.name, AT_ONCE), Bucket(s3, bucket.name, prefix=bucket.prefix), clock)
    found = again.get(KEY)
    assert found is not None
    assert found.page == PAGE
    assert [one.calls for one in calls] == [1, 0]


def test_a_large_page_lies_in_the_bucket_and_a_lost_one_is_no_page(
    flights: DynamoFlights, table: Table, bucket: Bucket, clock: SetClock
) -> None:
    large = Page(os.urandom(3 * INLINE_BYTES), 1, 99)
    flight = lead(flights, "l1", "a1")
    assert flights.finish(flight, RECEIPT, large, expires_at=AT + timedelta(days=1))
    found = flights.get(KEY)
    assert found is not None
    assert found.page == large
    item = table.last(f"flight#{KEY}")
    assert item is not None
    bucket.remove(str(item["page_at"]))
    # Another process: this one remembers what it has read.
    found = DynamoFlights(table, bucket, clock).get(KEY)
    assert found is not None
    assert (found.page, found.receipt) == (None, RECEIPT)


@pytest.mark.parametrize("name", ["n{}", "{}"], ids=["alike", "unlike"])
def test_an_answer_of_thousands_of_columns_is_kept(
    flights: DynamoFlights, table: Table, bucket: Bucket, clock: SetClock, name: str
) -> None:
    """What is told of each does not fit into an item, which holds 400 KB; most of the time it does once packed."""
    names = [name.format(sha256(b"%d" % number).hexdigest()) for number in range(6_000)]
    receipt = replace(RECEIPT, columns=tuple(ResultColumn(name, DataType("string")) for name in names))
    assert flights.finish(lead(flights, "l1", "a1"), receipt, PAGE, expires_at=AT + timedelta(days=1))
    found = DynamoFlights(table, bucket, clock).get(KEY)
    assert found is not None
    assert (found.receipt, found.page) == (receipt, PAGE)


def test_a_receipt_that_an_older_release_wrote_is_read(flights: DynamoFlights, table: Table) -> None:
    finish(flights, lead(flights, "l1", "a1"))
    table.change(Key(f"flight#{KEY}", f"{1:09d}"), "SET receipt = :receipt", receipt=encode(RECEIPT).decode())
    found = flights.get(KEY)
    assert found is not None
    assert (found.receipt, found.page) == (RECEIPT, PAGE)


def test_a_long_work_is_handed_to_the_heir(flights: DynamoFlights, clock: SetClock) -> None:
    work = os.urandom(2 * INLINE_BYTES)
    flights.lead(KEY, leader="l1", lease_seconds=10, asker="a1", work=work)
    clock.move(seconds=11)
    heir = flights.take_over(KEY, 1, leader="l2", lease_seconds=10)
    assert heir is not None
    assert heir.work == work


def test_an_item_that_somebody_spoilt_is_told_as_damaged(flights: DynamoFlights, table: Table) -> None:
    finish(flights, lead(flights, "l1", "a1"))
    item = table.last(f"flight#{KEY}", only="pk, sk")
    assert item is not None
    table.change(Key(f"flight#{KEY}", str(item["sk"])), "SET page = :page", page=b"no zlib")
    with pytest.raises(Damaged):
        flights.get(KEY)


def test_items_end_a_little_after_they_expire(flights: DynamoFlights, table: Table) -> None:
    finish(flights, lead(flights, "l1", "a1"), days=1)
    item = table.last(f"flight#{KEY}", only="ttl")
    assert item == {"ttl": int((AT + timedelta(days=1)).timestamp()) + 1}
