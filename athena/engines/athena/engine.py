"""The engine port over Athena. Nothing is remembered here: an execution's name carries what its result needs."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import orjson
from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.engines import Broken, Finished, Job, Progress, Running
from athena.engines.athena.pin import pinned
from athena.engines.athena.reason import code_of
from athena.engines.athena.unload import selected, unlimited, unloading, why_not
from athena.engines.athena.workgroup import USUAL, Limits, Workgroup
from athena.errors import Failed, Gone, LakegateError, OutcomeUnknown, Refused
from athena.forms import unavailable
from athena.lake import Clock
from athena.question import Receipt, ResultColumn, SnapshotRef
from athena.records import decode, encode
from athena.results.parts import as_page
from athena.results.s3 import S3Results, execution_of
from athena.results.s3_parts import S3Parts
from athena.results.typed import column_type

# Rises whenever the same SQL may give other rows, types or bytes than before.
FORMAT = 1
# https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
MAX_QUERY_BYTES = 262_144
# The longer a query runs, the less a poll more or less matters: a share of the time since its start.
POLL_SHARE, LEAST_POLL_SECONDS, MOST_POLL_SECONDS = 0.2, 0.1, 3.0
_CUT_OFF = "Bytes scanned limit was exceeded"

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Execution:
    """What `start` returns, as JSON: whoever takes over needs nothing else."""

    id: str
    row_limit: int
    timeout_seconds: float
    snapshots: dict[str, SnapshotRef]
    most_scanned_bytes: int | None = None
    unload_rows: int | None = None


class AthenaEngine:
    """See the port. `sleep` is between two polls."""

    def __init__(
        self,
        client: Any,
        results: S3Results,
        workgroup: Workgroup,
        clock: Clock,
        *,
        limits: Limits = USUAL,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._results = results
        self._parts = S3Parts(results.bucket)
        self._workgroup = workgroup
        self._clock = clock
        self._limits = limits
        self._patience = patience or Patience()

    @property
    def version(self) -> str:
        """Engine and result-format version."""
        return f"athena engine version 3, format {FORMAT}"

    def check(self, job: Job) -> None:
        """Refuse what does not fit into one call; the dialect is Athena's own."""
        self._statement(job)

    def estimate(self, job: Job, row_filters: Mapping[str, str]) -> int | None:
        """Nobody knows before the run; the work group's own cut-off bounds every query."""
        return None

    def start(self, job: Job) -> str:
        """Begin the job, or adopt the execution that a former leader or the same token has begun.

        Raises `Busy`, `Failed`, `Refused`.
        """
        if job.adopt is not None and _read(job.adopt) is not None:
            return job.adopt
        sql = self._statement(job)
        try:
            started = self._called(
                lambda: self._client.start_query_execution(
                    QueryString=sql,
                    # The pins are not in the token: a compaction moves them without changing the answer.
                    ClientRequestToken=hashlib.sha256(f"{job.token} {sql}".encode()).hexdigest(),
                    QueryExecutionContext={"Database": self._workgroup.database, "Catalog": self._workgroup.catalog},
                    WorkGroup=self._workgroup.name_for(job.most_scanned_bytes),
                )
            )
        except (ClientError, OutcomeUnknown) as error:
            raise Failed(
                "Athena did not take the query.", "Check the work group and the role.", code="engine-failed"
            ) from error
        return encode(
            _Execution(
                id=started["QueryExecutionId"],
                row_limit=job.row_limit,
                timeout_seconds=job.timeout_seconds,
                snapshots={
                    name: SnapshotRef(head.snapshot_id, head.committed_at, head.data_version)
                    for name, head in job.pins.items()
                },
                most_scanned_bytes=job.most_scanned_bytes,
                unload_rows=job.unload_rows,
            )
        ).decode()

    def whole(self, receipt: Receipt) -> Job:
        """The job that writes an answer anew as Parquet files: its own text, which Athena keeps for 45 days.

        Raises `Refused` (`format-unavailable`) for one that another run might answer otherwise.
        """
        number = execution_of(receipt)
        try:
            found = self._called(lambda: self._client.get_query_execution(QueryExecutionId=number))["QueryExecution"]
        except ClientError as error:
            raise unavailable("Athena does not know this answer's statement any more") from error
        sql = str(found["Query"])
        why = why_not(sql, receipt.columns, row_count=receipt.row_count)
        if why is not None:
            raise unavailable(why)
        select = selected(unlimited(sql), receipt.columns)
        return Job(
            select, (), {}, guarded=False, row_limit=0, token="", timeout_seconds=0, unload_rows=receipt.row_count
        )

    def wait(self, execution: str, *, seconds: float) -> Progress:
        """How it stands, at the latest about `seconds` from now; polls less and less often."""
        known = _read(execution)
        if known is None:
            return Broken("engine-lost")
        until = self._clock() + timedelta(seconds=seconds)
        while True:
            progress, age_seconds, scanned_bytes = self._look(known)
            if not isinstance(progress, Running):
                return progress
            if age_seconds >= known.timeout_seconds:
                self.stop(execution)
                return Broken("query-timeout")
            if known.most_scanned_bytes is not None and scanned_bytes > known.most_scanned_bytes:
                self.stop(execution)
                return Broken("scan-limit")
            left_seconds = (until - self._clock()).total_seconds()
            if left_seconds <= 0:
                return progress
            interval = min(MOST_POLL_SECONDS, max(LEAST_POLL_SECONDS, age_seconds * POLL_SHARE))
            self._patience.sleep(min(left_seconds, interval * (0.75 + self._patience.random() / 2)))

    def stop(self, execution: str) -> None:
        """End it; without effect when it has ended."""
        known = _read(execution)
        if known is None:
            return
        try:
            self._called(lambda: self._client.stop_query_execution(QueryExecutionId=known.id))
        except (ClientError, LakegateError) as error:
            # It ends by itself at the work group's limits, and nobody waits for it.
            _log.warning("query %s could not be stopped: %s", known.id, type(error).__name__)

    def close(self) -> None:
        """Nothing is held."""

    def _look(self, known: _Execution) -> tuple[Progress, float, int]:
        """How it stands, the seconds since it was submitted and the bytes that it has read so far."""
        try:
            found = self._called(lambda: self._client.get_query_execution(QueryExecutionId=known.id))["QueryExecution"]
            age = self._clock() - found["Status"]["SubmissionDateTime"]
            scanned_bytes = int(found.get("Statistics", {}).get("DataScannedInBytes", 0))
            return self._judged(known, found, scanned_bytes), age.total_seconds(), scanned_bytes
        except ClientError as error:
            return Broken("engine-lost" if error_code(error) == "InvalidRequestException" else "engine-failed"), 0.0, 0
        except (Failed, OutcomeUnknown) as error:
            # Athena goes on while we cannot see it, up to its work group's own limit.
            _log.info("query %s cannot be seen: %s", known.id, error.code)
            return Running(), 0.0, 0

    def _judged(self, known: _Execution, found: dict[str, Any], scanned_bytes: int) -> Progress:
        status = found["Status"]
        state, reason = status["State"], str(status.get("StateChangeReason", ""))
        if state == "SUCCEEDED":
            if known.unload_rows is not None:
                return self._unloaded(known, str(found["Statistics"].get("DataManifestLocation", "")), scanned_bytes)
            return self._finished(known, scanned_bytes)
        if state == "CANCELLED" and _CUT_OFF not in reason:
            return Broken("cancelled")
        if state in ("FAILED", "CANCELLED"):
            code = code_of(reason, category=int(status.get("AthenaError", {}).get("ErrorCategory", 0)))
            _log.info("query %s: %s", known.id, code)
            return Broken(code)
        return Running()

    def _finished(self, known: _Execution, bytes_scanned: int) -> Progress:
        try:
            columns = self._columns(known.id)
            if columns is None:
                return Broken("result-type-unsupported")
            survey = self._results.survey(
                known.id, columns, row_limit=known.row_limit, most_bytes=self._limits.result_bytes
            )
            if survey is None:
                return Broken("result-too-large")
            receipt = Receipt(
                result_id=survey.result_id,
                columns=columns,
                row_count=survey.row_count,
                truncated=survey.truncated,
                size_bytes=survey.size_bytes,
                bytes_scanned=bytes_scanned,
                sha256=survey.sha256,
                finished_at=self._clock(),
                warnings=survey.warnings,
                snapshots=known.snapshots,
            )
            return Finished(receipt, self._results.page(receipt, offset=0, limit=self._limits.page_rows))
        except Gone:
            # Only a new token gives a new result: the old one would name this execution again.
            return Broken("engine-lost")

    def _unloaded(self, known: _Execution, manifest: str, bytes_scanned: int) -> Progress:
        try:
            parts = self._parts.survey(manifest)
        except Gone:
            return Broken("engine-lost")
        if parts.rows != known.unload_rows:
            _log.error("unload %s wrote %d rows of an answer of %s", known.id, parts.rows, known.unload_rows)
            return Broken("engine-failed")
        receipt = Receipt(
            result_id=manifest,
            columns=(),
            row_count=parts.rows,
            truncated=False,
            size_bytes=parts.size_bytes,
            bytes_scanned=bytes_scanned,
            sha256=parts.digest,
            finished_at=self._clock(),
        )
        return Finished(receipt, as_page(parts))

    def _columns(self, execution_id: str) -> tuple[ResultColumn, ...] | None:
        found = self._called(lambda: self._client.get_query_results(QueryExecutionId=execution_id, MaxResults=1))
        columns = []
        for one in found["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]:
            kind = column_type(one["Type"], precision=int(one.get("Precision", 0)), scale=int(one.get("Scale", 0)))
            if kind is None:
                return None
            columns.append(ResultColumn(one["Name"], kind))
        return tuple(columns)

    def _statement(self, job: Job) -> str:
        if job.unload_rows is not None:
            sql = unloading(job.sql, to=self._parts.target(job.token))
        else:
            sql = pinned(job.sql, {name: head.snapshot_id for name, head in job.pins.items()}, row_limit=job.row_limit)
        if len(sql.encode()) > MAX_QUERY_BYTES:
            raise Refused(
                "The statement is too long for Athena once your grant is applied.",
                "Read fewer columns or tables.",
                code="sql-unsupported",
            )
        return sql

    def _called(self, call: Callable[[], T]) -> T:
        return persist(call, patience=self._patience)


def _read(execution: str) -> _Execution | None:
    try:
        return decode(_Execution, execution.encode())
    except (orjson.JSONDecodeError, TypeError, AttributeError):
        return None
