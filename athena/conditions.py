"""What a statement asks of the rows it reads, as values: column, operator, literals. Pure.

Semantics are Trino's: a comparison with NULL is not true, NaN compares false (and `<>` true), -0.0 equals 0.0, texts
are ordered by their UTF-8 bytes (which is the order of code points). Where a comparison converts one side, the literal
is a range wide enough for any rounding: a condition may accept too much, never too little.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

Operator = Literal["=", "<>", "<", "<=", ">", ">=", "prefix", "is null", "is not null"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A row is accepted when its column fits one of `ranges` (least and greatest value that the literal may be taken
    for; none at all for NULL). For `prefix` both ends are the text that the column begins with."""

    column: str
    operator: Operator
    ranges: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where a statement reads a dataset: only rows that satisfy all `conditions` matter to it."""

    dataset: str
    conditions: tuple[Condition, ...] = ()


def by_months(condition: Condition, type_name: str) -> Condition | None:
    """The same for whole months, None where it is on no day or instant: what a hidden row's place in a commit may
    decide for a partner (see `docs/decisions/0130-freshness-and-hidden-rows.md`).

    >>> by_months(Condition("day", ">=", ((19, 19),)), "date")
    Condition(column='day', operator='>=', ranges=((0, 31),))
    """
    unit = _UNITS.get(type_name)
    if unit is None or condition.operator not in ("=", "<", "<=", ">", ">=") or not condition.ranges:
        return None
    try:
        ranges = tuple(
            (_month(low // unit, 0) * unit, _month(high // unit, 1) * unit) for low, high in condition.ranges
        )
    except (ValueError, OverflowError):
        return None
    return Condition(condition.column, condition.operator, ranges)


_UNITS = {"date": 1, "timestamp": 86_400_000_000, "timestamptz": 86_400_000_000}
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def _month(day: int, further: int) -> int:
    """The first day of its month, or of the following one."""
    months = (found := date.fromordinal(day + _EPOCH_DAY)).year * 12 + found.month - 1 + further
    return date(months // 12, months % 12 + 1, 1).toordinal() - _EPOCH_DAY


class Bounds(Protocol):
    """See `athena/changes.py`."""

    @property
    def low(self) -> Any: ...

    @property
    def high(self) -> Any: ...

    @property
    def nulls(self) -> bool: ...

    @property
    def values(self) -> bool: ...


def holds(condition: Condition, span: Bounds) -> bool:
    """Whether some value within `span` may satisfy the condition.

    >>> from athena.changes import Span
    >>> [holds(Condition("n", operator, ((5, 5),)), Span(6, 9)) for operator in ("=", "<", ">=")]
    [False, False, True]
    >>> holds(Condition("n", "=", ()), Span(6, 9)), holds(Condition("n", "is null"), Span(6, 9, nulls=False))
    (False, False)
    """
    if condition.operator == "is null":
        return span.nulls
    if not span.values:
        return False
    if condition.operator == "is not null":
        return True
    fits = _FITS[condition.operator]
    low, high = span.low, span.high
    return any(fits(low, high, least, greatest) for least, greatest in condition.ranges)


def _equal(low: Any, high: Any, least: Any, greatest: Any) -> bool:
    return (low is None or low <= greatest) and (high is None or high >= least)


def _unequal(low: Any, high: Any, least: Any, greatest: Any) -> bool:
    # A shortened text is never both bounds at once: the greatest one is then made greater than what it begins with.
    return low is None or not (low == high == least == greatest)


def _prefix(low: Any, high: Any, least: Any, greatest: Any) -> bool:
    return (low is None or low[: len(least)] <= least) and (high is None or high >= least)


_FITS: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "=": _equal,
    "<>": _unequal,
    "<": lambda low, high, least, greatest: low is None or low < greatest,
    "<=": lambda low, high, least, greatest: low is None or low <= greatest,
    ">": lambda low, high, least, greatest: high is None or high > least,
    ">=": lambda low, high, least, greatest: high is None or high >= least,
    "prefix": _prefix,
}
