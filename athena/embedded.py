"""The parts of the embedded home, put together. Only `Lake.embedded` and tests need it."""

from athena.audit.files import FileAudit
from athena.clerk import Clerk
from athena.engines.duckdb.engine import DuckDBEngine
from athena.events.outbox import SqliteOutbox
from athena.flights.memory import MemoryFlights
from athena.flights.sqlite import SqliteFlights
from athena.grants.files import FileGrants
from athena.heads.catalog import CatalogFile
from athena.heads.sqlite import SqliteHeads
from athena.keys import kept_secret
from athena.lake import Clock, Lake, process_name
from athena.leases.sqlite import SqliteLeases
from athena.meter import Meter
from athena.results.local import LocalResults
from athena.saved.sqlite import SqliteSaved
from athena.settings import Settings
from athena.tower import Tower
from athena.usage.sqlite import SqliteUsage

_DAY_SECONDS = 86_400.0


def embedded_lake(settings: Settings, *, clock: Clock) -> Lake:
    """The lake of one home. Opens nothing yet but the secret: files and children come with their first use."""
    # A result is kept a little longer than the records that lead to it.
    results = LocalResults(settings.results, kept_seconds=(settings.result_days + 1) * _DAY_SECONDS)
    engine = DuckDBEngine(settings, results, clock)
    catalog = CatalogFile(settings.catalog, settings.name)
    meter, audit = Meter(SqliteUsage(settings.state, clock), clock), FileAudit(settings.audit)
    return Lake(
        settings=settings,
        clock=clock,
        heads=SqliteHeads(settings.state),
        leases=SqliteLeases(settings.state, clock),
        grants=FileGrants(settings.partners),
        flights=SqliteFlights(settings.cache, clock),
        results=results,
        engine=engine,
        events=SqliteOutbox(settings.state),
        saved=SqliteSaved(settings.state),
        secret=kept_secret(settings.keys / "answers.key"),
        salt=kept_secret(settings.keys / "masks.key").hex(),
        tower=Tower(
            process_name(), MemoryFlights(clock), most_led=settings.max_parked, most_parked=settings.max_parked
        ),
        meter=meter,
        audit=audit,
        clerk=Clerk(audit.flush, meter.flush),
        settled=catalog.head,
        history=catalog.history,
        warming=engine.warm,
        closing=engine.close,
    )
