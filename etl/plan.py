"""A commit before it is made, as a value: all that is needed to finish it, or to forget it, after a crash. Pure."""

from dataclasses import dataclass, field
from typing import Any

from etl.union import Slot

LATEST_LOADS = 500
"""So far back `Ledger.latest` looks: a commit's cost must not grow with the history."""
BROUGHT_ROWS = ("loaded", "replaced")
"""Statuses of a load whose rows came into the table by it."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One Parquet file, on the disk for good. `partition` holds the transformed values, in the order of the layout
    (only the process that wrote it needs them)."""

    path: str
    rows: int
    size_bytes: int
    partition: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows of one unit a file holds: all of them, or those of one small unit among others."""

    file: WrittenFile
    rows: int


@dataclass(frozen=True, slots=True)
class Holding:
    """`unit` (a key, or `key!member`) holds `slot` from now on."""

    unit: str
    key: str
    source: str
    slot: str


@dataclass(frozen=True, slots=True)
class Piece:
    """How many rows of `slot` a data file has."""

    slot: str
    path: str
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Examined:
    """When a key was last looked into: the file's stamp, the digest of the contract, and what came of it.

    `outcome` is "held" (its sources are held as the ledger says), "failed" (some source failed) or "retracted". A
    member that was retracted by itself has one under its unit, with the stamp of the archive.
    """

    key: str
    source: str
    stamp: str
    contract: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LoadEntry:
    """One line of the history; `report` is its JSON object, None for a retraction."""

    load_id: str
    key: str
    unit: str
    status: str
    made_at: str
    report: dict[str, Any] | None = None

    def told(self, snapshot: str | None) -> dict[str, Any] | None:
        """The report with the snapshot that the load is in."""
        if self.report is None or self.status == "failed":
            return self.report
        return {**self.report, "snapshot": snapshot}


@dataclass(frozen=True, slots=True)
class PastLoad:
    """A line of the history; `current` says that its rows are in the table."""

    number: int
    dataset: str
    entry: LoadEntry
    current: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One commit. `restamps` maps an interpretation to the one that says the same now (a contract that Lakegate itself
    widened makes no row stale). `contract_text` is written behind the commit, if the file still has `contract_mark`.

    `moved` are pieces of slots that stay: their rows were in `removed_paths` and are in new files now. A plan of which
    that is all (compaction) has `keeps_rows`. `reject_paths` are files of the rejects table that `reject_files`
    replace.
    """

    commit_id: str
    dataset: str
    made_at: str
    changes_table: bool = False
    holdings: tuple[Holding, ...] = ()
    released: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    dropped: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    removed_paths: tuple[str, ...] = ()
    moved: tuple[Piece, ...] = ()
    keeps_rows: bool = False
    reject_paths: tuple[str, ...] = ()
    reject_files: tuple[WrittenFile, ...] = ()
    examined: tuple[Examined, ...] = ()
    loads: tuple[LoadEntry, ...] = ()
    restamps: dict[str, str] = field(default_factory=dict)
    rows_removed: int = 0
    contract_text: str | None = None
    contract_mark: str = ""

    @property
    def rows_added(self) -> int:
        """Rows in the files that the commit adds."""
        return sum(piece.rows for piece in self.pieces)
