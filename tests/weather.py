"""What can go wrong between a process and AWS, at one call or from one call on."""

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lakegate.emulate.server import Application, Emulator

Start = Callable[..., Any]
Fault = Callable[[dict[str, Any], Start, Application], Iterable[bytes]]
DELAY_SECONDS = 0.3


@dataclass
class Weather:
    """Counts our calls, and lets those that `hit` says go wrong as `fault` does; `log` is what was called, in order.

    The emulated Athena has calls of its own, by boto3 and by Arrow; ours are botocore's.
    """

    fault: Fault
    hit: Callable[[int], bool]
    log: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
        if not str(environ.get("HTTP_USER_AGENT", "")).startswith("Botocore/"):
            return services(environ, start)
        with self._lock:
            self.log.append(_called(environ))
            number = len(self.log)
        return self.fault(environ, start, services) if self.hit(number) else services(environ, start)


@contextmanager
def weather(emulator: Emulator, fault: Fault, hit: Callable[[int], bool]) -> Iterator[Weather]:
    """It lasts as long as the block."""
    before = emulator.between
    emulator.between = made = Weather(fault, hit)
    try:
        yield made
    finally:
        emulator.between = before


def fails_before(_: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
    """The service fails without doing anything."""
    return _server_error(start)


def fails_after(environ: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
    """The service does it, and fails to say so."""
    list(services(environ, lambda *_: None))
    return _server_error(start)


def is_throttled(environ: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
    """The service refuses: too much."""
    if "HTTP_X_AMZ_TARGET" in environ:
        body = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
        return _answer(start, "400 Bad Request", "application/x-amz-json-1.0", body)
    body = b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>'
    return _answer(start, "503 Slow Down", "application/xml", body)


def is_delayed(environ: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
    """It takes long."""
    time.sleep(DELAY_SECONDS)
    return services(environ, start)


def arrives_twice(environ: dict[str, Any], start: Start, services: Application) -> Iterable[bytes]:
    """The request is carried out, and then again; only the second answer comes back."""
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    list(services({**environ, "wsgi.input": io.BytesIO(content)}, lambda *_: None))
    return services({**environ, "wsgi.input": io.BytesIO(content)}, start)


FAULTS = (fails_before, fails_after, is_throttled, is_delayed, arrives_twice)


def _called(environ: dict[str, Any]) -> str:
    return str(environ.get("HTTP_X_AMZ_TARGET") or f"S3 {environ['REQUEST_METHOD']}")


def _server_error(start: Start) -> Iterable[bytes]:
    return _answer(start, "500 Internal Server Error", "text/plain", b"oops")


def _answer(start: Start, status: str, kind: str, body: bytes) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
