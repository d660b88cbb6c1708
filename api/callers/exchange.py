"""`POST /oauth2/token`: client id and secret → bearer token (RFC 6749, sections 2.3.1, 4.4 and 5)."""

import base64
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import BoundedSemaphore
from urllib.parse import parse_qs, unquote_plus

from api.callers import SCOPE
from api.callers.credentials import Credentials
from api.callers.tokens import Tokens
from api.problem import Pairs, WrongRequest
from api.request import Incoming
from athena.errors import Busy

MAX_FORM_BYTES = 8192
# Each check costs 16 MB and 40 ms of CPU: beyond that many at a time, callers are asked to come again.
MAX_CHECKS = 4


@dataclass(frozen=True, slots=True)
class Granted:
    """A token and for how long it holds."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str = SCOPE


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client shows: itself, its secret, and by which of the two ways."""

    client_id: str
    secret: str = field(repr=False)
    by_header: bool


class Exchange:
    """The token endpoint of the embedded home; on AWS it is Cognito's."""

    def __init__(self, tokens: Tokens, credentials: Credentials) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._slots = BoundedSemaphore(MAX_CHECKS)

    def grant(self, incoming: Incoming) -> Granted:
        """A token for the client that the request proves to be; raises `WrongRequest` or `Busy`."""
        fields = _form(incoming.body)
        presented = _presented(incoming.authorization, fields)
        if fields.get("grant_type") != "client_credentials":
            raise _refused("grant_type is not client_credentials.", "Send that one.", code="unsupported-grant-type")
        if set(fields.get("scope", SCOPE).split()) - {SCOPE}:
            raise _refused("An unknown scope is asked for.", f"Leave it out, or send {SCOPE}.", code="invalid-scope")
        if not self._slots.acquire(blocking=False):
            raise Busy("Many tokens are being asked for at the moment.", "Come again in a second.")
        try:
            client = self._credentials.check(presented.client_id, presented.secret)
        finally:
            self._slots.release()
        if client is None:
            raise _wrong_client(presented.by_header)
        return Granted(self._tokens.issue(client.client_id), self._tokens.lifetime_seconds)


def _form(body: bytes) -> dict[str, str]:
    if len(body) > MAX_FORM_BYTES:
        raise _refused("The form is too long.", f"Send at most {MAX_FORM_BYTES} bytes.", code="invalid-request")
    try:
        given = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except ValueError as error:
        remedy = "Send grant_type=client_credentials as application/x-www-form-urlencoded."
        raise _refused("The body is no form.", remedy, code="invalid-request") from error
    if any(len(values) > 1 for values in given.values()):
        raise _refused("A field of the form stands there twice.", "Send each once.", code="invalid-request")
    return {name: values[0] for name, values in given.items()}


def _presented(authorization: str | None, fields: dict[str, str]) -> Presented:
    in_form = "client_id" in fields or "client_secret" in fields
    if authorization is None:
        if not in_form:
            raise _wrong_client(by_header=True)
        return Presented(fields.get("client_id", ""), fields.get("client_secret", ""), by_header=False)
    if in_form:
        raise _refused("Credentials stand in header and form.", "Send HTTP Basic alone.", code="invalid-request")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _wrong_client(by_header=True)
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError as error:
        raise _wrong_client(by_header=True) from error
    return Presented(unquote_plus(client_id), unquote_plus(secret), by_header=True)


def _wrong_client(by_header: bool) -> WrongRequest:
    challenge = (("WWW-Authenticate", 'Basic realm="lakegate", charset="UTF-8"'),) if by_header else ()
    return _refused(
        "Client id and secret do not belong together, or the client was revoked.",
        "Send them by HTTP Basic; ask the operator for new ones with `lakegate partner add`.",
        code="invalid-client",
        status=HTTPStatus.UNAUTHORIZED,
        headers=challenge,
    )


def _refused(
    message: str, remedy: str, *, code: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, headers: Pairs = ()
) -> WrongRequest:
    """A problem whose `error` member is what OAuth clients look for (RFC 6749, section 5.2)."""
    refusal = WrongRequest(message, remedy, status=status, code=code, headers=headers)
    refusal.members = (("error", code.replace("-", "_")), ("error_description", message))
    return refusal
