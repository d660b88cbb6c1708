"""Rows of many small contents → few data files: each file knows how many rows of which load it holds.

A file of its own for each of two thousand small files would cost more than their rows do: an fsync, a footer, a line in
a manifest. The rows tell themselves apart (`_content`, `_file`), as in files that compaction has mixed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from athena.dataset import Column
from etl.contract import Layout
from etl.files import Folder
from etl.plan import Share, WrittenFile
from etl.write import ContentWriter

SMALL_CONTENT_BYTES = 1024 * 1024
# What is replaced later has its neighbours written anew: a few megabytes of Parquet.
SHARED_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Aside:
    """The rows of one small content, kept until all of it is known to be good."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows in."""
        self.batches.append(batch)
        self.rows += batch.num_rows


@dataclass(slots=True)
class _Open:
    columns: tuple[Column, ...]
    writer: ContentWriter
    size_bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)


class SharedFiles:
    """The shared files of one batch, named after `stem`; sorted where the layout says so, never partitioned."""

    def __init__(self, folder: Folder, stem: str) -> None:
        self._folder = folder
        self._stem = stem
        self._count = 0
        self._open: _Open | None = None
        self._shares: dict[str, tuple[Share, ...]] = {}
        self.written: list[WrittenFile] = []

    def add(
        self, rows: dict[str, int], batches: Sequence[pa.RecordBatch], columns: tuple[Column, ...], layout: Layout
    ) -> None:
        """Take in the rows of some loads, counted by load id. Raises `Failed` ("disk")."""
        if self._open is not None and (self._open.columns != columns or self._open.size_bytes >= SHARED_BYTES):
            self._finish()
        if self._open is None:
            self._count += 1
            writer = ContentWriter(self._folder, f"{self._stem}-shared-{self._count:05d}", columns, layout)
            self._open = _Open(columns, writer)
        for batch in batches:
            self._open.writer.write(batch)
            self._open.size_bytes += batch.nbytes
        self._open.rows |= rows

    def close(self) -> dict[str, tuple[Share, ...]]:
        """Where the rows of each load are, in finished files."""
        self._finish()
        return self._shares

    def abort(self) -> None:
        """Remove what was written: nobody knows of it yet."""
        if self._open is not None:
            self._open.writer.abort()
            self._open = None
        self._folder.remove(file.path for file in self.written)

    def _finish(self) -> None:
        if self._open is None:
            return
        files = self._open.writer.close()
        self.written += files
        for load_id, rows in self._open.rows.items():
            # Without a partition, and as small as it is, it is one file; or none where nobody has a row.
            self._shares[load_id] = tuple(Share(file, rows) for file in files if rows)
        self._open = None
