"""A real server on a free port and a plain client of it, for the stories that go over HTTP."""

import json
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from api.callers.credentials import Credentials, Issued
from athena.settings import read_settings
from lakegate.serve import Listening, running

# Nothing here waits for a time, only for a state: a machine may be slow and full.
PATIENCE_SECONDS = 120.0
LONGEST_WAIT_SECONDS = 25
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Got:
    """One response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Client:
    """One keep-alive connection, with a bearer token when it has one. Belongs to one thread."""

    def __init__(self, at: Listening, token: str | None = None, *, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        self._connection = HTTPConnection(at.host, at.port, timeout=timeout_seconds)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Got:
        """The response to any request."""
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        content = response.read()
        return Got(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Got:
        """GET."""
        return self.send("GET", path, headers=headers)

    def ask(self, sql: str, headers: dict[str, str] | None = None, **fields: Any) -> Got:
        """`POST /v1/queries`; unless told how long to wait, the answer however long it takes."""
        body = json.dumps({"sql": sql, "wait_seconds": LONGEST_WAIT_SECONDS, **fields}).encode()
        got = self.send("POST", "/v1/queries", body, {**JSON, **(headers or {})})
        if got.status != 202 or "wait_seconds" in fields:
            return got
        while (seen := self.get(got.headers["location"])).json()["state"] in ("QUEUED", "RUNNING"):
            time.sleep(0.2)
        # What failed, and other forms, are only to be had by asking again.
        succeeded = seen.json()["state"] == "SUCCEEDED" and "Accept" not in (headers or {})
        return seen if succeeded else self.ask(sql, headers, **fields)

    def token(self, issued: Issued) -> str:
        """A bearer token from the token endpoint."""
        fields = {"grant_type": "client_credentials", "client_id": issued.client_id, "client_secret": issued.secret}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        got = self.send("POST", "/oauth2/token", urlencode(fields).encode(), form)
        assert got.status == 200, got.body
        token: str = got.json()["access_token"]
        return token

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def serving(home: Path, *, watch: bool = False) -> Iterator[Listening]:
    """The home's server in a child process on a free port."""
    with running(home, port=0, watch=watch) as at:
        yield at


@contextmanager
def client(at: Listening, issued: Issued | None = None) -> Iterator[Client]:
    """A client, with a token of its own when it has credentials."""
    anonymous = Client(at)
    found = anonymous if issued is None else Client(at, anonymous.token(issued))
    try:
        yield found
    finally:
        anonymous.close()
        found.close()


def credentials(home: Path, partner: str) -> Issued:
    """New credentials of a partner of the home."""
    return Credentials.embedded(read_settings(home)).add_client(partner)


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has, of those that no system hands out by itself: what others
    open meanwhile does not take them."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with ExitStack() as held, suppress(OSError):
            for further in range(port, port + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", further))
            return port


def metrics(port: int) -> dict[str, float]:
    """What `/metrics` says, once somebody listens there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            assert (response.status, response.getheader("content-type", "")[:10]) == (200, "text/plain")
            lines = response.read().decode().splitlines()
            break
        except ConnectionError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.05)
        finally:
            connection.close()
    assert all(re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [0-9.e+-]+", line) for line in lines), lines
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
