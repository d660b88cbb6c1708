"""A partner with nothing but HTTP: a token, questions, answers. Standard library only, as any client could be."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from athena.errors import Failed

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how long it took."""

    status: int
    document: dict[str, Any]
    etag: str | None
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Client:
    """A partner's credentials for one server."""

    url: str
    client_id: str
    secret: str

    def token(self) -> str:
        """A bearer token (RFC 6749, client credentials)."""
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        body = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        kind = "application/x-www-form-urlencoded"
        reply = _send(self.url + "/oauth2/token", body, {"Authorization": f"Basic {basic}", "Content-Type": kind})
        if "access_token" not in reply.document:
            raise Failed(f"The token endpoint answered {reply.status}.", "Look at the server's messages above.")
        return str(reply.document["access_token"])


def ask(url: str, token: str, sql: str) -> Reply:
    """The answer to `sql`, problems included."""
    body = json.dumps({"sql": sql, "wait_seconds": 25}).encode()
    return _send(url + "/v1/queries", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


def _send(url: str, body: bytes, headers: dict[str, str]) -> Reply:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - our own server
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            status, etag, content = response.status, response.headers["ETag"], response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, etag, content = error.code, None, error.read()
    except OSError as error:
        raise Failed(f"{url} does not answer: {error}.", "Look at the server's messages above.") from error
    milliseconds = (time.perf_counter() - started) * 1000
    return Reply(status, json.loads(content), etag, milliseconds)
