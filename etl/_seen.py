"""What is known of a column from the values met so far. Pure.

A column keeps the kinds that all of its values have had.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from etl._kinds import (
    COMMA,
    COMMA_GROUPED,
    GROUPED,
    INT,
    LONG,
    LOOKS_TYPED,
    NUMBERS,
    ORDER,
    POINT,
    POINT_GROUPED,
    is_format,
    kinds,
)
from etl._values import MISSING


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one column. `missing` are the spellings of missing values beside empty, `words` those that
    were met. `kinds` is None until a value was met; `values` counts those met until the kinds ran out. `odd` is the
    value after which no kind was left, with its physical line and the kind before; `first` the first value of all."""

    missing: tuple[str, ...] = MISSING
    kinds: frozenset[str] | None = None
    values: int = 0
    words: frozenset[str] = frozenset()
    odd: tuple[str, int, str] | None = None
    first: tuple[str, int] | None = field(default=None, compare=False)

    @property
    def is_text(self) -> bool:
        """Whether no type is left that it could have."""
        return self.kinds is not None and not self.kinds - {LOOKS_TYPED}

    @property
    def likeliest(self) -> str | None:
        """The kind that it has if nothing else comes; None when it is text, unknown or undecided."""
        return likeliest(self.kinds)

    def and_values(self, values: Iterable[tuple[str, int]], count: int) -> "Seen":
        """With distinct values added, each with the line where it was first met; in all they are `count` values."""
        left, words, odd, first = self.kinds, set(self.words), self.odd, self.first
        for value, line in values:
            text = value.strip(" \t")
            if text == "" or text in self.missing:
                words.add(text)
                continue
            before, first = left, first or (text, line)
            left = kinds(text) if left is None else left & kinds(text)
            if before is not None and before - {LOOKS_TYPED} and not left - {LOOKS_TYPED}:
                odd = (text, line, likeliest(before) or "")
            if not left:
                break
        return Seen(self.missing, left, self.values + count, frozenset(words - {""}), odd, first)

    def and_other(self, other: "Seen") -> "Seen":
        """With what another look at other values of the column has found; both began from the same."""
        if self.kinds is None or other.kinds is None:
            left = other.kinds if self.kinds is None else self.kinds
        else:
            left = self.kinds & other.kinds
        odd, first = self.odd or other.odd, self.first or other.first
        return Seen(self.missing, left, self.values + other.values, self.words | other.words, odd, first)

    def without_count(self) -> "Seen":
        """The same kinds with nothing counted, for a further look."""
        return replace(self, values=0)

    def and_block_of(self, kind: str, values: int, *, exact_as_double: bool) -> "Seen":
        """With a block added all of whose values have the kind."""
        if self.kinds is None or not values:
            return self
        return replace(self, kinds=self.kinds & _implied(kind, exact_as_double), values=self.values + values)


def likeliest(found: frozenset[str] | None) -> str | None:
    """The preferred one of some kinds; a date format only when it is the only one, and none where commas may stand
    before decimals as well as before thousands.

    >>> likeliest(kinds("12")), likeliest(kinds("13/04/2026")), likeliest(kinds("03/04/2026"))
    ('int', '%d/%m/%Y', None)
    """
    if found is None or has_two_readings(found):
        return None
    first = next((kind for kind in ORDER if kind in found), None)
    if first is not None:
        return first
    formats = sorted(kind for kind in found if is_format(kind))
    # All in May: the short name of the month.
    same = {form.replace("%B", "%b") for form in formats}
    return formats[-1] if len(same) == 1 else None


def has_two_readings(found: frozenset[str]) -> bool:
    """Whether every value with a comma is like 1,234.

    >>> has_two_readings(kinds("1,234")), has_two_readings(kinds("1,234") & kinds("0,5")), has_two_readings(kinds("5"))
    (True, False, False)
    """
    return {GROUPED, COMMA} <= found and not {INT, LONG} & found


def _implied(kind: str, exact_as_double: bool) -> frozenset[str]:
    """The kinds that every value of a kind has."""
    found = {kind, LOOKS_TYPED}
    if kind == "int":
        found |= NUMBERS
    elif kind == "long":
        found |= NUMBERS - {INT, LONG} if exact_as_double else set()
    elif kind == POINT:
        found.add(POINT_GROUPED)
    elif kind == COMMA:
        found.add(COMMA_GROUPED)
    elif kind == "date":
        found.add("timestamp")
    return frozenset(found)
