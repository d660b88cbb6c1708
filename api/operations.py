"""The parts that OpenAPI's operations are put together from. Pure."""

from http import HTTPStatus
from typing import Any

from api.forms import MEDIA_TYPES
from api.problem import PROBLEM_TYPE
from api.response import JSON_TYPE
from api.schemas import RATE_HEADERS, TEXT, ref

Object = dict[str, Any]

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


def operation(
    name: str,
    summary: str,
    found: dict[HTTPStatus, Object],
    *refused: HTTPStatus,
    parameters: list[Object] | None = None,
) -> Object:
    """An operation with what it finds, and with each way in which it refuses as a problem."""
    problems = {status: _problem(status) for status in (*OF_EVERY_ROUTE, *refused)}
    responses = {str(status.value): response for status, response in sorted({**found, **problems}.items())}
    return {"operationId": name, "summary": summary, "parameters": parameters or [], "responses": responses}


def open_operation(name: str, summary: str, found: dict[HTTPStatus, Object], *refused: HTTPStatus) -> Object:
    """An operation that needs no token."""
    return {**operation(name, summary, found, *refused), "security": []}


def a_download() -> dict[HTTPStatus, Object]:
    """Where a whole answer is, or is about to be."""
    headers = {"Location": {"schema": TEXT}}
    files = "Parquet on AWS, in several files: each a whole file with some of the rows, in no order."
    written = "Parquet on AWS is being written: ask `Location` again after `Retry-After`."
    return {
        HTTPStatus.SEE_OTHER: {**in_json("Link"), "headers": headers},
        HTTPStatus.OK: {**in_json("Parts"), "description": files},
        HTTPStatus.ACCEPTED: {
            **in_json("Unloading"),
            "description": written,
            "headers": {**headers, "Retry-After": {"schema": TEXT}},
        },
    }


def an_answer() -> Object:
    """The answer to a question."""
    answer = in_every_form("Answer", "The answer; outside of JSON all its rows, and the rest of it in headers.")
    return {**answer, "headers": {"ETag": {"schema": TEXT}, **RATE_HEADERS}}


def in_every_form(name: str, description: str) -> Object:
    """Rows, by `Accept`."""
    content: Object = {media_type: {} for media_type in MEDIA_TYPES}
    content[JSON_TYPE] = {"schema": ref(name)}
    content["text/csv"] = {"schema": TEXT}
    return {"description": description, "content": content}


def in_json(name: str) -> Object:
    """One of the schemas."""
    return {"description": name, "content": {JSON_TYPE: {"schema": ref(name)}}}


def any_json() -> Object:
    """Some object."""
    return {"content": {JSON_TYPE: {"schema": {"type": "object"}}}}


def _problem(status: HTTPStatus) -> Object:
    return {"description": status.phrase, "content": {PROBLEM_TYPE: {"schema": ref("Problem")}}}
