"""Our own bearer tokens as identity: token → client → partner, looked up anew on every request."""

from dataclasses import dataclass

from api.callers.credentials import Credentials
from api.callers.tokens import Tokens, refused
from api.request import Incoming
from athena.question import Caller


@dataclass(frozen=True, slots=True)
class Bearers:
    """Implements `Callers` for the embedded home."""

    tokens: Tokens
    credentials: Credentials

    def identify(self, incoming: Incoming) -> Caller:
        """The partner whose client holds the token of this request; raises `Unauthenticated`."""
        scheme, _, token = (incoming.authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise refused()
        partner = self.credentials.partner_of(self.tokens.verify(token.strip()).client_id)
        if partner is None:
            raise refused()
        return Caller(partner)
