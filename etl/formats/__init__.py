"""Files that are no CSV: JSON Lines, Excel, Parquet. What one is, its first bytes say; its suffix only helps.

Each format is a reader that gives sheaves: some records as columns of text, with what was text in the file and what had
a type of its own told apart. From there on (`etl/tabular.py`) all are standardised by the same contract.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol

import pyarrow as pa

from athena.dataset import DataType
from athena.errors import Refused
from etl.report import Reject, Skipped
from etl.source import Source

Format = Literal["csv", "jsonl", "xlsx", "parquet"]

_JSON_SUFFIXES = (".jsonl", ".ndjson")
_PACKED_SUFFIX = re.compile(r"\.(gz|bz2|xz|zst)\Z", re.IGNORECASE)
# An array of objects; an object that goes on behind its first line.
_DOCUMENT = re.compile(rb'\[\s*\{\s*"|\{\s*\n\s*"|\{\s*"[^\n]*(?:[\[{]|[^}\s],)[ \t]*\r?\n')
_FIRST_BYTES = 64 * 1024
_WORKBOOK = b"[Content_Types].xml"


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of one sheaf: each value as text, null where there is none. `typed` marks those that had a type of
    their own in the file (numbers, dates, truth values; None: all had), written as ISO 8601 and Python write them.
    `native` are the same values in their own Arrow type, where the file has one for the column."""

    text: pa.StringArray
    typed: pa.BooleanArray | None = None
    native: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class Sheaf:
    """Some records. `units` counts everything in it (lines or rows, whatever the format counts by), `numbers` are the
    1-based places of its records; `place` gives first and last byte and the text of a record (0-based), for rejects."""

    units: int
    numbers: Sequence[int]
    cells: Mapping[str, Cells]
    place: Callable[[int], tuple[int, int, str]]
    rejects: tuple[Reject, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    blank: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader says of the file as a whole. `declared` are types that the file itself gives its columns; where
    they are not `named`, headings only count them."""

    headings: tuple[str, ...] = ()
    named: bool = True
    declared: Mapping[str, DataType] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Reader(Protocol):
    """One format. Raises `Refused` for a file that is not what it seems."""

    seeks: bool  # whether the stream must be seekable

    def tell(self, stream: BinaryIO) -> Told:
        """What the head of the file says; where headings are empty they are those that sheaves bring."""
        ...

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """The file's records in order, in bounded portions, from a stream at its first byte."""
        ...


def format_named(name: str) -> Format:
    """What a file of this name should be.

    >>> format_named("sales/may.jsonl.gz"), format_named("sales/may.txt")
    ('jsonl', 'csv')
    """
    name = _PACKED_SUFFIX.sub("", name).lower()
    if name.endswith((*_JSON_SUFFIXES, ".json")):
        return "jsonl"
    if name.endswith((".xlsx", ".xlsm", ".xls")):
        return "xlsx"
    return "parquet" if name.endswith(".parquet") else "csv"


def format_of(source: Source) -> Format:
    """What the source is. Raises as `Source.open`, and `Refused` ("format-unsupported") for a JSON document."""
    with closing(source.open()) as stream:
        first = stream.read(_FIRST_BYTES)
    if first.startswith(b"PAR1"):
        return "parquet"
    if first.startswith(b"PK\x03\x04") and (_WORKBOOK in first or source.name.lower().endswith((".xlsx", ".xlsm"))):
        return "xlsx"
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PACKED_SUFFIX.sub("", source.name).lower().endswith(_JSON_SUFFIXES):
        return "jsonl"
    if _DOCUMENT.match(text) or (_PACKED_SUFFIX.sub("", source.name).lower().endswith(".json") and text[:1] == b"["):
        raise Refused(
            f"{source.name} is one JSON document, not one object per line.",
            "Write it as JSON Lines: `jq -c '.[]' FILE > FILE.jsonl` does for an array.",
            code="format-unsupported",
        )
    if re.match(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:', text):
        return "jsonl"
    return "csv"


@contextmanager
def seekable(source: Source) -> Iterator[BinaryIO]:
    """The source's bytes as a stream that can go back: the file itself, or a copy on the disk of what is packed."""
    with closing(source.open()) as stream:
        if stream.seekable():
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy, 4 * 1024 * 1024)
            copy.seek(0)
            yield copy
