"""What a caller may see of the datasets."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from athena.catalogue import dataset, datasets
from athena.errors import NotFound
from athena.lake import Lake
from athena.question import OWNER, Caller
from tests.lakes import FLIGHTS, Home

UNITED = Caller("united")


@pytest.fixture
def lake(home: Home) -> Iterator[Lake]:
    with home.opened() as (lake, _):
        for name in ("flights", "planes"):
            head = home.tables.append(name, FLIGHTS)
            secret = tuple(replace(column, sensitive=column.name == "origin") for column in head.columns)
            home.publish(lake, replace(head, columns=secret, rows=3, description="What flew"))
        yield lake


def test_the_owner_sees_everything(lake: Lake) -> None:
    listed = datasets(lake, OWNER)
    assert [listing.name for listing in listed] == ["flights", "planes"]
    assert {"carrier", "origin", "dep_delay"} <= {column.name for column in listed[0].columns}
    assert (listed[0].rows, listed[0].description) == (3, "What flew")
    assert dataset(lake, OWNER, "flights") == listed[0]


def test_a_partner_sees_what_is_granted(home: Home, lake: Lake) -> None:
    home.grant("united", "[datasets.flights]\nrows = \"carrier = 'UA'\"", '[datasets.planes]\ncolumns = ["carrier"]')
    flights, planes = datasets(lake, UNITED)
    assert [column.name for column in flights.columns] == ["carrier", "dep_delay"]
    assert [column.name for column in planes.columns] == ["carrier"]
    assert (flights.rows, planes.rows) == (None, 3)


def test_denied_absent_and_hidden_are_one_answer(home: Home, lake: Lake) -> None:
    home.grant("united", "[datasets.flights]")
    texts = set()
    for name in ("planes", "nothing", "flights__rejects", "Flights", ""):
        with pytest.raises(NotFound) as caught:
            dataset(lake, UNITED, name)
        texts.add(str(caught.value))
    assert len(texts) == 1
    assert [listing.name for listing in datasets(lake, UNITED)] == ["flights"]


def test_without_a_grant_there_is_nothing(lake: Lake) -> None:
    assert datasets(lake, UNITED) == ()
    with pytest.raises(NotFound):
        dataset(lake, UNITED, "flights")


def test_a_grant_that_does_not_fit_hides_its_dataset_alone(home: Home, lake: Lake) -> None:
    home.grant("united", '[datasets.flights]\ncolumns = ["vanished"]', "[datasets.planes]")
    assert [listing.name for listing in datasets(lake, UNITED)] == ["planes"]
    with pytest.raises(NotFound):
        dataset(lake, UNITED, "flights")
