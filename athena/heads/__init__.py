"""The port of heads: one small record per table, all that the read story needs to know of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from athena.dataset import Column
from athena.errors import Failed


@dataclass(frozen=True, slots=True)
class Head:
    """Where a table stands.

    `data_version` is the last snapshot that changed rows (compaction keeps it); `metadata_location` is the
    Iceberg metadata file of `snapshot_id`; `intent` names a commit that may or may not have happened.
    `changes` says which part of the table was last changed when (`athena/changes.py`). It is kept beside the head, as
    an exact hit needs none of it: `Heads.changes` gives it back, `Heads.get` does not.
    """

    dataset: str
    snapshot_id: str
    data_version: str
    metadata_location: str
    committed_at: datetime
    rows: int
    columns: tuple[Column, ...]
    description: str = ""
    intent: str | None = None
    changes: str = field(default="", compare=False, repr=False)

    def __hash__(self) -> int:
        # Every question looks its plan up by its heads. Equality still compares everything, columns included.
        return hash((self.dataset, self.snapshot_id))


class Heads(Protocol):
    """One look-up per table; written by whoever holds the table's lease."""

    def get(self, dataset: str) -> Head | None:
        """The head, None when the dataset was never committed. An unresolved `intent` is the caller's to see."""
        ...

    def some(self, datasets: Sequence[str]) -> dict[str, Head]:
        """Those of several that have a head, by name; in one look-up where a look-up is a call to a service."""
        ...

    def all(self) -> tuple[Head, ...]:
        """Every head, by name, rejects tables included."""
        ...

    def intend(self, dataset: str, commit_id: str) -> None:
        """Record, before a commit, that `commit_id` is about to happen (the head may not exist yet).

        Raises `Failed` ("commit-conflict") while the intent of another commit is open: it is resolved first.
        """
        ...

    def abandon(self, dataset: str, commit_id: str) -> None:
        """Forget an intent that is known not to have happened."""
        ...

    def publish(self, head: Head) -> None:
        """Replace the head and clear the intent, in one step. With `head.intent` only while that is the open one:
        a writer that comes late, after somebody else has finished its commit, changes nothing."""
        ...

    def changes(self, dataset: str) -> str:
        """The `changes` of the head as last published, empty when there are none. They name the data version that
        they are of: a reader compares."""
        ...

    def pending(self, dataset: str) -> str | None:
        """The intent that is still open, also for a table without a head."""
        ...


def conflict(dataset: str) -> Failed:
    """What `intend` raises while the intent of another commit is open."""
    return Failed(
        f"{dataset}: another commit is half done.",
        "Nothing was changed; try again, which finishes it first.",
        code="commit-conflict",
    )
