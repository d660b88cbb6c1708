"""The composition root: a record of the parts that the read story uses, and the one place that builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from athena.engines import Engine
from athena.events import Events
from athena.flights import Flights
from athena.grants import Grants
from athena.heads import Heads
from athena.leases import Leases
from athena.results import Results
from athena.settings import Settings

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Lake:
    """The parts of one lake; every one a port, so that the stories are the same in both homes."""

    settings: Settings
    clock: Clock
    heads: Heads
    leases: Leases
    grants: Grants
    flights: Flights
    results: Results
    engine: Engine
    events: Events
    secret: bytes  # signs answer ids and page tokens, salts hash masks

    @classmethod
    def embedded(cls, home: Path) -> "Lake":
        """The lake in folder `home`; raises `Refused` (`no-home`) when it is none. Cheap: the engine starts with
        the first question that needs it. `close` it, or use it as a context manager."""
        raise NotImplementedError

    def close(self) -> None:
        """Hand over what is running, stop the engine, release files."""
        raise NotImplementedError

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
