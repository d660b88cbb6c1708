"""The function as API Gateway meets it, without a lake behind."""

from typing import Any, cast

from api.app import app
from api.callers import SCOPE
from api.on_lambda import AUTHORIZER, function
from api.openapi import document
from api.parts import Parts
from athena.errors import Failed
from tests.gateway import Gateway


def no_parts() -> Parts:
    raise Failed("The parameters under /lakegate/test/ cannot be read.", "Check.", code="settings-unavailable")


def test_every_route_of_partners_wants_a_token_with_the_scope() -> None:
    paths = cast(dict[str, Any], document(version="1", embedded=False)["paths"])
    public = {path for path, methods in paths.items() if all(one.get("security") == [] for one in methods.values())}
    assert public <= app.public
    for path, methods in function.routes.items():
        for method, entry in methods.items():
            open_to_all = path in app.public or method == "OPTIONS"
            assert (entry.authorizer is None) == open_to_all, (path, method)
    assert AUTHORIZER.scopes == [SCOPE]
    assert public


def test_the_embedded_apps_routes_stay_as_they_were() -> None:
    assert all(entry.authorizer is None for methods in app.routes.values() for entry in methods.values())
    assert not any("OPTIONS" in methods for methods in app.routes.values())


def test_without_settings_every_request_is_a_problem_and_the_next_one_tries_again() -> None:
    tries: list[int] = []

    def counted() -> Parts:
        tries.append(1)
        return no_parts()

    made = Gateway(counted)
    for _ in range(2):
        response = made.call("GET", "/v1/datasets")
        assert (response.status, response.json["code"]) == (503, "settings-unavailable")
        assert "lakegate/test" not in response.text
        assert response.headers["x-request-id"] == "lambda-1"
    assert len(tries) == 2
