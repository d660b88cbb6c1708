"""Athena as its clients see it: the operations on queries, with an engine behind them that runs.

What is not here (work groups, catalogs, named queries) is moto's. Shapes, states and errors follow
https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from athena.results.quoted import records
from lakegate.emulate.described import column_info, described, statistics_of
from lakegate.emulate.query import Engine, Query, QueryFailed, Rejected, Rows
from lakegate.emulate.result import Type, rows_of, written
from lakegate.emulate.unload import Unload, check_columns, parquet_files, unload_of

MAX_QUERY_BYTES = 262_144
ROWS_PER_PAGE = 1000
ROWS_PER_FILE = 100_000
_FINAL = frozenset(["SUCCEEDED", "FAILED", "CANCELLED"])


@dataclass(eq=False)
class Execution:
    """One query from its start until the service is stopped."""

    id: str
    request: dict[str, Any]
    output: str
    query: Query
    state: str = "QUEUED"
    reason: str = ""
    error: QueryFailed | None = None
    columns: Sequence[tuple[str, Type]] = ()
    bytes_scanned: int = 0
    unload: Unload | None = None
    manifest: str | None = None
    submitted_at: float = field(default_factory=time.time)
    ended_at: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)
    at_rest: threading.Event = field(default_factory=threading.Event)

    def interrupt(self) -> None:
        """End what runs; an interruption that comes before the engine has begun goes unheard, so again."""
        while not self.at_rest.wait(0.02):
            self.query.interrupt()


class Service:
    """The operations in `answer`; `executions` is everything that was ever started, in order.

    `seconds` is how long every query takes at least, as real ones take their time; `rows_per_file` how many rows an
    UNLOAD puts into a file at most.
    """

    def __init__(self, engine: Engine, s3: Any, workgroup: Callable[[str], dict[str, Any]]) -> None:
        self.executions: dict[str, Execution] = {}
        self.seconds = 0.0
        self.rows_per_file = ROWS_PER_FILE
        self._engine = engine
        self._s3 = s3
        self._workgroup = workgroup
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="emulated-athena")
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda asked: {"QueryExecution": described(self._find(asked["QueryExecutionId"]))},
            "BatchGetQueryExecution": self._batch,
            "GetQueryResults": self._results,
            "GetQueryRuntimeStatistics": self._runtime,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": lambda _: {"QueryExecutionIds": list(reversed(self.executions))},
        }

    def knows(self, operation: str) -> bool:
        """Whether the operation is answered here."""
        return operation in self._operations

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The response to one call; raises `Rejected`."""
        return self._operations[operation](asked)

    def close(self) -> None:
        """End what runs."""
        for execution_id in self.executions:
            self._stop({"QueryExecutionId": execution_id})
        self._threads.shutdown()

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        sql, token = str(asked.get("QueryString", "")), str(asked.get("ClientRequestToken", uuid.uuid4()))
        if not 1 <= len(sql.encode()) <= MAX_QUERY_BYTES:
            raise Rejected(f"queryString must be between 1 and {MAX_QUERY_BYTES} bytes")
        if not 32 <= len(token) <= 128:
            raise Rejected("clientRequestToken must be between 32 and 128 characters")
        output = self._output_of(asked)
        with self._lock:
            if token in self._tokens:
                return self._adopted(self.executions[self._tokens[token]], asked)
            database = (asked.get("QueryExecutionContext") or {}).get("Database", "default")
            unload = _unload_of(sql)
            select = sql if unload is None else unload.select
            query = self._engine(select, database, asked.get("ExecutionParameters") or ())
            execution_id = str(uuid.uuid4())
            suffix = ".csv" if unload is None else ""
            place = f"{output.rstrip('/')}/{execution_id}{suffix}"
            execution = Execution(execution_id, asked, place, query, unload=unload)
            self.executions[execution_id] = execution
            self._tokens[token] = execution_id
        self._threads.submit(self._run, execution)
        return {"QueryExecutionId": execution_id}

    def _adopted(self, known: Execution, asked: dict[str, Any]) -> dict[str, Any]:
        if any(known.request.get(key) != asked.get(key) for key in ("QueryString", "WorkGroup", "ExecutionParameters")):
            raise Rejected("Idempotent parameters do not match")
        return {"QueryExecutionId": known.id}

    def _output_of(self, asked: dict[str, Any]) -> str:
        settings = self._workgroup(asked.get("WorkGroup") or "primary")
        own = (asked.get("ResultConfiguration") or {}).get("OutputLocation")
        shared = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
        found = shared if settings.get("EnforceWorkGroupConfiguration") and shared else own or shared
        if not found:
            raise Rejected(
                "No output location provided. You did not provide an output location for your query results."
            )
        return str(found)

    def _run(self, execution: Execution) -> None:
        begun = time.monotonic()
        if not self._moved(execution, "RUNNING"):
            execution.at_rest.set()
            return
        try:
            made = execution.query.rows()
            execution.columns, execution.bytes_scanned = made.columns, made.bytes_scanned
            if execution.unload is not None:
                self._unload(execution, execution.unload, made)
                content = b""
            else:
                content = b"".join(written([name for name, _ in made.columns], rows_of(made.batches)))
            execution.stopped.wait(max(0.0, self.seconds - (time.monotonic() - begun)))
            if execution.state == "RUNNING":
                if execution.unload is None:
                    self._put(execution.output, content)
                self._moved(execution, "SUCCEEDED")
        except QueryFailed as error:
            execution.error = error
            self._moved(execution, "FAILED", str(error))
        except Exception as error:  # noqa: BLE001 - whatever happens, the client must learn that it ended
            execution.error = QueryFailed(f"GENERIC_INTERNAL_ERROR: {error!r}", category=1, kind=1)
            self._moved(execution, "FAILED", str(execution.error))
        finally:
            execution.at_rest.set()
            execution.query.close()

    def _unload(self, execution: Execution, unload: Unload, made: Rows) -> None:
        check_columns(unload, made.columns)
        bucket, _, prefix = unload.to.removeprefix("s3://").partition("/")
        if self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]:
            raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {unload.to}")
        places: list[str] = []
        for content in parquet_files(made.batches, compression=unload.compression, most_rows=self.rows_per_file):
            places.append(f"{unload.to}{time.strftime('%Y%m%d_%H%M%S')}_{len(places):05}_{uuid.uuid4()}")
            self._put(places[-1], content)
        if places:
            execution.manifest = f"{execution.output}-manifest.csv"
            self._put(execution.manifest, "".join(f"{place}\n" for place in places).encode())

    def _put(self, address: str, content: bytes) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=content)

    def _moved(self, execution: Execution, state: str, reason: str = "") -> bool:
        with self._lock:
            if execution.state in _FINAL:
                return False
            execution.state, execution.reason = state, reason
            if state in _FINAL:
                execution.ended_at = time.time()
            return True

    def _stop(self, asked: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(asked["QueryExecutionId"])
        if self._moved(execution, "CANCELLED", "Query cancelled by user"):
            execution.stopped.set()
            threading.Thread(target=execution.interrupt, daemon=True).start()
        return {}

    def _find(self, execution_id: str) -> Execution:
        execution = self.executions.get(execution_id)
        if execution is None:
            raise Rejected(f"QueryExecution {execution_id} was not found")
        return execution

    def _batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [self.executions[one] for one in asked["QueryExecutionIds"] if one in self.executions]
        missing = [{"QueryExecutionId": one} for one in asked["QueryExecutionIds"] if one not in self.executions]
        return {"QueryExecutions": [described(one) for one in found], "UnprocessedQueryExecutionIds": missing}

    def _results(self, asked: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(asked["QueryExecutionId"])
        if execution.state != "SUCCEEDED":
            raise Rejected(f"Query has not yet finished. Current state: {execution.state}")
        content = b"" if execution.unload is not None else self._content(execution)
        first, most = int(asked.get("NextToken") or 0), int(asked.get("MaxResults") or ROWS_PER_PAGE)
        rows = [record for record, _ in records(content)]
        shown = [{"Data": [{} if one is None else {"VarCharValue": one} for one in row]} for row in rows]
        result = {
            "UpdateCount": 0,
            "ResultSet": {
                "Rows": shown[first : first + most],
                "ResultSetMetadata": {"ColumnInfo": [column_info(name, kind) for name, kind in execution.columns]},
            },
        }
        return result if first + most >= len(rows) else {**result, "NextToken": str(first + most)}

    def _content(self, execution: Execution) -> bytes:
        bucket, _, key = execution.output.removeprefix("s3://").partition("/")
        try:
            return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self._s3.exceptions.NoSuchKey as error:
            raise Rejected(f"Could not find results for query execution {execution.id}") from error

    def _runtime(self, asked: dict[str, Any]) -> dict[str, Any]:
        statistics = statistics_of(self._find(asked["QueryExecutionId"]))
        scanned = statistics.pop("DataScannedInBytes")
        statistics.pop("DataManifestLocation", None)
        return {"QueryRuntimeStatistics": {"Timeline": statistics, "Rows": {"InputBytes": scanned}}}


def _unload_of(sql: str) -> Unload | None:
    try:
        return unload_of(sql)
    except QueryFailed as error:
        raise Rejected(str(error)) from error
