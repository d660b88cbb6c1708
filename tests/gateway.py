"""Requests as API Gateway hands them to a function, and a function that takes them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from api.on_lambda import Function
from api.parts import Parts

CLAIMS = {"token_use": "access", "scope": "lakegate/query", "client_id": "machine1"}


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function beside the event."""

    aws_request_id: str = "lambda-1"
    left_seconds: float = 29.0

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda counts it."""
        return int(self.left_seconds * 1000)


@dataclass(frozen=True)
class Response:
    """What API Gateway makes of it for whoever asked."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.text)


@dataclass
class Gateway:
    """Asks one instance of the function; `lines` is what it has logged."""

    parts: Callable[[], Parts]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.function = Function(self.parts, stage="test", write=lambda line: self.lines.append(orjson.loads(line)))

    def ask(self, sql: str, *, claims: dict[str, str] = CLAIMS, context: Any = None, **more: Any) -> Response:
        """POST /v1/queries, waiting as long as one may."""
        body = json.dumps({"sql": sql, "wait_seconds": 25, **more})
        return self.call("POST", "/v1/queries", body=body, claims=claims, context=context)

    def call(
        self,
        method: str,
        template: str,
        *,
        claims: dict[str, str] | None = CLAIMS,
        body: str | None = None,
        context: Any = None,
        **params: Any,
    ) -> Response:
        """Any route; `query` and `headers` among `params` are what they say, the rest stands in the path."""
        asked = event(method, template, claims=claims, body=body, **params)
        return answered(self.function(asked, context or Context()))


def event(
    method: str, template: str, *, claims: dict[str, str] | None = None, body: str | None = None, **params: Any
) -> dict[str, Any]:
    """What API Gateway sends to a function; see `Gateway.call`."""
    query, headers = params.pop("query", None), params.pop("headers", {})
    authorizer = {} if claims is None else {"authorizer": {"claims": claims}}
    return {
        "resource": template,
        "path": template.format(**params),
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Accept": "*/*", **headers},
        "multiValueQueryStringParameters": query,
        "pathParameters": params or None,
        "stageVariables": None,
        "requestContext": {"resourcePath": template, "httpMethod": method, "requestId": "g-1", **authorizer},
        "body": body,
        "isBase64Encoded": False,
    }


def answered(made: dict[str, Any]) -> Response:
    """The response that a function's result stands for; Lambda takes nothing but JSON of 6 MB."""
    assert len(json.dumps(made, ensure_ascii=False).encode()) <= 6_291_556
    headers = {name.lower(): values[0] for name, values in made["multiValueHeaders"].items()}
    return Response(made["statusCode"], headers, made["body"])
