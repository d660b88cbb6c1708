"""Saved questions in DynamoDB: one item each, so that all versions change in one conditional write."""

import zlib
from dataclasses import replace

from athena.dynamodb import Item, Key, Table, text
from athena.errors import Damaged
from athena.records import decode, encode
from athena.saved import SavedQuestion

# An item holds 400 KB, and each run reads it, a unit per 4 KB; a statement has 64 KB at most.
MOST_BYTES = 120_000


class DynamoSaved:
    """Items `saved#<partner>` / `<name>`: `version` and `content` (compressed JSON)."""

    def __init__(self, state: Table) -> None:
        self._table = state

    def get(self, partner: str, name: str) -> SavedQuestion | None:
        """The question, or None."""
        item = self._table.get(_key(partner, name))
        return None if item is None else _question(item)

    def all(self, partner: str) -> tuple[SavedQuestion, ...]:
        """All of a partner's, by name: one look-up by partition."""
        return tuple(_question(item) for item in self._table.each(_key(partner, "").pk))

    def put(self, question: SavedQuestion, *, before: int | None) -> bool:
        """Keep it if the latest version is still `before`; whether it was."""
        key, update = _key(question.partner, question.name), "SET content = :content, version = :version"
        packed, version = _packed(question), question.latest.version
        if before is None:
            absent = "attribute_not_exists(version)"
            return self._table.change(key, update, when=absent, content=packed, version=version).won
        same = "version = :before"
        return self._table.change(key, update, when=same, content=packed, version=version, before=before).won

    def remove(self, partner: str, name: str) -> bool:
        """Forget it; whether there was one."""
        return self._table.remove(_key(partner, name), when="attribute_exists(version)").won


def _key(partner: str, name: str) -> Key:
    return Key(f"saved#{partner}", name)


def _packed(question: SavedQuestion) -> bytes:
    """As many of the versions as an item holds, the latest among them in any case."""
    packed = zlib.compress(encode(question))
    while len(packed) > MOST_BYTES and len(question.versions) > 1:
        question = replace(question, versions=question.versions[1:])
        packed = zlib.compress(encode(question))
    return packed


def _question(item: Item) -> SavedQuestion:
    packed = item.get("content")
    try:
        if isinstance(packed, bytes):
            return decode(SavedQuestion, zlib.decompress(packed))
    except (ValueError, TypeError, zlib.error) as error:
        raise _unreadable(item) from error
    raise _unreadable(item)


def _unreadable(item: Item) -> Damaged:
    return Damaged(
        f"The saved question {text(item['sk'])} cannot be read.", "Remove it and save it again.", code="state-damaged"
    )
