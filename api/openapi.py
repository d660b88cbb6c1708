"""The interface as OpenAPI 3.1: every route with what it takes and every answer that it gives. Pure."""

import json
from http import HTTPStatus
from typing import Any

from api import fields
from api.callers import SCOPE
from api.deprecation import DEPRECATED
from api.download import LINK_SECONDS
from api.forms import MEDIA_TYPES
from api.problem import PROBLEM_TYPE
from api.response import JSON_TYPE
from api.schemas import RATE_HEADERS, TEXT, components, ref

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


def document(*, version: str, embedded: bool) -> Object:
    """The whole document; with `embedded` the token endpoint and the public keys as well."""
    paths = {**_paths(), **(_own_paths() if embedded else {})}
    for method, template in DEPRECATED:
        paths[template][method.lower()]["deprecated"] = True
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lakegate",
            "version": version,
            "description": "Ask SQL of a lake; the same question is never computed twice.",
        },
        "paths": paths,
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
                HTTPStatus.NOT_ACCEPTABLE,
                HTTPStatus.CONFLICT,
                parameters=[fields.ID, fields.SHAPE, fields.GUARD, fields.IF_NONE_MATCH],
            ),
            "delete": _operation(
                "delete_query",
                "Leave a question; its run stops unless others have joined",
                {HTTPStatus.OK: _answer()},
                *OF_PARTNERS,
                *OF_ANSWERS,
                parameters=[fields.ID],
            ),
        },
        "/v1/queries/{id}/rows": {"get": _get_rows()},
        "/v1/queries/{id}/download": {
            "get": _operation(
                "get_download",
                f"A link to the whole answer as one file, for {LINK_SECONDS} seconds",
                {HTTPStatus.SEE_OTHER: {**_json("Link"), "headers": {"Location": {"schema": TEXT}}}},
                *OF_PARTNERS,
                *OF_ANSWERS,
                HTTPStatus.CONFLICT,
                parameters=[fields.ID, fields.FORMAT, fields.GUARD],
            )
        },
        "/v1/datasets": {
            "get": _operation(
                "get_datasets", "What you may ask about", {HTTPStatus.OK: _json("Datasets")}, *OF_PARTNERS
            )
        },
        "/v1/datasets/{name}/rows": {"get": _get_dataset_rows()},
        "/v1/datasets/{name}": {
            "get": _operation(
                "get_dataset",
                "One dataset as you see it",
                {HTTPStatus.OK: _json("Dataset")},
                *OF_PARTNERS,
                HTTPStatus.NOT_FOUND,
                parameters=[fields.NAME],
            )
        },
        "/v1/usage": {"get": _get_usage()},
        **_saved_paths(),
        "/problems/{code}": {"get": _get_problem()},
        "/healthz": {"get": _open("get_health", "That the server answers", {HTTPStatus.OK: _json("Health")})},
        "/openapi.json": {
            "get": _open("get_openapi", "This document", {HTTPStatus.OK: {"description": "OpenAPI 3.1", **_any()}})
        },
    }


def _get_problem() -> Object:
    page = {"description": "What the code means and what to do.", "content": {"text/html": {"schema": TEXT}}}
    operation = _open("get_problem", "Where the type of a problem leads", {HTTPStatus.OK: page}, HTTPStatus.NOT_FOUND)
    return {**operation, "parameters": [fields.CODE]}


