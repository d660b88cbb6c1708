"""What several packages' tests share."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud, emulated


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """An AWS on this machine, started for the first test that needs one; tests make their own tables in it."""
    with emulated() as made:
        yield made
