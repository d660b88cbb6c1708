"""Change notices: a partner's webhook is told when a dataset, or a saved question's dataset, has new rows.

event heard → one notice per webhook that watches it → sent, again and again later when that fails → or given up, dead
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from athena.events import DatasetUpdated

# After the first try: half a minute to six hours, about nine hours in all; then the notice is dead.
RETRY_SECONDS = (30, 120, 600, 3_600, 7_200, 21_600)


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a partner wants to be told, and where; exactly one of `dataset` and `saved` (a question's name) is given.
    `secret` signs what is sent."""

    id: str
    partner: str
    url: str
    dataset: str | None
    saved: str | None
    secret: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one webhook. `id` is the same at every try; `attempts` are those that failed so far."""

    id: str
    webhook_id: str
    dataset: str
    body: str
    attempts: int
    due_at: datetime
    dead: bool = False
    error: str = ""


class Notices(Protocol):
    """Webhooks by partner, events that were heard, and the notices that they become."""

    def register(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        ...

    def webhooks(self, partner: str | None = None) -> tuple[Webhook, ...]:
        """A partner's webhooks, or everybody's, oldest first."""
        ...

    def remove(self, partner: str, webhook_id: str) -> bool:
        """Forget one with its notices; whether there was one."""
        ...

    def heard(self, event: DatasetUpdated) -> None:
        """Keep an event until it is spread; without effect while nobody listens, or when it was heard before."""
        ...

    def events(self) -> tuple[DatasetUpdated, ...]:
        """What was heard and not spread yet, oldest first."""
        ...

    def spread(self, event: DatasetUpdated, notices: tuple[Notice, ...]) -> None:
        """Keep these notices, of which some may be known already, and the event no longer."""
        ...

    def claim(self, now: datetime, until: datetime) -> Notice | None:
        """A notice that is due, which nobody else is given before `until`; None when nothing is due."""
        ...

    def settle(self, notice: Notice) -> None:
        """Keep what became of a claimed notice: tried again when it is due, or dead."""
        ...

    def done(self, notice: Notice) -> None:
        """The notice was taken."""
        ...

    def dead(self, webhook_id: str) -> tuple[Notice, ...]:
        """What was given up, oldest first."""
        ...

    def revive(self, webhook_id: str, now: datetime) -> int:
        """Try everything dead once more from the start; how much there was."""
        ...
