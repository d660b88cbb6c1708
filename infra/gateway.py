"""The REST API in front of the function as API Gateway imports it, made of the app's own routes.

`python -m infra.gateway` writes it into `templates/gateway.yaml`, between two marks; a test holds it to the routes.
Chalice's own output points at the function, past the alias through which traffic is shifted, and validates nothing.
Its form: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

import hashlib
import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from api.callers import SCOPE
from api.on_lambda import function
from api.openapi import document
from api.problem import PROBLEM_TYPE, REMEDY_OF_OURS, RETRY_AFTER_SECONDS, Problem
from athena.sql.tokens import MAX_BYTES

TEMPLATE = Path(__file__).parent / "templates" / "gateway.yaml"
BEGIN, END = "# made by infra/gateway.py: begin", "# made by infra/gateway.py: end"

AUTHORIZER = "partners"
_INTEGRATION = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": {
        "Fn::Sub": (
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AliasArn}/invocations"
        )
    },
    "timeoutInMillis": 29_000,
}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
# API Gateway understands JSON Schema draft 4; the function looks at the rest.
QUESTION = {
    "type": "object",
    "required": ["sql"],
    "properties": {
        "sql": {"type": "string", "minLength": 1, "maxLength": MAX_BYTES},
        "parameters": {
            "anyOf": [
                {"type": "array", "items": _SCALAR},
                {"type": "object", "additionalProperties": _SCALAR},
                {"type": "null"},
            ]
        },
    },
}
_MODELS = {("/v1/queries", "POST"): "Question"}


def _refused(status: HTTPStatus, detail: str, remedy: str, *, code: str) -> Problem:
    retry = _RETRY_AFTER_SECONDS.get(status)
    return Problem(status, code, detail, remedy, headers=() if retry is None else (("Retry-After", str(retry)),))


def _unauthenticated(detail: str) -> Problem:
    remedy = "Get a new access token with the scope lakegate/query, and send it as `Authorization: Bearer …`."
    return _refused(HTTPStatus.UNAUTHORIZED, detail, remedy, code="unauthenticated")


def _wrong(detail: str) -> Problem:
    return _refused(HTTPStatus.BAD_REQUEST, detail, "See /openapi.json for what is taken.", code="invalid-request")


def _exceeded(detail: str, remedy: str) -> Problem:
    return _refused(HTTPStatus.TOO_MANY_REQUESTS, detail, remedy, code="limit-exceeded")


def _away(detail: str, remedy: str = REMEDY_OF_OURS) -> Problem:
    return _refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, remedy, code="unavailable")


_RETRY_AFTER_SECONDS = {HTTPStatus.TOO_MANY_REQUESTS: 1, HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER_SECONDS}
_NOT_THERE = _refused(
    HTTPStatus.NOT_FOUND, "There is no such route.", "GET /openapi.json lists them.", code="not-found"
)
# What the gateway itself refuses, as the function's own problems.
_REFUSALS = {
    "UNAUTHORIZED": _unauthenticated("The token is missing or does not hold."),
    "EXPIRED_COME_BACK": _unauthenticated("The token has expired."),
    "ACCESS_DENIED": _unauthenticated("The token lacks the scope."),
    "AUTHORIZER_FAILURE": _away("The token cannot be looked at just now."),
    # Without what the gateway found wrong: it quotes it, and a quote would end the text.
    "BAD_REQUEST_BODY": _wrong("The body is not a question."),
    "BAD_REQUEST_PARAMETERS": _wrong("A parameter is wrong."),
    "UNSUPPORTED_MEDIA_TYPE": _refused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is not JSON.",
        "Send application/json.",
        code="unsupported-media-type",
    ),
    "REQUEST_TOO_LARGE": _refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is longer than 10 MB.",
        "A statement has 64 KB at most.",
        code="too-large",
    ),
    "THROTTLED": _exceeded("Too many requests at once.", "Wait a second, then ask again."),
    "QUOTA_EXCEEDED": _exceeded("The plan's quota is used up.", "Wait until tomorrow."),
    "MISSING_AUTHENTICATION_COME_BACK": _NOT_THERE,
    "RESOURCE_NOT_FOUND": _NOT_THERE,
    "INTEGRATION_TIMEOUT": _away("There was no answer in time.", "Ask again with `wait_seconds`: 0."),
    "INTEGRATION_FAILURE": _away("The service cannot do this at the moment."),
    "DEFAULT_4XX": _wrong("The request cannot be taken."),
    "DEFAULT_5XX": _away("The service cannot do this at the moment."),
}
# The pages are there whatever a domain of one's own is mapped to.
_PAGES = "https://$context.apiId.execute-api.${AWS::Region}.${AWS::URLSuffix}/$context.stage/problems"


def body() -> dict[str, Any]:
    """The API as OpenAPI 3.0 with Amazon's extensions; `AliasArn` and `UserPoolArn` are the template's.

    >>> body()["paths"]["/v1/usage"]["get"]["security"]
    [{'partners': ['lakegate/query']}]
    """
    described = document(version="", embedded=False)["paths"]
    return {
        "openapi": "3.0.1",
        "info": {"title": {"Fn::Sub": "lakegate-${Stage}"}, "version": "1.0"},
        "x-amazon-apigateway-binary-media-types": list(function.api.binary_types),
        "x-amazon-apigateway-request-validators": {
            "body": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-gateway-responses": {name: _refusal(problem) for name, problem in _REFUSALS.items()},
        "paths": {
            path: {
                method.lower(): _operation(path, method, described.get(path, {}).get(method.lower(), {}))
                for method in sorted(methods)
            }
            for path, methods in sorted(function.routes.items())
        },
        "components": {
            "schemas": {"Question": QUESTION},
            "securitySchemes": {
                AUTHORIZER: {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "cognito_user_pools",
                    "x-amazon-apigateway-authorizer": {
                        "type": "cognito_user_pools",
                        "providerARNs": [{"Ref": "UserPoolArn"}],
                    },
                }
            },
        },
    }


def _operation(path: str, method: str, described: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if described:
        found["operationId"] = described["operationId"]
    if names := re.findall(r"\{(\w+)\}", path):
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if function.routes[path][method].authorizer is not None:
        # With a scope the gateway wants an access token; without one it would take an ID token of anybody.
        found["security"] = [{AUTHORIZER: [SCOPE]}]
    if (path, method) in _MODELS:
        schema = {"$ref": f"#/components/schemas/{_MODELS[path, method]}"}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        found["x-amazon-apigateway-request-validator"] = "body"
    found["responses"] = {"200": {"description": "As /openapi.json says"}}
    found["x-amazon-apigateway-integration"] = _INTEGRATION
    return found


def _refusal(problem: Problem) -> dict[str, Any]:
    told = {
        # Whoever is refused here learns nothing but the reason, so that every web page may read it.
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-store",
        "Content-Type": PROBLEM_TYPE,
        **dict(problem.headers),
    }
    text = problem.body().decode().replace('"/problems/', f'"{_PAGES}/', 1)
    return {
        "statusCode": int(problem.status),
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in told.items()},
        "responseTemplates": {"application/json": {"Fn::Sub": text}},
    }


def digest(content: dict[str, Any]) -> str:
    """What names a deployment of the API: API Gateway serves the last one, and never changes one."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def written(template: str) -> str:
    """The template with the API of today between its marks, and its deployment named by it."""
    content = body()
    text = yaml.dump({"Body": content}, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)
    lines = "".join(f"      {line}\n" for line in text.splitlines())
    before, rest = template.split(f"      {BEGIN}\n")
    _, after = rest.split(f"      {END}\n")
    made = f"{before}      {BEGIN}\n{lines}      {END}\n{after}"
    return re.sub(r"\bDeployment[0-9a-f]{10}\b", f"Deployment{digest(content)}", made)


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which CloudFormation refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def main() -> None:
    """Write the template anew."""
    TEMPLATE.write_text(written(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
