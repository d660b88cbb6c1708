"""What API Gateway does on AWS, for the embedded home: match the route, make the event, answer preflights.

The reply to every request leaves through `respond`, so that each carries its request id and CORS headers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl

from api.edge import App, Visit, unexpected
from api.encoding import packed
from api.problem import PROBLEM_TYPE, WrongRequest, as_problem
from api.response import Reply, finished, preflight, problem_reply
from athena.errors import LakegateError

MAX_QUERY_FIELDS = 100
MAX_REQUEST_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request off the wire: header names in lower case, `path` percent-decoded, `query` not yet."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Matched:
    """A route's template, its methods, and what stood in its braces."""

    template: str
    methods: tuple[str, ...]
    params: dict[str, str]


def respond(app: App, arrival: Arrival, visit: Visit) -> Reply:
    """The reply of `app`, never an exception."""
    try:
        reply = _routed(app, arrival, visit)
    except LakegateError as error:
        reply = problem_reply(as_problem(error))
    except Exception as error:  # noqa: BLE001 as in a view, for what is around it
        reply = unexpected(error, request_id=visit.request_id)
    return leave(reply, arrival, visit)


def refuse(error: LakegateError, arrival: Arrival, visit: Visit) -> Reply:
    """The reply to a request that did not even get as far as a route."""
    return leave(problem_reply(as_problem(error)), arrival, visit)


def leave(reply: Reply, arrival: Arrival, visit: Visit) -> Reply:
    """The reply with what every one carries."""
    settings = visit.parts.lake.settings
    reply = packed(served_below(reply, settings.public_path), arrival.headers.get("accept-encoding"))
    origin, origins = arrival.headers.get("origin"), settings.cors_origins
    return finished(reply, request_id=visit.request_id, origin=origin, origins=origins)


def match(app: App, path: str) -> Matched | None:
    """The route of a path, a literal one first; None when there is none."""
    if path in app.routes and "{" not in path:
        return Matched(path, tuple(app.routes[path]), {})
    steps = path.split("/")
    for template in app.routes:
        params = _params(template.split("/"), steps)
        if params is not None:
            return Matched(template, tuple(app.routes[template]), params)
    return None


def request_id(headers: dict[str, str], make: Callable[[], str] = lambda: token_hex(8)) -> str:
    """The caller's own `X-Request-Id` when it is short and plain, a new one otherwise.

    >>> request_id({"x-request-id": "order-17"}), request_id({"x-request-id": "a b"}, lambda: "new")
    ('order-17', 'new')
    """
    given = headers.get("x-request-id", "")
    plain = given.isascii() and given.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return given if plain and len(given) <= MAX_REQUEST_ID_LENGTH else make()


def _routed(app: App, arrival: Arrival, visit: Visit) -> Reply:
    matched = match(app, arrival.path)
    if matched is None:
        raise WrongRequest(
            "There is no such route.", "GET /openapi.json lists them.", status=HTTPStatus.NOT_FOUND, code="not-found"
        )
    visit.route = matched.template
    allowed = ", ".join(sorted({*matched.methods, "OPTIONS", *(["HEAD"] if "GET" in matched.methods else [])}))
    if arrival.method == "OPTIONS":
        return preflight(allowed)
    method = "GET" if arrival.method == "HEAD" else arrival.method
    if method not in matched.methods:
        raise WrongRequest(
            f"This route does not take {arrival.method[:20]}.",
            f"Use {allowed}.",
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            code="method-not-allowed",
            headers=(("Allow", allowed),),
        )
    return app.respond(_event(method, matched, arrival), visit)


def _event(method: str, matched: Matched, arrival: Arrival) -> dict[str, Any]:
    return {
        "requestContext": {"httpMethod": method, "resourcePath": matched.template},
        "headers": arrival.headers,
        "multiValueQueryStringParameters": _fields(arrival.query),
        "pathParameters": matched.params,
        "stageVariables": None,
        "body": arrival.body,
        "isBase64Encoded": False,
    }


def _fields(query: str) -> dict[str, list[str]] | None:
    if not query:
        return None
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except ValueError as error:
        raise WrongRequest(
            "The part behind the ? cannot be read.", "Percent-encode it as UTF-8, with few fields."
        ) from error
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _params(template: list[str], steps: list[str]) -> dict[str, str] | None:
    if len(template) != len(steps):
        return None
    params = {}
    for expected, step in zip(template, steps, strict=True):
        if expected.startswith("{") and step:
            params[expected[1:-1]] = step
        elif expected != step:
            return None
    return params


def outside(reply: Reply, event: Mapping[str, Any]) -> Reply:
    """The reply with addresses as partners must ask for them: API Gateway serves every route below its stage's name, or
    below what a domain of one's own is mapped to, of which routes know nothing.

    >>> event = {"requestContext": {"resourcePath": "/v1/queries", "path": "/api/v1/queries"}}
    >>> outside(Reply(202, (("Location", "/v1/queries/q_1"), ("ETag", "x"))), event).headers
    (('Location', '/api/v1/queries/q_1'), ('ETag', 'x'))
    """
    context = event.get("requestContext", {})
    if "resourcePath" not in context:
        return reply  # no gateway's event
    asked = context.get("path", context["resourcePath"]).split("/")
    return served_below(reply, "/".join(asked[: len(asked) + 1 - len(context["resourcePath"].split("/"))]))


def served_below(reply: Reply, prefix: str) -> Reply:
    """The reply with every address of ours below `prefix`, in headers as in the body of a problem or a link.

    >>> served_below(Reply(303, (("Location", "/v1/downloads/t"),), b'{"url":"/v1/downloads/t"}'), "/lake").body
    b'{"url":"/lake/v1/downloads/t"}'
    """
    if not prefix:
        return reply
    headers = tuple((name, _below(name, value, prefix)) for name, value in reply.headers)
    key = b"type" if ("Content-Type", PROBLEM_TYPE) in headers else b"url"
    if not reply.body.startswith(b'{"%b":"/' % key) or reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return replace(reply, headers=headers)
    body = reply.body.replace(b':"/', f':"{prefix}/'.encode(), 1)
    return replace(reply, headers=headers, body=body)


def _below(name: str, value: str, prefix: str) -> str:
    if name == "Location" and value.startswith("/"):
        return prefix + value
    return value.replace("</", f"<{prefix}/") if name == "Link" else value
