"""What a route says of its end: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and a link to what comes instead. Pure.

The policy stands in docs/partners.md: nothing within `/v1` is taken away or changes its meaning without these headers
for at least six months before.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime

from api.response import Reply

Route = tuple[str, str]  # method and template


@dataclass(frozen=True, slots=True)
class Deprecation:
    """From when on a route should not be used any more, when it ends, and where that is explained."""

    since: datetime
    sunset: datetime
    link: str


# Nothing is on its way out. A route that is gets its entry here: its replies and OpenAPI tell it.
DEPRECATED: dict[Route, Deprecation] = {}


def announced(reply: Reply, deprecation: Deprecation) -> Reply:
    """The reply with its headers.

    >>> old = Deprecation(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC), "/docs")
    >>> announced(Reply(200), old).headers[:2]
    (('Deprecation', '@1798761600'), ('Sunset', 'Thu, 01 Jul 2027 00:00:00 GMT'))
    """
    headers = (
        ("Deprecation", f"@{int(deprecation.since.timestamp())}"),
        ("Sunset", format_datetime(deprecation.sunset.astimezone(UTC), usegmt=True)),
        ("Link", f'<{deprecation.link}>; rel="deprecation"'),
    )
    return replace(reply, headers=(*reply.headers, *headers))
