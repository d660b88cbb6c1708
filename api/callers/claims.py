"""Claims that a gateway has verified → who asks.

Machines have a client of their own. People sign in through a client that several partners' people share, and belong to
the group `partner-<name>` of the user pool. Whatever else a token says is not looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from api.callers import SCOPE
from api.callers.clients import Client
from api.request import Incoming
from athena.errors import Unauthenticated
from athena.question import Caller

GROUP_PREFIX = "partner-"


class Clients(Protocol):
    """Where clients are listed."""

    def get(self, client_id: str) -> Client | None:
        """The client as it is listed now, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Claims:
    """Implements `Callers` behind API Gateway's Cognito authorizer."""

    clients: Clients

    def identify(self, incoming: Incoming) -> Caller:
        """The partner whose machine or person asks; raises `Unauthenticated`, with one text for all that is wrong."""
        client_id = client_of(incoming.claims)
        client = None if client_id is None else self.clients.get(client_id)
        if client is None:
            raise refused()
        partner = client.partner or partner_of(incoming.claims.get("cognito:groups", ""))
        if partner is None:
            raise refused()
        return Caller(partner)


def client_of(claims: Mapping[str, str]) -> str | None:
    """The client that an access token with our scope was made for; None for any other token.

    >>> client_of({"token_use": "access", "scope": "openid lakegate/query", "client_id": "abc"})
    'abc'
    >>> client_of({"token_use": "id", "scope": "lakegate/query", "client_id": "abc", "aud": "abc"}) is None
    True
    """
    if claims.get("token_use") != "access" or SCOPE not in claims.get("scope", "").split():
        return None
    return claims.get("client_id") or None


def partner_of(groups: str) -> str | None:
    """The one partner that a person's groups name; None when they name none or several.

    The gateway hands the list over as a text, in brackets or without, with commas or spaces between.

    >>> partner_of("[staff partner-united]"), partner_of("partner-united,partner-delta"), partner_of("[partners]")
    ('united', None, None)
    """
    names = {one.removeprefix(GROUP_PREFIX) for one in re.split(r"[\s,]+", groups.strip("[]")) if _named(one)}
    return names.pop() if len(names) == 1 else None


def _named(group: str) -> bool:
    return group.startswith(GROUP_PREFIX) and group != GROUP_PREFIX


def refused() -> Unauthenticated:
    """The one answer to all tokens that are nobody's."""
    return Unauthenticated(
        "The token is of no client that may ask here.",
        "Fetch one with your client id and secret for the scope lakegate/query; if it stays, ask the operator.",
    )
