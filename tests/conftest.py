"""What several packages' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cloud import Cloud


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """An AWS on this machine, started for the first test that needs one; tests make their own tables in it."""
    # It loads boto3, moto and both engines, which most tests do without.
    from tests.cloud import emulated

    with emulated() as made:
        yield made
