"""The port of events: told at least once, after the fact."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson

from athena.records import decode


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


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """A file failed as a whole and changed nothing. `id` is the load's; what to do stands in `remedy`."""

    id: str
    dataset: str
    file: str
    code: str
    message: str
    remedy: str
    failed_at: datetime


Event = DatasetUpdated | LoadFailed
_KINDS: tuple[type[DatasetUpdated] | type[LoadFailed], ...] = (DatasetUpdated, LoadFailed)


def packed(event: Event) -> bytes:
    """An event as an outbox keeps it."""
    return orjson.dumps({"kind": type(event).__name__, "event": event})


def unpacked(content: bytes) -> Event:
    """What `packed` made; what older releases have left in an outbox is a `DatasetUpdated` alone."""
    given = orjson.loads(content)
    kind = next((kind for kind in _KINDS if kind.__name__ == given.get("kind")), DatasetUpdated)
    return decode(kind, orjson.dumps(given.get("event", given)))


class Events(Protocol):
    """An outbox: put before the load counts as done, delivered afterwards, removed when told."""

    def put(self, event: Event) -> None:
        """Keep the event until it is delivered; putting the same id again changes nothing."""
        ...

    def undelivered(self) -> tuple[Event, ...]:
        """What nobody was told yet, oldest first."""
        ...

    def delivered(self, event_id: str) -> None:
        """Take it off the outbox."""
        ...
