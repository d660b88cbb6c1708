"""The port of SQL engines: run one entitled statement on pinned snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from athena.heads import Head
from athena.question import Page, Receipt


@dataclass(frozen=True, slots=True)
class Job:
    """One statement that is safe to run: entitled, parsed again, every leaf checked.

    `sql` is in Athena's dialect, without parameters, and names tables fully qualified (`"lake"."flights"`);
    `pins` holds the head of each of them; `guarded` means that the plan must follow from the text alone (rows are
    hidden and something may fail); `token` is when the run was begun, of which the leader makes sha256(fingerprint +
    attempt + begun), the same for his successor: the same token is the same execution;
    `adopt` is the execution that an earlier leader of the attempt has noted, for engines that outlive their leaders.

    With `unload_rows` it is an answer's own SELECT once more, on its own snapshots: so many rows are written as Parquet
    files (`athena/unload.py`), and `pins` is empty.

    `partner` is who asked first (None: the owner), `slotted` that a slot of theirs is held, `reserved_bytes` what was
    taken off their day already, `most_scanned_bytes` what the run may read where that is known only while it runs.
    """

    sql: str
    output: tuple[str, ...]
    pins: dict[str, Head]
    guarded: bool
    row_limit: int
    token: str
    timeout_seconds: float
    adopt: str | None = None
    partner: str | None = None
    slotted: bool = False
    reserved_bytes: int = 0
    most_scanned_bytes: int | None = None
    unload_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """Not finished yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The result lies in the result store."""

    receipt: Receipt
    page: Page


@dataclass(frozen=True, slots=True)
class Broken:
    """No result. `code` is one of our own problem codes (`athena/failures.py`) and carries no value of the data."""

    code: str


Progress = Running | Finished | Broken


class Engine(Protocol):
    """Asynchronous by nature: Athena is polled, DuckDB runs in child processes."""

    @property
    def version(self) -> str:
        """Engine and result-format version; part of every fingerprint."""
        ...

    def check(self, job: Job) -> None:
        """Raises `Refused` for SQL that this engine cannot run; looks at the text alone, in milliseconds."""
        ...

    def estimate(self, job: Job, row_filters: Mapping[str, str]) -> int | None:
        """The most bytes that the job reads, None when that is known after the run alone. For a dataset in
        `row_filters` it follows from that filter, the columns named and the snapshot, and from no other filter."""
        ...

    def start(self, job: Job) -> str:
        """Begin (or adopt, for a known token) an execution; its id. Raises `Busy` when there is no room."""
        ...

    def wait(self, execution: str, *, seconds: float) -> Progress:
        """How it stands, at the latest after `seconds`. An unknown execution is `Broken("engine-lost")`."""
        ...

    def stop(self, execution: str) -> None:
        """End it; the next `wait` gives `Broken("cancelled")`."""
        ...
