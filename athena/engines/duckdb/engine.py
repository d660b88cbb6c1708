"""The engine port over a pool of DuckDB children; results go to the local result store."""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from athena.engines import Broken, Finished, Job, Progress, Running
from athena.engines.duckdb.child_process import Child
from athena.engines.duckdb.errand import Done, Errand
from athena.engines.duckdb.pool import Pool, Ride, Unplanned
from athena.errors import Busy, LakegateError
from athena.lake import Clock
from athena.question import Page, Receipt, SnapshotRef
from athena.results.local import LocalResults
from athena.settings import Settings

# Rises whenever the same SQL may give other rows, types or bytes than before.
FORMAT = 1
MOST_QUEUED = 1000
_ENDED_KEPT = 32

_log = logging.getLogger(__name__)


def _load_planner() -> None:
    """Half a second of imports, most of it Iceberg's."""
    for module in ("athena.engines.duckdb.plan", "pyiceberg.table"):
        import_module(module)


@dataclass(eq=False)
class _Execution:
    id: str
    job: Job
    # Never another run's, not even when the bytes are equal: a late finisher takes its own away.
    result_id: str
    ended: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Running)
    ride: Ride | None = None
    bytes_scanned: int = 0


class DuckDBEngine:
    """See the port. Children start with the first job, or with `warm`."""

    def __init__(self, settings: Settings, results: LocalResults, clock: Clock) -> None:
        self._settings = settings
        self._results = results
        self._clock = clock
        self._lock = threading.Lock()
        self._executions: OrderedDict[str, _Execution] = OrderedDict()
        self._version = f"duckdb {version('duckdb')}, format {FORMAT}"
        self._pool = Pool(self._start_child, slots=settings.engine_workers)

    @property
    def version(self) -> str:
        """Engine and result-format version."""
        return self._version

    def warm(self) -> None:
        """Start the children and load what plans, before the first job needs them."""
        self._pool.warm()
        threading.Thread(target=_load_planner, name="engine-warm", daemon=True).start()

    def check(self, job: Job) -> None:
        """Refuse what DuckDB cannot do as Athena does it."""
        from athena.engines.duckdb.translate import columns_of, translated

        translated(job.sql, columns_of(job.pins))

    def estimate(self, job: Job, row_filters: Mapping[str, str]) -> int | None:
        """The size of the named columns in the files that cannot be left out."""
        from athena.engines.duckdb.plan import scan_bytes

        return scan_bytes(job, row_filters)

    def start(self, job: Job) -> str:
        """Begin the job; a token that is known and not broken is the execution that it named before."""
        execution = _Execution(job.token, job, secrets.token_hex(16))
        with self._lock:
            known = self._executions.get(job.token)
            if known is not None and not isinstance(known.progress, Broken):
                return known.id
            if self._pool.queued >= MOST_QUEUED:
                raise Busy("The engine has no room for another query.", "Ask again in a few seconds.")
            self._executions[execution.id] = execution
            self._executions.move_to_end(execution.id)
            self._forget()
        execution.ride = Ride(
            prepare=lambda: self._errand(execution),
            landed=lambda done, page: self._landed(execution, done, page),
            timeout_seconds=job.timeout_seconds,
            partner=job.partner,
        )
        self._pool.send(execution.ride)
        return execution.id

    def wait(self, execution: str, *, seconds: float) -> Progress:
        """How it stands, at the latest after `seconds`."""
        with self._lock:
            known = self._executions.get(execution)
        if known is None:
            return Broken("engine-lost")
        known.ended.wait(seconds)
        return known.progress

    def stop(self, execution: str) -> None:
        """End it."""
        with self._lock:
            known = self._executions.get(execution)
        if known is not None and known.ride is not None:
            self._pool.stop(known.ride)

    def close(self) -> None:
        """Kill the children; what was running is lost."""
        self._pool.close()

    def _start_child(self) -> Child:
        settings = self._settings
        largest = max(settings.engine_spill_bytes, settings.result_bytes)
        return Child(memory_bytes=settings.engine_memory_bytes, file_bytes=largest)

    def _errand(self, execution: _Execution) -> Errand:
        from athena.engines.duckdb.plan import planned

        job, settings = execution.job, self._settings
        try:
            plan = planned(job)
            place = self._results.stage(execution.result_id)
        except LakegateError as error:
            _log.warning("query %s could not be planned: %s", execution.id[:12], error)
            raise Unplanned(error.code) from error
        except Exception as error:
            _log.exception("query %s could not be planned", execution.id[:12])
            raise Unplanned("engine-failed") from error
        execution.bytes_scanned = plan.size_bytes
        return Errand(
            lake=settings.name,
            sql=plan.sql,
            guarded=job.guarded,
            setup=plan.setup,
            views=plan.views,
            files=plan.files,
            output=job.output,
            row_limit=job.row_limit,
            page_rows=settings.page_rows,
            staged=str(place / "result.parquet"),
            spill=str(place / "spill"),
            threads=settings.engine_threads,
            memory_bytes=settings.engine_memory_bytes,
            spill_bytes=settings.engine_spill_bytes,
            result_bytes=settings.result_bytes,
        )

    def _landed(self, execution: _Execution, done: Done, page: bytes) -> None:
        place = self._results.staged(execution.result_id)
        try:
            execution.progress = self._progress(execution, done, page, place / "result.parquet")
        except LakegateError as error:
            _log.warning("the result of query %s could not be kept: %s", execution.id[:12], error)
            execution.progress = Broken(error.code)
        self._results.unstage(place)
        execution.ended.set()
        if isinstance(execution.progress, Broken):
            _log.info("query %s: %s %s", execution.id[:12], execution.progress.code, done.log)

    def _progress(self, execution: _Execution, done: Done, page: bytes, staged: Path) -> Progress:
        if done.error_code is not None:
            return Broken(done.error_code)
        self._results.keep(staged, execution.result_id)
        receipt = Receipt(
            result_id=execution.result_id,
            columns=done.columns,
            row_count=done.row_count,
            truncated=done.truncated,
            size_bytes=done.size_bytes,
            bytes_scanned=execution.bytes_scanned,
            sha256=done.sha256,
            finished_at=self._clock(),
            warnings=done.warnings,
            snapshots={
                name: SnapshotRef(head.snapshot_id, head.committed_at, head.data_version)
                for name, head in execution.job.pins.items()
            },
        )
        return Finished(receipt, Page(page, done.page_rows, done.page_next))

    def _forget(self) -> None:
        ended = [key for key, one in self._executions.items() if one.ended.is_set()]
        for key in ended[: max(0, len(ended) - _ENDED_KEPT)]:
            del self._executions[key]
