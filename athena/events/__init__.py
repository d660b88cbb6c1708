"""The port of events: told at least once, after the fact."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DatasetUpdated:
    """A commit changed rows of a dataset. `id` is the commit's: the same event told twice has the same id."""

    id: str
    dataset: str
    snapshot_id: str
    data_version: str
    committed_at: datetime
    rows_added: int
    rows_removed: int


class Events(Protocol):
    """An outbox: put before the head is published, delivered afterwards, removed when told."""

    def put(self, event: DatasetUpdated) -> None:
        """Keep the event until it is delivered; putting the same id again changes nothing."""
        ...

    def undelivered(self) -> tuple[DatasetUpdated, ...]:
        """What nobody was told yet, oldest first."""
        ...

    def delivered(self, event_id: str) -> None:
        """Take it off the outbox."""
        ...
