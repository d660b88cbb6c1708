"""Which part of a table was last changed by which commit: what decides whether an old answer is still exact. Pure.

A *region* is a box around the rows of data files that commits have added or removed: per column the least and the
greatest value, and whether there are NULLs. When no region that changed since holds a row that a question accepts, the
question's answer is what it was. Regions are few whatever the number of commits; `etl/changes.py` writes them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from athena.conditions import Reading, holds


@dataclass(frozen=True, slots=True)
class Span:
    """What the rows of a region have in one column. A bound is None where there is none to be told; dates are days,
    instants microseconds, decimals their unscaled value; those of texts may be shortened (outwards)."""

    low: Any = None
    high: Any = None
    nulls: bool = True
    values: bool = True


@dataclass(frozen=True, slots=True)
class Region:
    """`version` is the data version of the last commit that changed something inside; `spans` are by field id, and a
    column that is not there may hold anything. `weight`: by how many files; `partition`: theirs, if it is one."""

    version: str
    spans: Mapping[int, Span]
    weight: int = 1
    partition: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """The regions of a table at one data version, the last changed first. `floor` stands for all that was before."""

    version: str
    floor: str
    regions: tuple[Region, ...] = field(default=())


def last_change(changes: Changes, readings: Sequence[Reading], fields: Mapping[str, int]) -> str:
    """The data version of the last commit that may have changed rows which one of `readings` accepts.

    `fields` are the field ids of the table's columns.

    >>> from athena.conditions import Condition
    >>> january, june = (Region(str(day), {1: Span(day, day, nulls=False)}) for day in (15, 170))
    >>> reading = Reading("t", (Condition("day", "<", ((31, 31),)),))
    >>> last_change(Changes("170", "0", (june, january)), [reading], {"day": 1})
    '15'
    """
    placed = [[(fields[one.column], one) for one in reading.conditions if one.column in fields] for reading in readings]
    for region in changes.regions:
        spans = region.spans
        for conditions in placed:
            if all(number not in spans or holds(condition, spans[number]) for number, condition in conditions):
                return region.version
    return changes.floor


def unknown(version: str) -> Changes:
    """Anything may have changed with this data version."""
    return Changes(version, version)


def written(changes: Changes) -> str:
    """The changes as text, for `read_changes`."""
    regions = [
        [one.version, one.weight, one.partition, {number: _packed(span) for number, span in one.spans.items()}]
        for one in changes.regions
    ]
    return json.dumps([_FORM, changes.version, changes.floor, regions], separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=256)
def read_changes(text: str, version: str) -> Changes | None:
    """The changes of a table at data version `version`; None when the text is of another one, or of nothing.

    >>> told = Changes("9", "1", (Region("9", {1: Span(2, 7, nulls=False), 2: Span(values=False)}, 3, "p"),))
    >>> read_changes(written(told), "9") == told
    True
    >>> read_changes(written(told), "10")
    """
    try:
        form, told, floor, regions = json.loads(text)
        known = form == _FORM and told == version
        return Changes(told, floor, tuple(_region(*one) for one in regions)) if known else None
    except (ValueError, TypeError):
        return None  # of another form


_FORM = 2


def _packed(span: Span) -> list[Any]:
    if not span.values:
        return []
    return [span.low, span.high, 1] if span.nulls else [span.low, span.high]


def _region(version: str, weight: int, partition: str, spans: dict[str, list[Any]]) -> Region:
    return Region(version, _Packed(spans), weight, partition)


class _Packed(Mapping[int, Span]):
    """The spans of a region, made one by one when they are looked at: a decision needs few of hundreds."""

    __slots__ = ("_packed",)

    def __init__(self, packed: dict[str, list[Any]]) -> None:
        self._packed = packed

    def __getitem__(self, number: int) -> Span:
        return _span(self._packed[str(number)])

    def __contains__(self, number: object) -> bool:
        return str(number) in self._packed

    def __iter__(self) -> Iterator[int]:
        return map(int, self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _span(packed: list[Any]) -> Span:
    if not packed:
        return Span(values=False)
    return Span(packed[0], packed[1], nulls=len(packed) > 2)
