"""What is on its way out says so on every reply; every problem leads to a page that is there."""

import json
from datetime import UTC, datetime

from api.deprecation import Deprecation
from api.edge import App, Visit
from api.embedded import app
from api.explained import TEXTS
from api.gateway import Arrival, respond
from api.parts import Parts
from api.problem import WrongRequest
from api.response import Reply, json_reply

OLD = Deprecation(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC), "/docs")


def get(parts: Parts, of: App, path: str) -> Reply:
    return respond(of, Arrival("GET", path, "", {}), Visit(parts, request_id="r"))


def test_a_route_that_will_end_says_so_on_answers_and_on_errors(parts: Parts) -> None:
    made = App("test")
    made.deprecated = {("GET", "/old"): OLD, ("GET", "/wrong"): OLD}

    @made.view("/old", "GET")
    def old() -> Reply:
        return json_reply(b"{}")

    @made.view("/wrong", "GET")
    def wrong() -> Reply:
        raise WrongRequest("It is wrong.", "Mend it.")

    @made.view("/new", "GET")
    def new() -> Reply:
        return json_reply(b"{}")

    for path in ("/old", "/wrong"):
        headers = dict(get(parts, made, path).headers)
        assert headers["Deprecation"] == "@1798761600"
        assert headers["Sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
        assert headers["Link"] == '</docs>; rel="deprecation"'
    assert "Deprecation" not in dict(get(parts, made, "/new").headers)


def test_the_type_of_a_problem_leads_to_its_page(parts: Parts) -> None:
    problem = json.loads(get(parts, app, "/v1/datasets").body)
    page = get(parts, app, problem["type"])
    assert (page.status, dict(page.headers)["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<code>unauthenticated</code>" in page.body
    for code in json.loads(TEXTS.read_bytes()):
        assert get(parts, app, f"/problems/{code}").status == 200


def test_there_is_no_page_for_what_is_no_code(parts: Parts) -> None:
    for code in ("nothing", "<script>", "..", "%00"):
        assert get(parts, app, f"/problems/{code}").status == 404
