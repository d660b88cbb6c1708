"""Results as files: `results/<aa>/<result id>.parquet`, written beside and renamed into place, never changed."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from athena.errors import Failed, Gone
from athena.forms import Form
from athena.question import Page, Receipt

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

STAGING = "staging"
_SWEEP_EVERY_SECONDS = 3600.0
# However many rows somebody asks for at once, a page is read into memory whole.
_MOST_PAGE_ROWS = 50_000
_CHUNK_BYTES = 1024 * 1024


class LocalResults:
    """A folder. Files older than `kept_seconds` are swept away, at most once an hour."""

    def __init__(self, folder: Path, *, kept_seconds: float) -> None:
        self.folder = folder
        self._kept_seconds = kept_seconds
        self._swept_at = time.monotonic()

    @property
    def remote(self) -> bool:
        """A file is looked up in a microsecond."""
        return False

    def stage(self, name: str) -> Path:
        """A folder of its own on the same disk, for an engine to write `name`'s result (and spill) into."""
        place = self.staged(name)
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return place

    def staged(self, name: str) -> Path:
        """Where `stage` made that folder."""
        return self.folder / STAGING / name

    def unstage(self, place: Path) -> None:
        """Remove a staging folder with all that is left in it."""
        shutil.rmtree(place, ignore_errors=True)

    def keep(self, staged: Path, result_id: str) -> None:
        """Move a finished file into the store."""
        target = self._path(result_id)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.chmod(0o444)
            staged.replace(target)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        if time.monotonic() - self._swept_at > _SWEEP_EVERY_SECONDS:
            self._swept_at = time.monotonic()
            self.sweep(before=time.time() - self._kept_seconds)

    def holds(self, receipt: Receipt) -> bool:
        """Whether the result is there with the size that its receipt says."""
        try:
            # Every hit does this: a text and not a path, which takes three times as long to build as to look up.
            place = f"{self.folder}/{receipt.result_id[:2]}/{receipt.result_id}.parquet"
            return os.stat(place).st_size == receipt.size_bytes  # noqa: PTH116
        except OSError:
            return False

    def page(self, receipt: Receipt, *, offset: int, limit: int, form: Form = Form.JSON) -> Page:
        """At most `limit` rows from row `offset` on, as finished bytes."""
        from athena.results.arrow import fitted

        with self._opened(receipt) as file:
            table = _rows(file, offset, min(limit, _MOST_PAGE_ROWS))
            fragment, count = fitted(receipt.columns, table, form, header=offset == 0)
        return Page(fragment, count, _following(receipt, offset + count))

    def stream(self, receipt: Receipt, *, offset: int, form: Form) -> Iterator[bytes]:
        """All rows from row `offset` on, a row group at a time. What is damaged raises before the first byte, or is
        told where it lies."""
        chunks = self._chunks(receipt, offset, form)
        # Whoever answers with it must know that it is there before they say so.
        return chain((next(chunks, b""),), chunks)

    def link(self, receipt: Receipt, *, form: Form, seconds: int, filename: str) -> None:
        """There is none: who serves the folder streams from it."""

    def path(self, receipt: Receipt) -> Path:
        """The result as one Parquet file; raises `Gone` when it is not there whole."""
        if not self.holds(receipt):
            raise result_gone()
        return self._path(receipt.result_id)

    def discard(self, receipt: Receipt) -> None:
        """Take it away."""
        self._path(receipt.result_id).unlink(missing_ok=True)

    def sweep(self, *, before: float) -> int:
        """Remove results and staging folders last changed before `before` (epoch seconds); how many."""
        swept = 0
        for path in (*self.folder.glob("??/*.parquet"), *(self.folder / STAGING).glob("*")):
            try:
                if path.stat().st_mtime < before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    swept += 1
            except FileNotFoundError:
                continue  # another process was faster
        return swept

    def _chunks(self, receipt: Receipt, offset: int, form: Form) -> Iterator[bytes]:
        from athena.results.arrow import written

        with self._opened(receipt) as file:
            if form is Form.PARQUET and offset == 0:
                yield from _file_chunks(self.path(receipt))
            else:
                yield from written(receipt.columns, file.schema_arrow, _groups(file, offset), form, header=offset == 0)

    def _path(self, result_id: str) -> Path:
        return self.folder / result_id[:2] / f"{result_id}.parquet"

    @contextmanager
    def _opened(self, receipt: Receipt) -> "Iterator[pq.ParquetFile]":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path(receipt), page_checksum_verification=True, pre_buffer=False) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            # Without the file the next asking is a miss and makes it anew.
            self.discard(receipt)
            raise result_gone() from error


def _rows(file: "pq.ParquetFile", offset: int, limit: int) -> "pa.Table":
    """Rows of a file, reading no row group that holds none of them."""
    begin, wanted = 0, []
    skipped = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if begin + size <= offset:
            skipped = begin + size
        elif begin < offset + limit:
            wanted.append(group)
        begin += size
    if not wanted:
        return file.schema_arrow.empty_table()
    table: pa.Table = file.read_row_groups(wanted).slice(offset - skipped, limit)
    return table


def _groups(file: "pq.ParquetFile", offset: int) -> "Iterator[pa.Table]":
    """The rows from `offset` on, one row group in memory at a time."""
    begin = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if begin + size > offset:
            yield file.read_row_group(group).slice(max(0, offset - begin))
        begin += size


def _file_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _following(receipt: Receipt, offset: int) -> int | None:
    return offset if offset < receipt.row_count else None


def result_gone() -> Gone:
    """A result that is missing or damaged."""
    return Gone("The rows of this answer are no longer kept.", "Ask the question again.", code="result-gone")


def _unwritable(folder: Path, error: OSError) -> Failed:
    return Failed(
        f"The result folder {folder.name}/ cannot be written: {error.strerror}.",
        "Check that the disk has room and that the folder is writable.",
        code="results-unavailable",
    )
