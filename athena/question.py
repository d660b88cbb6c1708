"""What is asked and what is answered, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from athena.dataset import DataType

# JSON knows the first of these; the typed values of saved questions are the others as well.
Scalar = str | int | float | bool | Decimal | date | datetime | None
Parameters = tuple[Scalar, ...] | Mapping[str, Scalar]
CacheUse = Literal["use", "refresh"]
CacheOutcome = Literal["hit", "miss", "joined", "bypass"]


class State(StrEnum):
    """Where a question stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Nothing will change any more."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `partner` is None for the owner of the home, who sees everything."""

    partner: str | None

    @property
    def is_owner(self) -> bool:
        """The owner asks from the command line or a notebook on the home itself."""
        return self.partner is None


OWNER = Caller(None)


@dataclass(frozen=True, slots=True)
class Question:
    """One statement with its values (by position or by name), as the caller wrote it; hostile until parsed.

    `cache` "refresh" runs it anew; with `max_age_seconds` an answer that was computed longer ago is not used.
    `as_of` (the owner's alone): read every table as of this instant, or as of this snapshot of one of them.
    """

    caller: Caller
    sql: str
    parameters: Parameters = ()
    limit: int | None = None
    cache: CacheUse = "use"
    as_of: datetime | str | None = None
    max_age_seconds: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of an answer; `type` is one of the ten column types."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """The state of one table that an answer was computed on (or is known to equal)."""

    snapshot_id: str
    committed_at: datetime
    data_version: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished run left in the result store; immutable. `pinned_anew`: the snapshots that it was asked on were
    gone, so that its rows may be newer than its fingerprint says."""

    result_id: str
    columns: tuple[ResultColumn, ...]
    row_count: int
    truncated: bool
    size_bytes: int
    bytes_scanned: int
    sha256: str
    finished_at: datetime
    warnings: tuple[str, ...] = ()
    snapshots: dict[str, SnapshotRef] = field(default_factory=dict)
    pinned_anew: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Finished bytes: `fragment` is `"columns":…,"rows":…` without the outer braces, in UTF-8 (or CSV).

    `next_offset` is where the following page begins, in the result store's own unit; None on the last page.
    """

    fragment: bytes
    row_count: int
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How a partner stands in this minute: `most` questions, about `left` of them to come, new ones in
    `resets_seconds`. `most` is None for no limit."""

    most: int | None
    left: int = 0
    resets_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` gives back; `receipt`, `page` and `snapshots` are there once the state is SUCCEEDED.

    `next` is the signed token of the page behind `page`, None on the last one. `error_code` is one of our own
    problem codes (see `athena/failures.py`), there once the state is FAILED. `rate` is
    how the asker stands in this minute, there when it was asked just now.
    """

    id: str
    state: State
    cache: CacheOutcome
    fingerprint: str
    snapshots: dict[str, SnapshotRef]
    submitted_at: datetime
    expires_at: datetime
    receipt: Receipt | None = None
    page: Page | None = None
    next: str | None = None
    error_code: str | None = None
    warnings: tuple[str, ...] = ()
    rate: Rate | None = None
