"""THE WRITE STORY: a file that landed becomes rows that can be asked for, or a report that says why not.

landing → sources → study (dialect, types) → transform (blocks, rejects) → write (Parquet)
        → lease → plan → intent → commit → rejects → ledger → event → head
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from etl.intake import Intake
from etl.report import Report

Progress = Callable[[str, int, int], None]
"""Told the source's name, bytes read so far and bytes in all (decompressed; 0 when unknown)."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation did: reports of what was read, keys whose files are gone (their rows stay)."""

    reports: tuple[Report, ...]
    vanished: tuple[str, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class Load:
    """One line of the history."""

    load_id: str
    dataset: str
    file: str
    status: Literal["loaded", "replaced", "duplicate", "unchanged", "failed", "retracted"]
    made_at: datetime
    current: bool
    """Whether rows of this load are in the table now."""
    report: Report | None


def ingest(intake: Intake, key: str, *, progress: Progress | None = None) -> tuple[Report, ...]:
    """Load the file at `key` as it is now; one report per source (a zip has several)."""
    raise NotImplementedError


def load_files(
    intake: Intake,
    files: Sequence[Path],
    *,
    dataset: str,
    source: str = "default",
    progress: Progress | None = None,
) -> tuple[Report, ...]:
    """Copy files into landing and load them, as few commits as may be. Reports in the order of `files`."""
    raise NotImplementedError


def reconcile(intake: Intake, dataset: str | None = None, *, progress: Progress | None = None) -> Reconciled:
    """Make the tables what their keys want: resolve open commits, load what is new, changed, or read by an older contract."""
    raise NotImplementedError


def reload(intake: Intake, dataset: str, *, key: str | None = None, progress: Progress | None = None) -> Reconciled:
    """Load again what lies in landing, by the contract as it is now. Files that are gone keep their rows (`vanished`)."""
    raise NotImplementedError


def retract(intake: Intake, key: str) -> tuple[Load, ...]:
    """Take the rows of a key (all members of an archive, or one `key!member`) out of the table; the loads that ended.

    Rows whose content another key holds stay. The landing file is not touched, and is not loaded again
    until it changes or `reload` says so. Raises `NotFound` ("no-such-key") for a key that holds nothing.
    """
    raise NotImplementedError


def loads(intake: Intake, dataset: str | None = None, *, limit: int = 100) -> tuple[Load, ...]:
    """What became of each load, newest first."""
    raise NotImplementedError
