"""The interface as OpenAPI 3.1: every route with what it takes and every answer that it gives. Pure."""

import json
from http import HTTPStatus
from typing import Any

from api.callers import SCOPE
from api.problem import PROBLEM_TYPE
from api.response import CSV_TYPE, JSON_TYPE
from api.schemas import LIMIT, TEXT, components, ref

Object = dict[str, Any]

FORM_TYPE = "application/x-www-form-urlencoded"
# Whoever asks anything may be told these.
OF_EVERY_ROUTE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
OF_PARTNERS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
OF_BODIES = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
OF_ANSWERS = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
ID = {"name": "id", "in": "path", "required": True, "schema": TEXT, "description": "The answer's id."}
NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT, "description": "The dataset's name."}
PAGE = {"name": "page", "in": "query", "schema": TEXT, "description": "The `next` of the page before."}
PAGE_LIMIT = {"name": "limit", "in": "query", "schema": LIMIT, "description": "The most rows of this page."}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": TEXT, "description": "The ETag that you have."}


def document(*, version: str, embedded: bool) -> Object:
    """The whole document; with `embedded` the token endpoint and the public keys as well."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lakegate",
            "version": version,
            "description": "Ask SQL of a lake; the same question is never computed twice.",
        },
        "paths": {**_paths(), **(_own_paths() if embedded else {})},
        "components": {"schemas": components(), "securitySchemes": {"partner": _oauth()}},
        "security": [{"partner": [SCOPE]}],
    }


def encoded(*, version: str, embedded: bool) -> bytes:
    """The document as JSON."""
    return json.dumps(document(version=version, embedded=embedded), separators=(",", ":")).encode()


def _paths() -> Object:
    return {
        "/v1/queries": {"post": _post_query()},
        "/v1/queries/{id}": {
            "get": _operation(
                "get_query",
                "Where a question stands, with its first page when it is answered",
                {HTTPStatus.OK: _answer(), HTTPStatus.NOT_MODIFIED: {"description": "You have this answer already."}},
                *OF_PARTNERS,
                *OF_ANSWERS,
                parameters=[ID, IF_NONE_MATCH],
            ),
            "delete": _operation(
                "delete_query",
                "Leave a question; its run stops unless others have joined",
                {HTTPStatus.OK: _answer()},
                *OF_PARTNERS,
                *OF_ANSWERS,
                parameters=[ID],
            ),
        },
        "/v1/queries/{id}/rows": {"get": _get_rows()},
        "/v1/datasets": {
            "get": _operation(
                "get_datasets", "What you may ask about", {HTTPStatus.OK: _json("Datasets")}, *OF_PARTNERS
            )
        },
        "/v1/datasets/{name}": {
            "get": _operation(
                "get_dataset",
                "One dataset as you see it",
                {HTTPStatus.OK: _json("Dataset")},
                *OF_PARTNERS,
                HTTPStatus.NOT_FOUND,
                parameters=[NAME],
            )
        },
        "/healthz": {"get": _open("get_health", "That the server answers", {HTTPStatus.OK: _json("Health")})},
        "/openapi.json": {
            "get": _open("get_openapi", "This document", {HTTPStatus.OK: {"description": "OpenAPI 3.1", **_any()}})
        },
    }


def _own_paths() -> Object:
    token = _open(
        "post_token",
        "Client id and secret (HTTP Basic or form) → bearer token",
        {HTTPStatus.OK: _json("Token")},
        HTTPStatus.UNAUTHORIZED,
        *OF_BODIES,
    )
    token["requestBody"] = {"required": True, "content": {FORM_TYPE: {"schema": ref("TokenRequest")}}}
    keys = _open("get_keys", "The public keys of tokens (JWK set)", {HTTPStatus.OK: _json("Keys")})
    return {"/oauth2/token": {"post": token}, "/.well-known/jwks.json": {"get": keys}}


def _post_query() -> Object:
    found = {
        HTTPStatus.OK: _answer(),
        HTTPStatus.ACCEPTED: {
            **_json("Answer"),
            "description": "Not answered yet: ask `Location` again after `Retry-After`.",
            "headers": {"Location": {"schema": TEXT}, "Retry-After": {"schema": TEXT}},
        },
        HTTPStatus.NOT_MODIFIED: {"description": "You have this answer already."},
    }
    operation = _operation(
        "post_query",
        "Ask",
        found,
        *OF_PARTNERS,
        *OF_BODIES,
        *OF_ANSWERS,
        parameters=[IF_NONE_MATCH],
    )
    operation["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("Question")}}}
    return operation


def _get_rows() -> Object:
    page = _json("Page")
    page["content"]["text/csv"] = {"schema": TEXT}
    page["description"] = f"Rows as JSON or {CSV_TYPE}; `Link` leads to the next page."
    return _operation(
        "get_rows",
        "A page of rows",
        {HTTPStatus.OK: page},
        *OF_PARTNERS,
        *OF_ANSWERS,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.CONFLICT,
        parameters=[ID, PAGE, PAGE_LIMIT],
    )


def _operation(
    name: str,
    summary: str,
    found: dict[HTTPStatus, Object],
    *refused: HTTPStatus,
    parameters: list[Object] | None = None,
) -> Object:
    problems = {status: _problem(status) for status in (*OF_EVERY_ROUTE, *refused)}
    responses = {str(status.value): response for status, response in sorted({**found, **problems}.items())}
    return {"operationId": name, "summary": summary, "parameters": parameters or [], "responses": responses}


def _open(name: str, summary: str, found: dict[HTTPStatus, Object], *refused: HTTPStatus) -> Object:
    """An operation that needs no token."""
    return {**_operation(name, summary, found, *refused), "security": []}


def _answer() -> Object:
    return {**_json("Answer"), "headers": {"ETag": {"schema": TEXT}}}


def _json(name: str) -> Object:
    return {"description": name, "content": {JSON_TYPE: {"schema": ref(name)}}}


def _any() -> Object:
    return {"content": {JSON_TYPE: {"schema": {"type": "object"}}}}


def _problem(status: HTTPStatus) -> Object:
    return {"description": status.phrase, "content": {PROBLEM_TYPE: {"schema": ref("Problem")}}}


def _oauth() -> Object:
    flow = {"tokenUrl": "/oauth2/token", "scopes": {SCOPE: "Ask questions"}}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}
