"""Webhooks and notices in DynamoDB's state table.

A notice is an item of its webhook; what is to be sent next is found in a line of entries that name notices by when they
are due. The notice says which entry is its own, so that an entry that a crash has left behind is known as stale, and
taken away by whoever meets it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from athena.dynamodb import Item, Key, Table, micros, text
from athena.errors import Busy
from athena.events import DatasetUpdated
from athena.lake import Clock
from athena.notices import Notice, Webhook
from athena.records import decode, encode

_WEBHOOKS, _HEARD, _TOLD, _LINE = "webhooks", "heard", "told", "line"
# An event is told again only shortly after it was told first.
_TOLD_FOR = timedelta(days=2)
_TRIES, _LAST = 5, 10**17
_Change = Callable[[tuple[Webhook, ...]], tuple[Webhook, ...]]


@dataclass(frozen=True, slots=True)
class _Hooks:
    """A partner's webhooks as one item keeps them."""

    hooks: tuple[Webhook, ...]


class DynamoNotices:
    """Items `webhooks` / partner, `heard` and `told` / event id, `notice#<webhook id>` / id, and `line` / entry."""

    def __init__(self, state: Table, clock: Clock) -> None:
        self._table = state
        self._clock = clock

    def register(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        self._change(webhook.partner, lambda hooks: (*hooks, webhook))

    def webhooks(self, partner: str | None = None) -> tuple[Webhook, ...]:
        """A partner's, or everybody's, oldest first."""
        if partner is not None:
            return _hooks(self._table.get(Key(_WEBHOOKS, partner)))
        found = [hook for item in self._table.each(_WEBHOOKS) for hook in _hooks(item)]
        return tuple(sorted(found, key=lambda hook: hook.created_at))

    def remove(self, partner: str, webhook_id: str) -> bool:
        """Forget one with its notices; whether there was one."""
        known = self.webhooks(partner)
        self._change(partner, lambda hooks: tuple(hook for hook in hooks if hook.id != webhook_id))
        if webhook_id not in {hook.id for hook in known}:
            return False
        for item in self._table.each(_of(webhook_id), only="sk"):
            self._table.remove(Key(_of(webhook_id), text(item["sk"])))
        return True

    def heard(self, event: DatasetUpdated) -> None:
        """Keep an event until it is spread."""
        if self._table.get(Key(_TOLD, event.id), only="sk") is None and self.webhooks():
            content = encode(event)
            self._table.change(Key(_HEARD, event.id), "SET content = :content", when=_ABSENT, content=content)

    def events(self) -> tuple[DatasetUpdated, ...]:
        """Not spread yet, oldest first."""
        found = [decode(DatasetUpdated, _content(item)) for item in self._table.each(_HEARD)]
        return tuple(sorted(found, key=lambda event: event.committed_at))

    def spread(self, event: DatasetUpdated, notices: tuple[Notice, ...]) -> None:
        """Keep these notices, and the event no longer."""
        if self._table.get(Key(_TOLD, event.id), only="sk") is None:
            there = {hook.id for hook in self.webhooks()}
            for notice in notices:
                if notice.webhook_id in there:
                    self._put(notice, when=_ABSENT)
            ends = micros(self._clock() + _TOLD_FOR) // 1_000_000
            self._table.change(Key(_TOLD, event.id), "SET ttl = :ttl", when=_ABSENT, ttl=ends)
        self._table.remove(Key(_HEARD, event.id))

    def claim(self, now: datetime, until: datetime) -> Notice | None:
        """One that is due, which nobody else is given before `until`."""
        for entry, webhook_id, notice_id in self._due(now):
            taken = self._table.change(
                Key(_of(webhook_id), notice_id),
                "SET taken_until = :until",
                when="entry = :entry AND (attribute_not_exists(taken_until) OR taken_until <= :now)",
                entry=entry,
                until=micros(until),
                now=micros(now),
            )
            if taken.won and taken.item is not None:
                return _notice(taken.item)
            if taken.item is None or taken.item.get("entry") != entry:
                self._table.remove(Key(_LINE, entry))
        return None

    def settle(self, notice: Notice) -> None:
        """Tried again when it is due, or dead."""
        self._put(notice, when="attribute_exists(pk)")

    def done(self, notice: Notice) -> None:
        """It was taken."""
        key = Key(_of(notice.webhook_id), notice.id)
        item = self._table.get(key, only="entry")
        self._table.remove(key)
        self._leave(item)

    def dead(self, webhook_id: str) -> tuple[Notice, ...]:
        """What was given up, oldest first."""
        found = [_notice(item) for item in self._table.each(_of(webhook_id))]
        return tuple(sorted((one for one in found if one.dead), key=lambda one: one.due_at))[:1000]

    def revive(self, webhook_id: str, now: datetime) -> int:
        """Try everything dead once more from the start."""
        found = self.dead(webhook_id)
        for notice in found:
            self.settle(replace(notice, dead=False, attempts=0, due_at=now, error=""))
        return len(found)

    def _due(self, now: datetime) -> Iterator[tuple[str, str, str]]:
        """The entries that are due, first the one that has been for longest: entry, webhook, notice."""
        for item in self._table.backwards(_LINE):
            entry = text(item["sk"])
            if _LAST - int(entry.partition("#")[0]) > micros(now):
                return
            yield entry, text(item["webhook_id"]), text(item["notice_id"])

    def _put(self, notice: Notice, *, when: str) -> None:
        """The notice as it is now: into the line first, so that no notice is ever without an entry."""
        key, entry = Key(_of(notice.webhook_id), notice.id), f"{_LAST - micros(notice.due_at):018d}#{notice.id}"
        before = self._table.get(key)
        if not notice.dead:
            names = {"webhook_id": notice.webhook_id, "notice_id": notice.id}
            self._table.change(Key(_LINE, entry), "SET webhook_id = :webhook_id, notice_id = :notice_id", **names)
        update, content = "SET content = :content, entry = :entry REMOVE taken_until", encode(notice)
        kept = self._table.change(key, update, when=when, content=content, entry="" if notice.dead else entry)
        if not kept.won and (kept.item is None or kept.item.get("entry") != entry):
            self._table.remove(Key(_LINE, entry))
        elif kept.won and before is not None and before.get("entry") != entry:
            self._leave(before)

    def _leave(self, item: Item | None) -> None:
        if item is not None and item.get("entry"):
            self._table.remove(Key(_LINE, text(item["entry"])))

    def _change(self, partner: str, change: _Change) -> None:
        key = Key(_WEBHOOKS, partner)
        for _ in range(_TRIES):
            item = self._table.get(key)
            wanted, number = encode(_Hooks(change(_hooks(item)))), 0 if item is None else item["number"]
            same = _ABSENT if item is None else "number = :before"
            update = "SET content = :content, number = :number"
            values = {} if item is None else {"before": number}
            if self._table.change(key, update, when=same, content=wanted, number=int(str(number)) + 1, **values).won:
                return
        raise Busy("Others are changing these webhooks.", "Try again in a moment.")


_ABSENT = "attribute_not_exists(pk)"


def _of(webhook_id: str) -> str:
    return f"notice#{webhook_id}"


def _hooks(item: Item | None) -> tuple[Webhook, ...]:
    return () if item is None else decode(_Hooks, _content(item)).hooks


def _notice(item: Item) -> Notice:
    return decode(Notice, _content(item))


def _content(item: Item) -> bytes:
    content = item["content"]
    return content if isinstance(content, bytes) else text(content).encode()
