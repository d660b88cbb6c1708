"""Checks of the home's folders, disk and SQLite files; the repairs that touch these alone."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from athena.errors import Damaged, Failed
from athena.settings import Settings
from athena.sqlite import translated
from etl.finding import REPAIR, Finding

LOW_DISK_BYTES = 2 * 1024**3
LOW_DISK_SHARE = 0.02

_DAMAGED = {
    "state.sqlite": "Restore a backup. Without one: stop Lakegate, move state.sqlite* out of the home, and run "
    "`lakegate doctor --repair`, which rebuilds heads and ledger from the tables; partners need new credentials.",
    "catalog.sqlite": f"{REPAIR} It moves the file aside and makes the catalog anew from the heads.",
    "cache.sqlite": f"{REPAIR} It is thrown away: answers are computed again.",
}


def check_folders(settings: Settings, *, repair: bool) -> Iterator[Finding]:
    """Every folder is there and can be written."""
    folders = (
        settings.landing,
        settings.contracts,
        settings.partners,
        settings.tables,
        settings.results,
        settings.reports,
    )
    for folder in folders:
        if not folder.is_dir():
            yield _missing(folder, repair=repair)
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield Finding("folders", folder.name, "error", f"{folder} cannot be written.", "Mend its permissions.")
    if os.access(settings.home, os.W_OK) and all(folder.is_dir() for folder in folders):
        yield Finding("folders", settings.home.name, "ok", "every folder is there and can be written")
    elif not os.access(settings.home, os.W_OK):
        yield Finding(
            "folders",
            settings.home.name,
            "error",
            f"{settings.home} is read-only.",
            "Mend its permissions or the mount.",
        )


def _missing(folder: Path, *, repair: bool) -> Finding:
    if not repair:
        return Finding("folders", folder.name, "warning", f"{folder} is missing.", REPAIR)
    folder.mkdir(parents=True, exist_ok=True)
    return Finding("folders", folder.name, "warning", f"{folder} was missing.", repaired=True)


def check_disk(settings: Settings) -> Iterator[Finding]:
    """There is room for another load."""
    usage = shutil.disk_usage(settings.home)
    said = f"{usage.free / 1024**3:.1f} GB free of {usage.total / 1024**3:.1f} GB"
    if usage.free < LOW_DISK_BYTES or usage.free < LOW_DISK_SHARE * usage.total:
        yield Finding("disk", settings.home.name, "warning", f"only {said}", "Make room, or move the home.")
    else:
        yield Finding("disk", settings.home.name, "ok", said)


def check_databases(settings: Settings, *, repair: bool) -> Iterator[Finding]:
    """The SQLite files are whole. A damaged cache is dropped, a damaged catalog moved aside, with `repair`."""
    for path in (settings.state, settings.catalog, settings.cache):
        if not path.exists():
            yield Finding("sqlite", path.name, "ok", "not there yet: it is made when it is needed")
            continue
        try:
            damage = damage_of(path)
        except Failed as error:
            yield Finding.of("sqlite", path.name, error)
            continue
        if damage is None:
            yield Finding("sqlite", path.name, "ok", "whole")
        elif repair and path != settings.state:
            aside = move_aside(path)
            yield Finding(
                "sqlite", path.name, "error", f"{path.name} was damaged: {damage}", f"It is {aside.name} now.", True
            )
        else:
            yield Finding("sqlite", path.name, "error", f"{path.name} is damaged: {damage}", _DAMAGED[path.name])


def damage_of(path: Path) -> str | None:
    """What is wrong with a SQLite file, None when nothing is. Raises `Failed` when that cannot be told: on a full disk,
    say, no file can be read whose log has to be taken in."""
    try:
        # Not read-only: a WAL that a crash left behind has to be taken in first.
        with translated(path), closing(sqlite3.connect(path, timeout=30)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except Damaged as error:
        return str(error.__cause__)
    return None if found == "ok" else str(found)


def move_aside(path: Path) -> Path:
    """Rename a SQLite file with its companions; its new name."""
    suffix = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for companion in ("-wal", "-shm", "-journal"):
        old = path.with_name(path.name + companion)
        if old.exists():
            old.rename(old.with_name(f"{path.name}{suffix}{companion}"))
    return path.rename(path.with_name(path.name + suffix))
