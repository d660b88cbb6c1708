"""What landed: keys, listing, and how a file gets there.

A key is `<dataset>/<source>/<name>` or `<dataset>/<name>` (source `default`); deeper folders belong to the name.
"""

import io
import os
import re
import secrets
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from athena.dataset import check_dataset_name
from athena.errors import Failed, Refused
from etl.source import Source, Stored, ignored, sources_in, sources_of

__all__ = ["DEFAULT_SOURCE", "FolderLanding", "Key", "Landed", "Source", "ignored", "parse_key", "sources_of"]

DEFAULT_SOURCE = "default"
MEMBER_MARK = "!"
# What a stamp of a folder's file ends in: when its inode changed, and which that is.
_OF_INODE = re.compile(r"(?<=\d)-\d+-\d+$")
MAX_KEY_BYTES = 1024  # as in S3, so that a home can move there


@dataclass(frozen=True, slots=True)
class Key:
    """A landing key, taken apart. `text` is the whole of it."""

    text: str
    dataset: str
    source: str
    name: str


@dataclass(frozen=True, slots=True)
class Landed:
    """A file that lies in landing. `stamp` changes whenever the bytes may have (size, times, inode); `without` names
    members of an archive that are not to be read."""

    key: Key
    stamp: str
    size_bytes: int
    modified_at_seconds: float
    without: tuple[str, ...] = ()


def parse_key(text: str) -> Key:
    """The parts of a key; `Refused` ("landing-key") when it is none.

    >>> parse_key("flights/lufthansa/2026/may.csv")
    Key(text='flights/lufthansa/2026/may.csv', dataset='flights', source='lufthansa', name='2026/may.csv')
    >>> parse_key("flights/may.csv").source
    'default'
    """
    parts = text.split("/")
    if len(parts) < 2:
        raise _no_key(text, "it names no dataset")
    if any(part in ("", ".", "..") for part in parts):
        raise _no_key(text, "it has an empty part or dots instead of a name")
    if not text.isprintable() or MEMBER_MARK in text or len(text.encode(errors="replace")) > MAX_KEY_BYTES:
        raise _no_key(text, f"it has control characters or a {MEMBER_MARK!r}, or is longer than {MAX_KEY_BYTES} bytes")
    source = parts[1] if len(parts) > 2 else DEFAULT_SOURCE
    return Key(text, check_dataset_name(parts[0]), source, "/".join(parts[2:] if len(parts) > 2 else parts[1:]))


def _no_key(text: str, why: str) -> Refused:
    return Refused(
        f"{text!r} is no landing key: {why}.", "Use <dataset>/<name> or <dataset>/<source>/<name>.", code="landing-key"
    )


def key_of(unit: str) -> str:
    """The key of a unit.

    >>> key_of("flights/may.zip!a.csv"), key_of("flights/may.csv")
    ('flights/may.zip', 'flights/may.csv')
    """
    return unit.partition(MEMBER_MARK)[0]


def untouched(before: str, now: str) -> bool:
    """Whether nobody wrote a file between two stamps of it. Its mode, its owner and its other names may have changed.

    >>> untouched("7-1700-1800-42", "7-1700-1900-42"), untouched("7-1700-1800-42", "7-1750-1800-42")
    (True, False)
    """
    return _OF_INODE.sub("", before) == _OF_INODE.sub("", now)


def file_changed(key: str) -> Failed:
    """What is raised when a file is not the one any more that was begun with."""
    return Failed(f"{key} changed while it was read.", "It is read anew when it has settled.", code="file-changed")


def checked_key(file: Path, *, dataset: str, source: str = DEFAULT_SOURCE) -> Key:
    """The key that a file gets in landing. Raises `Refused` for what is no file, or no key."""
    folder = dataset if source == DEFAULT_SOURCE else f"{dataset}/{source}"
    key = parse_key(f"{folder}/{file.name}")
    if ignored(key.name):
        raise Refused(f"{file.name!r} is a name that landing ignores.", "Rename the file.", code="landing-key")
    if not file.is_file():
        raise Refused(f"{file} is no file.", "Name a file that exists.", code="no-such-file")
    return key


def checked_keys(files: Sequence[Path], *, dataset: str, source: str = DEFAULT_SOURCE) -> tuple[Key, ...]:
    """The keys that files get together. Raises `Refused` as `checked_key` does, and when two would get the same."""
    counts = Counter(file.name for file in files)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise Refused(
            f"Two of the files are called {twice!r}: in landing the second would replace the first.",
            "Load them one after the other, under different names or sources.",
            code="landing-key",
        )
    return tuple(checked_key(file, dataset=dataset, source=source) for file in files)


