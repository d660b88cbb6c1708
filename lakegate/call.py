"""One request on the wire: bounded on its way in, answered once and logged on its way out."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson
from granian._granian import RSGIProtocolClosed as ProtocolClosed

from api.edge import Visit
from api.gateway import Arrival, request_id
from api.parts import Parts
from api.problem import WrongRequest
from api.question import MAX_BODY_BYTES
from api.response import Reply, instant
from lakegate.logs import ACCESS
from lakegate.metrics import Metrics
from lakegate.room import Held

__all__ = ["CLIENT_GONE", "Call", "Protocol", "ProtocolClosed", "Scope", "begun", "log_line", "received"]

MAX_TARGET_LENGTH = 8 * 1024
MAX_HEADERS_LENGTH = 32 * 1024
BODY_SECONDS = 20.0
# Longer ones are counted while they arrive.
MAX_SHORT_BODY_BYTES = 16 * 1024
WITH_BODY = frozenset(["POST", "PUT", "PATCH"])
CLIENT_GONE = Reply(499)  # as nginx logs it; nobody reads it

access_log = logging.getLogger(ACCESS)
Scope = Any  # Granian's objects (RSGI 1) have no types
Protocol = Any


@dataclass(frozen=True, slots=True)
class Call:
    """A request with the means to reply to it."""

    arrival: Arrival
    visit: Visit
    protocol: Protocol
    began: float
    metrics: Metrics

    def reply(self, reply: Reply) -> None:
        """Send the reply, from whatever thread, and log it."""
        try:
            if reply.body:
                self.protocol.response_bytes(reply.status, list(reply.headers), reply.body)
            elif reply is not CLIENT_GONE:
                self.protocol.response_empty(reply.status, list(reply.headers))
        except ProtocolClosed:
            reply = CLIENT_GONE
        self.told(reply, len(reply.body))

    def told(self, reply: Reply, size_bytes: int) -> None:
        """Count and log the reply that was sent."""
        seconds, visit = time.perf_counter() - self.began, self.visit
        self.metrics.count(visit.route, self.arrival.method, reply.status, cache=visit.cache, seconds=seconds)
        if access_log.isEnabledFor(logging.INFO):
            at = datetime.now(UTC)
            line = log_line(self.arrival, visit, reply.status, size_bytes=size_bytes, seconds=seconds, at=at)
            access_log.info("%s", line)


def begun(scope: Scope, protocol: Protocol, parts: Parts, metrics: Metrics) -> Call:
    """The call that a request opens, without its body."""
    headers: dict[str, str] = {}
    for name, value in scope.headers.items():
        # Two Authorization headers must not end as the one that suits the sender.
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    # A proxy may pass the path on as partners know it, or without what it is served below.
    below = parts.lake.settings.public_path
    path = scope.path.removeprefix(below) if scope.path.startswith(f"{below}/") else scope.path
    arrival = Arrival(scope.method, path, scope.query_string, headers)
    return Call(arrival, Visit(parts, request_id(headers), may_park=True), protocol, time.perf_counter(), metrics)


async def received(call: Call, held: Held) -> Call:
    """The call with its body; raises `WrongRequest` for what is too long, too slow or packed, and `Busy`."""
    arrival = call.arrival
    if len(arrival.path) + len(arrival.query) > MAX_TARGET_LENGTH:
        raise _beyond("The URL", f"{MAX_TARGET_LENGTH} characters", HTTPStatus.REQUEST_URI_TOO_LONG)
    if sum(len(name) + len(value) for name, value in arrival.headers.items()) > MAX_HEADERS_LENGTH:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise _beyond("The header", f"{MAX_HEADERS_LENGTH} characters", status)
    if arrival.method not in WITH_BODY:
        return call
    if arrival.headers.get("content-encoding", "identity") != "identity":
        raise WrongRequest(
            "The body is compressed.",
            "Send it as it is.",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            code="unsupported-media-type",
        )
    return replace(call, arrival=replace(arrival, body=await _body(call, held)))


async def _body(call: Call, held: Held) -> bytes:
    declared = call.arrival.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            # A declared length is kept by the protocol; one read of it costs half of reading it by chunks.
            short = declared.isdigit() and int(declared) <= MAX_SHORT_BODY_BYTES
            body = bytes(await call.protocol()) if short else await _chunks(call.protocol, held)
    except ProtocolClosed as error:
        raise _cut_off() from error
    except TimeoutError as error:
        raise WrongRequest(
            f"The body was not there after {BODY_SECONDS:.0f} seconds.",
            "Send it in one go.",
            status=HTTPStatus.REQUEST_TIMEOUT,
            code="request-timeout",
            headers=(("Connection", "close"),),
        ) from error
    if declared.isdigit() and len(body) != int(declared):
        # Chunks just end where the connection does.
        raise _cut_off()
    return body


async def _chunks(protocol: Protocol, held: Held) -> bytes:
    chunks, size = [], 0
    async for chunk in protocol:
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        held.take(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> WrongRequest:
    return _beyond("The body", f"{MAX_BODY_BYTES} bytes", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _cut_off() -> WrongRequest:
    return WrongRequest(
        "The body is shorter than Content-Length says.", "Send all of it.", headers=(("Connection", "close"),)
    )


def _beyond(what: str, most: str, status: HTTPStatus) -> WrongRequest:
    return WrongRequest(
        f"{what} is longer than {most}.",
        "Send less; values can go into parameters, and lists into a dataset.",
        status=status,
        code="too-large",
        headers=(("Connection", "close"),),
    )


def log_line(arrival: Arrival, visit: Visit, status: int, *, size_bytes: int, seconds: float, at: datetime) -> str:
    """One JSON object: who asked which route and what came of it; no statement, no value, no credentials."""
    return orjson.dumps(
        {
            "at": instant(at),
            "request_id": visit.request_id,
            "method": arrival.method[:20],
            "route": visit.route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "bytes": size_bytes,
            "partner": visit.partner,
        }
    ).decode()
