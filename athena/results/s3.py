"""Results as Athena leaves them in S3: `<execution>.csv`, read by byte ranges of exactly that object.

A result id is `<key>:<ETag>`, so that an object which was written over is as gone as one which was deleted. Offsets
are those of a record's first byte: a page needs its own bytes and nothing before them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

from athena.errors import Gone, Refused
from athena.forms import Form, unavailable
from athena.page import csv_rows, escaped_bytes, json_fragment
from athena.question import Page, Receipt, ResultColumn
from athena.results.quoted import Counter, Record, records
from athena.results.typed import values
from athena.s3 import Bucket

# So much is read for a page at most, and so long may it be as one JSON text: a Lambda answers with 6 MB.
PAGE_BYTES = 4_000_000
TRAVELLING_BYTES = 5_500_000
# Beside Athena's results, under the same lifecycle rule.
DOWNLOADS = "downloads/"
CHUNK_BYTES = 8_000_000
_SLACK_BYTES = 4096
_FLOATING = frozenset(["float", "double"])
_NOT_FINITE = (b'"NaN"', b'Infinity"')


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to know of a new result without reading it into memory at once.

    `size_bytes` ends behind the last row that is shown; `result_id` is for receipts.
    """

    result_id: str
    row_count: int
    truncated: bool
    size_bytes: int
    sha256: str
    warnings: tuple[str, ...]


