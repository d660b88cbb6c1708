"""The interface as OpenAPI 3.1: every route with what it takes and every answer that it gives. Pure."""

import json
from http import HTTPStatus

from api import fields
from api.callers import SCOPE, TOKEN_PATH, TOKEN_URL
from api.deprecation import DEPRECATED
from api.download import LINK_SECONDS
from api.forms import MEDIA_TYPES
from api.operations import (
    OF_ANSWERS,
    OF_BODIES,
    OF_PARTNERS,
    Object,
    a_download,
    an_answer,
    any_json,
    in_every_form,
    in_json,
    open_operation,
    operation,
)
from api.response import JSON_TYPE
from api.schemas import RATE_HEADERS, TEXT, components, ref

FORM_TYPE = "application/x-www-form-urlencoded"


def document(*, version: str, embedded: bool, token_url: str = TOKEN_URL) -> Object:
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
        "components": {"schemas": components(), "securitySchemes": {"partner": _oauth(token_url)}},
        # Relative to the document itself, which a proxy or a stage may serve below a path.
        "servers": [{"url": "."}],
        "security": [{"partner": [SCOPE]}],
    }


def encoded(*, version: str, embedded: bool, token_url: str = TOKEN_URL) -> bytes:
    """The document as JSON."""
    described = document(version=version, embedded=embedded, token_url=token_url)
    return json.dumps(described, separators=(",", ":")).encode()


def _paths() -> Object:
    return {
        "/v1/queries": {"post": _post_query()},
        "/v1/queries/{id}": {
            "get": operation(
                "get_query",
                "Where a question stands, with its first page when it is answered",
                {HTTPStatus.OK: an_answer(), HTTPStatus.NOT_MODIFIED: {"description": "You have this answer already."}},
                *OF_PARTNERS,
                *OF_ANSWERS,
                HTTPStatus.NOT_ACCEPTABLE,
                HTTPStatus.CONFLICT,
                parameters=[fields.ID, fields.SHAPE, fields.GUARD, fields.IF_NONE_MATCH],
            ),
            "delete": operation(
                "delete_query",
                "Leave a question; its run stops unless others have joined",
                {HTTPStatus.OK: an_answer()},
                *OF_PARTNERS,
                *OF_ANSWERS,
                parameters=[fields.ID],
            ),
        },
        "/v1/queries/{id}/rows": {"get": _get_rows()},
        "/v1/queries/{id}/download": {
            "get": operation(
                "get_download",
                f"A link to the whole answer as one file, for {LINK_SECONDS} seconds",
                a_download(),
                *OF_PARTNERS,
                *OF_ANSWERS,
                HTTPStatus.CONFLICT,
                parameters=[fields.ID, fields.FORMAT, fields.GUARD],
            )
        },
        "/v1/datasets": {
            "get": operation(
                "get_datasets", "What you may ask about", {HTTPStatus.OK: in_json("Datasets")}, *OF_PARTNERS
            )
        },
        "/v1/datasets/{name}/rows": {"get": _get_dataset_rows()},
        "/v1/datasets/{name}": {
            "get": operation(
                "get_dataset",
                "One dataset as you see it",
                {HTTPStatus.OK: in_json("Dataset")},
                *OF_PARTNERS,
                HTTPStatus.NOT_FOUND,
                parameters=[fields.NAME],
            )
        },
        "/v1/usage": {"get": _get_usage()},
        **_saved_paths(),
        **_webhook_paths(),
        **_public_paths(),
    }


def _public_paths() -> Object:
    return {
        "/problems/{code}": {"get": _get_problem()},
        "/healthz": {
            "get": open_operation("get_health", "That the server answers", {HTTPStatus.OK: in_json("Health")})
        },
        "/openapi.json": {
            "get": open_operation(
                "get_openapi", "This document", {HTTPStatus.OK: {"description": "OpenAPI 3.1", **any_json()}}
            )
        },
    }


def _get_problem() -> Object:
    page = {"description": "What the code means and what to do.", "content": {"text/html": {"schema": TEXT}}}
    explained = open_operation(
        "get_problem", "Where the type of a problem leads", {HTTPStatus.OK: page}, HTTPStatus.NOT_FOUND
    )
    return {**explained, "parameters": [fields.CODE]}


