"""What Prometheus reads of one server process: counts by route and status, never a partner's name or a value.

Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
import os
import resource
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from athena.errors import Refused

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Prometheus sends a few hundred bytes.
MAX_HEAD_BYTES, HEAD_SECONDS = 16 * 1024, 5.0


class Metrics:
    """Counts since the process began; any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._answers: Counter[str] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._sums: Counter[str] = Counter()
        self._began = time.time()

    def count(self, route: str, method: str, status: int, *, cache: str | None, seconds: float) -> None:
        """One request that has been answered. `route` is a template, so that there are only so many."""
        method = method if method in METHODS else "other"
        with self._lock:
            self._requests[route, method, status] += 1
            if cache is not None:
                self._answers[cache] += 1
            taken = self._seconds.setdefault(route, [0] * (len(BUCKETS_SECONDS) + 1))
            taken[bisect_left(BUCKETS_SECONDS, seconds)] += 1
            self._sums[route] += seconds  # type: ignore[assignment]  # a Counter adds floats as well

    def text(self, gauges: Mapping[str, float]) -> str:
        """All of it, with the gauges of the moment by their names."""
        with self._lock:
            requests, answers, sums = dict(self._requests), dict(self._answers), dict(self._sums)
            seconds = {route: list(taken) for route, taken in self._seconds.items()}
        lines = ["# HELP lakegate_requests_total Requests answered.", "# TYPE lakegate_requests_total counter"]
        for (route, method, status), count in sorted(requests.items()):
            lines.append(f'lakegate_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}')
        lines += ["# HELP lakegate_answers_total Answers by cache.", "# TYPE lakegate_answers_total counter"]
        lines += [f'lakegate_answers_total{{cache="{cache}"}} {count}' for cache, count in sorted(answers.items())]
        lines += ["# HELP lakegate_request_seconds Time to reply.", "# TYPE lakegate_request_seconds histogram"]
        for route, taken in sorted(seconds.items()):
            lines += _histogram("lakegate_request_seconds", route, taken, sums[route])
        for name, value in {**gauges, **_of_process(), "process_start_time_seconds": self._began}.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# TYPE {name} {kind}", f"{name} {value:g}" if value < 1e6 else f"{name} {value:.3f}"]
        return "\n".join(lines) + "\n"


@asynccontextmanager
async def told(port: int, text: Callable[[], str]) -> AsyncIterator[None]:
    """`GET /metrics` on 127.0.0.1 at `port`, as long as the block lasts; with port 0 nothing listens.

    A port of its own, so that no partner can reach it through the one that is open to them. Raises `Refused`
    (`port-in-use`).
    """
    if not port:
        yield
        return

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_reply(head, text))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(reply, "127.0.0.1", port, limit=MAX_HEAD_BYTES)
    except OSError as error:
        raise Refused(
            f"Port {port} on 127.0.0.1 is in use, where /metrics is to be.",
            "Choose another `metrics_port`; each of several workers takes one more.",
            code="port-in-use",
        ) from error
    try:
        yield
    finally:
        server.close()


def _reply(head: bytes, text: Callable[[], str]) -> bytes:
    found = head.split(b" ")[:2] in ([b"GET", b"/metrics"], [b"GET", b"/"])
    body = text().encode() if found else b"GET /metrics\n"
    status = "200 OK" if found else "404 Not Found"
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((*lines, "", "")).encode() + body


def _histogram(name: str, route: str, taken: list[int], total_seconds: float) -> list[str]:
    lines, so_far = [], 0
    for bound, count in zip((*BUCKETS_SECONDS, "+Inf"), taken, strict=True):
        so_far += count
        lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {so_far}')
    return [*lines, f'{name}_sum{{route="{route}"}} {total_seconds:.6f}', f'{name}_count{{route="{route}"}} {so_far}']


def _of_process() -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"process_cpu_seconds_total": used.ru_utime + used.ru_stime}
    # Elsewhere than on Linux these two are left out.
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        found["process_resident_memory_bytes"] = float(pages * os.sysconf("SC_PAGE_SIZE"))
        found["process_open_fds"] = float(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 a count, no paths
    return found
