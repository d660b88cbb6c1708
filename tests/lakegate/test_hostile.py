"""Clients that mean no good: the server keeps answering the others."""

import contextlib
import gzip
import os
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakegate.home import init_home
from lakegate.serve import Listening
from tests.lakegate.server import PATIENCE_SECONDS, Client, client, serving

# The others' answers may be slow on a loaded machine, but they come.
MOST_GROWTH_BYTES = 160 * 1024 * 1024


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    home = init_home(tmp_path_factory.mktemp("hostile") / "home").home
    with serving(home) as listening:
        yield listening


@contextlib.contextmanager
def connected(at: Listening, count: int) -> Iterator[list[socket.socket]]:
    """So many open connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 1000)), hard))
    connections: list[socket.socket] = []
    try:
        connections += (socket.create_connection((at.host, at.port), timeout=PATIENCE_SECONDS) for _ in range(count))
        yield connections
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def others_are_answered(at: Listening) -> None:
    """New clients get their health and their refusals."""
    for _ in range(3):
        other = Client(at, timeout_seconds=PATIENCE_SECONDS)
        assert other.get("/healthz").status == 200
        assert other.ask("SELECT 1").status == 401
        other.close()


def resident_bytes(at: Listening) -> int:
    """What the process that listens holds in memory."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid() and listens(folder, at):
                return int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    raise AssertionError("the server is not there")


def listens(folder: Path, at: Listening) -> bool:
    """Whether this process holds the socket that listens at the port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == at.port}
    for link in (folder / "fd").iterdir():
        with contextlib.suppress(OSError):  # others are closed meanwhile
            if str(link.readlink()) in {f"socket:[{inode}]" for inode in inodes}:
                return True
    return False


def test_headers_that_come_byte_by_byte_hold_up_nobody(at: Listening) -> None:
    with connected(at, 300) as slow:
        for byte in b"GET /healthz HTTP/1.1\r\n":
            for connection in slow:
                connection.send(bytes([byte]))
        others_are_answered(at)
        slow[0].sendall(b"Host: x\r\n\r\n")
        assert slow[0].recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.long
def test_a_header_that_never_ends_is_given_up(at: Listening) -> None:
    with connected(at, 50) as slow:
        for connection in slow:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        began = time.monotonic()
        waiting = list(slow)
        while waiting and time.monotonic() - began < 90:
            for connection in select.select(waiting, [], [], 1.0)[0]:
                waiting.remove(connection)
            others_are_answered(at)
        assert waiting == []


def open_connections_leave_room(at: Listening, count: int) -> None:
    with connected(at, count) as idle:
        others_are_answered(at)
        for connection in idle[:: count // 50]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in idle[:: count // 50]:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    others_are_answered(at)


def test_two_thousand_open_connections_hold_up_nobody(at: Listening) -> None:
    open_connections_leave_room(at, 2_000)


@pytest.mark.long
def test_ten_thousand_open_connections_hold_up_nobody(at: Listening) -> None:
    open_connections_leave_room(at, 10_000)


def flood(at: Listening, head: bytes, size_bytes: int, *, chunked: bool) -> tuple[int, bytes]:
    """How much of a body the server let in before it closed, and what it said."""
    block = b"x" * 65536
    sent, said = 0, b""
    with socket.create_connection((at.host, at.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head)
        with contextlib.suppress(OSError):
            while sent < size_bytes:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(b"10000\r\n" + block + b"\r\n" if chunked else block)
                sent += len(block)
            said = connection.recv(65536)
    return sent, said


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_of_a_gigabyte_is_not_taken(at: Listening, chunked: bool) -> None:
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 1073741824"
    head = b"POST /v1/queries HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + length + b"\r\n\r\n"
    before = resident_bytes(at)
    floods: list[tuple[int, bytes]] = []
    threads = [
        threading.Thread(target=lambda: floods.append(flood(at, head, 1 << 30, chunked=chunked))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    others_are_answered(at)
    for thread in threads:
        thread.join()
    assert all(sent < 64 * 1024 * 1024 for sent, _ in floods)
    # Who goes on sending may find the connection closed before it has read why.
    assert all(said[:13] in (b"HTTP/1.1 413 ", b"") for _, said in floods)
    assert resident_bytes(at) - before < MOST_GROWTH_BYTES
    others_are_answered(at)


def test_a_bomb_in_a_compressed_body_is_never_unpacked(at: Listening) -> None:
    bomb = gzip.compress(bytes(256 * 1024 * 1024), 9)
    assert len(bomb) < 300_000
    before = resident_bytes(at)
    with client(at) as http:
        got = http.send("POST", "/v1/queries", bomb, {"Content-Encoding": "gzip", "Content-Type": "application/json"})
    assert (got.status, got.json()["code"]) == (415, "unsupported-media-type")
    assert resident_bytes(at) - before < MOST_GROWTH_BYTES
    others_are_answered(at)


def test_readers_that_never_read_hold_up_nobody(at: Listening) -> None:
    request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(at, 50) as silent:
        for connection in silent:
            connection.sendall(request)
        others_are_answered(at)