class S3Results:
    """The result location of one workgroup."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def survey(
        self, execution: str, columns: tuple[ResultColumn, ...], *, row_limit: int, most_bytes: int
    ) -> Survey | None:
        """Read the result of `execution` once, in chunks; None when it has more than `most_bytes`.

        Raises `Gone` when it is not there.
        """
        key = f"{execution}.csv"
        size, tag = self.bucket.size_and_tag(key)
        if size > most_bytes:
            return None
        counter, digest, suspicious, last = Counter(), hashlib.sha256(), False, b""
        shown = size
        while counter.size_bytes < size:
            chunk = self.bucket.range(key, start=counter.size_bytes, size=CHUNK_BYTES, tag=tag)
            shown = counter.feed_up_to(chunk, row_limit + 1) or shown  # the header is a record
            digest.update(chunk)
            suspicious = suspicious or any(mark in chunk for mark in _NOT_FINITE)
            last = chunk
        rows = max(0, counter.count + (not last.endswith(b"\n")) - 1) if size else 0
        truncated = rows > row_limit
        result_id = key + ":" + tag.strip('"')
        warnings = self._warnings(key, tag, shown, columns) if suspicious else ()
        return Survey(result_id, min(rows, row_limit), truncated, shown, digest.hexdigest(), warnings)

    @property
    def remote(self) -> bool:
        """A `HeadObject` costs more than all else of a hit."""
        return True

    def holds(self, receipt: Receipt) -> bool:
        """Whether the very object that the receipt was made for is there."""
        key, tag = _key_and_tag(receipt)
        try:
            return self.bucket.size_and_tag(key)[1] == tag
        except Gone:
            return False

    def page(self, receipt: Receipt, *, offset: int, limit: int, form: Form = Form.JSON) -> Page:
        """At most `limit` rows, and as many as one response can carry, from the record at byte `offset` on."""

        def made(rows: list[Record]) -> bytes:
            typed = _typed(receipt, rows)
            if form is Form.JSON:
                return json_fragment(receipt.columns, typed)
            if form.is_csv:
                guarded = form is Form.GUARDED_CSV
                return csv_rows(receipt.columns, typed, header=offset == 0, guarded=guarded)
            return _binary(receipt, typed, form)

        travelling = escaped_bytes if form is Form.JSON or form.is_csv else _base64_bytes
        return self._fitting(receipt, offset, limit, made, travelling)

    def stream(self, receipt: Receipt, *, offset: int, form: Form) -> None:
        """There is none: a function on AWS answers with at most 6 MB, and links lead to the rest."""

    def path(self, receipt: Receipt) -> Path:
        """There is no file here; raises `Refused`."""
        raise Refused(
            "This lake keeps results in S3 and not in files.", "Fetch it by pages or by link.", code="no-file"
        )

    def link(self, receipt: Receipt, *, form: Form, seconds: int, filename: str) -> str:
        """An address from which anybody may fetch the result as Athena wrote it, for so long.

        Of a truncated one a copy without the row that told so.
        """
        if form is not Form.CSV:
            raise unavailable(f"This lake writes whole results as CSV and Parquet, not as {form}")
        key, tag = _key_and_tag(receipt)
        if not self.holds(receipt):
            raise Gone("The stored result is not there any more.", "Ask the question again.", code="result-gone")
        if receipt.truncated:
            whole, key = key, f"{DOWNLOADS}{tag[1:-1]}.{receipt.size_bytes}.csv"
            if not self._is_there(key, receipt.size_bytes):
                self.bucket.copy_start(whole, key, size=receipt.size_bytes, tag=tag)
        return self.bucket.link(key, seconds=seconds, filename=filename)

    def _is_there(self, key: str, size_bytes: int) -> bool:
        try:
            return self.bucket.size_and_tag(key)[0] == size_bytes
        except Gone:
            return False

    def discard(self, receipt: Receipt) -> None:
        """Delete the object."""
        key, _ = _key_and_tag(receipt)
        self.bucket.remove(key)

    def _fitting(
        self,
        receipt: Receipt,
        offset: int,
        limit: int,
        made: Callable[[list[Record]], bytes],
        travelling: Callable[[bytes], int],
    ) -> Page:
        """The page that `made` makes of as many rows as one response can carry; of one row in any case."""
        while True:
            rows, following = self._rows(receipt, offset, limit, PAGE_BYTES)
            content = made(rows)
            if len(rows) <= 1 or len(content) * 6 <= TRAVELLING_BYTES or travelling(content) <= TRAVELLING_BYTES:
                return Page(content, len(rows), following)
            limit = len(rows) // 2

    def _rows(self, receipt: Receipt, offset: int, limit: int, most_bytes: int) -> tuple[list[Record], int | None]:
        key, tag = _key_and_tag(receipt)
        rows: list[Record] = []
        wanted = limit + (offset == 0)  # the first record is the header
        position, content = offset, b""
        ahead = _expected_bytes(receipt, wanted)
        while len(rows) < wanted and position < receipt.size_bytes and position - offset < most_bytes:
            start = position + len(content)
            content += self.bucket.range(key, start=start, size=min(ahead, receipt.size_bytes - start), tag=tag)
            if position + len(content) == receipt.size_bytes and not content.endswith(b"\n"):
                content += b"\n"
            used = 0
            for row, used in records(content):
                rows.append(row)
                if len(rows) == wanted or position + used - offset >= most_bytes:
                    break
            if used == 0 and start + ahead >= receipt.size_bytes:
                raise Gone("The stored result cannot be read.", "Ask the question again.", code="result-gone")
            position, content = position + used, content[used:]
            ahead = max(ahead, len(content))
        return rows[offset == 0 :], position if position < receipt.size_bytes else None

    def _warnings(self, key: str, tag: str, size: int, columns: tuple[ResultColumn, ...]) -> tuple[str, ...]:
        floating = {at for at, column in enumerate(columns) if column.type.name in _FLOATING}
        found: set[int] = set()
        content, position = b"", 0
        while position < size and found != floating:
            chunk = self.bucket.range(key, start=position, size=min(CHUNK_BYTES, size - position), tag=tag)
            position, content = position + len(chunk), content + chunk
            whole = list(records(content))
            found |= {at for row, _ in whole for at in floating if (row[at] or "").lstrip("-") in ("NaN", "Infinity")}
            content = content[whole[-1][1] :] if whole else content
        names = [columns[at].name for at in sorted(found)]
        return tuple(f"Column {name} holds NaN or infinite values; JSON shows them as null." for name in names)


def _typed(receipt: Receipt, rows: list[Record]) -> list[list[object]]:
    try:
        return values(receipt.columns, rows)
    except (ValueError, KeyError, InvalidOperation, ZoneInfoNotFoundError) as error:
        raise Gone("The stored result cannot be read.", "Ask the question again.", code="result-gone") from error


def _binary(receipt: Receipt, typed: list[list[object]], form: Form) -> bytes:
    try:
        from athena.results.arrow import binary
    except ImportError as error:
        raise Refused(
            f"This function cannot write {form}: it runs without pyarrow.",
            "Ask for application/json or text/csv.",
            code="format-unavailable",
        ) from error
    return binary(receipt.columns, typed, form)


def _base64_bytes(content: bytes) -> int:
    return (len(content) + 2) // 3 * 4


def _expected_bytes(receipt: Receipt, rows: int) -> int:
    per_row = receipt.size_bytes / (receipt.row_count + 1)
    return min(PAGE_BYTES, int(per_row * rows * 1.1)) + _SLACK_BYTES


def execution_of(receipt: Receipt) -> str:
    """The execution that wrote a result."""
    return _key_and_tag(receipt)[0].removesuffix(".csv")


def _key_and_tag(receipt: Receipt) -> tuple[str, str]:
    key, _, tag = receipt.result_id.rpartition(":")
    return key, f'"{tag}"'
