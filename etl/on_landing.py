"""The AWS trigger: what landed becomes job runs. Two Lambda handlers, with nothing heavier than boto3 in them.

    S3 → EventBridge → SQS → `dispatch` ─┬─▶ manifest on S3 ─▶ StartJobRun
    schedule ──────────────▶ `reconcile` ─┘

A batch of messages (the queue's window gathers them) becomes one manifest and one run per dataset. When there is no
room for a run, a message with the manifest's address goes back to the queue with a delay, and the messages it stands
for are done: a full house is no failure, and brings nobody nearer to the dead-letter queue. Everything may happen
twice; a job finds what is loaded already by its stamp.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from secrets import token_hex
from typing import Any, Protocol

from athena.aws import client
from athena.dynamodb import Table
from athena.errors import Busy, Failed, LakegateError, OutcomeUnknown
from athena.events.eventbridge import DynamoOutbox
from athena.lake import utc_now
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings, named_stage, read_settings_without_secrets
from etl.aws.contracts import S3Contracts
from etl.aws.jobs import GlueJobs, LandingQueue
from etl.aws.landing import S3Landing
from etl.aws.ledger import DynamoLedger
from etl.landing import Landed
from etl.landing_event import Deferred, Heard, deferred_body, hear, keys_of
from etl.manifest import Manifest, manifest_content
from etl.pending import pending

log = logging.getLogger(__name__)

MANIFEST_KEYS = 2000
# What a manifest, a start and a message may take together when AWS is slow.
RESERVE_SECONDS = 30.0
_FIRST_DELAY_SECONDS = 30
_MOST_DELAY_SECONDS = 900


class Jobs(Protocol):
    """Where job runs are started."""

    def start(self, manifest: str) -> str:
        """Start a run for the manifest at this address; its id. Raises `Busy`, `OutcomeUnknown`, `Failed`."""
        ...


class Queue(Protocol):
    """Where messages go back to."""

    def send(self, body: str, *, delay_seconds: int) -> None:
        """One message, to be seen after the delay. Raises `Failed`."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """The parts. `bucket` and `prefix` are where files land, `manifests` is where manifests lie."""

    bucket: str
    prefix: str
    manifests: Bucket
    jobs: Jobs
    queue: Queue
    landing: S3Landing
    ledger: DynamoLedger
    contracts: S3Contracts
    events: DynamoOutbox
    new_id: Callable[[], str]


@dataclass(slots=True)
class _Asked:
    """What the messages of one dataset ask for: keys, manifests that wait, and which messages it was."""

    keys: set[str] = field(default_factory=set)
    deferred: list[Deferred] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)


def on_landing(
    event: Mapping[str, Any], dispatcher: Dispatcher, *, go_on: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    """Start jobs for a batch of messages; which of them have to come again: among them those of datasets whose turn
    comes when `go_on` says no, so that the batch as a whole does not.

    The answer's form: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failed: set[str] = set()
    asked: dict[str, _Asked] = {}
    for record in event["Records"]:
        message = record["messageId"]
        try:
            _note(asked, message, hear(record["body"]), dispatcher)
        except LakegateError as error:
            log.error("message %s: %s %s", message, error.message, error.remedy)
            failed.add(message)
    for dataset, one in sorted(asked.items()):
        if not go_on():
            log.warning("%s: there is no time left; its messages come again", dataset)
            failed |= one.messages
            continue
        try:
            _start(dispatcher, dataset, one)
        except LakegateError as error:
            log.error("%s: no job could be started. %s %s", dataset, error.message, error.remedy)
            failed |= one.messages
    return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(failed)]}


def reconcile_landing(dispatcher: Dispatcher) -> dict[str, int]:
    """Find what events lost: landing's listing against the ledger, commits that somebody left half done, and what
    nobody was told of. Starts jobs for these; how many keys of which dataset."""
    untold = {event.dataset for event in dispatcher.events.undelivered()}
    landed: dict[str, list[Landed]] = {name: [] for name in {*dispatcher.ledger.datasets(), *untold}}
    for one in dispatcher.landing.listing():
        landed.setdefault(one.key.dataset, []).append(one)
    found: dict[str, int] = {}
    failure: LakegateError | None = None
    for dataset, there in sorted(landed.items()):
        try:
            wanted = pending(dispatcher, dataset, there, stale=True).wanted
            if wanted or dataset in untold or dispatcher.ledger.open_plans(dataset):
                _start(dispatcher, dataset, _Asked({one.key.text for one in wanted}))
                found[dataset] = len(wanted)
        except LakegateError as error:
            # A contract that cannot be read, say, holds up its own dataset alone.
            log.error("%s: %s %s", dataset, error.message, error.remedy)
            failure = error
    for stray in dispatcher.landing.misplaced():
        log.warning("%s %s", stray.message, stray.remedy)
    if failure is not None:
        raise failure
    return found


