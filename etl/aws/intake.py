"""The parts of the write story on AWS, put together. Only `Intake.aws` and tests need it."""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from athena.aws import Patience, client
from athena.dynamodb import Table
from athena.errors import Refused
from athena.events.eventbridge import DynamoOutbox
from athena.flights.pins import DynamoPins
from athena.heads.dynamodb import DynamoHeads
from athena.heads.glue import GlueHeads
from athena.lake import Clock
from athena.leases.dynamodb import DynamoLeases
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings
from etl.aws.announce import Announcer
from etl.aws.contracts import S3Contracts
from etl.aws.folder import S3Folder
from etl.aws.landing import S3Landing
from etl.aws.ledger import DynamoLedger
from etl.aws.reports import S3Reports
from etl.intake import Intake, new_id

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

# After this share of a job's longest time nobody waits for it any more.
_GONE_AFTER = 1.25
_MARK = "job"


def aws_intake(settings: AwsSettings, *, clock: Clock, patience: Patience | None = None) -> Intake:
    """The write side of one stage. Calls nothing yet. Raises `Refused` ("settings-invalid") when it cannot write."""
    for name in ("owners", "tables"):
        if not getattr(settings, name):
            raise Refused(
                f"The AWS setting {name} is missing, without which nothing can be loaded.",
                f"Set the SSM parameter /lakegate/{settings.stage}/{name} to an S3 location.",
                code="settings-invalid",
            )
    region = settings.region or None
    s3, glue = client("s3", region=region, read_timeout_seconds=60.0), client("glue", region=region)
    state = Table(client("dynamodb", region=region), settings.state_table, patience)
    places = Places(settings, s3, patience)
    tables = places.tables(f"{settings.name}/")
    return Intake(
        settings=settings.shared(),
        clock=clock,
        heads=DynamoHeads(state),
        leases=DynamoLeases(state, clock),
        events=DynamoOutbox(state, clock),
        landing=S3Landing(places.owners("landing/")),
        ledger=DynamoLedger(state, places.tables("ledger/")),
        contracts=S3Contracts(places.owners("datasets/")),
        reports=S3Reports(places.owners("reports/")),
        folder=lambda table: S3Folder(tables, f"{table}/data/"),
        metadata=lambda table: S3Folder(tables, f"{table}/metadata/"),
        settled=GlueHeads(glue, s3, lake=settings.name, patience=patience).head,
        open_catalog=partial(_open_catalog, settings, glue, places, patience),
        new_id=partial(new_id, clock),
        pinned=DynamoPins(state, clock).snapshots,
        holder=holder_at(clock()),
        is_gone=lambda holder: is_gone(holder, clock(), settings.job_timeout_seconds),
        deliver=announcer_of(settings, patience).tell,
    )


def announcer_of(settings: AwsSettings, patience: Patience | None = None) -> Announcer:
    """Who tells what happened in this stage."""
    events, sns = (client(service, region=settings.region or None) for service in ("events", "sns"))
    return Announcer(events, sns, bus=settings.event_bus, topic=settings.topic, patience=patience)


class Places:
    """The buckets of a stage."""

    def __init__(self, settings: AwsSettings, s3: Any, patience: Patience | None = None) -> None:
        self._settings = settings
        self._s3 = s3
        self._patience = patience

    def owners(self, folder: str) -> Bucket:
        """A folder of what owners see."""
        return self._at(self._settings.owners + folder)

    def tables(self, folder: str) -> Bucket:
        """A folder beside the tables, for the lake alone."""
        return self._at(self._settings.tables + folder)

    def bucket(self, name: str) -> Bucket:
        """A whole bucket."""
        return self._at(f"s3://{name}/")

    def _at(self, location: str) -> Bucket:
        name, _, prefix = location.removeprefix("s3://").partition("/")
        return Bucket(self._s3, name, prefix=prefix, patience=self._patience, code="storage-unavailable")


def holder_at(began_at: datetime) -> str:
    """A holder's name that says when it began: Glue ends every job after its time.

    >>> from datetime import UTC
    >>> holder_at(datetime(2026, 3, 1, tzinfo=UTC)).split(":")[:2]
    ['job', '20260301T000000Z']
    """
    return f"{_MARK}:{began_at:%Y%m%dT%H%M%SZ}:{secrets.token_hex(6)}"


def is_gone(holder: str, now: datetime, longest_seconds: float) -> bool:
    """Whether `holder` began so long ago that no job can still be running.

    >>> from datetime import UTC
    >>> is_gone("job:20260301T000000Z:1", datetime(2026, 3, 1, 6, tzinfo=UTC), 4 * 3600.0)
    True
    """
    mark, _, rest = holder.partition(":")
    began = rest.partition(":")[0]
    if mark != _MARK:
        return False
    began_at = datetime.strptime(began, "%Y%m%dT%H%M%SZ").replace(tzinfo=now.tzinfo)
    return now - began_at > timedelta(seconds=_GONE_AFTER * longest_seconds)


def _open_catalog(settings: AwsSettings, glue: Any, places: Places, patience: Patience | None) -> "Catalog":
    from etl.aws.catalog import GlueCalls, LakeCatalog
    from etl.aws.file_io import S3FileIO

    io = S3FileIO(places.bucket)
    return LakeCatalog(settings.name, GlueCalls(glue, patience), tables=settings.tables, io=io)
