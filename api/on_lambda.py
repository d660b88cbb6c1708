"""The Chalice app as a function on AWS: API Gateway's event in, its response out.

gateway (token verified) → event → visit → route → reply → let go of what runs → response, and one line of log

A function stands still between two requests. So a question is driven only while somebody asks for it: the reply to
whoever waits comes after `MOST_WAIT_SECONDS` at the latest, a look takes up to `LINGER_SECONDS`, and what is under way
then is let go, for the next look to adopt, here or in another instance. Athena itself goes on all the time.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from datetime import UTC, datetime
from typing import Any

from chalice.app import CognitoUserPoolAuthorizer

from api.app import app as routes
from api.callers import SCOPE
from api.edge import App, Visit, unexpected
from api.envelope import TOO_LARGE, enveloped, fits
from api.gateway import outside, request_id
from api.parts import Parts
from api.problem import as_problem
from api.response import Reply, finished, preflight, problem_reply
from api.telemetry import Told, log_line, request_line
from athena.ask import let_go
from athena.errors import Failed, LakegateError

# API Gateway waits for 29 seconds, the start of a new instance among them; asking and answering need the rest.
MOST_WAIT_SECONDS, LINGER_SECONDS, RESERVE_SECONDS = 20.0, 5.0, 5.0
# The stack gives the pool's name; Chalice only writes it into the template.
POOL: list[Any] = [{"Ref": "UserPoolArn"}]
AUTHORIZER = CognitoUserPoolAuthorizer("partners", provider_arns=POOL, scopes=[SCOPE])


def parts_of(environment: Mapping[str, str]) -> Parts:
    """The parts of the stage that the environment names; raises `Failed` when its settings are not whole."""
    from athena.aws import client
    from athena.settings_aws import stage_settings

    try:
        return Parts.aws(stage_settings(environment, lambda: client("ssm")))
    except LakegateError as error:
        raise Failed(error.message, error.remedy, code="settings-unavailable") from error


class Function(App):
    """The app with its entry for Lambda. `parts` is called once, before the first request is answered."""

    def __init__(self, parts: Callable[[], Parts], *, stage: str, write: Callable[[str], object]) -> None:
        super().__init__("lakegate")
        self.public = routes.public
        for path, methods in routes.routes.items():
            for method, entry in methods.items():
                self.routes[path][method] = copy(entry)
                self.routes[path][method].authorizer = None if path in self.public else AUTHORIZER
        for path in routes.routes:
            self.route(path, methods=["OPTIONS"], name=f"preflight {path}")(_never)
        self._make = parts
        self._parts: Parts | None = None
        self._stage = stage
        self._write = write
        self._cold = True

    def warm(self) -> Parts:
        """The parts, made when they are not there yet."""
        if self._parts is None:
            self._parts = self._make()
        return self._parts

    def prepare(self) -> None:
        """Load and build everything while the instance starts: then the processor is at full speed. What fails is
        tried again, and told, with the first request."""
        log_as_json()
        with suppress(LakegateError):
            self.warm().lake.warm()

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The response to one event; never an exception."""
        begun, headers = time.monotonic(), _headers(event)
        number = request_id(headers, lambda: str(context.aws_request_id))
        try:
            parts = self.warm()
            visit = _visit(parts, number, left_seconds=context.get_remaining_time_in_millis() / 1000)
            reply = self._routed(event, visit)
            let_go(parts.lake)
        except LakegateError as error:
            logging.getLogger("lakegate.api").error("%s: %s: %s", number, error.code, error.message)
            return _told(problem_reply(as_problem(error)), event, number)
        except Exception as error:  # noqa: BLE001 the outermost frame: whatever it is, the caller gets a problem
            return _told(unexpected(error, request_id=number), event, number)
        origins = parts.lake.settings.cors_origins
        reply = outside(reply if fits(reply) else problem_reply(TOO_LARGE), event)
        reply = finished(reply, request_id=number, origin=headers.get("origin"), origins=origins)
        self._tell(event, visit, reply, seconds=time.monotonic() - begun)
        return enveloped(reply)

    def _routed(self, event: dict[str, Any], visit: Visit) -> Reply:
        template, method = event["requestContext"]["resourcePath"], event["requestContext"]["httpMethod"]
        visit.route = template
        if method == "OPTIONS":
            return preflight(", ".join(sorted(self.routes.get(template, {}))))
        return self.respond(event, visit)

    def _tell(self, event: dict[str, Any], visit: Visit, reply: Reply, *, seconds: float) -> None:
        told = Told(
            stage=self._stage,
            request_id=visit.request_id,
            trace_id=os.environ.get("_X_AMZN_TRACE_ID", ""),
            method=event["requestContext"]["httpMethod"],
            route=visit.route,
            status=reply.status,
            milliseconds=seconds * 1000,
            size_bytes=len(reply.body),
            partner=visit.partner,
            cache=visit.cache,
            cold=self._cold,
        )
        self._cold = False
        self._write(request_line(told, at=datetime.now(UTC)) + "\n")


class JsonLines(logging.Formatter):
    """Every record as one line of JSON, a traceback within it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        return log_line(level=record.levelname, name=record.name, message=super().format(record), at=at)


def log_as_json() -> None:
    """Warnings and worse of all loggers go to stdout, one line of JSON each, and nowhere else."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _visit(parts: Parts, number: str, *, left_seconds: float) -> Visit:
    most = max(0.0, min(MOST_WAIT_SECONDS, left_seconds - RESERVE_SECONDS))
    return Visit(parts, number, most_wait_seconds=most, linger_seconds=min(LINGER_SECONDS, most))


def _told(reply: Reply, event: dict[str, Any], number: str) -> dict[str, Any]:
    """The response when not even the settings are known, whose origins would be let in."""
    return enveloped(finished(outside(reply, event), request_id=number, origin=None, origins=()))


def _headers(event: dict[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _never() -> None:
    raise AssertionError("preflights are answered before any route")


function = Function(lambda: parts_of(os.environ), stage=os.environ.get("LAKEGATE_STAGE", ""), write=sys.stdout.write)
