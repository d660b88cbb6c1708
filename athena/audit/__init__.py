"""The port of the audit log: one line per question and one per run, without statements and values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one question (`event` is `question`) or of one run of the engine (`run`).

    `outcome` is `answered` or `accepted` for a question, `succeeded` for a run, or the code of what went wrong.
    `partner` is None for the owner. `tables` are existing ones. A run and the questions that it answered share their
    `fingerprint`. `scanned_bytes` is 0 but for runs.
    """

    event: str
    at: datetime
    partner: str | None
    outcome: str
    request_id: str = ""
    tables: tuple[str, ...] = ()
    fingerprint: str | None = None
    cache: str | None = None
    scanned_bytes: int = 0
    milliseconds: float = 0.0


class Audit(Protocol):
    """Takes entries without waiting; they are written with the next `flush`, in their order."""

    def note(self, entry: Entry) -> None:
        """Keep the entry for the log."""
        ...

    def flush(self) -> None:
        """Write what was noted."""
        ...


def line(entry: Entry) -> bytes:
    """The entry as one line of JSON, its line end included.

    >>> from datetime import UTC
    >>> line(Entry("question", datetime(2026, 11, 21, tzinfo=UTC), "united", "not-found"))[:74]
    b'{"event":"question","at":"2026-11-21T00:00:00+00:00","partner":"united","o'
    """
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
