"""Which client of the user pool belongs to whom, in DynamoDB: one item per client, read on every request.

The gateway has verified a token's signature, end and scope; it does not look for whom it was made, and a token
cannot be recalled there. So a client that is not listed here is nobody, from the next request on.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from athena.dynamodb import Item, Key, Table, instant, micros, text
from athena.errors import Refused
from athena.grants.toml import PARTNER_NAME
from athena.lake import utc_now

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html
_CLIENT_ID = re.compile(r"[\w+]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the user pool. `partner` is whose machine it is; None: people sign in through it, and each one's
    groups say for which partner. `created_at` is when it was listed first; whoever asks is looked up without it."""

    client_id: str
    partner: str | None
    created_at: datetime | None = None


class DynamoClients:
    """Items `client` / `<client id>`: `partner`, empty for a client that people sign in through, and `created_at`."""

    def __init__(self, state: Table, clock: Callable[[], datetime] = utc_now) -> None:
        self._table = state
        self._clock = clock

    def get(self, client_id: str) -> Client | None:
        """The client as it is listed now, or None."""
        if not _CLIENT_ID.fullmatch(client_id):
            return None
        item = self._table.get(Key("client", client_id))
        return None if item is None else Client(client_id, text(item.get("partner", b"")) or None)

    def all(self) -> tuple[Client, ...]:
        """Every client that is listed, by its id."""
        return tuple(_listed(item) for item in self._table.each("client"))

    def put(self, client: Client) -> None:
        """List it from the next request on; raises `Refused` for names that no pool and no grant can have."""
        if not _CLIENT_ID.fullmatch(client.client_id):
            raise Refused(
                f"{client.client_id!r} is no client id.", "Copy it from the user pool.", code="settings-invalid"
            )
        if client.partner is not None and not PARTNER_NAME.match(client.partner):
            raise Refused(
                f"{client.partner!r} is no partner's name.", "Use the name of the grant.", code="partner-name"
            )
        self._table.change(
            Key("client", client.client_id),
            "SET partner = :partner, created_at = if_not_exists(created_at, :now)",
            partner=client.partner or "",
            now=micros(client.created_at or self._clock()),
        )

    def remove(self, client_id: str) -> None:
        """Take it off the list; its tokens are worth nothing from the next request on."""
        self._table.remove(Key("client", client_id))


def _listed(item: Item) -> Client:
    made = item.get("created_at")
    return Client(
        text(item["sk"]), text(item.get("partner", b"")) or None, instant(made) if isinstance(made, int) else None
    )
