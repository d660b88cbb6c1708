"""The port of results: written once, immutable, read by pages."""

from pathlib import Path
from typing import Protocol

from athena.question import Page, Receipt


class Results(Protocol):
    """Results of finished runs by `result_id`. A missing or damaged one raises `Gone` and counts as a miss."""

    def holds(self, receipt: Receipt) -> bool:
        """Whether the result is there with the size that its receipt says."""
        ...

    def page(self, receipt: Receipt, *, offset: int, limit: int) -> Page:
        """At most `limit` rows from `offset` on, as finished JSON.

        `offset` is 0 or a former page's `next_offset`, and nothing else: it counts rows in the embedded home and
        bytes on S3, so nobody may compute one.
        """
        ...

    def csv(self, receipt: Receipt, *, offset: int, limit: int | None) -> Page:
        """The same as CSV, the header before row 0 only: NULL is an empty field, an empty string is `""`.

        Without `limit` as much as the store hands out at once: everything in the embedded home, a page on S3.
        """
        ...

    def path(self, receipt: Receipt) -> Path:
        """The result as one local Parquet file (embedded home)."""
        ...

    def discard(self, receipt: Receipt) -> None:
        """Take it away: nobody's answer any more, or damaged."""
        ...
