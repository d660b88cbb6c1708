"""Requests that run at the same time never see each other."""

import threading
from typing import Any

import pytest
from chalice.app import Chalice, Response

from api.edge import App, Visit, visited
from api.parts import Parts
from api.response import Reply
from athena.errors import Damaged, LakegateError, NotFound

THREADS, REQUESTS = 8, 300


def event(authorization: str, path: str = "/whoami", method: str = "GET") -> dict[str, Any]:
    return {
        "requestContext": {"httpMethod": method, "resourcePath": path},
        "headers": {"authorization": authorization},
        "multiValueQueryStringParameters": {"who": [authorization]},
        "pathParameters": {},
        "stageVariables": None,
        "body": authorization.encode(),
        "isBase64Encoded": False,
    }


def test_interleaved_requests_see_their_own_headers_query_and_visit(parts: Parts) -> None:
    app = App("test")
    all_in = threading.Barrier(THREADS)

    @app.view("/whoami", "GET")
    def whoami() -> Reply:
        all_in.wait(120)  # every thread is inside of its request before any goes on
        visit, incoming = visited()
        seen = (incoming.authorization, incoming.query["who"][0], incoming.body.decode(), visit.request_id)
        return Reply(200, (), " ".join(str(part) for part in seen).encode())

    mixed_up: list[bytes] = []

    def client(name: str) -> None:
        for at in range(REQUESTS):
            mine = f"{name}-{at}"
            body = app.respond(event(mine), Visit(parts, request_id=mine)).body
            if body != f"{mine} {mine} {mine} {mine}".encode():
                mixed_up.append(body)

    threads = [threading.Thread(target=client, args=(f"caller{at}",)) for at in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(mixed_up), THREADS * REQUESTS) == (0, 2400)


def test_the_interleaving_does_mix_up_an_app_that_keeps_the_request_on_itself() -> None:
    app = Chalice("plain", configure_logs=False, env={})
    both_in = threading.Barrier(2)

    @app.route("/whoami", content_types=["*/*"])
    def whoami() -> Response:
        both_in.wait(120)
        assert app.current_request is not None
        return Response(body=app.current_request.headers["authorization"])

    bodies: list[str] = []
    threads = [
        threading.Thread(target=lambda name=name: bodies.append(app(event(name), None)["body"])) for name in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies)) == 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("SECRET", "…"), 404, "not-found"),
        (Damaged("SECRET", "…"), 500, "internal"),
        (RuntimeError("SECRET"), 500, "internal"),
        (KeyError("SECRET"), 500, "internal"),
    ],
)
def test_whatever_a_view_raises_becomes_a_problem_and_no_value_is_logged(
    parts: Parts, error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = App("test")

    @app.view("/whoami", "GET")
    def whoami() -> Reply:
        raise error

    reply = app.respond(event("Bearer TOKEN"), Visit(parts, request_id="r-17"))
    assert (reply.status, dict(reply.headers)["Content-Type"]) == (status, "application/problem+json")
    assert f'"code":"{code}"'.encode() in reply.body
    assert "TOKEN" not in caplog.text
    if status == 500:
        assert b"SECRET" not in reply.body
        assert "r-17" in caplog.text
    if not isinstance(error, LakegateError):
        assert "SECRET" not in caplog.text
        assert type(error).__name__ in caplog.text


def test_a_body_of_another_type_is_415(parts: Parts) -> None:
    app = App("test")

    @app.view("/whoami", "POST", content_types=["application/json"])
    def whoami() -> Reply:
        return Reply(200)

    posted = event("a", method="POST")
    posted["headers"]["content-type"] = "text/plain"
    reply = app.respond(posted, Visit(parts, request_id="r"))
    assert (reply.status, dict(reply.headers)["Content-Type"]) == (415, "application/problem+json")
    posted["headers"]["content-type"] = "application/json; charset=utf-8"
    assert app.respond(posted, Visit(parts, request_id="r")).status == 200