def _saved_paths() -> Object:
    kept = {HTTPStatus.OK: in_json("SavedQuestion")}
    put = operation(
        "put_saved",
        "Save a question; under a name that is there, as a new version",
        {**kept, HTTPStatus.CREATED: {**in_json("SavedQuestion"), "description": "It is new."}},
        *OF_PARTNERS,
        *OF_BODIES,
        HTTPStatus.NOT_FOUND,
        parameters=[fields.QUESTION],
    )
    put["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("QuestionToSave")}}}
    get = operation(
        "get_saved",
        "A saved question",
        kept,
        *OF_PARTNERS,
        HTTPStatus.NOT_FOUND,
        parameters=[fields.QUESTION, fields.VERSION],
    )
    gone = {HTTPStatus.NO_CONTENT: {"description": "It is gone, with all its versions."}}
    delete = operation(
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
    listed = {HTTPStatus.OK: in_json("SavedQuestions")}
    return {
        "/v1/saved": {"get": operation("get_all_saved", "Your saved questions", listed, *OF_PARTNERS)},
        "/v1/saved/{name}": {"put": put, "get": get, "delete": delete},
        "/v1/saved/{name}/runs": {"post": run},
    }


def _own_paths() -> Object:
    token = open_operation(
        "post_token",
        "Client id and secret (HTTP Basic or form) → bearer token",
        {HTTPStatus.OK: in_json("Token")},
        HTTPStatus.UNAUTHORIZED,
        *OF_BODIES,
    )
    token["requestBody"] = {"required": True, "content": {FORM_TYPE: {"schema": ref("TokenRequest")}}}
    file = {
        "description": "The whole answer as a file.",
        "content": {media_type: {} for media_type in MEDIA_TYPES if media_type != JSON_TYPE},
    }
    download = open_operation("get_file", "What a link leads to; it needs no token", {HTTPStatus.OK: file}, *OF_ANSWERS)
    download["parameters"] = [fields.TICKET]
    keys = open_operation("get_keys", "The public keys of tokens (JWK set)", {HTTPStatus.OK: in_json("Keys")})
    return {
        TOKEN_PATH: {"post": token},
        "/.well-known/jwks.json": {"get": keys},
        "/v1/downloads/{ticket}": {"get": download},
    }


def _webhook_paths() -> Object:
    refused = (*OF_PARTNERS, HTTPStatus.NOT_FOUND)
    made = {HTTPStatus.CREATED: {**in_json("NewWebhook"), "description": "With its secret, told this once."}}
    post = operation("post_webhook", "Be told when something has changed", made, *refused, *OF_BODIES)
    post["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("WebhookToAdd")}}}
    listed = operation("get_webhooks", "Your webhooks", {HTTPStatus.OK: in_json("Webhooks")}, *refused)
    gone = {HTTPStatus.NO_CONTENT: {"description": "It is gone, with its notices."}}
    one = [fields.WEBHOOK]
    dead = {HTTPStatus.OK: in_json("DeadNotices")}
    again = {HTTPStatus.OK: in_json("Revived")}
    return {
        "/v1/webhooks": {"post": post, "get": listed},
        "/v1/webhooks/{id}": {"delete": operation("delete_webhook", "Be told no more", gone, *refused, parameters=one)},
        "/v1/webhooks/{id}/dead": {
            "get": operation("get_dead", "Notices that were given up", dead, *refused, parameters=one),
            "post": operation("post_dead", "Try these once more", again, *refused, *OF_BODIES, parameters=one),
        },
    }


def _post_query() -> Object:
    found = {
        HTTPStatus.OK: an_answer(),
        HTTPStatus.ACCEPTED: _accepted(),
        HTTPStatus.NOT_MODIFIED: {"description": "You have this answer already."},
    }
    asked = operation(
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
    asked["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": ref("Question")}}}
    return asked


def _get_usage() -> Object:
    found = {HTTPStatus.OK: in_json("Usage")}
    return operation("get_usage", "What you have asked, and may ask", found, *OF_PARTNERS, HTTPStatus.NOT_FOUND)


def _get_rows() -> Object:
    page = in_every_form("Page", "Rows; `Link` leads to the next page.")
    return operation(
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
            **in_every_form("Answer", "Rows; `Link` leads to the next page."),
            "headers": {"Link": {"schema": TEXT}},
        },
        HTTPStatus.ACCEPTED: _accepted(),
        HTTPStatus.NOT_MODIFIED: {"description": "You have these rows already."},
    }
    return operation(
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
        **in_json("Answer"),
        "description": "Not answered yet: ask `Location` again after `Retry-After`.",
        "headers": {"Location": {"schema": TEXT}, "Retry-After": {"schema": TEXT}, **RATE_HEADERS},
    }


def _oauth(token_url: str) -> Object:
    flow = {"tokenUrl": token_url, "scopes": {SCOPE: "Ask questions"}}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}
