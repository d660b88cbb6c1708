"""The one place where the framework's request is read: a Chalice app that many threads may use at once.

Chalice keeps the current request on the app object, so that with eight threads nearly every request sees another
caller's headers. Here it lives in context variables, is read once into frozen values, and nobody behind asks for it.
"""

import logging
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from chalice.app import Chalice, Request, Response

from api.deprecation import DEPRECATED, announced
from api.parts import Parts
from api.problem import INTERNAL, PROBLEM_TYPE, Problem, as_problem, rate_headers
from api.request import Incoming
from api.response import Reply, problem_reply
from athena.errors import LakegateError
from athena.question import Caller, Rate

View = Callable[..., Reply]

# API Gateway sends these in base64; Chalice's own list is long, and it is gone through three times per request.
BINARY_TYPES = ["application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"]
log = logging.getLogger("lakegate.api")

_request: ContextVar[Request | None] = ContextVar("request", default=None)
_context: ContextVar[Any] = ContextVar("context", default=None)


@dataclass(slots=True)
class Visit:
    """One request's stay: what it may use, and what is told of it in the log.

    With `at_once` the route may answer only what needs neither parsing nor running, and `LATER` for all else.
    `resume` is the id of an answer that was waited for; `may_park` says that who sent the request can wait without
    holding a thread. No wait is longer than `most_wait_seconds`; a look at an answer that is under way takes up to
    `linger_seconds`, where questions are driven only while somebody looks. What follows is filled in on the way.
    """

    parts: Parts
    request_id: str
    may_park: bool = False
    at_once: bool = False
    resume: str | None = None
    most_wait_seconds: float = 25.0
    linger_seconds: float = 0.0
    partner: str | None = None
    route: str = "-"
    rate: Rate | None = None
    cache: str | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """A request whose caller is known."""

    visit: Visit
    incoming: Incoming
    caller: Caller


class App(Chalice):
    """Chalice with its request in context variables, and every error of a view as a problem."""

    def __init__(self, name: str) -> None:
        # Without an environment of its own Chalice would write into the process's.
        super().__init__(name, configure_logs=False, env={})
        self.public: set[str] = set()
        self.deprecated = DEPRECATED
        self.api.binary_types = BINARY_TYPES

    @property
    def current_request(self) -> Request | None:
        """The request of this thread or task."""
        return _request.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _request.set(request)

    @property
    def lambda_context(self) -> Any:
        """The `Visit` of this thread or task, which travels where Lambda's context does."""
        return _context.get()

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        _context.set(context)

    def view(
        self, path: str, method: str, *, content_types: list[str] | None = None, public: bool = False
    ) -> Callable[[View], View]:
        """Registers a function that gives a `Reply` and may raise what `as_problem` knows.

        Where a gateway looks at tokens, it does so for every path that is not `public`.
        """
        register = self.route(path, methods=[method], content_types=content_types or [])
        if public:
            self.public.add(path)

        def registered(view: View) -> View:
            register(_guarded(view))
            return view

        return registered

    def respond(self, event: dict[str, Any], visit: Visit) -> Reply:
        """The reply to one event of the form that API Gateway sends to functions."""
        reply = self._called(event, visit)
        if self.deprecated:
            context = event["requestContext"]
            old = self.deprecated.get((context["httpMethod"], context["resourcePath"]))
            return reply if old is None else announced(reply, old)
        return reply

    def _called(self, event: dict[str, Any], visit: Visit) -> Reply:
        raw = super().__call__(event, visit)
        if "reply" in raw:
            ours: Reply = raw["reply"]
            return ours
        reply = Reply(raw["statusCode"], tuple(raw["headers"].items()), _bytes(raw["body"]))
        if reply.status >= HTTPStatus.BAD_REQUEST and raw["headers"].get("Content-Type") != PROBLEM_TYPE:
            return problem_reply(_of_framework(reply.status))
        return reply


class _Ours(Response):
    """A response that takes the `Reply` along through Chalice, which would look into headers and body."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(body=b"", headers={}, status_code=reply.status)
        self._reply = reply

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        return {"reply": self._reply}


def enter() -> Entered:
    """The current request with its caller; raises `Unauthenticated`."""
    visit, incoming = visited()
    caller = visit.parts.callers.identify(incoming)
    visit.partner = caller.partner
    return Entered(visit, incoming, caller)


def visited() -> tuple[Visit, Incoming]:
    """The current request, whoever sent it."""
    request, visit = _request.get(), _context.get()
    if request is None or not isinstance(visit, Visit):
        raise RuntimeError("a view was called outside of a request")
    headers, query = request.headers, request.query_params
    incoming = Incoming(
        method=request.method,
        route=request.path,
        query={} if query is None else {name: tuple(query.getlist(name)) for name in query},
        body=_bytes(request.raw_body),
        authorization=headers.get("authorization"),
        accept=headers.get("accept"),
        if_none_match=headers.get("if-none-match"),
        cache_control=headers.get("cache-control"),
        claims=_claims(request.context),
    )
    return visit, incoming


def _claims(context: dict[str, Any]) -> dict[str, str]:
    found = (context.get("authorizer") or {}).get("claims") or {}
    return {str(name): str(value) for name, value in found.items()}


def _guarded(view: View) -> Callable[..., Response]:
    @wraps(view)
    def guarded(**params: str) -> Response:
        try:
            reply, visit = view(**params), _context.get()
            return _Ours(reply.with_headers(rate_headers(visit.rate if isinstance(visit, Visit) else None)))
        except LakegateError as error:
            problem = as_problem(error)
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log.error("%s: %s: %s", _request_id(), error.code, error.message)
            return _Ours(problem_reply(problem))
        except Exception as error:  # noqa: BLE001 the outermost frame: whatever it is, the caller gets a problem
            return _Ours(unexpected(error, request_id=_request_id()))

    return guarded


def unexpected(error: Exception, *, request_id: str) -> Reply:
    """500 without details. The log gets kind and frames, and not the message: it may quote somebody's data."""
    log.error("%s: %s\n%s", request_id, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return problem_reply(INTERNAL)


def _request_id() -> str:
    visit = _context.get()
    return visit.request_id if isinstance(visit, Visit) else "-"


def _of_framework(status: int) -> Problem:
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body's Content-Type is not taken here.",
            "Send application/json, or a form to /oauth2/token.",
        )
    return INTERNAL


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
