"""A load generator of a few lines: keep-alive connections that send one request after the other.

Raw sockets and epoll, nothing is parsed but the status and the length, so that the client takes little of the machine
that it shares with the server: `python -m tests.bench.wire` says how little, against a server that only echoes bytes.

Run as a process of its own, so that its interpreter lock is not the server's:
`python -m tests.bench.wire HOST PORT CONNECTIONS SECONDS < request bytes` prints one latency in µs per line.
"""

import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, repeat
from statistics import median

from tests.bench.rounds import quantile

# In a request: a number that no other request of any run has, so that no two of them are the same question.
NUMBER = b"@@@@@@@@@@@@@@@@"
_LAST_CHUNK = b"0\r\n\r\n"
_IN_CHUNKS = -1
_STUCK_SECONDS = 120
_LENGTH = b"content-length: "


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
    """The latencies of `request`, sent again and again over so many connections for so long.

    Raises `CalledProcessError` at the first answer that is not a 200.
    """
    command = [sys.executable, "-m", "tests.bench.wire", host, str(port), str(connections), str(seconds)]
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, check=True)
    first, *rest = done.stdout.split()
    return Load([float(line) for line in rest], float(first))


class _Connection:
    """One connection; `due` is how many bytes of the answer are still to come, None while its length is unknown."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._got = b""
        self._due: int | None = None

    def send(self, request: bytes) -> None:
        self._got, self._due = b"", None
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def received(self) -> bool:
        """Whether the answer is complete, after what has just arrived."""
        arrived = self.socket.recv(1 << 18)
        if not arrived:
            raise ConnectionError("the server closed the connection")
        if self._due is None:
            self._got += arrived
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return False
            length = _length(self._got[:end])
            self._due = _IN_CHUNKS if length is None else end + 4 + length - len(self._got)
        elif self._due != _IN_CHUNKS:
            self._due -= len(arrived)
        if self._due == _IN_CHUNKS:
            self._got = (self._got + arrived)[-len(_LAST_CHUNK) :]
            return self._got == _LAST_CHUNK
        return self._due == 0


def _length(head: bytes) -> int | None:
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head[:200].decode("latin-1"))
    head = head.lower()
    if _LENGTH not in head:
        return None
    begin = head.index(_LENGTH) + len(_LENGTH)
    end = head.find(b"\r", begin)
    return int(head[begin : end if end >= 0 else len(head)])


def _run(host: str, port: int, request: bytes, *, connections: int, seconds: float) -> tuple[float, list[float]]:
    poll, latencies = select.epoll(), list[float]()
    every = {one.socket.fileno(): one for one in (_Connection(host, port) for _ in range(connections))}
    for number in every:
        poll.register(number, select.EPOLLIN)
    began = time.perf_counter()
    until = began + seconds
    requests = _numbered(request) if NUMBER in request else repeat(request)
    for one in every.values():
        one.send(next(requests))
    while every:
        ready = poll.poll(_STUCK_SECONDS)
        if not ready:
            raise TimeoutError(f"no answer for {_STUCK_SECONDS} seconds")
        for number, _ in ready:
            one = every[number]
            if not one.received():
                continue
            now = time.perf_counter()
            latencies.append((now - one.began) * 1e6)
            if now < until:
                one.send(next(requests))
            else:
                poll.unregister(number)
                del every[number]
    return time.perf_counter() - began, latencies


def _numbered(request: bytes) -> Iterator[bytes]:
    return (request.replace(NUMBER, b"%016d" % at) for at in count(time.time_ns() // 1000))


def own_cost() -> float:
    """What the client itself costs per request, in µs of latency: against a thread that answers without looking."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

    def echo(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while connection.recv(1 << 16):
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        host, port = listener.getsockname()
        return median(loaded(host, port, b"GET / HTTP/1.1\r\n\r\n", connections=1, seconds=1.0).latencies_us)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.stdout.write(f"{own_cost():.1f}\n")
    else:
        _host, _port, _connections, _seconds = sys.argv[1:]
        _sent = sys.stdin.buffer.read()
        _took, _found = _run(_host, int(_port), _sent, connections=int(_connections), seconds=float(_seconds))
        sys.stdout.write("\n".join([f"{_took:.6f}", *(f"{latency:.1f}" for latency in _found)]))
