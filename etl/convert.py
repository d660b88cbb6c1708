"""One file to one typed Parquet file, without a lake.

source → study → transform → Parquet under a temporary name → renamed
"""

import csv
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from athena.dataset import REJECT_COLUMNS, SYSTEM_COLUMNS, Column
from athena.errors import Refused
from etl._beside import Beside
from etl._parquet import ROW_GROUP_ROWS, parquet_writer
from etl.account import account
from etl.contract import Contract, SourceRules
from etl.disk import writing
from etl.report import MAX_SKIPPED_SHOWN, Reject, Report, Skipped
from etl.source import Source, sources_of
from etl.transform import (
    Advance,
    Portion,
    Study,
    Tally,
    no_advance,
    repeating,
    stored_schema,
    study,
    transform_narrow,
    with_origin,
)

Told = Callable[[int, int, int], None]
"""Told bytes done and in all over both passes (decompressed; 0 while unknown), and rows so far."""

CHECK_FOLDER = "Check that its folder is there and writable, and that the disk has room; nothing was changed."


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


def convert(
    src: Path,
    dst: Path,
    *,
    contract: Contract | None = None,
    text: bool = False,
    rejects: Path | None = None,
    told: Told | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Report:
    """Write `dst` (zstd Parquet with field ids, typed columns, then the system columns) from `src`; the report.

    A file that is refused as a whole (empty, binary, does not fit the contract, more bad records than the contract
    allows) gives a report with status "failed" and `error`; `dst` is then as it was. `rejects` is written as CSV
    whenever the file could be read (with a header line alone when there are none). A contract's rules are those of
    its source `default`. `told` hears how far it is. Raises `Refused` for a `src` that is not there ("no-such-file") or
    would be written over ("file-exists"), and `Failed` when the disk fails.
    """
    began = time.monotonic()
    if not src.is_file():
        raise Refused(f"{src} is no file.", "Name a file that exists.", code="no-such-file")
    for written in (dst, rejects):
        if written is not None and written.exists() and written.samefile(src):
            raise Refused(f"{written} is the file to be read.", "Name another file to write.", code="file-exists")
    work = _Work(src.name, contract)
    error: Refused | None = None
    try:
        source = _only_source(src)
        work.studied = study(source, contract=contract, rules=work.rules, text=text, advance=_telling(told, source))
        with _reject_file(rejects, work) as tell:
            error = _write(work, source, dst, tell, clock(), told)
    except Refused as refused:
        error = refused
    return work.report(time.monotonic() - began, error)


@dataclass(slots=True)
class _Work:
    """What is known so far, so that a report can be made at any point."""

    file: str
    contract: Contract | None
    studied: Study | None = None
    tally: Tally = field(default_factory=Tally)
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def rules(self) -> SourceRules:
        return self.contract.rules("default") if self.contract else SourceRules()

    def report(self, seconds: float, error: Refused | None = None) -> Report:
        report = account(self.file, self.studied, self.tally, warnings=self.warnings, error=error)
        return replace(report, skipped=tuple(self.skipped), seconds=seconds)


def _telling(told: Told | None, source: Source, work: _Work | None = None) -> Advance:
    """What hears of one pass over the source: of the second where there is `work` to count."""
    if told is None:
        return no_advance
    if work is None or work.studied is None:
        return lambda done: told(done, 2 * (source.size_bytes or 0), 0)
    size = work.studied.size_bytes
    return lambda done: told(size + done, 2 * size, work.tally.rows_in)


def _only_source(src: Path) -> Source:
    sources = sources_of(src, src.name)
    if len(sources) > 1:
        names = ", ".join(source.name.partition("!")[2] for source in sources[:5])
        raise Refused(
            f"{src.name} holds {len(sources)} files: {names}.",
            "Unpack it and convert one of them, or load it into a lake, which takes every member.",
            code="archive-members",
        )
    return sources[0]


def _write(
    work: _Work, source: Source, dst: Path, tell: Callable[[Iterable[Reject]], None], now: datetime, told: Told | None
) -> Refused | None:
    """Write the file; or why it is not kept."""
    studied = work.studied
    if studied is None:
        return None
    columns = _numbered(studied.columns)
    with _target(dst, stored_schema((*columns, *_numbered(SYSTEM_COLUMNS, len(columns))))) as target:
        advance = _telling(told, source, work)
        for portion in transform_narrow(source, studied, columns, studied.rules, advance=advance):
            work.tally += portion.tally
            work.skipped += portion.skipped[: MAX_SKIPPED_SHOWN - len(work.skipped)]
            work.warnings += portion.warnings
            tell(portion.rejects)
            target.add(portion, file=source.name, content=studied.content, loaded_at=now)
        most = work.contract.max_rejected if work.contract else 1.0
        if work.tally.rejected_share <= most:
            target.finish()
            return None
    return Refused(
        work.tally.too_many(str(work.file), most),
        "See the rejects (--rejects F.csv), then mend the file or the contract, or raise max_rejected in the contract.",
        code="too-many-rejects",
    )


def _numbered(columns: Sequence[Column], above: int = 0) -> tuple[Column, ...]:
    """The columns with field ids 1, 2, … where they have none of their own."""
    return tuple(
        column if column.field_id is not None else replace(column, field_id=above + number)
        for number, column in enumerate(columns, 1)
    )


class _Target:
    """A Parquet file under a temporary name, in row groups of a fixed number of rows."""

    def __init__(self, dst: Path, schema: pa.Schema) -> None:
        self._dst = dst
        # In the same folder: a rename is atomic only there.
        self.path = dst.with_name(f".{dst.name}.{secrets.token_hex(6)}.part")
        self._schema = repeating(schema)
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._writer: pq.ParquetWriter | None = None
        # Rows are encoded while the next ones are read: two row groups in memory instead of one.
        self._encoding = Beside()

    def add(self, portion: Portion, *, file: str, content: str, loaded_at: datetime) -> None:
        """Take rows in."""
        if portion.rows.num_rows:
            rows = with_origin(portion, file=file, content=content, loaded_at=loaded_at)
            self._waiting.append(pa.RecordBatch.from_arrays(rows.columns, schema=self._schema))
            self._rows += portion.rows.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            self._flush(self._rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS)

    def finish(self) -> None:
        """Write what waits and give the file its name."""
        self._encoding.do(self._write, pa.Table.from_batches(self._waiting, self._schema))
        self._encoding.wait()
        self.close_file()
        self.path.replace(self._dst)

    def close(self) -> None:
        """Remove the file unless it is finished."""
        self.close_file()
        self.path.unlink(missing_ok=True)

    def close_file(self) -> None:
        """Let go of the file."""
        self._encoding.close()
        if self._writer is not None:
            self._writer.close()

    def _flush(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting)
        self._encoding.do(self._write, table.slice(0, rows))
        self._waiting = table.slice(rows).to_batches()
        self._rows -= rows

    def _write(self, rows: pa.Table) -> None:
        if self._writer is None:
            self._writer = parquet_writer(self.path, rows)
        self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        # What one thread has allocated and another freed would stay with the allocator.
        pa.default_memory_pool().release_unused()


@contextmanager
def _target(dst: Path, schema: pa.Schema) -> Iterator[_Target]:
    with writing(dst, CHECK_FOLDER):
        target = _Target(dst, schema)
        try:
            yield target
        finally:
            target.close()


@contextmanager
def _reject_file(path: Path | None, work: _Work) -> Iterator[Callable[[Iterable[Reject]], None]]:
    """Where rejects are written as CSV; nowhere without a path. The file gets its name at the end."""
    if path is None:
        yield lambda rejects: None
        return
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    with writing(path, CHECK_FOLDER):
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as stream:
                yield _reject_rows(stream, work)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _reject_rows(stream: TextIO, work: _Work) -> Callable[[Iterable[Reject]], None]:
    writer = csv.DictWriter(stream, [column.name for column in REJECT_COLUMNS])
    writer.writeheader()
    content = work.studied.content if work.studied else ""

    def tell(rejects: Iterable[Reject]) -> None:
        writer.writerows(reject.as_row(load_id=content[:16], file=work.file) for reject in rejects)

    return tell
