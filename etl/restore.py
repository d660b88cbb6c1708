"""A home made from its backup: whole, or not at all."""

import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import IO

from athena.errors import Damaged, Refused
from athena.settings import read_settings
from etl.backup import FORMAT, MAKE_ROOM, MANIFEST, PLAIN, Backup, Hashed
from etl.disk import writing
from etl.landing import FolderLanding, key_of, parse_key
from etl.moved import move_home

_COPY_BYTES = 4 * 1024 * 1024


def restore(file: Path, home: Path) -> Backup:
    """Make `home` what the backup holds, every file compared with its digest first; nothing is there otherwise.

    Another path than the backup's is written into all that names files by it. Raises `Refused` ("home-exists",
    "no-such-file") and `Damaged` ("backup-damaged").
    """
    if not file.is_file():
        raise Refused(f"{file} is no file.", "Name a backup.", code="no-such-file")
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Refused(
            f"{home} is not empty: a restore overwrites nothing.",
            "Move what is there aside, then restore again.",
            code="home-exists",
        )
    home = home.resolve()
    part = home.with_name(f".{home.name}.restoring")
    with writing(home, MAKE_ROOM):
        shutil.rmtree(part, ignore_errors=True)
        try:
            told = _extracted(file, part)
            if told.home != str(home):
                move_home(part, told.home, str(home))
            _restamp(part)
            # An archive of files has no empty folders, and none of answers.
            for name in (*PLAIN, "tables", "results"):
                (part / name).mkdir(mode=0o700 if name == "keys" else 0o777, exist_ok=True)
            if home.exists():
                home.rmdir()
            part.rename(home)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    read_settings(home)
    return told


def _restamp(home: Path) -> None:
    """Let the ledger know landing files by their new times and places on the disk: they are the same files, so that
    what was retracted is not loaded again."""
    landing = FolderLanding(home / "landing")
    if not (home / "state.sqlite").exists() or not landing.root.exists():
        return
    with closing(sqlite3.connect(home / "state.sqlite")) as state, state:
        there = state.execute("SELECT 1 FROM sqlite_master WHERE name = 'examined'").fetchone()
        for key, stamp in state.execute("SELECT key, stamp FROM examined").fetchall() if there else ():
            landed = landing.get(parse_key(key_of(key)))
            if landed is not None and stamp.startswith(f"{landed.size_bytes}-{int(landed.modified_at_seconds)}"):
                state.execute("UPDATE examined SET stamp = ? WHERE key = ?", (landed.stamp, key))


def _extracted(file: Path, folder: Path) -> Backup:
    digests: dict[str, str] = {}
    told: dict[str, object] = {}
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                stream = tar.extractfile(member)
                target = (folder / member.name).resolve()
                if stream is None or not target.is_relative_to(folder.resolve()):
                    raise _damaged(file, f"it holds {member.name!r}, which is no file of a home")
                if member.name == MANIFEST:
                    told = json.loads(stream.read())
                    continue
                digests[member.name] = _extract(member, stream, target)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _damaged(file, str(error) or "it ends too early") from error
    if told.get("format") != FORMAT:
        what = "it has no manifest" if not told else f"its format is {told.get('format')}, this Lakegate reads {FORMAT}"
        raise _damaged(file, what)
    if told["files"] != digests:
        wanted = told["files"]
        assert isinstance(wanted, dict)  # noqa: S101 written by `backup`
        wrong = sorted(name for name in {*wanted, *digests} if wanted.get(name) != digests.get(name))
        raise _damaged(file, f"{len(wrong)} files are not what they were, among them {wrong[0]}")
    return Backup(file, str(told["home"]), str(told["made_at"]), len(digests), file.stat().st_size)


def _extract(member: tarfile.TarInfo, stream: IO[bytes], target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent.name == "keys":
        target.parent.chmod(0o700)
    hashed = Hashed(stream)
    with target.open("xb") as written:
        while data := hashed.read(_COPY_BYTES):
            written.write(data)
        written.flush()
        os.fsync(written.fileno())
    target.chmod(member.mode & 0o777)
    moment = int(member.mtime * 1_000_000_000)
    os.utime(target, ns=(moment, moment))
    return hashed.digest.hexdigest()


def _damaged(file: Path, why: str) -> Damaged:
    return Damaged(
        f"{file} cannot be restored: {why}.", "Nothing was changed; use another backup.", code="backup-damaged"
    )
