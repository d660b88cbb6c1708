"""A home without data, for what can be shown without any."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.parts import Parts
from athena.lake import Lake
from athena.settings import HOME_FILE

ORIGIN = "https://partner.example"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    (home / "partners").mkdir(parents=True)
    (home / HOME_FILE).write_text(f'version = 1\ncors_origins = ["{ORIGIN}"]\n')
    with Lake.embedded(home) as lake:
        yield Parts.embedded(lake)
