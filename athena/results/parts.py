"""Whole answers as the Parquet files that an UNLOAD wrote: which they are, and the port of where they lie."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from athena.question import Page
from athena.records import decode, encode


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file with some of an answer's rows; `tag` is its ETag."""

    key: str
    tag: str
    size_bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them. They are in no order, neither the files nor the rows of two files."""

    files: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(one.rows for one in self.files)

    @property
    def size_bytes(self) -> int:
        """The bytes of all files."""
        return sum(one.size_bytes for one in self.files)

    @property
    def digest(self) -> str:
        """A digest of what they are."""
        return hashlib.sha256(encode(self)).hexdigest()


def as_page(parts: Parts) -> Page:
    """The parts as a flight keeps them."""
    return Page(encode(parts), parts.rows, None)


def of_page(page: Page) -> Parts:
    """What `as_page` kept."""
    return decode(Parts, page.fragment)


class PartStore(Protocol):
    """Where they lie."""

    def check(self, parts: Parts) -> None:
        """Raises `Gone` unless every file is there as it was written."""
        ...

    def link(self, part: Part, *, seconds: int, filename: str) -> str:
        """An address from which anybody may fetch the file for so long."""
        ...

    def chunks(self, part: Part) -> Iterator[bytes]:
        """The file's bytes. Raises `Gone`."""
        ...
