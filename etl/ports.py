"""The ports of the write story that `athena` does not have: where files land, what is known of them, what owners get.

Each has an implementation for either home: `landing.py`, `ledger.py`, `contract_file.py`, `reports.py` and `files.py`
for a folder, `etl/aws/` for S3 and DynamoDB.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from athena.errors import Failed, Refused
from athena.leases import Lease
from etl.landing import Key, Landed, Source
from etl.plan import Examined, Holding, LoadEntry, PastLoad, Piece, Plan
from etl.union import Holdings, Slot

if TYPE_CHECKING:
    from etl.batch import Batch, Work
    from etl.rejects import RejectsCsv


class Landing(Protocol):
    """Where files land. They are read where they lie and never moved, changed or removed."""

    def listing(self, dataset: str | None = None) -> Iterator[Landed]:
        """Everything that lies there under a valid key, by key, but what cannot be looked at. Raises `Failed`."""
        ...

    def misplaced(self, dataset: str | None = None) -> tuple[Refused | Failed, ...]:
        """Why files that lie there are nobody's (`Refused`), or cannot be looked at (`Failed`)."""
        ...

    def get(self, key: Key) -> Landed | None:
        """The file as it is now, None when it is gone."""
        ...

    def sources(self, landed: Landed) -> tuple[Source, ...]:
        """Its sources; raises `Refused` or `Failed`."""
        ...

    def put(self, file: Path, *, dataset: str, source: str = ...) -> Key:
        """Copy a file in, all at once; its key."""
        ...

    def holds(self, dataset: str) -> bool:
        """Whether anything of the dataset lies there."""
        ...


class Contracts(Protocol):
    """What owners promise, as text: `datasets/<name>.toml`."""

    def where(self, dataset: str) -> str:
        """What messages call the contract."""
        ...

    def text(self, dataset: str) -> str | None:
        """The contract as it is now, None when there is none. Raises `Refused` when it is no text, `Failed`."""
        ...

    def save(self, dataset: str, text: str) -> None:
        """Write it, whole or not at all. Raises `Failed`."""
        ...


class Reports(Protocol):
    """What owners get to see of each load."""

    def rejects(self, key: str, *, load_id: str, file: str) -> "RejectsCsv":
        """Where the rejects of a load that has begun are written to; `file` is what they are rejects of."""
        ...

    def finish(self, entry: LoadEntry, snapshot: str | None) -> None:
        """Write the report and give the rejects their name; repeats without harm. Raises `Failed`."""
        ...

    def forget(self, key: str, load_id: str) -> None:
        """Remove the rejects of a load that did not happen."""
        ...


class Spread(Protocol):
    """Who reads many files at once."""

    def read(self, work: "Work", beat: Callable[[], None]) -> "Batch":
        """The files of one commit, read as one reader would; `beat` is called often. Raises as `Reading.read`."""
        ...


class Ledger(Protocol):
    """Which key holds which content, which data files hold it, and what became of each load.

    A commit is *begun* while its files are written, *planned* from before the table changes, and *recorded* in one
    step that repeats without harm; then it is closed. Written by whoever holds the table's lease.
    """

    def datasets(self) -> tuple[str, ...]:
        """Every dataset that the ledger knows, sorted."""
        ...

    def holdings(self, dataset: str) -> Holdings:
        """Who holds what, and what is in the table."""
        ...

    def holdings_around(self, dataset: str, keys: Iterable[str], slots: Iterable[str]) -> Holdings:
        """The part of it that a load of these keys and slots can touch: what their units hold, and everybody who holds
        that as well. A commit's cost must not grow with the contents that are in the table."""
        ...

    def units(self, key: str) -> tuple[str, ...]:
        """The units of a key that hold something, sorted."""
        ...

    def pieces(self, dataset: str) -> tuple[Piece, ...]:
        """Which data files hold which slot with how many rows, by path."""
        ...

    def pieces_of(self, dataset: str, slots: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these slots alone."""
        ...

    def pieces_in(self, dataset: str, paths: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these data files alone."""
        ...

    def unreferenced(self, table: str, paths: Iterable[str], *, now: str) -> dict[str, str]:
        """Note that nobody names these files of a table (and that somebody does name every other one); since when that
        was so whenever it was looked."""
        ...

    def rows(self, dataset: str) -> int:
        """How many rows the table has, as far as the ledger knows."""
        ...

    def examined(self, dataset: str, *, outcome: str | None = None) -> dict[str, Examined]:
        """What became of every key when it was last looked into; with `outcome`, of those of that alone. Members of an
        archive that were retracted by themselves are among them."""
        ...

    def examined_key(self, key: str) -> Examined | None:
        """The same for one key."""
        ...

    def history(self, dataset: str | None, *, limit: int) -> tuple[PastLoad, ...]:
        """The loads, newest first."""
        ...

    def latest(self, dataset: str, source: str) -> dict[str, Any] | None:
        """The report of the newest load that brought rows from a source; None when the last `LATEST_LOADS` of the
        dataset hold none."""
        ...

    def begin(self, commit_id: str, dataset: str, holder: str, keys: Sequence[str] = ()) -> None:
        """Note that `holder` reads `keys` and writes files for `commit_id`."""
        ...

    def being_read(self, dataset: str) -> dict[str, str]:
        """Keys that somebody reads just now (or did, and died): holder by key."""
        ...

    def begun(self, dataset: str) -> dict[str, str]:
        """Commits whose files are being written (or were, by somebody who died): holder by commit id."""
        ...

    def end(self, commit_id: str) -> None:
        """Take the note of `begin` off."""
        ...

    def plan(self, plan: Plan, lease: Lease) -> None:
        """Open a plan: from now on it is finished or forgotten, whatever happens to us. Raises `Failed`
        ("lease-lost") when the table had another writer since `lease` was taken: the plan knows nothing of that."""
        ...

    def open_plans(self, dataset: str) -> tuple[tuple[Plan, bool], ...]:
        """Plans that were neither finished nor forgotten, each with whether it was recorded."""
        ...

    def unresolved(self) -> tuple[str, ...]:
        """Datasets with open plans, or with files of somebody who may have died."""
        ...

    def forget(self, plan: Plan, holder: str) -> bool:
        """Close a plan whose commit did not happen; False when somebody else has closed it. What was written for it
        is noted as by `begin`, for `holder` to remove."""
        ...

    def close(self, commit_id: str) -> None:
        """The plan is done."""
        ...

    def record(self, plan: Plan, *, snapshot: str | None) -> None:
        """Let the ledger say what the table says now. Changes nothing when somebody else has recorded or closed the
        plan meanwhile."""
        ...

    def replace(
        self, dataset: str, slots: Iterable[Slot], holdings: Iterable[Holding], pieces: Iterable[Piece]
    ) -> None:
        """Let the dataset's state be this, whatever it was; keys that lose something are looked into anew."""
        ...
