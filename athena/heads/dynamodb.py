"""Heads in DynamoDB: one item per table, so that the head and its intent change in one step."""

import zlib
from collections.abc import Sequence
from dataclasses import replace

from athena.dynamodb import Item, Key, Table, text
from athena.errors import Damaged
from athena.heads import Head, conflict
from athena.records import decode, encode


class DynamoHeads:
    """Items `head` / `<dataset>`: `head` (compressed JSON) and `intent`, each of which may be there alone; and items
    `changes` / `<dataset>`, which no hit has to read."""

    def __init__(self, state: Table) -> None:
        self._table = state

    def get(self, dataset: str) -> Head | None:
        """The head as last published, with the open intent if there is one."""
        item = self._table.get(_key(dataset))
        return None if item is None else _head(item)

    def some(self, datasets: Sequence[str]) -> dict[str, Head]:
        """Those that have a head, by name: one call for up to a hundred."""
        found = map(_head, self._table.several([_key(dataset) for dataset in datasets]))
        return {head.dataset: head for head in found if head is not None}

    def all(self) -> tuple[Head, ...]:
        """Every head, by name: one look-up by partition."""
        found = (_head(item) for item in self._table.each("head"))
        return tuple(head for head in found if head is not None)

    def intend(self, dataset: str, commit_id: str) -> None:
        """Record that `commit_id` is about to happen. Raises `Failed` while another intent is open."""
        free = "attribute_not_exists(intent) OR intent = :intent"
        if not self._table.change(_key(dataset), "SET intent = :intent", when=free, intent=commit_id).won:
            raise conflict(dataset)

    def abandon(self, dataset: str, commit_id: str) -> None:
        """Forget this intent; another one is left alone."""
        self._table.change(_key(dataset), "REMOVE intent", when="intent = :intent", intent=commit_id)

    def publish(self, head: Head) -> None:
        """Replace the head and clear the intent, in one write; with `head.intent` only while it is open."""
        if head.intent is not None and self.pending(head.dataset) != head.intent:
            return
        # First: until the intent is cleared, readers ask the catalog for both.
        # Those of an older data version may stay: whoever reads them compares.
        if head.changes:
            told = zlib.compress(head.changes.encode())
            self._table.change(Key("changes", head.dataset), "SET changes = :changes", changes=told)
        packed = zlib.compress(encode(replace(head, intent=None, changes="")))
        update = "SET head = :head REMOVE intent"
        if head.intent is None:
            self._table.change(_key(head.dataset), update, head=packed)
        else:
            self._table.change(_key(head.dataset), update, when="intent = :intent", head=packed, intent=head.intent)

    def changes(self, dataset: str) -> str:
        """The changes of the head as last published; empty when they cannot be read, which is always right."""
        packed = (self._table.get(Key("changes", dataset)) or {}).get("changes")
        try:
            return zlib.decompress(packed).decode() if isinstance(packed, bytes) else ""
        except (ValueError, zlib.error):
            return ""

    def pending(self, dataset: str) -> str | None:
        """The open intent, also of a table without a head."""
        item = self._table.get(_key(dataset), only="intent")
        return _intent(item or {})


def _key(dataset: str) -> Key:
    return Key("head", dataset)


def _intent(item: Item) -> str | None:
    return text(item["intent"]) if "intent" in item else None


def _head(item: Item) -> Head | None:
    packed = item.get("head")
    if packed is None:
        return None
    try:
        if isinstance(packed, bytes):
            return replace(decode(Head, zlib.decompress(packed)), intent=_intent(item))
    except (ValueError, TypeError, zlib.error) as error:
        raise _unreadable(item) from error
    raise _unreadable(item)


def _unreadable(item: Item) -> Damaged:
    return Damaged(
        f"The head of {text(item['sk'])} cannot be read.",
        "Run `lakegate doctor --repair`: it is made anew from the catalog.",
        code="state-damaged",
    )
