"""The demo's home: made anew each time, and never over anything that is not a demo's."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from athena.errors import Failed, Refused
from athena.settings import Settings
from lakegate.home import init_home

MARK = ".lakegate-demo"


@contextmanager
def demo_home(folder: Path) -> Iterator[Settings]:
    """A fresh home at `folder`, held against a second demo as long as the block lasts.

    Raises `Refused`: `demo-home` when something else lies there, `demo-running` while another demo uses it.
    """
    mark = folder / MARK
    if folder.exists() and not mark.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(
            f"{folder} is there already and was not made by the demo.",
            "Name another place with `lakegate demo --home FOLDER`.",
            code="demo-home",
        )
    try:
        if mark.is_file():
            with mark.open("w") as held:
                _lock(held.fileno(), folder)
                shutil.rmtree(folder)
        settings = init_home(folder)
        with mark.open("w") as held:
            _lock(held.fileno(), folder)
            yield settings
    except OSError as error:
        raise Failed(
            f"{folder} cannot be used for the demo: {error.strerror}.",
            "Name a folder on a disk with room that you may write to, with --home.",
            code="home-unwritable",
        ) from error


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refused(
            f"Another demo is running in {folder}.",
            "Stop it with Ctrl-C, or name another place with --home.",
            code="demo-running",
        ) from error
