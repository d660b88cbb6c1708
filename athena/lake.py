"""The composition root: a record of the parts that the read story uses, and the one place that builds it."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from athena.audit import Audit
from athena.changes import Changes, read_changes, unknown
from athena.clerk import Clerk
from athena.engines import Engine, Job
from athena.events import Events
from athena.flights import Flights
from athena.grants import Grants
from athena.heads import Head, Heads
from athena.leases import Leases
from athena.memo import Memo
from athena.question import Receipt
from athena.results import Results
from athena.results.parts import PartStore
from athena.saved import Saved
from athena.settings import Settings, read_settings
from athena.tower import Tower

if TYPE_CHECKING:
    from athena.entitlement import Entitled
    from athena.meter import Meter
    from athena.planning import Plan
    from athena.settings_aws import AwsSettings
    from athena.statement import Statement

Clock = Callable[[], datetime]
# What each process remembers of statements and plans, in characters of SQL. A tree takes some 200 times its text.
STATEMENT_CHARACTERS = 512 * 1024
PLAN_CHARACTERS = 8 * 1024 * 1024
_ENTRY_CHARACTERS = 200


def utc_now() -> datetime:
    """The clock of the embedded home."""
    return datetime.now(UTC)


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
    saved: Saved
    secret: bytes = field(repr=False)  # signs answer ids and page tokens
    salt: str = field(repr=False)  # of hash masks
    tower: Tower
    meter: "Meter"
    audit: Audit
    clerk: Clerk
    settled: Callable[[str], Head | None]  # a head as the catalog itself has it, for an open intent
    history: Callable[[str], tuple[Head, ...]] = lambda _: ()  # a table as of each snapshot kept, oldest first
    whole: Callable[[Receipt], Job] | None = None  # what writes an answer anew as Parquet files, and where they are:
    parts: PartStore | None = None  # on AWS alone, as the embedded home has one file already
    warming: Callable[[], None] = lambda: None
    closing: Callable[[], None] = lambda: None
    random_bytes: Callable[[int], bytes] = os.urandom
    statements: "Memo[Statement]" = field(default_factory=lambda: Memo(STATEMENT_CHARACTERS, _statement_weight))
    entitlements: "Memo[Entitled]" = field(default_factory=lambda: Memo(PLAN_CHARACTERS, _entitled_weight))
    plans: "Memo[Plan]" = field(default_factory=lambda: Memo(PLAN_CHARACTERS, _plan_weight))

    @classmethod
    def embedded(cls, home: Path) -> "Lake":
        """The lake in folder `home`; raises `Refused` (`no-home`) when it is none. Cheap: the engine starts with
        the first question that needs it. `close` it, or use it as a context manager."""
        from athena.embedded import embedded_lake

        return embedded_lake(read_settings(home), clock=utc_now)

    @classmethod
    def aws(cls, settings: "AwsSettings", *, audit: Audit | None = None) -> "Lake":
        """The lake of one stage on AWS (`athena/settings_aws.py` reads the settings). Cheap: nothing is called yet.

        `audit` is where the function that serves partners tells of each question; nowhere unless given."""
        from athena.audit.stream import NoAudit
        from athena.aws_lake import aws_lake

        return aws_lake(settings, clock=utc_now, audit=audit or NoAudit())

    def head(self, dataset: str) -> Head | None:
        """Where the table stands now: while a commit may or may not have happened, the catalog itself says so."""
        return self._standing(dataset, self.heads.get(dataset))

    def heads_of(self, datasets: Sequence[str]) -> dict[str, Head]:
        """The same for those of several that exist."""
        published = self.heads.some(datasets)
        found = ((dataset, self._standing(dataset, published.get(dataset))) for dataset in datasets)
        return {dataset: head for dataset, head in found if head is not None}

    def _standing(self, dataset: str, head: Head | None) -> Head | None:
        if head is None:
            return self.settled(dataset) if self.heads.pending(dataset) is not None else None
        return head if head.intent is None else self.settled(dataset) or head

    def changes(self, head: Head) -> Changes:
        """What of the table was last changed when, as of this head."""
        told = head.changes or self.heads.changes(head.dataset)
        return read_changes(told, head.data_version) or unknown(head.data_version)

    def warm(self) -> None:
        """Start the engine before the first question needs it; what a server does once it listens."""
        self.warming()

    def close(self) -> None:
        """Hand over what is running, stop the engine."""
        self.tower.closing = True
        self.closing()
        self.tower.close()
        self.clerk.close()

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _statement_weight(statement: "Statement") -> int:
    return len(statement.text) + _ENTRY_CHARACTERS


def _entitled_weight(entitled: "Entitled") -> int:
    # Its key holds the caller's text, which is about as long, and the columns.
    return 2 * len(entitled.sql) + 10 * _ENTRY_CHARACTERS


def _plan_weight(plan: "Plan") -> int:
    # Its SQL is that of its entitlement; its key holds the caller's text.
    return len(plan.entitled.sql) + 10 * _ENTRY_CHARACTERS


def process_name() -> str:
    """This process among all that share a lake."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"
