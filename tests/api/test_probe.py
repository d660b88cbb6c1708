"""The checks around a shift of traffic: what is well passes, and each way of being unwell is told to CodeDeploy."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from api.on_lambda import Function
from api.parts import Parts
from api.probe import CLOSED, DESCRIBED, HEALTHY, UNKNOWN, asked_at, asked_of, concluded, faults
from athena.errors import Failed
from tests.cloud import Cloud
from tests.gateway import Context

EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}


@dataclass
class Functions:
    """Lambda, with one function in it."""

    answer: Callable[[dict[str, Any]], dict[str, Any]]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's own names
        """What Lambda gives back for a function that answers, and for one that raises."""
        assert FunctionName == "api:2"
        try:
            return {"Payload": io.BytesIO(json.dumps(self.answer(json.loads(Payload))).encode())}
        except RuntimeError as error:
            told = json.dumps({"errorMessage": str(error)}).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(told)}


@dataclass
class Deploy:
    """CodeDeploy, as far as it is told."""

    told: list[dict[str, str]] = field(default_factory=list)

    def put_lifecycle_event_hook_execution_status(self, **said: str) -> None:
        """Notes it."""
        self.told.append(said)


def found(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> list[str]:
    return list(faults((HEALTHY, DESCRIBED, UNKNOWN), asked_of(Functions(answer), "api:2")))


def made(parts: Callable[[], Parts]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    function = Function(parts, stage="test", write=lambda _line: None)
    return lambda event: function(event, Context())


def test_a_version_that_reaches_settings_and_state_passes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.emulator.environment.items():
        monkeypatch.setenv(name, value)
    settings = cloud.settings()
    with cloud.lake(settings):
        assert found(made(lambda: Parts.aws(settings))) == []


def test_a_version_without_settings_does_not_pass() -> None:
    def no_parts() -> Parts:
        raise Failed("No.", "Check.", code="settings-unavailable")

    assert found(made(no_parts)) == [
        "GET /healthz answered 503 instead of 200.",
        "GET /openapi.json answered 503 instead of 200.",
        "GET /v1/datasets answered 503 instead of 401.",
    ]


def test_a_version_that_crashes_does_not_pass() -> None:
    def crash(_event: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("no module")

    assert found(crash)[0] == "GET /healthz: The function failed: no module."


@pytest.mark.parametrize(("found", "status"), [([], "Succeeded"), (["It is ill."], "Failed")], ids=["well", "ill"])
def test_codedeploy_is_told(found: list[str], status: str) -> None:
    deploy = Deploy()
    assert concluded(EVENT, found, deploy) == status
    assert deploy.told == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "h-1", "status": status}]


@contextmanager
def served(statuses: dict[str, int]) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()
            thread.join()


def test_a_gateway_that_lets_everybody_in_does_not_pass() -> None:
    with served({"/api/healthz": 200, "/api/openapi.json": 200, "/api/v1/datasets": 401}) as url:
        assert list(faults((HEALTHY, DESCRIBED, CLOSED), asked_at(url))) == []
    with served({"/api/healthz": 200, "/api/openapi.json": 200, "/api/v1/datasets": 200}) as url:
        wrong = list(faults((HEALTHY, DESCRIBED, CLOSED), asked_at(url)))
    assert wrong == ["GET /v1/datasets answered 200 instead of 401."]


def test_a_gateway_that_is_not_there_does_not_pass() -> None:
    with served({}) as url:
        gone = url
    assert list(faults((HEALTHY,), asked_at(gone))) == ["GET /healthz: There was no answer (MaxRetryError)."]
