"""Saved questions in DynamoDB: one item each, so that all versions change in one conditional write."""

import zlib

from athena.dynamodb import Item, Key, Table, text
from athena.errors import Damaged
from athena.records import decode, encode
from athena.saved import SavedQuestion


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
        packed, version = zlib.compress(encode(question)), question.latest.version
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
