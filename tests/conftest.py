"""What several packages' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.properties import draw_by, profile_for

if TYPE_CHECKING:
    from tests.cloud import Cloud


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported: its settings are made then."""
    draw_by(config.getoption("--hypothesis-profile") or profile_for(config.option.markexpr))


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """An AWS on this machine, started for the first test that needs one; tests make their own tables in it."""
    # It loads boto3, moto and both engines, which most tests do without.
    from tests.cloud import emulated

    with emulated() as made:
        yield made
