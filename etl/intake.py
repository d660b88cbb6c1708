"""The composition root of the write side: a record of the parts that the write story uses."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from athena.events import Event, Events
from athena.flights.sqlite import pinned_snapshots
from athena.heads import Head, Heads
from athena.heads.catalog import CatalogFile
from athena.lake import Lake, utc_now
from athena.leases import Leases
from athena.leases.sqlite import is_gone, process_holder
from athena.notices.sqlite import SqliteNotices
from athena.settings import Settings
from etl.contract_file import FolderContracts
from etl.files import Folder, LocalFolder
from etl.landing import FolderLanding
from etl.ledger import SqliteLedger
from etl.ports import Contracts, Landing, Ledger, Reports, Spread
from etl.reports import FolderReports
from etl.told import told_at_home

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from athena.settings_aws import AwsSettings


_ID_FORM = "%Y%m%dT%H%M%S"


def no_step(_name: str) -> None:
    """Where a step of the story is announced to nobody."""


def no_pins() -> frozenset[str]:
    """The snapshots that nobody reads."""
    return frozenset()


def nobody(_event: Event) -> None:
    """Where events are delivered to nobody."""


@dataclass(frozen=True)
class Intake:
    """The parts. `pinned` names the snapshots that running questions read; `step` hears the name of every step of the
    story as it is done, `deliver` every event, at least once. Not slotted: the Iceberg catalog is opened when it is
    first needed."""

    settings: Settings
    clock: Callable[[], datetime]
    heads: Heads
    leases: Leases
    events: Events
    landing: Landing
    ledger: Ledger
    contracts: Contracts
    reports: Reports
    folder: Callable[[str], Folder]  # of a table's data files
    metadata: Callable[[str], Folder]  # of its Iceberg metadata
    settled: Callable[[str], Head | None]
    open_catalog: Callable[[], "Catalog"]
    new_id: Callable[[], str]
    pinned: Callable[[], frozenset[str]] = no_pins
    spread: Spread | None = None  # None: this process reads file after file
    holder: str = field(default_factory=process_holder)
    is_gone: Callable[[str], bool] = is_gone
    sleep: Callable[[float], None] = time.sleep
    step: Callable[[str], None] = no_step
    deliver: Callable[[Event], None] = nobody

    @classmethod
    def embedded(cls, lake: Lake) -> "Intake":
        """The write side of an embedded lake, beside its heads, leases and events."""
        made = cls.assemble(lake.settings, heads=lake.heads, leases=lake.leases, events=lake.events, clock=lake.clock)
        return replace(made, deliver=told_at_home(SqliteNotices(lake.settings.state).heard, lake.settings.reports))

    @classmethod
    def assemble(
        cls, settings: Settings, *, heads: Heads, leases: Leases, events: Events, clock: Callable[[], datetime]
    ) -> "Intake":
        """The same from the parts, for who needs no engine."""
        return cls(
            settings=settings,
            clock=clock,
            heads=heads,
            leases=leases,
            events=events,
            landing=FolderLanding(settings.landing),
            ledger=SqliteLedger(settings.state),
            contracts=FolderContracts(settings.contracts),
            reports=FolderReports(settings.reports),
            folder=lambda table: LocalFolder(settings.tables / settings.name / table / "data"),
            metadata=lambda table: LocalFolder(settings.tables / settings.name / table / "metadata"),
            settled=CatalogFile(settings.catalog, settings.name).head,
            open_catalog=partial(_open_catalog, settings),
            new_id=partial(new_id, clock),
            pinned=partial(pinned_snapshots, settings.cache, clock),
        )

    @classmethod
    def aws(cls, settings: "AwsSettings") -> "Intake":
        """The write side of one stage on AWS. Calls nothing yet."""
        from etl.aws.intake import aws_intake

        return aws_intake(settings, clock=utc_now)

    @cached_property
    def catalog(self) -> "Catalog":
        """The home's Iceberg catalog. Raises `Failed` when it cannot be opened."""
        return self.open_catalog()

    def data(self, table: str) -> Path:
        """Where the data files of a table lie on this machine's disk."""
        return self.settings.tables / self.settings.name / table / "data"

    def contract_path(self, dataset: str) -> Path:
        """Where the contract of a dataset lies on this machine's disk."""
        return self.settings.contracts / f"{dataset}.toml"


def new_id(clock: Callable[[], datetime]) -> str:
    """An id that sorts by time, for people who look into folders."""
    return f"{clock():{_ID_FORM}}-{secrets.token_hex(6)}"


def began(made: str) -> datetime | None:
    """When an id of `new_id` was made; None for any other.

    >>> from datetime import UTC
    >>> began(new_id(lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))), began("c1")
    (datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc), None)
    """
    try:
        return datetime.strptime(made.partition("-")[0], _ID_FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def _open_catalog(settings: Settings) -> "Catalog":
    from sqlalchemy.exc import SQLAlchemyError

    from etl.iceberg import open_catalog
    from etl.iceberg_errors import catalog_error

    try:
        return open_catalog(settings.catalog, settings.tables, settings.name)
    except SQLAlchemyError as error:
        raise catalog_error(settings.name, error) from error
