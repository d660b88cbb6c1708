"""A real server on a free port and a plain client of it, for the stories that go over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from api.callers.credentials import Issued
from lakegate.serve import Listening, running

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

    def __init__(self, at: Listening, token: str | None = None, *, timeout_seconds: float = 30.0) -> None:
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
        """`POST /v1/queries`."""
        body = json.dumps({"sql": sql, **fields}).encode()
        return self.send("POST", "/v1/queries", body, {**JSON, **(headers or {})})

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
