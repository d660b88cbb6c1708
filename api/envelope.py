"""A reply → what a function hands to API Gateway. Pure.

Lambda takes 6 MB of JSON for an answer, in which the body is one JSON text: every quote of it counts twice.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from base64 import b64encode
from http import HTTPStatus
from typing import Any

from api.problem import PROBLEM_TYPE, Problem
from api.response import Reply
from athena.page import escaped_bytes

# 6,291,556 bytes, less what headers and the frame take at most (API Gateway: 10,240 bytes of headers).
MOST_BODY_BYTES = 6_291_556 - 16_384
TOO_LARGE = Problem(
    HTTPStatus.BAD_REQUEST,
    code="page-too-large",
    detail="This page is longer than one response can be.",
    remedy="Ask for fewer rows with `limit`, or fetch the answer at GET /v1/queries/{id}/download.",
)
_TEXT_TYPES = ("text/", "application/json", PROBLEM_TYPE)


def enveloped(reply: Reply) -> dict[str, Any]:
    """The response object of a Lambda proxy integration.

    >>> enveloped(Reply(200, (("Content-Type", "application/json"),), b"{}"))["body"]
    '{}'
    >>> enveloped(Reply(200, (("Content-Type", "application/vnd.apache.parquet"),), b"PAR1"))["isBase64Encoded"]
    True
    """
    headers: dict[str, list[str]] = {}
    for name, value in reply.headers:
        headers.setdefault(name, []).append(value)
    text = is_text(reply)
    return {
        "statusCode": reply.status,
        "multiValueHeaders": headers,
        "body": reply.body.decode() if text else b64encode(reply.body).decode(),
        "isBase64Encoded": not text,
    }


def is_text(reply: Reply) -> bool:
    """Whether the body travels as it is."""
    headers = dict(reply.headers)
    kind = "" if "Content-Encoding" in headers else headers.get("Content-Type", "")
    return not reply.body or kind.startswith(_TEXT_TYPES)


def fits(reply: Reply) -> bool:
    """Whether Lambda takes it.

    >>> fits(Reply(200, (("Content-Type", "text/csv"),), b'"' * 3_000_000))
    True
    >>> fits(Reply(200, (("Content-Type", "text/csv"),), b'"' * 3_200_000))
    False
    """
    if not is_text(reply):
        return (len(reply.body) + 2) // 3 * 4 <= MOST_BODY_BYTES
    # No byte becomes more than six; most bodies need no closer look.
    return len(reply.body) * 6 <= MOST_BODY_BYTES or escaped_bytes(reply.body) <= MOST_BODY_BYTES
