"""Homes on disk and the command line in this process."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakegate.cli import run
from lakegate.home import init_home

# Two good records of three sources of trouble: a number too few, an umlaut, an empty text beside a NULL.
STAYS = """hotel,day,guests,note
Aurora,2026-05-01,12,
Aurora,2026-05-02,15,""
Borealis,2026-05-01,7,"NULL"
Borealis,2026-05-02
""" + "".join(f"Cirrus,2026-05-{day:02},{day},quiet\n" for day in range(1, 21))


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def lakegate(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs `lakegate ARGUMENTS…` in this process, without any home in the environment."""
    monkeypatch.delenv("LAKEGATE_HOME", raising=False)
    monkeypatch.delenv("LAKEGATE_DEBUG", raising=False)

    def command(*arguments: object) -> Done:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        shown = capfd.readouterr()
        return Done(code, shown.out, shown.err)

    yield command
    # `lakegate up` logs to the stderr of its process, which is not that of the next test.
    for name in ("lakegate", "api", "etl", "athena"):
        log = logging.getLogger(name)
        log.handlers.clear()
        log.propagate = True


def home_of_stays(folder: Path, records: str = STAYS) -> Path:
    """A new home in the folder, with these records in the dataset `stays`."""
    home, file = init_home(folder / "home").home, folder / "stays.csv"
    file.write_text(records, encoding="utf-8")
    assert run(["load", str(file), "--dataset", "stays", "--home", str(home)]) == 0
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    return init_home(tmp_path / "home").home


@pytest.fixture
def stays_file(tmp_path: Path) -> Path:
    """24 records, one of them too short."""
    path = tmp_path / "stays.csv"
    path.write_text(STAYS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def stays_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the dataset `stays`, one reject and the partner `aurora`. For reading only."""
    home = home_of_stays(tmp_path_factory.mktemp("stays"))
    granted = ["--dataset", "stays", "--rows", "hotel = 'Aurora'", "--columns", "*,!guests"]
    assert run(["partner", "add", "aurora", *granted, "--home", str(home)]) == 0
    yield home
