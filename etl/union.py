"""The union sentence as a pure function: what the table must gain and lose so that it holds what its keys hold.

*The table is the union of the distinct contents that its keys hold, where a key holds the content that was last
loaded from it successfully.* Words: a **unit** is a key, or `key!member`; a **slot** is what rows are kept by: the
content itself, or content and unit where the contract says `same_content = "load"`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Slot:
    """Rows of one content that are in the table. `unit` and `source` are those that brought it; `size_bytes` is that of
    the content, decompressed (0 where it is not known any more)."""

    name: str
    content: str
    interpretation: str
    unit: str
    source: str
    load_id: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """One dataset: which slot each unit holds, and the slots that are in the table."""

    units: Mapping[str, str]
    slots: Mapping[str, Slot]

    def holders(self, slot: str) -> tuple[str, ...]:
        """The units that hold `slot`, sorted."""
        return tuple(sorted(unit for unit, held in self.units.items() if held == slot))

    def orphans(self) -> tuple[str, ...]:
        """Slots that nobody holds any more: their rows have to go."""
        held = set(self.units.values())
        return tuple(sorted(name for name in self.slots if name not in held))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with one content that was read: `status` as in reports; `duplicate_of` names a holder."""

    status: Literal["loaded", "replaced", "duplicate", "unchanged"]
    slot: str
    needs_rows: bool
    duplicate_of: str | None = None


def slot_name(content: str, unit: str, same_content: Literal["skip", "load"]) -> str:
    """The slot of a content that `unit` holds.

    >>> slot_name("c1", "flights/a.csv", "skip"), slot_name("c1", "flights/a.csv", "load")
    ('c1', 'c1 flights/a.csv')
    """
    return content if same_content == "skip" else f"{content} {unit}"


def judge(holdings: Holdings, unit: str, slot: str, *, current: Callable[[str], str]) -> Verdict:
    """What a content in `slot`, read from `unit`, means for the table. `current` gives a source's interpretation now.

    A slot whose interpretation is not the current one of the source that brought it is stale: whoever reads it next
    loads it again.
    """
    there = holdings.slots.get(slot)
    held = holdings.units.get(unit)
    if there is not None and there.interpretation == current(there.source):
        others = [holder for holder in holdings.holders(slot) if holder != unit]
        if held == slot:
            return Verdict("unchanged", slot, needs_rows=False)
        first = there.unit if there.unit in others or not others else others[0]
        return Verdict("duplicate", slot, needs_rows=False, duplicate_of=first)
    return Verdict("loaded" if held is None else "replaced", slot, needs_rows=True)


class Draft:
    """Holdings that change while one commit is thought through; `now` shows them as they have become.

    >>> draft = Draft(Holdings({}, {}))
    >>> draft.hold("flights/a.csv", Slot("c1", "c1", "i", "flights/a.csv", "default", "l1"))
    >>> draft.now.holders("c1")
    ('flights/a.csv',)
    >>> draft.let_go(["flights/a.csv"])
    >>> draft.settled()
    Holdings(units={}, slots={})
    """

    def __init__(self, before: Holdings) -> None:
        self._units, self._slots = dict(before.units), dict(before.slots)
        self.now = Holdings(self._units, self._slots)

    def hold(self, unit: str, slot: Slot) -> None:
        """From now on `unit` holds `slot` (which replaces one of the same name)."""
        self._units[unit], self._slots[slot.name] = slot.name, slot

    def let_go(self, units: Iterable[str]) -> None:
        """From now on `units` hold nothing; their slots stay there until it is settled."""
        for unit in units:
            self._units.pop(unit, None)

    def settled(self) -> Holdings:
        """The holdings without slots that nobody holds."""
        gone = set(self.now.orphans())
        return Holdings(dict(self._units), {name: slot for name, slot in self._slots.items() if name not in gone})
