"""What the routes work with: the lake, who tells callers apart, and in the embedded home the token endpoint."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.callers import TOKEN_URL, Callers
from athena.audit.stream import StreamAudit
from athena.lake import Lake
from athena.notices import Notices

if TYPE_CHECKING:
    from api.callers.exchange import Exchange
    from api.callers.tokens import Tokens
    from athena.settings_aws import AwsSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """One home as the HTTP interface sees it. `tokens` and `exchange` are None where a gateway issues tokens, at
    `token_url`."""

    lake: Lake
    callers: Callers
    notices: Notices
    token_url: str = TOKEN_URL
    tokens: "Tokens | None" = None
    exchange: "Exchange | None" = None

    @classmethod
    def aws(cls, settings: "AwsSettings") -> "Parts":
        """The parts of one stage on AWS, behind a gateway that verifies tokens. Nothing is called yet."""
        from api.callers.claims import Claims
        from api.callers.clients import DynamoClients
        from athena.aws_lake import state_of
        from athena.notices.dynamodb import DynamoNotices

        state, lake = state_of(settings), Lake.aws(settings, audit=StreamAudit())
        notices = DynamoNotices(state, lake.clock)
        return cls(lake, Claims(DynamoClients(state)), notices, settings.token_url or TOKEN_URL)

    @classmethod
    def embedded(cls, lake: Lake) -> "Parts":
        """The parts of a home on this machine, which issues its own tokens."""
        # A function on AWS has neither these libraries nor a use for them.
        from api.callers.bearer import Bearers
        from api.callers.credentials import Credentials
        from api.callers.exchange import Exchange
        from api.callers.keys import SigningKeys
        from api.callers.tokens import Tokens
        from athena.notices.sqlite import SqliteNotices

        settings, clock = lake.settings, lake.clock
        credentials = Credentials.embedded(settings, clock)
        lifetime_seconds = settings.token_lifetime_seconds
        keys = SigningKeys(settings.keys, clock=clock, token_lifetime_seconds=lifetime_seconds)
        issuer = f"urn:lakegate:{settings.name}"
        tokens = Tokens(keys, issuer=issuer, lifetime_seconds=lifetime_seconds, clock=clock)
        notices = SqliteNotices(settings.state)
        exchange = Exchange(tokens, credentials)
        return cls(lake, Bearers(tokens, credentials), notices, tokens=tokens, exchange=exchange)
