"""Files that were read, before anything is decided about them: values. Pure."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from athena.dataset import Column
from etl.contract import Contract
from etl.contract_text import contract_text
from etl.evolve import Evolution
from etl.landing import Key, Landed
from etl.plan import Share, WrittenFile
from etl.report import Report


def mark_of(text: str | None) -> str:
    """A short mark of a contract's text: a file that failed is worth another look when it has changed.

    >>> mark_of(None), len(mark_of("inferred = true"))
    ('', 32)
    """
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Order:
    """Files of one dataset that somebody wants loaded in one commit. `retype` allows columns to change their type,
    provided that no row of before stays; with `anew` members of archives are loaded again that were retracted. Of
    keys that were `listed` those are passed over whose files are gone by now."""

    dataset: str
    keys: tuple[Key, ...]
    progress: Callable[[str, int, int, int], None]
    retype: bool = False
    anew: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What a reading was built on: when this is another one now, the files have to be read again.

    `contract_text` is None without a contract file; `columns` are the table's, empty while there is none.
    """

    contract: Contract | None
    contract_text: str | None
    columns: tuple[Column, ...]
    last_id: int

    def same(self, other: "Base") -> bool:
        """Whether `other` gives the same rows and the same field ids."""
        return self.contract_text == other.contract_text and self.columns == other.columns


@dataclass(frozen=True, slots=True)
class Work:
    """Files of one dataset that are to be read for one commit."""

    commit_id: str
    dataset: str
    base: Base
    landed: tuple[Landed, ...]
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """What the files of a batch that were read before make of contract and table, and the slots that they hold.
    `retype` allows columns to change their type."""

    contract: Contract | None
    columns: tuple[Column, ...]
    last_id: int
    slots: frozenset[str] = frozenset()
    retype: bool = False

    @classmethod
    def at(cls, base: Base, *, retype: bool = False) -> "Begun":
        """Where a batch begins."""
        return cls(base.contract, base.columns, base.last_id, retype=retype)


@dataclass(frozen=True, slots=True)
class UnitRead:
    """One source of a key. `slot` is None when it failed; `shares` tell where its rows are. They are None when its rows
    were not read because the slot was in the table already (or comes from another unit of the batch)."""

    unit: str
    source: str
    load_id: str
    report: Report
    slot: str | None = None
    size_bytes: int = 0
    shares: tuple[Share, ...] | None = None


@dataclass(frozen=True, slots=True)
class KeyRead:
    """One landing file as it was when it was read; without units when it could not even be opened."""

    key: Key
    stamp: str
    units: tuple[UnitRead, ...]
    report: Report | None = None

    @property
    def failed(self) -> bool:
        """Whether anything in it failed."""
        return self.report is not None or any(unit.slot is None for unit in self.units)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one dataset for one commit. `contract` and `evolution` are what they make of contract and table;
    `first_columns` is what a table that does not exist yet is created with. `retyped` columns allow no row to stay."""

    commit_id: str
    dataset: str
    base: Base
    keys: tuple[KeyRead, ...]
    contract: Contract | None
    evolution: Evolution | None
    first_columns: tuple[Column, ...]
    reject_files: tuple[WrittenFile, ...]
    retyped: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, WrittenFile]:
        """The data files by path."""
        return {share.file.path: share.file for key in self.keys for unit in key.units for share in unit.shares or ()}

    @property
    def contract_mark(self) -> str:
        """The mark of the contract file as it is once this batch is committed."""
        if self.rewrites_contract and self.contract is not None:
            return mark_of(contract_text(self.contract))
        return mark_of(self.base.contract_text)

    @property
    def rewrites_contract(self) -> bool:
        """Whether the contract file has to be written: the first one, or an inferred one that was widened."""
        return self.contract is not None and self.contract != self.base.contract
