"""Which folder is the home: found from where the command runs, or made new."""

import os
from collections.abc import Mapping
from pathlib import Path

from athena.errors import Failed, Refused
from athena.settings import HOME_FILE, HOME_VERSION, Settings, read_settings

HOME_VARIABLE = "LAKEGATE_HOME"

HOME_TEXT = f"""\
# The settings of this Lakegate home. All of them, with their defaults: docs/settings.md
version = {HOME_VERSION}
name = "lake"          # the database's name in SQL: SELECT … FROM lake.flights
"""


def find_home(given: Path | None, environment: Mapping[str, str], folder: Path) -> Path:
    """The home that a command means: `--home`, else LAKEGATE_HOME, else `folder` or the nearest one above it.

    Raises `Refused` (`no-home`) when there is none. What was named is taken at its word: no search above it.
    """
    named = given or (Path(environment[HOME_VARIABLE]) if environment.get(HOME_VARIABLE) else None)
    if named is not None:
        return read_settings(named).home
    nearest = nearest_settings(folder)
    if nearest is not None:
        return read_settings(nearest.parent).home
    raise Refused(
        f"There is no Lakegate home here: neither {folder} nor a folder above it has a {HOME_FILE}.",
        "Make one with `lakegate init HOME`, or name one with --home HOME or LAKEGATE_HOME.",
        code="no-home",
    )


def nearest_settings(folder: Path) -> Path | None:
    """The settings file in `folder` or the nearest one above it."""
    found = (candidate / HOME_FILE for candidate in (folder, *folder.parents))
    return next((path for path in found if path.is_file()), None)


def current_home(given: Path | None) -> Path:
    """The same for this process, from its own environment and current folder."""
    return find_home(given, os.environ, Path.cwd())


def init_home(folder: Path) -> Settings:
    """Make `folder` a home: its settings file and its empty folders; what is already there stays as it is.

    Raises `Refused` (`home-exists`) when it is one, `Refused` (`home-not-empty`) when foreign files lie in it.
    """
    if (folder / HOME_FILE).exists():
        raise Refused(
            f"{folder} is a Lakegate home already.", "Use it as it is, or name another folder.", code="home-exists"
        )
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Refused(
                f"{folder} is not empty and is no Lakegate home.",
                "Name an empty folder, or one that does not exist yet.",
                code="home-not-empty",
            )
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(home=folder.resolve())
        _make_folders(settings)
        (folder / HOME_FILE).write_text(HOME_TEXT, encoding="utf-8")
    except OSError as error:
        raise Failed(
            f"{folder} cannot be made a home: {error.strerror}.",
            "Choose a folder that you may write to, on a disk with room.",
            code="home-unwritable",
        ) from error
    return read_settings(folder)


def _make_folders(settings: Settings) -> None:
    for made in (
        settings.landing,
        settings.contracts,
        settings.partners,
        settings.tables,
        settings.results,
        settings.reports,
    ):
        made.mkdir(exist_ok=True)
    settings.keys.mkdir(mode=0o700, exist_ok=True)