def _note(asked: dict[str, _Asked], message: str, heard: Heard, dispatcher: Dispatcher) -> None:
    for key in keys_of(heard.arrived, bucket=dispatcher.bucket, prefix=dispatcher.prefix):
        one = asked.setdefault(key.dataset, _Asked())
        one.keys.add(key.text)
        one.messages.add(message)
    if heard.deferred is not None:
        one = asked.setdefault(heard.deferred.dataset, _Asked())
        one.deferred.append(heard.deferred)
        one.messages.add(message)


def _start(dispatcher: Dispatcher, dataset: str, asked: _Asked) -> None:
    for keys in _chunks(sorted(asked.keys)) if asked.keys or not asked.deferred else ():
        name = f"{dispatcher.new_id()}.json"
        dispatcher.manifests.put(name, manifest_content(Manifest(dataset, keys)))
        address = f"s3://{dispatcher.manifests.name}/{dispatcher.manifests.prefix}{name}"
        _start_or_defer(dispatcher, Deferred(dataset, address, 0))
    for one in asked.deferred:
        _start_or_defer(dispatcher, one)


def _start_or_defer(dispatcher: Dispatcher, wanted: Deferred) -> None:
    try:
        run = dispatcher.jobs.start(wanted.manifest)
        log.info("%s: run %s for %s", wanted.dataset, run, wanted.manifest)
    except (Busy, OutcomeUnknown) as error:
        # A run that was started after all does no harm: the second one finds its files loaded.
        again = Deferred(wanted.dataset, wanted.manifest, wanted.times + 1)
        delay_seconds = min(_MOST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** min(wanted.times, 10))
        dispatcher.queue.send(deferred_body(again), delay_seconds=delay_seconds)
        log.warning("%s: %s Again in %d s (%d).", wanted.dataset, error.message, delay_seconds, again.times)


def _chunks(keys: list[str]) -> Iterable[tuple[str, ...]]:
    # None at all is a job as well: it finishes what somebody left half done.
    return [tuple(keys[at : at + MANIFEST_KEYS]) for at in range(0, max(1, len(keys)), MANIFEST_KEYS)]


def dispatcher_of(settings: AwsSettings) -> Dispatcher:
    """The parts of one stage. Calls nothing yet. Raises `Failed` when a setting is missing."""
    for name in ("owners", "tables", "queue", "job"):
        if not getattr(settings, name):
            raise Failed(
                f"The AWS setting {name} is missing, without which no job can be started.",
                f"Set LAKEGATE_{name.upper()}, or the stage's SSM parameter.",
                code="settings-invalid",
            )
    region = settings.region or None
    s3 = client("s3", region=region, read_timeout_seconds=60.0)
    state = Table(client("dynamodb", region=region), settings.state_table)

    def place(location: str) -> Bucket:
        name, _, prefix = location.removeprefix("s3://").partition("/")
        return Bucket(s3, name, prefix=prefix, code="storage-unavailable")

    landing = place(settings.owners + "landing/")
    return Dispatcher(
        landing.name,
        landing.prefix,
        place(settings.tables + "manifests/"),
        GlueJobs(client("glue", region=region), settings.job, settings.stage),
        LandingQueue(client("sqs", region=region), settings.queue),
        S3Landing(landing),
        DynamoLedger(state, place(settings.tables + "ledger/")),
        S3Contracts(place(settings.owners + "datasets/")),
        DynamoOutbox(state, utc_now),
        lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{token_hex(6)}",
    )


@cache
def _own() -> Dispatcher:
    logging.getLogger().setLevel(logging.INFO)
    return dispatcher_of(read_settings_without_secrets(named_stage(os.environ), os.environ, client("ssm")))


def dispatch(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The handler of the landing queue."""
    return on_landing(event, _own(), go_on=lambda: context.get_remaining_time_in_millis() / 1000 > RESERVE_SECONDS)


def reconcile(_event: object, _context: object) -> dict[str, int]:
    """The handler of the schedule."""
    found = reconcile_landing(_own())
    log.info("%s", json.dumps({"reconciled": found}))
    return found
