"""Who asks: client credentials, signing keys and bearer tokens.

A partner has clients (`credentials.py`); a client trades its secret (`exchange.py`) for a token (`tokens.py`) that
is signed with the home's newest key (`keys.py`); every request's token is verified and its client looked up again
(`bearer.py`), so that a revocation acts on the next request.
"""

from typing import Protocol

from api.request import Incoming
from athena.question import Caller

SCOPE = "lakegate/query"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 a path
# Relative to the interface's description, which a proxy may serve below a path.
TOKEN_URL = TOKEN_PATH.removeprefix("/")


class Callers(Protocol):
    """The port of identity: our own tokens in the embedded home, a gateway's verified claims on AWS."""

    def identify(self, incoming: Incoming) -> Caller:
        """The partner behind a request. Raises `Unauthenticated`, with one text for whatever is wrong."""
        ...
