"""Grants in DynamoDB: one item per partner with the text of its file, read on every request."""

from functools import lru_cache

from athena.dynamodb import Key, Table, text
from athena.errors import Failed, Refused
from athena.grants import Grant
from athena.grants.toml import PARTNER_NAME, grant_text, parse_grant

# A text is parsed once by each process: what was edited is another text.
_KEPT = 1024


class DynamoGrants:
    """Items `grant` / `<partner>`: `content`, as in `partners/<name>.toml`."""

    def __init__(self, state: Table) -> None:
        self._table = state

    def get(self, partner: str) -> Grant | None:
        """The grant, None for an unknown or revoked partner; `Failed` (`grant-invalid`) when it is not understood."""
        if not PARTNER_NAME.match(partner):
            return None
        item = self._table.get(_key(partner))
        if item is None:
            return None
        try:
            return _parsed(text(item.get("content", b"")), partner)
        except Refused as error:
            # It is the owner's to mend; whoever asks is not told.
            raise Failed(error.message, error.remedy, code=error.code) from error

    def partners(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(text(item["sk"]) for item in self._table.each("grant", only="sk"))

    def put(self, grant: Grant) -> None:
        """Grant this from the next request on, instead of whatever was granted before. Raises `Refused`."""
        content = grant_text(grant)
        parse_grant(content, partner=grant.partner, where=grant.partner)
        self._table.change(_key(grant.partner), "SET content = :content", content=content)

    def remove(self, partner: str) -> None:
        """Revoke; without effect when there is nothing to revoke."""
        self._table.remove(_key(partner))


def _key(partner: str) -> Key:
    return Key("grant", partner)


@lru_cache(maxsize=_KEPT)
def _parsed(content: str, partner: str) -> Grant:
    return parse_grant(content, partner=partner, where=f"The grant of {partner}")
