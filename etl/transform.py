"""The whole way from one opened file to typed batches, for `convert` and `ingest` alike.

Two passes over the source: `study` (what is this?) and `transform` (typed rows, rejects, a tally that balances).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from athena.dataset import Column
from etl.contract import Contract, SourceRules
from etl.dialect import Dialect
from etl.report import Reject, Skipped
from etl.source import Source

READER_VERSION = 1
"""Part of a load's interpretation: rises when the same bytes and contract would give other rows."""

Advance = Callable[[int], None]
"""Told how many decompressed bytes have been read in this pass so far."""


def no_advance(_bytes_read: int) -> None:
    """Where progress is told to nobody."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of physical lines and records. Tallies add up."""

    lines_in: int = 0
    lines_loaded: int = 0
    lines_rejected: int = 0
    lines_skipped: Mapping[str, int] = field(default_factory=dict)
    rows_loaded: int = 0
    rows_rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows_in(self) -> int:
        """Every record, loaded or rejected."""
        return self.rows_loaded + self.rows_rejected

    @property
    def rejected_share(self) -> float:
        """Rejected records among all, 0 to 1; 0 for a file without records."""
        return self.rows_rejected / self.rows_in if self.rows_in else 0.0

    @property
    def balances(self) -> bool:
        """Whether every line in is accounted for."""
        return self.lines_in == self.lines_loaded + self.lines_rejected + sum(self.lines_skipped.values())

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Study:
    """What the first pass found out.

    `columns` is what the file should be loaded as: the contract's columns, with those that the file adds at the
    end (`added`); or the inferred ones where there is no contract; or the contract's, legally widened, while it is
    `inferred`. `rules` are the rules given, completed by what inference decided (`formats`, `decimal`, …): they
    are what a first contract is written with. `lines` and `size_bytes` are of the decompressed file.
    """

    content: str
    size_bytes: int
    lines: int
    dialect: Dialect
    columns: tuple[Column, ...]
    rules: SourceRules
    added: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Portion:
    """About 8 MB of the file: good rows (`rows`, in the order of the columns asked for, without system columns),
    the first physical line of each, and everything that is not a good row. `tally` counts this portion alone."""

    rows: pa.RecordBatch
    first_lines: pa.Int64Array
    rejects: tuple[Reject, ...]
    skipped: tuple[Skipped, ...]
    tally: Tally


def study(
    source: Source, *, contract: Contract | None, rules: SourceRules, text: bool = False, advance: Advance = no_advance
) -> Study:
    """The first pass: content hash, dialect, and types where no confirmed contract gives them.

    `text` makes every column a string. Raises `Refused`: "empty-file" (zero bytes), "not-text" (binary),
    "encoding" (cannot be decoded as the rules say), "contract-mismatch" (a required column is missing, or new
    columns where the contract rejects them), "type-conflict" (cannot be widened legally).
    """
    raise NotImplementedError


def transform(
    source: Source,
    studied: Study,
    columns: Sequence[Column],
    rules: SourceRules,
    *,
    advance: Advance = no_advance,
    threads: int = 2,
) -> Iterator[Portion]:
    """The second pass: typed rows in the order of the file, by `columns` (usually `studied.columns`, with field ids).

    A column that the file does not have is NULL. Memory is bounded by a few blocks. The portions' tallies add up
    to the whole file; when they do not balance the last step raises `Damaged` ("unbalanced"), and when the file is not
    the studied one any more `Failed` ("file-changed").
    """
    raise NotImplementedError


def with_origin(portion: Portion, *, file: str, content: str, loaded_at: datetime) -> pa.RecordBatch:
    """The portion's rows with the system columns (`athena.dataset.SYSTEM_COLUMNS`) at the end."""
    raise NotImplementedError


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of `columns`; fields carry `PARQUET:field_id` where the column has one, and are not nullable
    where it is required."""
    raise NotImplementedError