class FolderLanding:
    """Landing as a folder of the home. Files are read where they lie and never moved or removed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def listing(self, dataset: str | None = None) -> Iterator[Landed]:
        """Everything that lies there under a valid key, by key. What cannot be looked at is passed over (`misplaced`
        tells it); raises `Failed` when the folder itself cannot be listed."""
        found = []
        for text, entry in self._walk(dataset or "", []):
            try:
                landed = self._seen(text, entry)
            except (Refused, Failed):
                continue
            if landed is not None:
                found.append(landed)
        yield from sorted(found, key=lambda one: one.key.text)

    def misplaced(self, dataset: str | None = None) -> tuple[Refused | Failed, ...]:
        """Why files that lie there are nobody's: no dataset's name above them, or a link that leads out. `Failed` for
        what cannot be looked at."""
        unlisted: list[Failed] = []
        found: list[tuple[str, Refused | Failed]] = []
        for text, entry in self._walk(dataset or "", unlisted):
            try:
                self._seen(text, entry)
            except (Refused, Failed) as error:
                found.append((text, error))
        return (*(error for _, error in sorted(found, key=lambda one: one[0])), *unlisted)

    def get(self, key: Key) -> Landed | None:
        """The file as it is now, None when it is gone (or no file). Raises `Refused` for a link that leads out."""
        try:
            found = self._plain(key) or self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unseen(key, error) from error
        return _landed(key, found)

    def sources(self, landed: Landed) -> tuple[Source, ...]:
        """The file's sources; raises `Refused` or `Failed`."""
        name = landed.key.text
        try:
            found = self._plain(landed.key)
        except OSError:
            found = None  # whoever opens it says what is wrong
        if found is None:
            return sources_of(self._path(landed.key), name)
        path = f"{self.root}/{name}"
        return sources_in(Stored(lambda: cast(BinaryIO, io.FileIO(path)), found.st_size), name)

    def put(self, file: Path, *, dataset: str, source: str = DEFAULT_SOURCE) -> Key:
        """Copy a file in, all at once (under a temporary name, then renamed); its key. A file that lies there
        already under that key stays as it is."""
        key = checked_key(file, dataset=dataset, source=source)
        target = self._path(key)
        with _copying(file, target):
            if not (target.exists() and target.samefile(file)):
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(file, target)
        return key

    def holds(self, dataset: str) -> bool:
        """Whether there is a folder for the dataset."""
        return (self.root / dataset).is_dir()

    def _plain(self, key: Key) -> os.stat_result | None:
        """What lies there, None where a link stands on the way to it: only that can lead out of landing."""
        *folders, name = key.text.split("/")
        at = os.fspath(self.root)
        for folder in folders:
            at = f"{at}/{folder}"
            if stat.S_ISLNK(os.lstat(at).st_mode):
                return None
        found = os.lstat(f"{at}/{name}")
        return None if stat.S_ISLNK(found.st_mode) else found

    def _path(self, key: Key) -> Path:
        path = self.root / key.text
        # Not `Path.resolve`, which has an error of its own for links that lead in a circle.
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
            raise _no_key(key.text, "it leads out of the landing folder")
        return path

    def _seen(self, text: str, entry: os.DirEntry[str]) -> Landed | None:
        """What an entry of a folder is. Raises as `parse_key` and `get`."""
        key = parse_key(text)
        # Only a link can lead out of landing, and only then is it worth the price of finding out.
        if entry.is_symlink():
            return self.get(key)
        try:
            return _landed(key, entry.stat())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unseen(key, error) from error

    def _walk(
        self, folder: str, unlisted: list[Failed], *, below: bool = False
    ) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Files below `folder` by their key's text; folders that are links are not followed. One further down that
        cannot be listed goes to `unlisted`: it holds up no other."""
        try:
            entries = list(os.scandir(self.root / folder))
        except OSError as error:
            if folder and isinstance(error, FileNotFoundError):
                return  # it is gone again
            trouble = _unlisted(self.root / folder, error)
            if not below:
                raise trouble from error
            unlisted.append(trouble)
            return
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if ignored(entry.name):
                continue
            # Nothing below a name that is too long for a key can have one.
            if entry.is_dir(follow_symlinks=False) and len(name) <= MAX_KEY_BYTES:
                yield from self._walk(name, unlisted, below=True)
            else:
                yield name, entry


def _unlisted(folder: Path, error: OSError) -> Failed:
    return Failed(f"{folder} cannot be listed: {error.strerror}.", "Check that it is there, and its permissions.")


def _unseen(key: Key, error: OSError) -> Failed:
    return Failed(f"{key.text} cannot be looked at: {error.strerror}.", "Check its permissions.")


def _landed(key: Key, found: os.stat_result) -> Landed | None:
    if not stat.S_ISREG(found.st_mode):
        return None
    stamp = f"{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_ino}"
    return Landed(key, stamp, found.st_size, found.st_mtime)


def _copy(file: Path, target: Path) -> None:
    # The temporary name is one that landing ignores, in the same folder: a rename is atomic only there.
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with file.open("rb") as read, temporary.open("xb") as write:
            shutil.copyfileobj(read, write, 8 * 1024 * 1024)
            write.flush()
            os.fsync(write.fileno())
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _copying(file: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Failed(
            f"{file} could not be copied to {target.parent}: {error.strerror}.",
            "Check that the file can be read and that the disk is writable and has room; nothing was changed.",
            code="disk",
        ) from error
