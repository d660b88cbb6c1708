"""One JSON form for everything that goes wrong: problem details (RFC 9457) with a stable `code` and a `remedy`.

`as_problem` is the one place where an error becomes a status. What is the caller's own doing keeps its text, and so
do the failures that were written for callers; anything else gets a fixed text, because its own names files and tables.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from athena import failures
from athena.errors import (
    Busy,
    Failed,
    Gone,
    LakegateError,
    LimitExceeded,
    NotFound,
    OutcomeUnknown,
    Refused,
    SqlRefused,
    Unauthenticated,
)
from athena.question import Rate

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

STATUS_BY_CODE = {"answer-not-ready": HTTPStatus.CONFLICT}
STATUS_BY_CLASS: tuple[tuple[type[LakegateError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Gone, HTTPStatus.GONE),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (LimitExceeded, HTTPStatus.TOO_MANY_REQUESTS),
    (Refused, HTTPStatus.BAD_REQUEST),
    (Failed, HTTPStatus.SERVICE_UNAVAILABLE),
    (OutcomeUnknown, HTTPStatus.SERVICE_UNAVAILABLE),
)
REMEDY_OF_OURS = "Try again in a moment; if it stays, tell the operator the request id of this answer."


Pairs = tuple[tuple[str, str], ...]


class WrongRequest(Refused):
    """The HTTP request itself is wrong, before any question is asked; `pointer` names the field (RFC 6901)."""

    code = "invalid-request"
    members: Pairs = ()

    def __init__(
        self,
        message: str,
        remedy: str,
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        code: str | None = None,
        pointer: str | None = None,
        headers: Pairs = (),
    ) -> None:
        super().__init__(message, remedy, code=code)
        self.status = status
        self.pointer = pointer
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is an error; `members` are further ones, such as those that OAuth clients look for."""

    status: HTTPStatus
    code: str
    detail: str
    remedy: str
    pointer: str | None = None
    headers: Pairs = ()
    members: tuple[tuple[str, str | int], ...] = ()

    def body(self) -> bytes:
        """The JSON document.

        >>> Problem(HTTPStatus.GONE, "gone", "It was.", "Ask again.").body()[:55]
        b'{"type":"/problems/gone","title":"Gone","status":410,"c'
        """
        document: dict[str, object] = {
            "type": f"/problems/{self.code}",
            "title": self.status.phrase,
            "status": int(self.status),
            "code": self.code,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        if self.pointer is not None:
            document["pointer"] = self.pointer
        document.update(self.members)
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def as_problem(error: LakegateError) -> Problem:
    """The answer that an error becomes.

    >>> as_problem(Gone("The grant has changed.", "Ask again.", code="grant-changed")).status.value
    410
    >>> as_problem(Failed("state.sqlite is locked.", "Wait.")).detail
    'The service cannot do this at the moment.'
    """
    if isinstance(error, WrongRequest):
        return Problem(
            error.status, error.code, error.message, error.remedy, error.pointer, error.headers, error.members
        )
    status = _status(error)
    headers = _headers(error, status)
    if isinstance(error, Refused | Busy) or error.code in failures.CODES:
        return Problem(status, error.code, error.message, error.remedy, headers=headers, members=_place(error))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        detail = "The service cannot do this at the moment."
        return Problem(status, error.code, detail, REMEDY_OF_OURS, headers=headers)
    return INTERNAL


def _status(error: LakegateError) -> HTTPStatus:
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    for kind, status in STATUS_BY_CLASS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _headers(error: LakegateError, status: HTTPStatus) -> Pairs:
    if isinstance(error, LimitExceeded) and error.most_a_minute is not None:
        rate = Rate(error.most_a_minute, 0, error.retry_after_seconds)
        return (("Retry-After", str(error.retry_after_seconds)), *rate_headers(rate))
    if isinstance(error, LimitExceeded | Busy):
        return (("Retry-After", str(error.retry_after_seconds)),)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return (("Retry-After", str(RETRY_AFTER_SECONDS)),)
    if status is HTTPStatus.UNAUTHORIZED:
        return (("WWW-Authenticate", 'Bearer realm="lakegate"'),)
    return ()


def rate_headers(rate: Rate | None) -> Pairs:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10); none where nothing is limited.

    >>> rate_headers(Rate(120, 113, 35))[1]
    ('RateLimit', '"minute";r=113;t=35')
    """
    if rate is None or rate.most is None:
        return ()
    return (
        ("RateLimit-Policy", f'"minute";q={rate.most};w=60'),
        ("RateLimit", f'"minute";r={rate.left};t={rate.resets_seconds}'),
    )


def _place(error: LakegateError) -> tuple[tuple[str, int], ...]:
    if not isinstance(error, SqlRefused):
        return ()
    found = (("line", error.line), ("column", error.column))
    return tuple((name, value) for name, value in found if value is not None)


INTERNAL = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here.", REMEDY_OF_OURS)
