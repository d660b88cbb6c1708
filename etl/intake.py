"""The composition root of the write side: a record of the parts that the write story uses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from athena.events import Events
from athena.heads import Heads
from athena.lake import Lake
from athena.leases import Leases
from athena.settings import Settings

if TYPE_CHECKING:
    from etl.landing import FolderLanding
    from etl.ledger import Ledger


def no_step(name: str) -> None:
    """Where a step of the story is announced to nobody."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts; `step` hears the name of every step of the story as it is reached."""

    settings: Settings
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    heads: Heads
    leases: Leases
    events: Events
    landing: "FolderLanding"
    ledger: "Ledger"
    holder: str
    step: Callable[[str], None] = no_step

    @classmethod
    def embedded(cls, lake: Lake) -> "Intake":
        """The write side of an embedded lake, beside its heads, leases and events."""
        return cls.assemble(lake.settings, heads=lake.heads, leases=lake.leases, events=lake.events, clock=lake.clock)

    @classmethod
    def assemble(
        cls, settings: Settings, *, heads: Heads, leases: Leases, events: Events, clock: Callable[[], datetime]
    ) -> "Intake":
        """The same from the parts, for who needs no engine."""
        raise NotImplementedError
