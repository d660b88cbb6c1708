"""What an analyst holds: a lake to ask, wherever it is.

`connect()` (in `lakegate/connecting.py`) finds the lake and makes a link to it: a home or a stage in this process
(`home.py`), a server over HTTP (`http.py`). Everything above the link is the same for all of them: `lake.py` (the
lake), `dataset.py` (one dataset), `answer.py` (a lazy answer), `plot.py`, `display.py`, `magic.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from athena.errors import LakegateError
from athena.question import Parameters, ResultColumn, SnapshotRef, State

if TYPE_CHECKING:
    import pyarrow as pa

    from athena.catalogue import Listing


@dataclass(frozen=True, slots=True)
class Query:
    """A question as an analyst put it, before anybody's grant."""

    sql: str
    parameters: Parameters = ()
    limit: int | None = None
    refresh: bool = False
    as_of: datetime | str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a question stands; `columns`, `row_count` and `snapshots` are there once it SUCCEEDED, `error` once it
    FAILED. `cache` is hit, miss, joined or bypass. `page` is for the link that made it."""

    id: str
    state: State
    cache: str
    submitted_at: datetime
    columns: tuple[ResultColumn, ...] = ()
    row_count: int = 0
    truncated: bool = False
    snapshots: Mapping[str, SnapshotRef] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: LakegateError | None = None
    page: Any = field(default=None, repr=False)
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class PastState:
    """One kept snapshot of a dataset: what `as_of` can name."""

    snapshot_id: str
    committed_at: datetime
    rows: int


class Link(Protocol):
    """One way to a lake. Methods raise `LakegateError`s; an interrupted one leaves nothing running that it started."""

    @property
    def where(self) -> str:
        """What it leads to, for people."""
        ...

    def listings(self) -> "tuple[Listing, ...]":
        """Every dataset that the asker may see."""
        ...

    def listing(self, name: str) -> "Listing":
        """One of them; raises `NotFound`."""
        ...

    def ask(self, query: Query) -> Standing:
        """Put a question; comes back soon, answered or not."""
        ...

    def look(self, standing: Standing, *, seconds: float) -> Standing:
        """The same question, as soon as it is final, at the latest after `seconds`."""
        ...

    def cancel(self, standing: Standing) -> None:
        """Leave it: the engine stops unless others wait for the same answer."""
        ...

    def batches(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        """The rows of a question that SUCCEEDED, in order, in bounded memory, with `arrow_schema`'s types."""
        ...

    def history(self, dataset: str) -> tuple[PastState, ...]:
        """The snapshots that are kept, oldest first; raises `Refused` where the asker may not time-travel."""
        ...

    def load(self, file: Path, *, dataset: str, source: str) -> Mapping[str, object]:
        """Load a file through landing; its report."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...
