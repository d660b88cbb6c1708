import json

import pytest

from api.edge import App, Visit, visited
from api.gateway import Arrival, match, outside, request_id, respond, served_below
from api.parts import Parts
from api.problem import INTERNAL
from api.response import Reply, problem_reply
from tests.api.conftest import ORIGIN


@pytest.fixture
def app() -> App:
    made = App("test")

    @made.view("/things/{id}", "GET")
    def get_thing(id: str) -> Reply:
        _, incoming = visited()
        return Reply(200, (("Content-Type", "application/json"),), json.dumps([id, dict(incoming.query)]).encode())

    @made.view("/things/all", "GET")
    def get_all() -> Reply:
        return Reply(200, (), b"all")

    @made.view("/things", "POST")
    def post_thing() -> Reply:
        return Reply(200, (), b"posted")

    return made


def sent(
    app: App, parts: Parts, path: str, *, method: str = "GET", query: str = "", headers: dict[str, str] | None = None
) -> Reply:
    return respond(app, Arrival(method, path, query, headers or {}), Visit(parts, request_id="r-1"))


def test_a_literal_route_goes_before_one_with_braces(app: App, parts: Parts) -> None:
    assert sent(app, parts, "/things/all").body == b"all"
    assert json.loads(sent(app, parts, "/things/x y").body) == ["x y", {}]
    assert json.loads(sent(app, parts, "/things/{id}").body) == ["{id}", {}]


@pytest.mark.parametrize(
    "path", ["", "/", "/things/", "/things/a/b", "//things", "/Things", "/things/a/", "/../things"]
)
def test_an_unknown_path_is_a_404_problem_with_all_its_headers(app: App, parts: Parts, path: str) -> None:
    reply = sent(app, parts, path)
    headers = dict(reply.headers)
    assert (reply.status, headers["Content-Type"]) == (404, "application/problem+json")
    assert headers["X-Request-Id"] == "r-1"
    assert json.loads(reply.body)["code"] == "not-found"


def test_another_method_is_a_405_that_names_the_right_ones(app: App, parts: Parts) -> None:
    reply = sent(app, parts, "/things", method="DELETE")
    assert (reply.status, dict(reply.headers)["Allow"]) == (405, "OPTIONS, POST")
    assert json.loads(reply.body)["code"] == "method-not-allowed"
    assert sent(app, parts, "/things/all", method="X" * 1000).status == 405


def test_head_is_answered_like_get(app: App, parts: Parts) -> None:
    assert sent(app, parts, "/things/all", method="HEAD").status == 200
    assert sent(app, parts, "/things", method="HEAD").status == 405


def test_a_preflight_tells_configured_origins_what_they_may_send(app: App, parts: Parts) -> None:
    reply = sent(app, parts, "/things", method="OPTIONS", headers={"origin": ORIGIN})
    headers = dict(reply.headers)
    assert (reply.status, headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    foreign = sent(app, parts, "/things", method="OPTIONS", headers={"origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in dict(foreign.headers)


def test_errors_carry_cors_headers_too(app: App, parts: Parts) -> None:
    for path, method in (("/nothing", "GET"), ("/things", "DELETE")):
        reply = sent(app, parts, path, method=method, headers={"origin": ORIGIN})
        assert dict(reply.headers)["Access-Control-Allow-Origin"] == ORIGIN


def test_query_fields_are_decoded_and_kept_as_often_as_they_stand_there(app: App, parts: Parts) -> None:
    reply = sent(app, parts, "/things/x", query="a=1&a=%C3%BC+x&b=&c")
    assert json.loads(reply.body) == ["x", {"a": ["1", "ü x"], "b": [""], "c": [""]}]


@pytest.mark.parametrize("query", ["a=%FF", "&".join(f"a{at}=1" for at in range(200))], ids=["not UTF-8", "too many"])
def test_a_query_that_cannot_be_read_is_a_400(app: App, parts: Parts, query: str) -> None:
    assert sent(app, parts, "/things/x", query=query).status == 400


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "ü", "x" * 65, "a;b", '"', "---"])
def test_a_request_id_that_could_spoil_a_log_is_replaced(given: str) -> None:
    assert request_id({"x-request-id": given}, lambda: "new") == "new"


def test_a_route_is_found_by_its_template(app: App) -> None:
    found = match(app, "/things/17")
    assert found is not None
    assert (found.template, found.methods, found.params) == ("/things/{id}", ("GET",), {"id": "17"})


@pytest.mark.parametrize("below", ["", "/api", "/lake/v2"])
def test_addresses_lead_below_what_the_api_is_served_under(below: str) -> None:
    context = {"resourcePath": "/v1/queries/{id}/rows", "path": f"{below}/v1/queries/q_1/rows"}
    headers = (("Link", '</v1/queries/q_1/rows?page=p>; rel="next"'), ("Location", "https://elsewhere/file"))
    told = outside(Reply(200, headers), {"requestContext": context})
    assert told.headers == (("Link", f'<{below}/v1/queries/q_1/rows?page=p>; rel="next"'), headers[1])
    assert (
        outside(Reply(200, headers), {"requestContext": {"resourcePath": "/v1/queries/{id}/rows"}}).headers == headers
    )
    problem = outside(problem_reply(INTERNAL), {"requestContext": context})
    assert json.loads(problem.body) == {**json.loads(INTERNAL.body()), "type": f"{below}/problems/internal"}


def test_a_body_of_rows_is_no_address() -> None:
    for body in (b'{"url":"/v1/x"}', b'{"type":"/problems/x"}'):
        assert served_below(Reply(200, (("Content-Type", "application/json"),), body), "/lake").body == body
    elsewhere = b'{"url":"https://bucket/v1/downloads/t"}'
    assert served_below(Reply(303, (), elsewhere), "/lake").body == elsewhere
