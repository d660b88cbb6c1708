"""The server on the wire: starting, bounds, stopping. Nothing here needs data."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from api.callers.credentials import Issued
from athena.errors import Failed
from lakegate.home import init_home
from lakegate.listening import reserved
from lakegate.serve import LOG_FILE, Listening, running
from tests.lakegate.server import PATIENCE_SECONDS, Client, client, credentials, serving


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_home(tmp_path_factory.mktemp("serve") / "home").home


@pytest.fixture(scope="module")
def at(home: Path) -> Iterator[Listening]:
    with serving(home) as listening:
        yield listening


@pytest.fixture(scope="module")
def issued(home: Path) -> Issued:
    return credentials(home, "united")


@pytest.fixture
def http(at: Listening) -> Iterator[Client]:
    with client(at) as found:
        yield found


def raw(at: Listening, request: bytes, *, wait_seconds: float = PATIENCE_SECONDS) -> bytes:
    """What comes back until the server closes or has said one whole head."""
    with socket.create_connection((at.host, at.port), timeout=wait_seconds) as connection:
        answer = b""
        # Who is refused before all was read may find the connection closed.
        with suppress(ConnectionError):
            connection.sendall(request)
        while b"\r\n\r\n" not in answer:
            try:
                received = connection.recv(65536)
            except ConnectionError:
                break
            if not received:
                break
            answer += received
    return answer


def logged_requests(home: Path, request_id: str) -> dict[str, dict[str, object]]:
    """The access log by request id, once that of `request_id` stands there: a line follows its reply."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = [json.loads(line) for line in (home / LOG_FILE).read_text().splitlines()]
        logged = {line["request_id"]: line for line in lines if "request_id" in line}
        if request_id in logged or time.monotonic() > deadline:
            return logged
        time.sleep(0.01)


def test_health_needs_no_token_and_touches_nothing(http: Client) -> None:
    got = http.get("/healthz")
    assert (got.status, got.json()) == (200, {"status": "ok"})
    head = http.send("HEAD", "/healthz")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "15")


def test_every_answer_has_a_request_id_and_the_log_has_it_too(http: Client, home: Path) -> None:
    assert http.get("/healthz", {"X-Request-Id": "order-17"}).headers["x-request-id"] == "order-17"
    made = http.get("/nothing").headers["x-request-id"]
    logged = logged_requests(home, made)
    assert logged["order-17"]["route"] == "/healthz"
    assert (logged[made]["status"], logged[made]["route"]) == (404, "-")


def test_a_token_is_had_for_a_secret_and_neither_is_logged(at: Listening, home: Path, issued: Issued) -> None:
    with client(at) as http:
        token = http.token(issued)
        assert http.get("/v1/datasets").status == 401
        keys = http.get("/.well-known/jwks.json")
    assert [key["alg"] for key in keys.json()["keys"]] == ["RS256"]
    logged_requests(home, keys.headers["x-request-id"])
    log = (home / LOG_FILE).read_text()
    assert token not in log and issued.secret not in log and token.rpartition(".")[2] not in log


def test_a_body_that_says_it_is_too_large_is_refused_unread(at: Listening) -> None:
    answer = raw(at, b"POST /v1/queries HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in answer


def test_a_body_without_an_end_is_refused_when_it_is_too_large(at: Listening) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"POST /v1/queries HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(at, head + chunk * 17)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", [100, 100_000], ids=["short", "long"])
def test_a_body_that_is_cut_off_is_refused(at: Listening, length: int) -> None:
    head = f"POST /v1/queries HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    with socket.create_connection((at.host, at.port), timeout=60.0) as connection:
        connection.sendall(head + b'{"sql": "SELECT 1"}')
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ") and b"shorter than Content-Length" in answer


def test_a_long_url_is_414_and_a_long_header_431(at: Listening) -> None:
    for length in (9_000, 70_000):
        assert raw(at, b"GET /" + b"x" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 414 ")
    for length in (40_000, 100_000):
        answer = raw(at, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * length + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_compressed_body_is_refused(http: Client) -> None:
    got = http.send("POST", "/v1/queries", b"\x1f\x8b", {"Content-Encoding": "gzip"})
    assert (got.status, got.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("request_line", [b"GARBAGE", b"GET / HTTP/9.9", b"GET http://[ HTTP/1.1"])
def test_what_is_no_http_is_refused(at: Listening, request_line: bytes) -> None:
    assert raw(at, request_line + b"\r\nHost: x\r\n\r\n")[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404", b"")


def test_two_authorization_headers_do_not_end_as_the_better_one(at: Listening, issued: Issued) -> None:
    with client(at) as http:
        token = http.token(issued).encode()
    both = b"Authorization: Bearer " + token + b"\r\nAuthorization: Bearer " + token + b"\r\n"
    assert raw(at, b"GET /v1/datasets HTTP/1.1\r\nHost: x\r\n" + both + b"\r\n").startswith(b"HTTP/1.1 401 ")


def test_slow_bodies_hold_up_nobody(at: Listening, http: Client) -> None:
    head = b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    slow = [socket.create_connection((at.host, at.port)) for _ in range(60)]
    for connection in slow:
        connection.sendall(head + b"g")
    assert http.get("/healthz").status == 200
    assert select.select(slow, [], [], 0)[0] == [], "the slow ones were given up before"
    for connection in slow:
        connection.close()


def test_many_wrong_secrets_hold_up_nobody(at: Listening, http: Client) -> None:
    form = b"grant_type=client_credentials&client_id=c_nobody&client_secret=x"
    head = b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(form) + form
    guessers = [socket.create_connection((at.host, at.port)) for _ in range(30)]
    for connection in guessers:
        connection.sendall(request)
    assert http.get("/healthz").status == 200
    for connection in guessers:
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
        connection.close()


def test_a_port_in_use_is_told_with_what_to_do(home: Path, at: Listening) -> None:
    with pytest.raises(Failed, match=f"Port {at.port} on 127.0.0.1 is in use") as failed, running(home, port=at.port):
        pass
    assert failed.value.code == "port-in-use"
    assert "--port" in failed.value.remedy


def test_a_port_that_was_reserved_cannot_be_reserved_again() -> None:
    with (
        reserved("127.0.0.1", 0) as listening,
        pytest.raises(Exception, match="in use"),
        reserved("127.0.0.1", listening.port),
    ):
        pass


def test_a_folder_that_is_no_home_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="is no Lakegate home") as failed, running(tmp_path):
        pass
    assert failed.value.code == "no-home"


SERVE = "import sys; from pathlib import Path; from lakegate.serve import serve; serve(Path(sys.argv[1]), port=0, \
watch=False, ready=lambda at: print(at.port, flush=True))"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(home: Path, number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    at = Listening("127.0.0.1", int(process.stdout.readline()))
    with client(at) as http:
        assert http.get("/healthz").status == 200
        process.send_signal(number)
        _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, b"Traceback" in log) == (0, False)
    with pytest.raises(OSError):
        socket.create_connection((at.host, at.port), timeout=1)


RUNNING = "import sys, time; from pathlib import Path; from lakegate.serve import running\n\
with running(Path(sys.argv[1]), watch=False) as at:\n    print(at.port, flush=True)\n    time.sleep(3600)"


def test_a_server_ends_with_the_process_that_started_it(home: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", RUNNING, str(home)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS).close()
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError("the server is still there")
