"""A home with flights in it, opened on an engine that counts what it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from athena.lake import Lake
from tests.lakes import FLIGHTS, CountingEngine, Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty home."""
    made = Home(tmp_path)
    yield made
    made.tables.close()


@pytest.fixture
def opened(home: Home) -> Iterator[tuple[Lake, CountingEngine]]:
    """The same with a table of flights, and its engine."""
    with home.opened() as (lake, engine):
        home.publish(lake, home.tables.append("flights", FLIGHTS))
        yield lake, engine


@pytest.fixture
def lake(opened: tuple[Lake, CountingEngine]) -> Lake:
    """Its lake."""
    return opened[0]


@pytest.fixture
def engine(opened: tuple[Lake, CountingEngine]) -> CountingEngine:
    """Its engine."""
    return opened[1]
