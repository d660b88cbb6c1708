"""A load generator of a few lines: keep-alive connections that send one request after the other.

Run as a process of its own, so that its interpreter lock is not the server's:
`python -m tests.bench.wire HOST PORT CONNECTIONS SECONDS < request bytes` prints one latency in µs per line.
"""

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.bench.rounds import quantile


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the generator saw."""

    latencies_us: list[float]
    seconds: float

    @property
    def p50_us(self) -> float:
        """The median latency."""
        return quantile(self.latencies_us, 0.5)

    @property
    def p99_us(self) -> float:
        """The latency that one in a hundred exceeds."""
        return quantile(self.latencies_us, 0.99)

    @property
    def per_second(self) -> float:
        """Requests per second over all connections."""
        return len(self.latencies_us) / self.seconds


def loaded(host: str, port: int, request: bytes, *, connections: int, seconds: float) -> Load:
    """The latencies of `request`, sent again and again over so many connections for so long."""
    command = [sys.executable, "-m", "tests.bench.wire", host, str(port), str(connections), str(seconds)]
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, check=True)
    return Load([float(line) for line in done.stdout.split()], seconds)


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, until: float, latencies: list[float]) -> None:
        self._request, self._until, self._latencies = request, until, latencies
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got, self._due = b"", -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._due < 0:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._got[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self.over.set_exception(RuntimeError(head[:200].decode("latin-1")))
                return
            length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            self._due = end + 4 + int(length)
        if len(self._got) >= self._due:
            now = time.perf_counter()
            self._latencies.append((now - self._began) * 1e6)
            if now >= self._until:
                self.over.set_result(None)
            else:
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._got, self._due, self._began = b"", -1, time.perf_counter()
        self._transport.write(self._request)


async def _run(host: str, port: int, request: bytes, *, connections: int, seconds: float) -> list[float]:
    loop, latencies = asyncio.get_running_loop(), list[float]()
    until = time.perf_counter() + seconds
    made = [
        await loop.create_connection(lambda: _Connection(request, until, latencies), host, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.over for _, connection in made))
    return latencies


if __name__ == "__main__":
    _host, _port, _connections, _seconds = sys.argv[1:]
    _sent = sys.stdin.buffer.read()
    _found = asyncio.run(_run(_host, int(_port), _sent, connections=int(_connections), seconds=float(_seconds)))
    sys.stdout.write("\n".join(f"{latency:.1f}" for latency in _found))
