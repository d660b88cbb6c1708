"""The port of data files, and the embedded home's: a folder on the disk.

A data file is made once under a name of its own and never changed. Only the commit that names it makes it part of a
table; until then whoever made it removes it.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol


class NewFile(Protocol):
    """A file that is being written: `stream` takes its bytes in order. Nobody sees it before `keep`."""

    @property
    def location(self) -> str:
        """What names it from now on: a path, or an address."""
        ...

    @property
    def stream(self) -> BinaryIO:
        """Where its bytes go."""
        ...

    def keep(self) -> None:
        """Close it; from now on it is there, whatever happens to us."""
        ...

    def drop(self) -> None:
        """Close it and leave nothing of it."""
        ...


class Folder(Protocol):
    """Where the data files of one table lie."""

    def create(self, name: str) -> NewFile:
        """A new file; raises `OSError` when there is one of this name already, or no room."""
        ...

    def open(self, location: str) -> BinaryIO:
        """A finished file, seekable; the caller closes it."""
        ...

    def named(self, prefix: str) -> tuple[str, ...]:
        """Locations of all files whose names begin so."""
        ...

    def listing(self) -> Iterator[tuple[str, int]]:
        """Location and size in bytes of every file."""
        ...

    def remove(self, locations: Iterable[str]) -> None:
        """Remove files that no table knows; those that are not there are left alone."""
        ...


class LocalFolder:
    """A folder on the disk, made with its first file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str) -> "LocalFile":
        """A new file of that name."""
        self.path.mkdir(parents=True, exist_ok=True)
        return LocalFile(self.path / name)

    def open(self, location: str) -> BinaryIO:
        """A finished file."""
        return Path(location).open("rb")

    def named(self, prefix: str) -> tuple[str, ...]:
        """Paths of all files whose names begin so."""
        return tuple(str(path) for path in self.path.glob(f"{prefix}*"))

    def listing(self) -> Iterator[tuple[str, int]]:
        """Path and size of every file."""
        for path in sorted(self.path.glob("*")):
            with suppress(FileNotFoundError):  # removed meanwhile, with its commit
                if path.is_file():
                    yield str(path), path.stat().st_size

    def remove(self, locations: Iterable[str]) -> None:
        """Unlink them."""
        for location in locations:
            Path(location).unlink(missing_ok=True)


class LocalFile:
    """On the disk for good once it is kept."""

    def __init__(self, path: Path) -> None:
        self.location = str(path)
        self.stream: BinaryIO = path.open("xb")

    def keep(self) -> None:
        """Flush it through to the disk and close it, for reading only from now on."""
        self.stream.flush()
        os.fchmod(self.stream.fileno(), 0o444)
        os.fsync(self.stream.fileno())
        self.stream.close()

    def drop(self) -> None:
        """Close and unlink it."""
        self.stream.close()
        Path(self.location).unlink(missing_ok=True)
