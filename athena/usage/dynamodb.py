"""Usage in DynamoDB: one item per partner and window, one per partner for the slots; every step one write."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from athena.dynamodb import Item, Key, Table, Value, micros, number, text
from athena.errors import Busy
from athena.usage import Quota, Taken, Window

# Writers that meet at one item: each round at least one of them is done.
ROUNDS = 30
_OWN = frozenset(["pk", "sk", "written_by", "ttl"])
_COUNT = "c_"  # before a count's own name, so that it is none of the item's

Slots = dict[str, int]


class DynamoUsage:
    """Items `usage#<partner>` / `<window>` with a number per count, and `usage#<partner>` / `slots`."""

    def __init__(self, state: Table, clock: Callable[[], datetime]) -> None:
        self._table = state
        self._clock = clock

    def take(self, quota: Quota, *, wanted: int, least: int) -> Taken:
        """See the port. A look first, so that a quota that is used up costs no write."""
        key, name = _key(quota.partner, quota.window.name), _COUNT + quota.name
        item = self._table.get(key)
        for _ in range(ROUNDS):
            used = 0 if item is None or name not in item else number(item[name])
            given = min(wanted, quota.most - used)
            if given < max(least, 1):
                return Taken(0, used)
            outcome = self._table.change(
                key,
                f"SET {name} = if_not_exists({name}, :zero) + :given, ttl = :ttl",
                when=f"attribute_not_exists({name}) OR {name} <= :room",
                zero=0,
                given=given,
                room=quota.most - given,
                ttl=_ttl(quota.window),
            )
            item = outcome.item
            if outcome.won and item is not None:
                return Taken(given, number(item[name]))
        raise _crowded()

    def add(self, partner: str, window: Window, counts: Mapping[str, int]) -> None:
        """See the port."""
        if not counts:
            return
        sums = [f"{_COUNT}{name} = if_not_exists({_COUNT}{name}, :zero) + :{name}" for name in counts]
        values: dict[str, Value] = {**counts, "zero": 0, "ttl": _ttl(window)}
        self._table.change(_key(partner, window.name), f"SET {', '.join(sums)}, ttl = :ttl", **values)  # type: ignore[arg-type]

    def counts(self, partner: str, window: Window) -> dict[str, int]:
        """See the port."""
        item = self._table.get(_key(partner, window.name)) or {}
        return {name.removeprefix(_COUNT): number(value) for name, value in item.items() if name not in _OWN}

    def enter(self, partner: str, holder: str, *, most: int, seconds: float) -> bool:
        """See the port."""

        def entered(slots: Slots) -> Slots | None:
            return None if len(slots) >= most else {**slots, holder: self._ends(seconds)}

        return self._changed(partner, entered)

    def stay(self, partner: str, holder: str, *, seconds: float) -> None:
        """See the port."""
        self._changed(partner, lambda slots: {**slots, holder: self._ends(seconds)})

    def leave(self, partner: str, holder: str) -> None:
        """See the port."""
        self._changed(partner, lambda slots: {one: ends for one, ends in slots.items() if one != holder})

    def _changed(self, partner: str, change: Callable[[Slots], Slots | None]) -> bool:
        key = _key(partner, "slots")
        item = self._table.get(key)
        for _ in range(ROUNDS):
            now = micros(self._clock())
            new = change({holder: ends for holder, ends in _slots(item).items() if ends > now})
            if new is None:
                return False
            written = " ".join(f"{ends}@{holder}" for holder, ends in new.items())
            if item is None:
                outcome = self._table.change(key, "SET slots = :new", when="attribute_not_exists(pk)", new=written)
            else:
                outcome = self._table.change(
                    key, "SET slots = :new", when="slots = :old", new=written, old=text(item["slots"])
                )
            if outcome.won:
                return True
            item = outcome.item
        raise _crowded()

    def _ends(self, seconds: float) -> int:
        return micros(self._clock() + timedelta(seconds=seconds))


def _key(partner: str, record: str) -> Key:
    return Key(f"usage#{partner}", record)


def _ttl(window: Window) -> int:
    return int(window.kept_until.timestamp()) + 1


def _slots(item: Item | None) -> Slots:
    written = "" if item is None else text(item["slots"])
    found = (one.partition("@") for one in written.split())
    return {holder: int(ends) for ends, _, holder in found}


def _crowded() -> Busy:
    return Busy("Too many questions of one partner begin at this moment.", "Ask again in a second.")
