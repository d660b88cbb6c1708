"""A home as one file, taken while the home runs (`restore.py`: and back again).

State and catalog are copied while nobody can write the state: as no commit begins or ends without it, the copy is what
a crash at that instant would have left, which the next load resolves. The files that the copied catalog names come
after: nothing removes them before a day has passed.
"""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from athena.errors import Damaged, Failed, Refused
from athena.settings import HOME_FILE, Settings
from athena.sqlite import translated
from etl.disk import writing
from etl.ledger import SqliteLedger
from etl.source import ignored

MANIFEST = "manifest.json"
FORMAT = 1
MAKE_ROOM = "Make room, or name another place; nothing was changed."
PLAIN = ("landing", "datasets", "partners", "reports", "keys")
_DATABASES = ("state.sqlite", "catalog.sqlite")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    file: Path
    home: str
    made_at: str
    files: int
    size_bytes: int


def backup(settings: Settings, file: Path, *, clock: Callable[[], datetime]) -> Backup:
    """Write the home to `file` (a tar), whole or not at all; answers and their cache are left out.

    Raises `Refused` ("file-exists"), `Failed` ("disk", "file-changed", "unreadable") and `Damaged` for tables with
    missing files.
    """
    if file.exists():
        raise Refused(f"{file} exists already.", "Name a file that does not.", code="file-exists")
    part = file.with_name(f".{file.name}.part")
    made_at = clock().isoformat()
    with writing(file, MAKE_ROOM), tempfile.TemporaryDirectory() as folder:
        copies = _copied(settings, Path(folder))
        try:
            # Two names of one file are two files: nobody could restore the second by its own bytes.
            with tarfile.open(part, "w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
                digests = {}
                for name, path, needed in _members(settings, copies):
                    try:
                        digests[name] = _add(tar, path, name)
                    except FileNotFoundError as error:
                        if needed:
                            raise _lost(path) from error
                told = {"format": FORMAT, "home": str(settings.home), "made_at": made_at, "files": digests}
                _add_text(tar, MANIFEST, json.dumps(told, indent=1))
            with part.open("rb") as written:
                os.fsync(written.fileno())
            size_bytes = part.stat().st_size
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return Backup(file, str(settings.home), made_at, len(digests), size_bytes)


def _copied(settings: Settings, folder: Path) -> dict[str, Path]:
    """State and catalog as they are at one instant."""
    with (
        translated(settings.state),
        closing(sqlite3.connect(settings.state, timeout=30, isolation_level=None)) as gate,
    ):
        gate.execute("BEGIN IMMEDIATE")
        copies = {name: _database(settings.home / name, folder / name) for name in _DATABASES}
        gate.execute("ROLLBACK")
    return {name: path for name, path in copies.items() if path is not None}


def _database(path: Path, copy: Path) -> Path | None:
    if not path.exists():
        return None
    with (
        translated(path),
        closing(sqlite3.connect(path, timeout=30)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def _members(settings: Settings, copies: dict[str, Path]) -> Iterator[tuple[str, Path, bool]]:
    """Name in the archive and path of every file, and whether it may not be missing; tables first."""
    for name, copy in copies.items():
        yield name, copy, True
    needed = _table_files(settings, copies["catalog.sqlite"]) if "catalog.sqlite" in copies else set()
    planned = _planned_files(copies["state.sqlite"]) - needed
    for path in sorted(needed | planned):
        yield str(path.relative_to(settings.home)), path, path in needed
    yield HOME_FILE, settings.home / HOME_FILE, True
    landing = settings.landing.resolve()
    for folder in PLAIN:
        for path in sorted(_plain_files(settings.home / folder)):
            # What a link in landing names outside of it is nobody's; as a file it would be loaded.
            if folder == "landing" and path.is_symlink() and not path.resolve().is_relative_to(landing):
                continue
            if folder in ("keys", "reports") or not ignored(path.name):
                yield str(path.relative_to(settings.home)), path, False


def _plain_files(folder: Path) -> Iterator[Path]:
    """Every file below a folder. Raises `Failed` where one cannot be listed: a backup leaves nothing out silently."""

    def unlisted(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise _unread(error.filename, error) from error

    for at, _, names in os.walk(folder, onerror=unlisted):
        try:
            yield from [path for name in names if (path := Path(at, name)).is_file()]
        except OSError as error:
            raise _unread(at, error) from error


def _unread(path: object, error: OSError) -> Failed:
    return Failed(
        f"{path} cannot be read: {error.strerror}.", "Mend its permissions; no backup was made.", code="unreadable"
    )


def _planned_files(state: Path) -> set[Path]:
    """The files of commits that were half done at that instant: whoever restores finishes them."""
    ledger = SqliteLedger(state)
    plans = [plan for dataset in ledger.unresolved() for plan, _ in ledger.open_plans(dataset)]
    pieces = {Path(piece.path) for plan in plans for piece in (*plan.pieces, *plan.moved)}
    return pieces | {Path(file.path) for plan in plans for file in plan.reject_files}


def _lost(path: Path) -> Damaged:
    return Damaged(
        f"{path} is not there, though the home needs it.",
        "Run `lakegate doctor` on this home: it says what can be rebuilt.",
        code="state-damaged",
    )


def _table_files(settings: Settings, catalog: Path) -> set[Path]:
    from pyiceberg.table import StaticTable

    from athena.heads.catalog import CatalogFile
    from etl.garbage import named
    from etl.iceberg_errors import translated
    from etl.rebuild import plain_path

    found: set[Path] = set()
    copy = CatalogFile(catalog, settings.name)
    for table in copy.datasets():
        with translated(table):
            metadata = StaticTable.from_metadata(plain_path(copy.location(table)))
        found |= {Path(path) for path in named(metadata, set(), history=False)}
    return found


class Hashed:
    """A stream whose digest is known once it was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unread(path, error) from error


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    with _opened(path) as stream:
        hashed = Hashed(stream)
        try:
            tar.addfile(tar.gettarinfo(arcname=name, fileobj=stream), hashed)
        except OSError as error:
            if error.errno is not None:
                raise
            raise Failed(f"{path} became shorter while it was copied.", "Run it again.", code="file-changed") from error
    return hashed.digest.hexdigest()


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
