"""Requests that wait hold nobody up, are bounded, and end with their clients."""

import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lakegate.serve import Listening
from tests.lakegate.server import PATIENCE_SECONDS, Client, Got, client, free_ports, metrics, serving
from tests.lakes import eventually
from tests.stories.market import Market, market

# More than the server has threads, and few enough to have all asked before the first has waited its 25 seconds.
PARKED = 60
# Runs for as long as anybody will wait here: each partner sees 100 rows, to the sixth power.
SLOW = "SELECT count(*) FROM flights a CROSS JOIN flights b CROSS JOIN flights c CROSS JOIN flights d \
CROSS JOIN flights e CROSS JOIN flights f WHERE a.number * b.number + c.number * d.number + e.number * f.number = 7"
QUICK = "SELECT count(*) FROM flights"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return market(tmp_path_factory.mktemp("parked") / "home", more_settings=f"max_parked = {PARKED}\n")


@pytest.fixture(scope="module")
def at(place: Market) -> Iterator[Listening]:
    with serving(place.settings.home) as listening:
        yield listening


@pytest.fixture
def http(at: Listening, place: Market) -> Iterator[Client]:
    with client(at, place.issued["C0"]) as found:
        yield found


def asking(at: Listening, token: str, stack: ExitStack) -> socket.socket:
    """A connection that has asked what takes long, and is closed with the stack."""
    body = json.dumps({"sql": SLOW, "wait_seconds": 25}).encode()
    head = (
        f"POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = stack.enter_context(socket.create_connection((at.host, at.port)))
    connection.sendall(head.encode() + body)
    return connection


@contextmanager
def waiting(at: Listening, token: str, count: int) -> Iterator[None]:
    """So many connections that have asked and wait as long as the block lasts; then they go away.

    There are more of them, but who is one too many is told to come again, and nobody else is answered.
    """
    too_many = 10
    with ExitStack() as stack:
        connections = [asking(at, token, stack) for _ in range(count + too_many)]
        answered: list[socket.socket] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(answered) < too_many:
            answered, _, _ = select.select(connections, [], [], 0.1)
            assert time.monotonic() < deadline, "the bound was never reached"
        assert all(connection.recv(12) == b"HTTP/1.1 202" for connection in answered)
        yield


def is_parked(http: Client, *, seconds: float) -> bool:
    """Whether one more request waits as long as it says."""
    began = time.perf_counter()
    assert http.ask(SLOW, wait_seconds=seconds).status == 202
    return time.perf_counter() - began >= seconds


def test_a_wait_ends_when_the_answer_is_there(http: Client) -> None:
    while http.ask(QUICK, wait_seconds=25).status == 202:
        pass  # the engine starts with the first question
    began = time.perf_counter()
    got = http.ask("SELECT count(*) FROM flights a CROSS JOIN flights b WHERE a.number + b.number > 3", wait_seconds=25)
    assert (got.status, got.json()["state"], got.json()["cache"]) == (200, "SUCCEEDED", "miss")
    assert time.perf_counter() - began < 25


def test_a_question_that_was_left_is_cancelled_and_says_so(http: Client) -> None:
    asked = http.ask(SLOW.replace("= 7", "= 8"), wait_seconds=0)
    assert asked.status == 202
    where = asked.headers["location"]
    assert http.get(where).json()["state"] in ("QUEUED", "RUNNING")
    rows = http.get(f"{where}/rows")
    assert (rows.status, rows.json()["code"]) == (409, "answer-not-ready")
    assert http.send("DELETE", where).json()["state"] == "CANCELLED"
    assert http.get(where).json()["state"] == "CANCELLED"


def test_two_servers_of_one_home_share_one_run(at: Listening, place: Market) -> None:
    sql = (
        "SELECT count(*) FROM flights a CROSS JOIN flights b CROSS JOIN flights c WHERE a.number + b.number > c.number"
    )
    with serving(place.settings.home) as second, ThreadPoolExecutor(8) as threads:

        def ask(turn: int) -> Got:
            with client((at, second)[turn % 2], place.issued["C3"]) as http:
                got = http.ask(sql, wait_seconds=25)
                while got.status == 202:
                    time.sleep(0.2)
                    got = http.get(got.headers["location"])
                return got

        found = list(threads.map(ask, range(8)))
    assert [one.status for one in found] == [200] * 8
    assert {one.json()["rows"][0][0] for one in found} == {"1000000"}
    assert sorted(one.json()["cache"] for one in found).count("miss") == 1
    assert len({one.headers["etag"] for one in found}) == 1


def test_a_server_that_stops_tells_who_waits_where_to_look(tmp_path: Path) -> None:
    port = free_ports(1)
    place = market(tmp_path / "home", more_settings=f"metrics_port = {port}\n")
    with ExitStack() as connections:
        with serving(place.settings.home) as stopping:
            with client(stopping) as http:
                token = http.token(place.issued["C4"])
            waiters = [asking(stopping, token, connections) for _ in range(5)]
            eventually(lambda: metrics(port)["lakegate_requests_parked"] == len(waiters))
        for waiter in waiters:
            answer = waiter.recv(65536)
            assert answer.startswith(b"HTTP/1.1 202") and b"location: /v1/queries/q_" in answer


# The last one: what nobody waits for any more keeps the engine busy until its time is up.
def test_while_many_wait_a_hit_and_the_health_check_are_prompt(at: Listening, place: Market, http: Client) -> None:
    assert http.ask(QUICK).json()["rows"] == [["100"]]
    with client(at) as anonymous:
        token = anonymous.token(place.issued["C1"])
    with waiting(at, token, PARKED):
        assert not is_parked(http, seconds=25)
        began = time.perf_counter()
        for _ in range(10):
            assert http.get("/healthz").status == 200
            assert http.ask(QUICK).json()["cache"] == "hit"
        # Held up by those who wait, the first would have taken as long as these.
        assert time.perf_counter() - began < 25
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_parked(http, seconds=0.3):
        assert time.monotonic() < deadline, "who went away still counts"
