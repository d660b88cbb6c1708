"""Telling everybody: the event bus for programs, and a topic for people, who subscribe to it by mail."""

from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.errors import Failed
from athena.events import Event, LoadFailed
from athena.events.eventbridge import EventBridge

_SUBJECT_CHARACTERS = 99  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: less than 100


class Announcer:
    """Tells a bus, and a topic if there is one. What cannot be told raises `Failed`."""

    def __init__(self, events: Any, sns: Any, *, bus: str, topic: str, patience: Patience | None = None) -> None:
        self._bus = EventBridge(events, bus, patience)
        self._sns = sns
        self._topic = topic
        self._patience = patience or Patience()

    def tell(self, event: Event) -> None:
        """Told until it succeeds, by way of the outbox."""
        self._bus.tell(event)
        if isinstance(event, LoadFailed):
            self._publish(f"{event.dataset}: a file failed", f"{event.file}: {event.message} {event.remedy}")
        else:
            told = f"{event.dataset}: {event.rows_added:+,} rows, {-event.rows_removed:,} rows"
            self._publish(f"{event.dataset} was updated", f"{told}, snapshot {event.snapshot_id}.")

    def _publish(self, subject: str, message: str) -> None:
        if self._topic:
            asked = {"TopicArn": self._topic, "Subject": subject[:_SUBJECT_CHARACTERS], "Message": message}
            self._called(lambda: self._sns.publish(**asked), self._topic)

    def _called(self, call: Any, where: str) -> Any:
        try:
            return persist(call, patience=self._patience)
        except ClientError as error:
            raise _untold(where, error_code(error)) from error


def _untold(where: str, code: str) -> Failed:
    return Failed(
        f"{where} did not take an event ({code}).",
        "Check that it is there, and that the role may use it.",
        code="events-unavailable",
    )
