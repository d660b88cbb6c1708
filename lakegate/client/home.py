"""A lake in this process: the home on this machine, or a stage on AWS with the caller's own rights."""

import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from athena import ask, catalogue
from athena.catalogue import Listing
from athena.errors import LakegateError, Refused
from athena.failures import explained
from athena.lake import Lake
from athena.question import Answer, Caller, Question, ResultColumn, State
from athena.results.parts import Parts
from athena.unload import leave, unload
from lakegate.client import PastState, Query, Standing
from lakegate.client.arrow import arrow_schema, fitted, from_json

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of one batch from a stored result, and of one page where the result is no local file.
BATCH_ROWS = 65_536
PAGE_ROWS = 10_000
# From so many rows on, one UNLOAD is quicker than all their pages. It is billed as another run.
UNLOAD_ROWS = 200_000
LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)

Loader = Callable[[Path, str, str], Mapping[str, object]]


class ProcessLink:
    """Asks a `Lake` of this process as its owner or as one partner. `load` says how files get in."""

    def __init__(
        self, lake: Lake, *, where: str, partner: str | None, load: Loader | None, unload_rows: int = UNLOAD_ROWS
    ) -> None:
        self._lake = lake
        self._where = where
        self._caller = Caller(partner)
        self._load = load
        self._unload_rows = unload_rows

    @property
    def where(self) -> str:
        """What it leads to, for people."""
        return self._where

    def listings(self) -> tuple[Listing, ...]:
        """Every dataset that the asker may see."""
        return catalogue.datasets(self._lake, self._caller)

    def listing(self, name: str) -> Listing:
        """One of them; raises `NotFound`."""
        return catalogue.dataset(self._lake, self._caller, name)

    def ask(self, query: Query) -> Standing:
        """Put a question; comes back at once."""
        question = Question(
            self._caller,
            query.sql,
            parameters=query.parameters,
            limit=query.limit,
            cache="refresh" if query.refresh else "use",
            as_of=query.as_of,
        )
        return _standing(ask.ask(self._lake, question))

    def look(self, standing: Standing, *, seconds: float) -> Standing:
        """The same question, as soon as it is final, at the latest after `seconds`."""
        return _standing(ask.wait(self._lake, self._caller, standing.id, seconds=seconds))

    def cancel(self, standing: Standing) -> None:
        """Leave it: the engine stops unless others wait for the same answer."""
        ask.cancel(self._lake, self._caller, standing.id)

    def batches(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        """The rows, read from the stored result."""
        if standing.is_whole and not standing.warnings:
            return iter([_batch(standing.page, standing.columns)])
        if not self._lake.results.remote:
            return self._stored(standing)
        return self._paged(standing) if standing.row_count < self._unload_rows else self._unloaded(standing)

    def history(self, dataset: str) -> tuple[PastState, ...]:
        """The snapshots that are kept, oldest first."""
        if not self._caller.is_owner:
            raise Refused("Only the owner may see older states.", "Connect without partner=.", code="as-of-invalid")
        return tuple(PastState(one.snapshot_id, one.committed_at, one.rows) for one in self._lake.history(dataset))

    def load(self, file: Path, *, dataset: str, source: str) -> Mapping[str, object]:
        """Load a file through landing; its report."""
        if self._load is None or not self._caller.is_owner:
            raise Refused(
                f"{self._where} takes no files from here.",
                "Connect to it as its owner, or drop the file into its landing folder or bucket.",
                code="load-unavailable",
            )
        return self._load(file, dataset, source)

    def close(self) -> None:
        """Stop the engine."""
        self._lake.close()

    def _stored(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        from pyarrow import parquet

        schema = arrow_schema(standing.columns)
        with parquet.ParquetFile(ask.result_file(self._lake, self._caller, standing.id)) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                yield fitted(batch, schema)

    def _unloaded(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        """The rows from Parquet files that Athena writes; by pages where there are none, as these hold the same."""
        schema = arrow_schema(standing.columns)
        try:
            parts = self._parts(standing)
        except LakegateError as error:
            _log.info("%s is read by pages: %s", standing.id, error.message)
            yield from self._paged(standing)
            return
        assert self._lake.parts is not None  # noqa: S101 - who has parts has where they lie
        for part in parts.files:
            yield from (fitted(batch, schema) for batch in _read(self._lake.parts.chunks(part)))

    def _parts(self, standing: Standing) -> Parts:
        try:
            while True:
                parts = unload(self._lake, self._caller, standing.id, seconds=LOOK_SECONDS)
                if parts is not None:
                    return parts
        except KeyboardInterrupt:
            leave(self._lake, self._caller, standing.id)
            raise

    def _paged(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        token: str | None = None
        while True:
            page = ask.page(self._lake, self._caller, standing.id, token=token, limit=PAGE_ROWS)
            yield _batch(page.page.fragment, standing.columns)
            token = page.next
            if token is None:
                return


def _read(content: Iterable[bytes]) -> "Iterator[pa.RecordBatch]":
    """The rows of a Parquet file, by way of the disk: a footer stands at its end."""
    from pyarrow import parquet

    with tempfile.TemporaryFile() as file:
        file.writelines(content)
        file.seek(0)
        # Hive's instants are INT96, which holds nanoseconds.
        with parquet.ParquetFile(file, coerce_int96_timestamp_unit="us") as opened:
            yield from opened.iter_batches(BATCH_ROWS)


def _standing(answer: Answer) -> Standing:
    receipt = answer.receipt
    failed = answer.state is State.FAILED
    return Standing(
        id=answer.id,
        state=answer.state,
        cache=answer.cache,
        submitted_at=answer.submitted_at,
        columns=() if receipt is None else receipt.columns,
        row_count=0 if receipt is None else receipt.row_count,
        truncated=receipt is not None and receipt.truncated,
        snapshots=answer.snapshots,
        warnings=answer.warnings,
        error=explained(answer.error_code) if failed else None,
        page=b"" if answer.page is None else answer.page.fragment,
        is_whole=answer.next is None,
    )


def _batch(fragment: bytes, columns: tuple[ResultColumn, ...]) -> "pa.RecordBatch":
    return from_json(json.loads(b"{" + fragment + b"}")["rows"], columns)
