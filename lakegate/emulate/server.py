"""The server: moto's own application behind ours, in a thread."""

import io
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from athena.errors import Refused
from lakegate.emulate import glue
from lakegate.emulate.lakehouse import Lakehouse
from lakegate.emulate.query import Rejected
from lakegate.emulate.service import Service

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Between = Callable[[dict[str, Any], Callable[..., Any], Application], Iterable[bytes]]

HOST = "127.0.0.1"
REGION = "us-east-1"


def _listening(port: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
        held.listen(128)
    except OSError as error:
        held.close()
        # werkzeug would print a line and leave the process.
        raise Refused(
            f"Port {port} on {HOST} is in use.",
            "Stop the other program, or choose another port with --port (0 finds a free one).",
            code="port-in-use",
        ) from error
    return held


def _signed_for(environ: dict[str, Any]) -> str:
    # Authorization: AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …
    scope = str(environ.get("HTTP_AUTHORIZATION", "")).partition(",")[0].split("/")
    return scope[3] if len(scope) == 5 else ""


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    """One line per request on stderr would drown everything else."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class Emulator:
    """Everything that moto knows of AWS, and Athena, at `url`, from `start` until `stop`. Port 0 takes a free one.

    It keeps everything in memory, one for a process, and believes every credential: for this machine alone.
    `calls` counts the requests by service (as they are signed for: `s3`, `dynamodb`, `athena`, …). `between` is what
    stands between clients and services: it hands each request on, unless a test lets something go wrong there.
    """

    athena: Service

    def __init__(self, *, port: int = 0) -> None:
        self.calls: Counter[str] = Counter()
        self.between: Between = lambda environ, start_response, services: services(environ, start_response)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._dynamodb, self._glue = threading.Lock(), threading.Lock()
        with _listening(port) as held:
            self._port = held.getsockname()[1]
            self._server = make_server(
                HOST, self._port, self._application, threaded=True, request_handler=_Quiet, fd=held.fileno()
            )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="emulated-aws")

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must be."""
        return f"http://{HOST}:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that turn every AWS client of a process to this one."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "emulated",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def iceberg_io(self) -> dict[str, str]:
        """What PyIceberg must be told to find the emulated S3."""
        return {
            "s3.endpoint": self.url,
            "s3.access-key-id": "emulated",
            "s3.secret-access-key": "emulated",
            "s3.region": REGION,
        }

    @property
    def iceberg_catalog(self) -> dict[str, str]:
        """What PyIceberg's Glue catalog must be told."""
        return {
            "glue.endpoint": self.url,
            "glue.access-key-id": "emulated",
            "glue.secret-access-key": "emulated",
            "glue.region": REGION,
            **self.iceberg_io,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the emulated service."""
        import boto3

        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="emulated",
            aws_secret_access_key="emulated",  # noqa: S106 - nobody checks it
        )

    def start(self) -> None:
        """Serve from now on, with nothing in it."""
        moto_api_backend.reset()
        s3, athena = self.client("s3"), self.client("athena")
        self._house = Lakehouse(self.client("glue"), s3, iceberg_io=self.iceberg_io)
        self.athena = Service(
            self._house.query, s3, lambda name: athena.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and forget everything."""
        self.athena.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._house.close()
        moto_api_backend.reset()

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.calls[_signed_for(environ)] += 1
        return self.between(environ, start_response, self._services)

    def _services(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        service, _, operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        if service == "AmazonAthena" and self.athena.knows(operation):
            return self._athena_answer(operation, environ, start_response)
        if service.startswith("DynamoDB_"):
            # moto reads and writes an item in two steps; on AWS a conditional write is one.
            with self._dynamodb:
                return self._moto(environ, start_response)  # type: ignore[no-any-return]
        if service == "AWSGlue":
            # The look at a table's version and its update are one step there.
            with self._glue:
                return self._glue_answer(operation, environ, start_response)
        return self._moto(environ, start_response)  # type: ignore[no-any-return]

    def _glue_answer(
        self, operation: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        asked = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            glue.check(operation, json.loads(asked or b"{}"), REGION)
        except Rejected as error:
            return _answer("400 Bad Request", _told(error), start_response)
        return self._moto({**environ, "wsgi.input": io.BytesIO(asked)}, start_response)  # type: ignore[no-any-return]

    def _athena_answer(
        self, operation: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        asked = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, told = "200 OK", self.athena.answer(operation, json.loads(asked or b"{}"))
        except Rejected as error:
            status, told = "400 Bad Request", _told(error)
        return _answer(status, told, start_response)


def _told(error: Rejected) -> dict[str, Any]:
    return {"__type": error.code, "Message": str(error), "message": str(error)}


def _answer(status: str, told: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    content = json.dumps(told).encode()
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(content)))]
    start_response(status, headers)
    return [content]
