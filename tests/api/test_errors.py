"""One error form over every route: whatever goes wrong, wherever."""

import json
from collections.abc import Iterator

import pytest

from api.callers.credentials import Credentials
from api.docs import PATHS as PAGES
from api.edge import Visit
from api.embedded import app
from api.gateway import Arrival, respond
from api.parts import Parts
from api.response import Reply
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from tests.api.conftest import ORIGIN

ROUTES = [(path, method) for path, entries in app.routes.items() for method in entries]
OPEN = {
    "/problems/{code}",
    "/healthz",
    "/openapi.json",
    "/oauth2/token",
    "/.well-known/jwks.json",
    "/v1/downloads/{ticket}",
    *PAGES,
}
PARTNER_ROUTES = [(path, method) for path, method in ROUTES if path not in OPEN]


@pytest.fixture
def token(parts: Parts) -> str:
    settings = parts.lake.settings
    write_grant(settings.partners, Grant("united", "", {"flights": DatasetGrant()}, Limits(), ""))
    assert parts.tokens is not None
    return parts.tokens.issue(Credentials.embedded(settings).add_client("united").client_id)


def sent(parts: Parts, path: str, method: str, *, query: str = "", body: bytes = b"", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in {"origin": ORIGIN, **headers}.items()}
    filled = path.replace("{id}", "q_nobody").replace("{name}", "nothing")
    return respond(app, Arrival(method, filled, query, named, body), Visit(parts, request_id="r-1"))


def assert_problem(reply: Reply, status: int, code: str) -> None:
    headers, document = dict(reply.headers), json.loads(reply.body)
    assert (reply.status, document["status"], document["code"]) == (status, status, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"] == "r-1"
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Cache-Control"] == "no-store"
    assert {"type", "title", "detail", "remedy"} <= set(document)
    assert all(isinstance(document[name], str) and document[name] for name in ("title", "detail", "remedy"))


@pytest.mark.parametrize(("path", "method"), PARTNER_ROUTES)
def test_without_a_token_every_partner_route_is_401(parts: Parts, path: str, method: str) -> None:
    reply = sent(parts, path, method, body=b"{")
    assert_problem(reply, 401, "unauthenticated")
    assert dict(reply.headers)["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("path", sorted({path for path, _ in ROUTES}))
def test_another_method_is_405_on_every_route(parts: Parts, path: str) -> None:
    reply = sent(parts, path, "PATCH")
    assert_problem(reply, 405, "method-not-allowed")
    assert "PATCH" not in dict(reply.headers)["Allow"]


# Here every further field is a column's, and columns are told of a dataset that is there: see test_browse.py.
BY_COLUMN = "/v1/datasets/{name}/rows"


@pytest.mark.parametrize(("path", "method"), [route for route in PARTNER_ROUTES if route[0] != BY_COLUMN])
def test_an_unknown_query_field_is_400_on_every_partner_route(parts: Parts, token: str, path: str, method: str) -> None:
    reply = sent(parts, path, method, query="offset=1", body=b'{"sql": "SELECT 1"}', authorization=f"Bearer {token}")
    assert_problem(reply, 400, "invalid-request")
    assert json.loads(reply.body)["pointer"] == "/offset"


@pytest.mark.parametrize(
    ("path", "method"), [route for route in PARTNER_ROUTES if "{" in route[0] and route[1] != "PUT"]
)
def test_what_does_not_exist_is_404_in_the_same_words(parts: Parts, token: str, path: str, method: str) -> None:
    assert_problem(sent(parts, path, method, authorization=f"Bearer {token}"), 404, "not-found")


@pytest.mark.parametrize("path", [path for path, method in ROUTES if method == "POST"])
def test_a_body_of_another_type_is_415(parts: Parts, path: str) -> None:
    assert_problem(sent(parts, path, "POST", body=b"x", content_type="text/plain"), 415, "unsupported-media-type")


def test_a_media_type_that_is_not_made_is_406(parts: Parts, token: str) -> None:
    reply = sent(parts, "/v1/queries/{id}/rows", "GET", accept="image/png", authorization=f"Bearer {token}")
    assert_problem(reply, 406, "not-acceptable")


def test_malformed_json_is_400(parts: Parts, token: str) -> None:
    reply = sent(parts, "/v1/queries", "POST", body=b"{", authorization=f"Bearer {token}")
    assert_problem(reply, 400, "malformed-json")


def test_bad_sql_is_told_with_its_place(parts: Parts, token: str) -> None:
    reply = sent(parts, "/v1/queries", "POST", body=b'{"sql": "SELEC 1"}', authorization=f"Bearer {token}")
    assert_problem(reply, 400, "sql-syntax")
    assert json.loads(reply.body)["line"] == 1


@pytest.mark.parametrize("sql", ["SELECT * FROM flights", "SELECT * FROM nothing"])
def test_tables_that_are_not_there_or_not_granted_are_404_alike(parts: Parts, token: str, sql: str) -> None:
    body = json.dumps({"sql": sql}).encode()
    assert_problem(sent(parts, "/v1/queries", "POST", body=body, authorization=f"Bearer {token}"), 404, "not-found")


def test_a_partner_without_a_grant_is_refused(parts: Parts) -> None:
    assert parts.tokens is not None
    issued = Credentials.embedded(parts.lake.settings).add_client("nobody")
    bearer = f"Bearer {parts.tokens.issue(issued.client_id)}"
    body = b'{"sql": "SELECT * FROM flights"}'
    assert_problem(sent(parts, "/v1/queries", "POST", body=body, authorization=bearer), 404, "not-found")


@pytest.fixture
def damaged(parts: Parts) -> Iterator[Parts]:
    parts.lake.settings.state.write_bytes(b"no database" * 1000)
    yield parts


def test_a_damaged_store_is_a_500_that_tells_nothing(damaged: Parts) -> None:
    assert damaged.tokens is not None
    bearer = f"Bearer {damaged.tokens.issue('c_1')}"
    assert_problem(sent(damaged, "/v1/datasets", "GET", authorization=bearer), 500, "internal")
