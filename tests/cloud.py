"""An emulated AWS for tests, and the ways in which its calls can go wrong."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from athena import aws
from athena.aws import Patience, client
from athena.dynamodb import Table
from athena.engines.athena.engine import AthenaEngine
from athena.engines.athena.workgroup import Limits, Workgroup
from athena.lake import Lake, utc_now
from athena.results.s3 import S3Results
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings, aws_settings
from etl.aws.intake import aws_intake
from etl.intake import Intake
from lakegate.emulate import Emulator
from lakegate.emulate.service import Execution
from lakegate.emulate.stack import create_bucket, create_lake, create_table, create_workgroup
from tests.tables import Tables

if TYPE_CHECKING:
    import pyarrow as pa

# moto shares this machine, and often this process, with whatever else runs: an answer may take long without a fault.
PATIENT_SECONDS = 60.0
AT_ONCE = Patience(sleep=lambda _: None, most_seconds=PATIENT_SECONDS)
# A process has one environment for all of its threads.
_ENVIRONMENT = threading.RLock()


@dataclass(frozen=True)
class Cloud:
    """Makes what a test needs, new for each."""

    emulator: Emulator

    def client(self, service: str) -> Any:
        """A client of its own, so that its faults are its own."""
        with in_environment(self.emulator.environment):
            return client(service)

    def table(self, *, with_client: Any = None) -> Table:
        """An empty table."""
        dynamodb = with_client or self.client("dynamodb")
        name = f"table-{uuid.uuid4().hex}"
        create_table(dynamodb, name)
        return Table(dynamodb, name, AT_ONCE)

    def bucket(self, *, with_client: Any = None) -> Bucket:
        """An empty bucket."""
        s3 = with_client or self.client("s3")
        name = f"bucket-{uuid.uuid4().hex}"
        create_bucket(s3, name)
        return Bucket(s3, name, prefix="some/where/", patience=AT_ONCE)

    def tables(self) -> Tables:
        """The Glue database `lake` with nothing in it, its Iceberg tables in a bucket of their own."""
        from pyiceberg.catalog.glue import GlueCatalog

        bucket = self.bucket()
        catalog = GlueCatalog("glue", **self.emulator.iceberg_catalog, warehouse=f"s3://{bucket.name}/tables")
        catalog.create_namespace_if_not_exists("lake")
        for name in catalog.list_tables("lake"):
            catalog.drop_table(name)
        return Tables.in_glue(catalog)

    def settings(self, **changes: Any) -> AwsSettings:
        """The settings of a lake of its own, with everything that they name."""
        stage = f"test-{uuid.uuid4().hex[:12]}"
        made = create_lake(self.client, stage)
        settings = aws_settings({**made, "stage": stage})
        return replace(settings, page_rows=2, **changes)

    def lake(self, settings: AwsSettings) -> Lake:
        """A process's lake with these settings."""
        with in_environment(self.emulator.environment):
            return Lake.aws(settings)

    def state(self, settings: AwsSettings) -> Table:
        """The table of what must survive."""
        return Table(self.client("dynamodb"), settings.state_table, AT_ONCE)

    def intake(self, settings: AwsSettings, **changes: Any) -> Intake:
        """A job's write side with these settings; a database of this name is there."""
        with in_environment(self.emulator.environment):
            made = aws_intake(settings, clock=utc_now, patience=AT_ONCE)
        return replace(made, **changes)

    def writing(self, **changes: Any) -> AwsSettings:
        """The settings of a lake of its own, with a database of its own."""
        settings = self.settings(**changes)
        settings = replace(settings, name=settings.stage.replace("-", "_"))
        self.client("glue").create_database(DatabaseInput={"Name": settings.name})
        return settings

    def drop(self, settings: AwsSettings, key: str, content: str | bytes) -> str:
        """Put a file into landing; its key."""
        bucket, _, prefix = settings.owners.removeprefix("s3://").partition("/")
        body = content.encode() if isinstance(content, str) else content
        self.client("s3").put_object(Bucket=bucket, Key=f"{prefix}landing/{key}", Body=body)
        return key

    def rows(self, settings: AwsSettings, dataset: str) -> "pa.Table":
        """Everything in a table, read by pyiceberg itself by its own ways; no rows without a table."""
        import pyarrow as pa
        from pyiceberg.catalog.glue import GlueCatalog
        from pyiceberg.exceptions import NoSuchTableError

        catalog = GlueCatalog("glue", **self.emulator.iceberg_catalog)
        try:
            return catalog.load_table((settings.name, dataset)).scan().to_arrow()
        except NoSuchTableError:
            return pa.table({})

    def items(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, as DynamoDB shows it."""
        found: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=table)["Items"]
        return found

    def started(self, settings: AwsSettings) -> list[Execution]:
        """What this lake's questions started in Athena."""
        found = list(self.emulator.athena.executions.values())
        return [one for one in found if one.request["WorkGroup"] == settings.workgroup]

    def engine(self, *, page_rows: int = 1000) -> AthenaEngine:
        """Athena with a work group of its own that writes to a bucket of its own."""
        athena, bucket = self.client("athena"), self.bucket()
        name = f"group-{uuid.uuid4().hex}"
        create_workgroup(athena, name, f"s3://{bucket.name}/{bucket.prefix}")
        return AthenaEngine(
            athena,
            S3Results(bucket),
            Workgroup(name, "lake"),
            utc_now,
            limits=Limits(page_rows=page_rows),
        )


@contextmanager
def emulated() -> Iterator[Cloud]:
    """The emulated AWS, until the end of the block."""
    with Emulator() as emulator, patient():
        yield Cloud(emulator)


@contextmanager
def patient() -> Iterator[None]:
    """Until the end of the block, clients that are made in this process wait for a slow emulator."""
    before, aws.READ_TIMEOUT_SECONDS = aws.READ_TIMEOUT_SECONDS, PATIENT_SECONDS
    try:
        yield
    finally:
        aws.READ_TIMEOUT_SECONDS = before


@contextmanager
def in_environment(variables: dict[str, str]) -> Iterator[None]:
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


Fault = Callable[[AWSPreparedRequest], AWSResponse | None]


@dataclass
class Faults:
    """Lets the next calls of one operation (`*`: of any) go wrong, in the order given, and counts them all."""

    calls: int = 0
    _next: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def on(cls, aws_client: Any, operation: str, *faults: Fault) -> "Faults":
        """Faults for `operation` (as AWS names it) of this client."""
        made = cls(_next=list(faults))
        service = aws_client.meta.service_model.service_id.hyphenize()
        aws_client.meta.events.register(f"before-send.{service}.{operation}", made._before_send)
        return made

    def next(self, *faults: Fault) -> None:
        """These happen to the next calls."""
        self._next.extend(faults)

    def instead(self, *faults: Fault) -> None:
        """These happen to the next calls, and nothing that was said before."""
        self._next[:] = faults

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        with self._lock:
            self.calls += 1
            fault = self._next.pop(0) if self._next else None
        return None if fault is None else fault(request)


def no_fault(_: AWSPreparedRequest) -> None:
    """The call goes through."""


def answered(status: int, body: bytes) -> Fault:
    """AWS answers this."""
    return lambda request: _answer(request, status, body)


def throttled(request: AWSPreparedRequest) -> AWSResponse:
    """AWS refuses: too much."""
    return _answer(request, 400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}')


def denied(request: AWSPreparedRequest) -> AWSResponse:
    """AWS refuses: not allowed."""
    return _answer(request, 400, b'{"__type":"AccessDeniedException","message":"not authorized"}')


def server_error(request: AWSPreparedRequest) -> AWSResponse:
    """AWS fails without doing it."""
    return _answer(request, 500, b'{"__type":"InternalServerError","message":"oops"}')


def refused(request: AWSPreparedRequest) -> AWSResponse:
    """Nobody listens."""
    raise EndpointConnectionError(endpoint_url=request.url)


def answer_lost(request: AWSPreparedRequest) -> AWSResponse:
    """AWS does it, but its answer never arrives."""
    URLLib3Session().send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def request_lost(request: AWSPreparedRequest) -> AWSResponse:
    """AWS never hears of it, which from here looks the same."""
    raise ReadTimeoutError(endpoint_url=request.url)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


def _answer(request: AWSPreparedRequest, status: int, body: bytes) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "test"}
    return AWSResponse(request.url, status, headers, _Raw(body))
