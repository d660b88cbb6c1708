"""Events on AWS: an outbox in DynamoDB, and EventBridge, which tells everybody who listens.

An event is put before the head is published and taken off after EventBridge has it, so that it is told at least once;
`id` is the commit's, by which a listener knows what it has heard before.
"""

from typing import Any

import orjson
from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.dynamodb import Key, Table, micros, number, text
from athena.errors import Failed
from athena.events import DatasetUpdated, Event, packed, unpacked
from athena.lake import Clock

SOURCE = "lakegate"
_OUTBOX = "outbox"
# The service's own: worth another try.
_FAULTS = frozenset(["InternalException", "InternalFailure"])


class DynamoOutbox:
    """Items `outbox` / `<event id>`: the event and when it was put."""

    def __init__(self, state: Table, clock: Clock) -> None:
        self._table = state
        self._clock = clock

    def put(self, event: Event) -> None:
        """Keep it until delivered; the same id again changes nothing."""
        self._table.change(
            Key(_OUTBOX, event.id),
            "SET event = :event, put_at = :put_at",
            when="attribute_not_exists(pk)",
            event=packed(event).decode(),
            put_at=micros(self._clock()),
        )

    def undelivered(self) -> tuple[Event, ...]:
        """Oldest first."""
        items = sorted(self._table.each(_OUTBOX), key=lambda item: number(item["put_at"]))
        return tuple(unpacked(text(item["event"]).encode()) for item in items)

    def delivered(self, event_id: str) -> None:
        """Take it off; without effect when it is not there."""
        self._table.remove(Key(_OUTBOX, event_id))


class EventBridge:
    """Tells events to a bus."""

    def __init__(self, client: Any, bus: str, patience: Patience | None = None) -> None:
        self._client = client
        self._bus = bus
        self._patience = patience or Patience()

    def tell(self, event: Event) -> None:
        """Put it on the bus; raises `Failed` or `OutcomeUnknown`, and it is told again later."""
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": type(event).__name__,
            "Time": event.committed_at if isinstance(event, DatasetUpdated) else event.failed_at,
            "Detail": orjson.dumps(event).decode(),
        }
        try:
            persist(lambda: self._put(entry), patience=self._patience)
        except ClientError as error:
            raise _untold(self._bus, error_code(error)) from error

    def _put(self, entry: dict[str, Any]) -> None:
        """An entry that failed is a call that failed: what is wrong with it stands in the answer.

        https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
        """
        done = self._client.put_events(Entries=[entry])
        if done["FailedEntryCount"]:
            code = str(done["Entries"][0].get("ErrorCode"))
            status = 500 if code in _FAULTS else 400
            answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(answer, "PutEvents")


def _untold(bus: str, code: str) -> Failed:
    return Failed(
        f"The event bus {bus} did not take an event ({code}).",
        "It is told again later; if it stays so, check the bus and the role.",
        code="events-unavailable",
    )
