import base64
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from api.callers.credentials import SCHEMA, Credentials, Issued
from api.callers.exchange import MAX_CHECKS, Exchange
from api.callers.keys import SigningKeys
from api.callers.tokens import Tokens
from api.problem import WrongRequest, as_problem
from api.request import Incoming
from athena.errors import Busy
from athena.sqlite import Database
from tests.clock import SetClock
from tests.lakes import eventually

FORM = b"grant_type=client_credentials"


class Slow(Credentials):
    """Credentials whose check lasts until the test says so."""

    gate: threading.Event | None = None

    def check(self, client_id: str, secret: str):  # type: ignore[no-untyped-def]
        if self.gate is not None:
            assert self.gate.wait(120)
        return super().check(client_id, secret)


@pytest.fixture
def credentials(tmp_path: Path) -> Slow:
    return Slow(Database(tmp_path / "state.sqlite", SCHEMA), SetClock())


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    keys = SigningKeys(tmp_path / "keys", clock=SetClock(), token_lifetime_seconds=60)
    return Tokens(keys, issuer="urn:lakegate:lake", lifetime_seconds=60, clock=SetClock())


@pytest.fixture
def exchange(tokens: Tokens, credentials: Slow) -> Exchange:
    return Exchange(tokens, credentials)


@pytest.fixture
def issued(credentials: Slow) -> Issued:
    return credentials.add_client("united")


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def form(body: bytes = FORM, authorization: str | None = None) -> Incoming:
    return Incoming("POST", "/oauth2/token", {}, body, authorization)


def test_a_secret_in_the_header_or_in_the_form_gives_a_token(
    exchange: Exchange, tokens: Tokens, issued: Issued
) -> None:
    by_header = exchange.grant(form(authorization=basic(issued.client_id, issued.secret)))
    by_form = exchange.grant(form(FORM + f"&client_id={issued.client_id}&client_secret={issued.secret}".encode()))
    for granted in (by_header, by_form):
        assert tokens.verify(granted.access_token).client_id == issued.client_id
        assert (granted.expires_in, granted.scope) == (60, "lakegate/query")


def test_basic_credentials_are_form_encoded_inside(exchange: Exchange, issued: Issued) -> None:
    assert exchange.grant(form(authorization=basic(quote(issued.client_id), quote(issued.secret)))).access_token


def test_the_scope_may_be_asked_for_by_name(exchange: Exchange, issued: Issued) -> None:
    assert exchange.grant(form(FORM + b"&scope=lakegate/query", basic(issued.client_id, issued.secret)))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "unsupported_grant_type"),
        (b"grant_type=password", "unsupported_grant_type"),
        (FORM + b"&scope=admin", "invalid_scope"),
        (FORM + b"&scope=lakegate/query+admin", "invalid_scope"),
        (FORM + b"&" + FORM, "invalid_request"),
        (FORM + b"&client_id=c_1", "invalid_request"),
        (b"\xff\xfe", "invalid_request"),
        (b"{}", "invalid_request"),
        (b"a=" + b"x" * 10_000, "invalid_request"),
        (b"&".join(b"a%d=1" % at for at in range(50)), "invalid_request"),
    ],
)
def test_a_wrong_form_is_told_in_the_words_of_oauth(
    exchange: Exchange, issued: Issued, body: bytes, error: str
) -> None:
    with pytest.raises(WrongRequest) as refused:
        exchange.grant(form(body, basic(issued.client_id, issued.secret)))
    problem = as_problem(refused.value)
    assert (problem.status, dict(problem.members)["error"]) == (400, error)


@pytest.mark.parametrize("how", ["wrong secret", "unknown", "revoked", "nothing", "bearer", "no base64", "no colon"])
def test_all_wrong_credentials_get_the_same_401(
    exchange: Exchange, credentials: Slow, issued: Issued, how: str
) -> None:
    if how == "revoked":
        credentials.revoke_client(issued.client_id)
    authorization = {
        "wrong secret": basic(issued.client_id, "wrong"),
        "unknown": basic("c_nobody", issued.secret),
        "revoked": basic(issued.client_id, issued.secret),
        "nothing": None,
        "bearer": "Bearer abc",
        "no base64": "Basic ü",
        "no colon": "Basic " + base64.b64encode(b"abc").decode(),
    }[how]
    with pytest.raises(WrongRequest) as refused:
        exchange.grant(form(authorization=authorization))
    problem = as_problem(refused.value)
    assert (problem.status, problem.code) == (401, "invalid-client")
    assert dict(problem.headers) == {"WWW-Authenticate": 'Basic realm="lakegate", charset="UTF-8"'}
    assert problem.detail == "Client id and secret do not belong together, or the client was revoked."


def test_wrong_credentials_in_the_form_are_not_challenged_for_a_header(exchange: Exchange) -> None:
    with pytest.raises(WrongRequest) as refused:
        exchange.grant(form(FORM + b"&client_id=c_1&client_secret=x"))
    assert refused.value.headers == ()


def test_beyond_a_few_checks_at_a_time_callers_are_asked_to_come_again(
    exchange: Exchange, credentials: Slow, issued: Issued
) -> None:
    credentials.gate = threading.Event()
    request = form(authorization=basic(issued.client_id, issued.secret))
    threads = [threading.Thread(target=exchange.grant, args=(request,)) for _ in range(MAX_CHECKS)]
    for thread in threads:
        thread.start()
    eventually(lambda: not exchange._slots._value)
    with pytest.raises(Busy) as busy:
        exchange.grant(request)
    assert busy.value.retry_after_seconds == 1
    credentials.gate.set()
    for thread in threads:
        thread.join()
    assert exchange.grant(request).access_token
