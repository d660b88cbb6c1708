"""The parts of a lake on AWS, put together. Only `Lake.aws` and tests need it."""

from athena.audit import Audit
from athena.aws import client
from athena.clerk import Clerk
from athena.dynamodb import Table
from athena.engines.athena.engine import AthenaEngine
from athena.engines.athena.workgroup import Limits, Workgroup
from athena.errors import Refused
from athena.events.eventbridge import DynamoOutbox
from athena.flights.dynamodb import DynamoFlights
from athena.flights.memory import MemoryFlights
from athena.flights.pins import DynamoPins
from athena.grants.dynamodb import DynamoGrants
from athena.heads.dynamodb import DynamoHeads
from athena.heads.glue import GlueHeads
from athena.lake import Clock, Lake, process_name
from athena.leases.dynamodb import DynamoLeases
from athena.meter import Meter
from athena.results.s3 import S3Results
from athena.results.s3_parts import S3Parts
from athena.s3 import Bucket
from athena.saved.dynamodb import DynamoSaved
from athena.settings_aws import AwsSettings
from athena.tower import Tower
from athena.usage.dynamodb import DynamoUsage

# What does not fit into an item lies beside Athena's results, under the same lifecycle rule.
OVERFLOW = "flights/"
# Every look at another process's flight is a read of DynamoDB.
MOST_WATCH_SECONDS = 1.0
# Counts for `GET /v1/usage` alone; each instance writes its own.
CLERK_SECONDS = 30.0


def state_of(settings: AwsSettings) -> Table:
    """The table of what must survive, for those who keep more there than a lake does."""
    return Table(client("dynamodb", region=settings.region or None), settings.state_table)


def aws_lake(settings: AwsSettings, *, clock: Clock, audit: Audit) -> Lake:
    """The lake of one stage. Calls nothing yet: clients connect with their first use."""
    region = settings.region or None
    dynamodb, s3 = client("dynamodb", region=region), client("s3", region=region)
    state, cache = Table(dynamodb, settings.state_table), Table(dynamodb, settings.cache_table)
    bucket, _, prefix = settings.results.removeprefix("s3://").partition("/")
    store = Bucket(s3, bucket, prefix=prefix)
    results = S3Results(store)
    engine = AthenaEngine(
        client("athena", region=region),
        results,
        Workgroup(settings.workgroup, settings.name, cutoffs=settings.cutoffs),
        clock,
        limits=Limits(page_rows=settings.page_rows, result_bytes=settings.result_bytes),
    )
    if not settings.secret:
        raise Refused(
            "A lake that answers signs what it hands out, and these settings hold no secret.",
            "Read them with `read_aws_settings`.",
            code="settings-invalid",
        )
    glue = GlueHeads(client("glue", region=region), s3, lake=settings.name)
    meter = Meter(DynamoUsage(state, clock), clock)
    return Lake(
        settings=settings.shared(),
        clock=clock,
        heads=DynamoHeads(state),
        leases=DynamoLeases(state, clock),
        grants=DynamoGrants(state),
        flights=DynamoFlights(
            cache, Bucket(s3, bucket, prefix=prefix + OVERFLOW), clock, pins=DynamoPins(state, clock)
        ),
        results=results,
        engine=engine,
        events=DynamoOutbox(state, clock),
        saved=DynamoSaved(state),
        secret=bytes.fromhex(settings.secret),
        salt=settings.salt,
        tower=Tower(
            process_name(),
            MemoryFlights(clock),
            most_led=settings.max_parked,
            most_parked=settings.max_parked,
            most_watch_seconds=MOST_WATCH_SECONDS,
        ),
        meter=meter,
        audit=audit,
        clerk=Clerk(audit.flush, meter.flush, seconds=CLERK_SECONDS),
        settled=glue.head,
        history=glue.history,
        whole=engine.whole,
        parts=S3Parts(store),
        closing=engine.close,
    )
