"""The composition root: a record of the parts that the read story uses, and the one place that builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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
