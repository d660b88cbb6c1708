"""An AWS whose answers go wrong, whoever asks: between the wire and the service."""

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from tests.cloud import Cloud

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Between = Callable[[dict[str, Any], Callable[..., Any], Application], Iterable[bytes]]
Kind = Literal["before", "after", "delay", "duplicate", "outage", "cut"]
KINDS: tuple[Kind, ...] = ("before", "after", "delay", "duplicate", "outage", "cut")
# What ends with its call; and what ends the story.
PASSING: tuple[Kind, ...] = ("before", "after", "delay", "duplicate")
ENDING: tuple[Kind, ...] = ("outage", "cut")
# So far apart are the passing faults of one story.
APART = 15
# More than whoever calls repeats a call, so that what was under way ends there.
OUTAGE_CALLS = 24
_DELAY_SECONDS = 0.05
_OOPS = b'{"__type":"InternalServerError","message":"oops"}'


class Disturbance:
    """The `at`-th call goes wrong: `before` it is done, or `after`; it comes late, or is done twice. An `outage` is
    many calls in a row that are never done; a `cut` is one that is done and not answered, and an outage behind it.

    With `every`, so does each call so many behind the last one that did: a single fault ends nothing, so that one
    story meets many. Stories that begin at 1, 2, … `every` have one at every call between them: each repetition
    moves what is behind it by one, and by one the stretches overlap."""

    def __init__(self, kind: Kind, at: int, every: int | None = None) -> None:
        self._kind = kind
        self._at = at
        self._every = every
        self._seen = 0
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any], answer: Application
    ) -> Iterable[bytes]:
        with self._lock:
            self._seen += 1
            behind = self._seen - self._at
        if self._kind in ("outage", "cut") and 0 < behind < OUTAGE_CALLS:
            return _failed(start_response)
        if behind < 0 or (behind % self._every if self._every else behind):
            return answer(environ, start_response)
        return self._wrong(environ, start_response, answer)

    def _wrong(
        self, environ: dict[str, Any], start_response: Callable[..., Any], answer: Application
    ) -> Iterable[bytes]:
        if self._kind in ("before", "outage"):
            return _failed(start_response)
        if self._kind == "delay":
            time.sleep(_DELAY_SECONDS)
            return answer(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        list(answer({**environ, "wsgi.input": io.BytesIO(body)}, lambda *_: None))
        if self._kind in ("after", "cut"):
            return _failed(start_response)
        return answer({**environ, "wsgi.input": io.BytesIO(body)}, start_response)


@contextmanager
def disturbed(cloud: Cloud, kind: Kind, at: int, every: int | None = None) -> Iterator[None]:
    """AWS within the block, with one thing that goes wrong, or one every so often."""
    with between(cloud, Disturbance(kind, at, every)):
        yield


@contextmanager
def between(cloud: Cloud, what: Between) -> Iterator[None]:
    """AWS within the block, with somebody between it and the wire."""
    before = cloud.emulator.between
    cloud.emulator.between = what
    try:
        yield
    finally:
        cloud.emulator.between = before


def _failed(start_response: Callable[..., Any]) -> list[bytes]:
    start_response("500 Internal Server Error", [("Content-Type", "application/x-amz-json-1.0")])
    return [_OOPS]
