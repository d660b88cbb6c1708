"""The contract of a dataset, as values: what its owner promises about the files. Pure.

Read from and written to `datasets/<name>.toml` by `contract_file.py`.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from typing import Literal

from athena.dataset import Column

READER_VERSION = 1
"""Part of a load's interpretation: rises when the same bytes and contract would give other rows."""


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What one source's files look like. None means: find out per file and record it in the report."""

    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    encoding: str | None = None
    header: bool | None = None
    decimal: str | None = None
    thousands: str | None = None
    null: tuple[str, ...] | None = None
    formats: dict[str, str] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    zone: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the table's files are laid out: Iceberg partition transforms and the sort columns."""

    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset's promises. `columns` is in the order of the table."""

    dataset: str
    columns: tuple[Column, ...]
    description: str = ""
    inferred: bool = True
    same_content: Literal["skip", "load"] = "skip"
    new_columns: Literal["add", "ignore", "reject"] = "add"
    max_rejected: float = 0.1
    layout: Layout = Layout()
    sources: dict[str, SourceRules] = field(default_factory=dict)

    def rules(self, source: str) -> SourceRules:
        """The rules of `source`; those of `default` (or none) when it is not named."""
        return self.sources.get(source) or self.sources.get("default") or SourceRules()

    def interpretations(self, *, reader: int) -> Callable[[str], str]:
        """`interpretation` by the name of a source, worked out once for each: a table may hold a hundred thousand
        contents of a few sources."""
        return cache(partial(self.interpretation, reader=reader))

    def interpretation(self, source: str, *, reader: int) -> str:
        """A digest of all that decides which rows a file of `source` gives; `reader` is the version of our reader.

        Not in it: what only describes (units, descriptions, sensitive), how much may be rejected, the layout, and
        whether the contract is confirmed.

        >>> contract = Contract("flights", ())
        >>> contract.interpretation("a", reader=1) == contract.interpretation("b", reader=1)
        True
        >>> contract.interpretation("a", reader=1) == contract.interpretation("a", reader=2)
        False
        """
        columns = [[column.name, str(column.type), column.required, column.allowed] for column in self.columns]
        parts = [reader, columns, self.same_content, self.new_columns, asdict(self.rules(source))]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
