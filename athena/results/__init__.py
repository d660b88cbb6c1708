"""The port of results: written once, immutable, read by pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from athena.forms import Form
from athena.question import Page, Receipt


class Results(Protocol):
    """Results of finished runs by `result_id`. A missing or damaged one raises `Gone` and counts as a miss."""

    @property
    def remote(self) -> bool:
        """Whether `holds` costs a call to a service: then a hit does not ask, and whoever finds rows gone tells the
        flights (`Flights.lose`)."""
        ...

    def holds(self, receipt: Receipt) -> bool:
        """Whether the result is there with the size that its receipt says."""
        ...

    def page(self, receipt: Receipt, *, offset: int, limit: int, form: Form = Form.JSON) -> Page:
        """At most `limit` rows from `offset` on, as finished bytes; CSV has its header before row 0 only.

        `offset` is 0 or a former page's `next_offset`, and nothing else: it counts rows in the embedded home and
        bytes on S3, so nobody may compute one. Raises `Refused` (`format-unavailable`).
        """
        ...

    def stream(self, receipt: Receipt, *, offset: int, form: Form) -> Iterator[bytes] | None:
        """All rows from `offset` on, a few at a time; None where there are pages and links alone.

        JSON is no form for it. Raises `Gone` here, or later when damage lies behind.
        """
        ...

    def link(self, receipt: Receipt, *, form: Form, seconds: int, filename: str) -> str | None:
        """An address from which anybody may fetch the whole for so long; None where `stream` does it."""
        ...

    def path(self, receipt: Receipt) -> Path:
        """The result as one local Parquet file (embedded home)."""
        ...

    def discard(self, receipt: Receipt) -> None:
        """Take it away: nobody's answer any more, or damaged."""
        ...
