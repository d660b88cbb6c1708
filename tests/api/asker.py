"""A partner who asks a home in this process, for tests of the routes."""

import json
from typing import Any
from urllib.parse import urlsplit

from api.callers.credentials import Credentials
from api.edge import Visit
from api.embedded import app
from api.gateway import Arrival, respond
from api.parts import Parts
from api.response import Reply


class Asker:
    """Sends requests as one partner, through everything but the wire."""

    def __init__(self, parts: Parts, partner: str) -> None:
        assert parts.tokens is not None
        self.parts = parts
        self._token = parts.tokens.issue(Credentials.embedded(parts.lake.settings).add_client(partner).client_id)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """The reply to any request; `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        at = urlsplit(path)
        sent = {"authorization": f"Bearer {self._token}", **named}
        arrival = Arrival(method, at.path, at.query, sent, b"" if body is None else json.dumps(body).encode())
        return respond(app, arrival, Visit(self.parts, request_id="r"))

    def get(self, path: str, **headers: str) -> Reply:
        """GET."""
        return self.send("GET", path, **headers)

    def ask(self, sql: str, query: str = "", **headers: str) -> Reply:
        """`POST /v1/queries`."""
        return self.send("POST", f"/v1/queries{query}", {"sql": sql, "wait_seconds": 25}, **headers)


def body(reply: Reply) -> bytes:
    """The whole body, of a stream as well."""
    return reply.body if reply.chunks is None else b"".join(reply.chunks)


def told(reply: Reply) -> dict[str, str]:
    """The headers."""
    return dict(reply.headers)
