"""The REST API in front of the function as API Gateway imports it, made of the app's own routes.

`python -m infra.gateway` writes it into `templates/gateway.yaml`, between two marks; a test holds it to the routes.
Chalice's own output points at the function, past the alias through which traffic is shifted, and validates nothing.
Its form: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from api.callers import SCOPE
from api.on_lambda import function
from api.openapi import document
from api.problem import PROBLEM_TYPE, REMEDY_OF_OURS
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

# What the gateway itself refuses, in the form of the function's own problems: status, code, detail, remedy.
_COME_BACK = "Get a new access token with the scope lakegate/query, and send it as `Authorization: Bearer …`."
_REFUSALS = {
    "UNAUTHORIZED": (401, "unauthenticated", "The token is missing or does not hold.", _COME_BACK),
    "EXPIRED_COME_BACK": (401, "unauthenticated", "The token has expired.", _COME_BACK),
    "ACCESS_DENIED": (401, "unauthenticated", "The token lacks the scope.", _COME_BACK),
    "AUTHORIZER_FAILURE": (503, "unexpected", "The token cannot be looked at just now.", REMEDY_OF_OURS),
    "BAD_REQUEST_BODY": (
        400,
        "invalid-request",
        "The body is not a question: $context.error.validationErrorString",
        "See /openapi.json for its form.",
    ),
    "BAD_REQUEST_PARAMETERS": (400, "invalid-request", "A parameter is wrong.", "See /openapi.json for its form."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported-media-type", "The body is not JSON.", "Send application/json."),
    "REQUEST_TOO_LARGE": (413, "too-large", "The body is longer than 10 MB.", "A statement has 64 KB at most."),
    "THROTTLED": (429, "limit-exceeded", "Too many requests at once.", "Wait a second, then ask again."),
    "QUOTA_EXCEEDED": (429, "limit-exceeded", "The plan's quota is used up.", "Wait until tomorrow."),
    "MISSING_AUTHENTICATION_COME_BACK": (404, "not-found", "There is nothing here.", "See /openapi.json for what is."),
    "RESOURCE_NOT_FOUND": (404, "not-found", "There is nothing here.", "See /openapi.json for what is."),
    "INTEGRATION_TIMEOUT": (504, "query-timeout", "There was no answer in time.", "Ask again with `wait_seconds`: 0."),
    "INTEGRATION_FAILURE": (503, "unexpected", "The service cannot do this at the moment.", REMEDY_OF_OURS),
    "DEFAULT_4XX": (None, "invalid-request", "The request cannot be taken.", "See /openapi.json for what can."),
    "DEFAULT_5XX": (None, "unexpected", "The service cannot do this at the moment.", REMEDY_OF_OURS),
}


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
        "x-amazon-apigateway-gateway-responses": {name: _refusal(*told) for name, told in _REFUSALS.items()},
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


def _refusal(status: int | None, code: str, detail: str, remedy: str) -> dict[str, Any]:
    shown = {"type": "about:blank", "status": status, "code": code, "detail": detail, "remedy": remedy}
    text = json.dumps({name: value for name, value in shown.items() if value is not None}, ensure_ascii=False)
    return {
        **({} if status is None else {"statusCode": status}),
        "responseParameters": {
            # Whoever is refused here learns nothing but the reason, so that every web page may read it.
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.Content-Type": f"'{PROBLEM_TYPE}'",
            **({"gatewayresponse.header.Retry-After": "'1'"} if status == 429 else {}),
        },
        "responseTemplates": {"application/json": text},
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
