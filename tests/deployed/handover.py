"""What ministack cannot do itself, done by us between its functions and its services: Athena's queries and Glue's runs.

Its functions inherit `AWS_ENDPOINT_URL_ATHENA` and `AWS_ENDPOINT_URL_GLUE` from its own environment, which name this
server. Every other call of the two services goes on to ministack as it came, signature and all.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import urllib3
from werkzeug.serving import WSGIRequestHandler, make_server

from lakegate.emulate.lakehouse import Lakehouse
from lakegate.emulate.query import Rejected
from lakegate.emulate.service import Service

ROOT = Path(__file__).parents[2]
Start = Callable[..., Any]


class _Quiet(WSGIRequestHandler):  # type: ignore[misc]
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class HandOver:
    """The server at `url`, with clients of `behind` (ministack's address). `job_environment` is what a run of the job
    is started with; `runs` are the outputs of those that ended."""

    def __init__(self, behind: str, client: Callable[[str], Any], credentials: dict[str, str]) -> None:
        self.runs: list[str] = []
        self.job_environment: Callable[[str], dict[str, str]] = lambda _: {}
        self._behind = behind
        self._client = client
        self._credentials = credentials
        self._pool = urllib3.PoolManager()
        self._jobs: list[threading.Thread] = []
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        s3 = self._client("s3")
        io = {
            "s3.endpoint": self._behind,
            "s3.access-key-id": self._credentials["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": self._credentials["AWS_SECRET_ACCESS_KEY"],
            "s3.region": self._credentials["AWS_DEFAULT_REGION"],
        }
        self._house = Lakehouse(self._client("glue"), s3, iceberg_io=io)
        groups = self._client("athena")
        self.athena = Service(
            self._house.query, s3, lambda name: groups.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]
        )
        self._thread.start()

    def stop(self) -> None:
        """Wait for what runs, and stop."""
        for job in self._jobs:
            job.join()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self.athena.close()
            self._house.close()
        self._server.server_close()
        self._pool.clear()

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        service, _, operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if service == "AWSGlue" and operation == "StartJobRun":
            return self._started(environ, body, start)
        if service == "AmazonAthena" and self.athena.knows(operation):
            try:
                return _json(start, "200 OK", self.athena.answer(operation, json.loads(body)))
            except Rejected as error:
                return _json(start, "400 Bad Request", {"__type": error.code, "Message": str(error)})
        return self._on(environ, body, start)

    def _started(self, environ: dict[str, Any], body: bytes, start: Start) -> Iterable[bytes]:
        """Ministack says whether it may be done, and keeps the run; we do it."""
        asked = json.loads(body)
        told: list[Any] = []
        content = list(self._on(environ, body, lambda *status: told.append(status)))
        start(*told[0])
        if told[0][0].startswith("200"):
            arguments = asked["Arguments"]
            job = threading.Thread(target=self._run, args=(arguments["--stage"], arguments["--manifest"]))
            self._jobs.append(job)
            job.start()
        return content

    def _run(self, stage: str, manifest: str) -> None:
        command = [sys.executable, "-m", "tests.deployed.job", stage, manifest]
        environment = {**os.environ, **self.job_environment(stage), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
        self.runs.append(done.stdout + done.stderr)

    def _on(self, environ: dict[str, Any], body: bytes, start: Start) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").title(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers["Content-Type"] = environ.get("CONTENT_TYPE", "")
        found = self._pool.request(
            environ["REQUEST_METHOD"], self._behind + environ["PATH_INFO"], body=body, headers=headers
        )
        kept = [(name, value) for name, value in found.headers.items() if name.lower() == "content-type"]
        start(f"{found.status} {found.reason or 'OK'}", [*kept, ("Content-Length", str(len(found.data)))])
        return [found.data]


def _json(start: Start, status: str, content: dict[str, Any]) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    start(status, [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))])
    return [body]
