"""The port of usage: what each partner has used, counted for all processes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time that is counted as one. Its counts may be forgotten after `kept_until`."""

    name: str
    ends_at: datetime
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `most` of what `name` counts, for one partner in one window."""

    partner: str
    window: Window
    name: str
    most: int


@dataclass(frozen=True, slots=True)
class Taken:
    """How much was given, and how much of the quota is used, that included."""

    given: int
    used: int


class Usage(Protocol):
    """Counts rise in one step; a slot that was not prolonged counts as free. All raise `Failed` or `Damaged`
    when the store cannot be used, and may then have counted.
    """

    def take(self, quota: Quota, *, wanted: int, least: int) -> Taken:
        """Up to `wanted` of what is left; nothing when less than `least` is left. Never beyond the quota."""
        ...

    def add(self, partner: str, window: Window, counts: Mapping[str, int]) -> None:
        """Count, whatever the quota; negative numbers give back."""
        ...

    def counts(self, partner: str, window: Window) -> dict[str, int]:
        """Everything that was counted in a window."""
        ...

    def enter(self, partner: str, holder: str, *, most: int, seconds: float) -> bool:
        """Take one of `most` slots for so long; False when all are held."""
        ...

    def stay(self, partner: str, holder: str, *, seconds: float) -> None:
        """Prolong a slot, or take one beyond all bounds, for what runs already."""
        ...

    def leave(self, partner: str, holder: str) -> None:
        """Free the slot; without effect when there is none."""
        ...
