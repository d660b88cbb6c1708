"""What a message of the landing queue says: objects that were made, or a manifest that waits for a job. Pure.

Three senders, three forms:

- EventBridge, `Object Created`: one object, its key as it is.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- S3 itself, `Records`: several objects, their keys URL-encoded, and `s3:TestEvent` when it is set up.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
- the dispatcher: a manifest for which no job could be started.

Either of the first two may be wrapped by SNS.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote_plus

from athena.errors import Refused
from etl.landing import Key, ignored, parse_key


@dataclass(frozen=True, slots=True)
class Arrived:
    """An object that was made."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """A manifest whose job could not be started `times` times."""

    dataset: str
    manifest: str
    times: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that one message says."""

    arrived: tuple[Arrived, ...] = ()
    deferred: Deferred | None = None


def hear(body: str) -> Heard:
    """What a message says; raises `Refused` ("event-invalid") for one that nobody here sends.

    >>> hear('{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, '
    ...      '"object": {"key": "landing/t/a+b%2B.csv"}}}]}').arrived
    (Arrived(bucket='b', key='landing/t/a b+.csv'),)
    >>> hear('{"Service": "Amazon S3", "Event": "s3:TestEvent"}')
    Heard(arrived=(), deferred=None)
    """
    try:
        told = json.loads(body)
        if told.get("Type") == "Notification":
            told = json.loads(told["Message"])
        if "deferred" in told:
            return Heard(deferred=Deferred(**told["deferred"]))
        if told.get("Event") == "s3:TestEvent":
            return Heard()
        if "Records" in told:
            return Heard(tuple(_of_s3(told["Records"])))
        return Heard(tuple(_of_event_bridge(told)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"A message of the landing queue cannot be understood: {error!r}.",
            "See who else sends to this queue; the next reconciliation finds what the message meant.",
            code="event-invalid",
        ) from error


def deferred_body(deferred: Deferred) -> str:
    """The message that `hear` reads as `deferred`."""
    return json.dumps({"deferred": asdict(deferred)})


def keys_of(arrived: Iterable[Arrived], *, bucket: str, prefix: str) -> list[Key]:
    """The landing keys among objects: those in the bucket, below the prefix, that are somebody's.

    >>> [key.text for key in keys_of([Arrived("b", "landing/t/a.csv"), Arrived("b", "landing/t/.a"),
    ...                               Arrived("b", "reports/t/a.csv"), Arrived("c", "landing/t/a.csv")],
    ...                              bucket="b", prefix="landing/")]
    ['t/a.csv']
    """
    found = []
    for one in arrived:
        text = one.key.removeprefix(prefix)
        if one.bucket != bucket or not one.key.startswith(prefix) or ignored(text) or text.endswith("/"):
            continue
        try:
            found.append(parse_key(text))
        except Refused:
            continue  # the next reconciliation names it
    return found


def _of_s3(records: list[dict[str, Any]]) -> Iterable[Arrived]:
    for record in records:
        if record["eventName"].startswith("ObjectCreated:"):
            yield Arrived(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def _of_event_bridge(told: dict[str, Any]) -> Iterable[Arrived]:
    if told["source"] != "aws.s3":
        raise ValueError(f"an event of {told['source']}")
    # What was deleted, restored or tiered changes no rows.
    if told["detail-type"] == "Object Created":
        yield Arrived(told["detail"]["bucket"]["name"], told["detail"]["object"]["key"])