def _saved_paths() -> Object:
    kept = {HTTPStatus.OK: _json("SavedQuestion")}
    put = _operation(
        "put_saved",
        "Save a question; under a name that is there, as a new version",
        {**kept, HTTPStatus.CREATED: {**_json("SavedQuestion"), "description": "It is new."}},
        *OF_PARTNERS,
        *OF_BODIES,
        HTTPStatus.NOT_FOUND,
        parameters=[fields.QUESTION],
    )
    put["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("QuestionToSave")}}}
    get = _operation(
        "get_saved",
        "A saved question",
        kept,
        *OF_PARTNERS,
        HTTPStatus.NOT_FOUND,
        parameters=[fields.QUESTION, fields.VERSION],
    )
    gone = {HTTPStatus.NO_CONTENT: {"description": "It is gone, with all its versions."}}
    delete = _operation(
        "delete_saved",
        "Forget a saved question",
        gone,
        *OF_PARTNERS,
        HTTPStatus.NOT_FOUND,
        parameters=[fields.QUESTION],
    )
    run = {**_post_query(), "operationId": "post_run", "summary": "Ask a saved question"}
    run["parameters"] = [fields.QUESTION, *run["parameters"]]
    run["requestBody"] = {"required": False, "content": {JSON_TYPE: {"schema": ref("Run")}}}
    listed = {HTTPStatus.OK: _json("SavedQuestions")}
    return {
        "/v1/saved": {"get": _operation("get_all_saved", "Your saved questions", listed, *OF_PARTNERS)},
        "/v1/saved/{name}": {"put": put, "get": get, "delete": delete},
        "/v1/saved/{name}/runs": {"post": run},
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
    file = {
        "description": "The whole answer as a file.",
        "content": {media_type: {} for media_type in MEDIA_TYPES if media_type != JSON_TYPE},
    }
    download = _open("get_file", "What a link leads to; it needs no token", {HTTPStatus.OK: file}, *OF_ANSWERS)
    download["parameters"] = [fields.TICKET]
    keys = _open("get_keys", "The public keys of tokens (JWK set)", {HTTPStatus.OK: _json("Keys")})
    return {
        "/oauth2/token": {"post": token},
        "/.well-known/jwks.json": {"get": keys},
        "/v1/downloads/{ticket}": {"get": download},
    }


def _post_query() -> Object:
    found = {
        HTTPStatus.OK: _answer(),
        HTTPStatus.ACCEPTED: _accepted(),
        HTTPStatus.NOT_MODIFIED: {"description": "You have this answer already."},
    }
    operation = _operation(
        "post_query",
        "Ask",
        found,
        *OF_PARTNERS,
        *OF_BODIES,
        *OF_ANSWERS,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.CONFLICT,
        parameters=[fields.SHAPE, fields.GUARD, fields.IF_NONE_MATCH, fields.CACHE_CONTROL],
    )
    operation["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("Question")}}}
    return operation


def _get_usage() -> Object:
    found = {HTTPStatus.OK: _json("Usage")}
    return _operation("get_usage", "What you have asked, and may ask", found, *OF_PARTNERS, HTTPStatus.NOT_FOUND)


def _get_rows() -> Object:
    page = _in_every_form("Page", "Rows; `Link` leads to the next page.")
    return _operation(
        "get_rows",
        "A page of rows",
        {HTTPStatus.OK: page},
        *OF_PARTNERS,
        *OF_ANSWERS,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.CONFLICT,
        parameters=[fields.ID, fields.PAGE, fields.PAGE_LIMIT, fields.SHAPE, fields.GUARD],
    )


def _get_dataset_rows() -> Object:
    rows = {
        HTTPStatus.OK: {
            **_in_every_form("Answer", "Rows; `Link` leads to the next page."),
            "headers": {"Link": {"schema": TEXT}},
        },
        HTTPStatus.ACCEPTED: _accepted(),
        HTTPStatus.NOT_MODIFIED: {"description": "You have these rows already."},
    }
    return _operation(
        "get_dataset_rows",
        "Rows of a dataset, without SQL",
        rows,
        *OF_PARTNERS,
        *OF_ANSWERS,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.CONFLICT,
        parameters=[
            fields.NAME,
            fields.SELECT,
            fields.FILTERS,
            fields.ORDER,
            fields.ROWS_LIMIT,
            fields.PAGE,
            fields.SHAPE,
            fields.GUARD,
            fields.IF_NONE_MATCH,
        ],
    )


def _accepted() -> Object:
    return {
        **_json("Answer"),
        "description": "Not answered yet: ask `Location` again after `Retry-After`.",
        "headers": {"Location": {"schema": TEXT}, "Retry-After": {"schema": TEXT}, **RATE_HEADERS},
    }


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
    answer = _in_every_form("Answer", "The answer; outside of JSON all its rows, and the rest of it in headers.")
    return {**answer, "headers": {"ETag": {"schema": TEXT}, **RATE_HEADERS}}


def _in_every_form(name: str, description: str) -> Object:
    content: Object = {media_type: {} for media_type in MEDIA_TYPES}
    content[JSON_TYPE] = {"schema": ref(name)}
    content["text/csv"] = {"schema": TEXT}
    return {"description": description, "content": content}


def _json(name: str) -> Object:
    return {"description": name, "content": {JSON_TYPE: {"schema": ref(name)}}}


def _any() -> Object:
    return {"content": {JSON_TYPE: {"schema": {"type": "object"}}}}


def _problem(status: HTTPStatus) -> Object:
    return {"description": status.phrase, "content": {PROBLEM_TYPE: {"schema": ref("Problem")}}}


def _oauth() -> Object:
    flow = {"tokenUrl": "/oauth2/token", "scopes": {SCOPE: "Ask questions"}}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}
