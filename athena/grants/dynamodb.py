"""Grants in DynamoDB: one item per partner, read on every request."""

import hashlib
from dataclasses import replace

from athena.dynamodb import Item, Key, Table, text
from athena.errors import Damaged, Failed
from athena.grants import Grant
from athena.records import decode, encode


class DynamoGrants:
    """Items `grant` / `<partner>`. The digest is that of the stored text, so that an edit by any hand changes it."""

    def __init__(self, state: Table) -> None:
        self._table = state

    def get(self, partner: str) -> Grant | None:
        """The grant, None for an unknown or revoked partner; `Failed` (`grant-invalid`) when it is not understood."""
        item = self._table.get(_key(partner))
        return None if item is None else _grant(partner, item)

    def partners(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(text(item["sk"]) for item in self._table.each("grant", only="sk"))

    def put(self, grant: Grant) -> None:
        """Grant this from the next request on, instead of whatever was granted before."""
        content = encode(replace(grant, digest="")).decode()
        self._table.change(_key(grant.partner), "SET content = :content", content=content)

    def remove(self, partner: str) -> None:
        """Revoke; without effect when there is nothing to revoke."""
        self._table.remove(_key(partner))


def _key(partner: str) -> Key:
    return Key("grant", partner)


def _grant(partner: str, item: Item) -> Grant:
    try:
        content = text(item["content"]).encode()
        grant = decode(Grant, content)
        if grant.partner != partner:
            raise ValueError("it is another partner's")
    except (ValueError, TypeError, KeyError, AttributeError, Damaged) as error:
        raise Failed(
            f"The grant of {partner} cannot be understood, so it grants nothing.",
            "Push the partner's file again.",
            code="grant-invalid",
        ) from error
    return replace(grant, digest=hashlib.sha256(content).hexdigest())
