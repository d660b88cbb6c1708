"""What commits did to a table → few boxes that still tell which part was changed last. Pure.

A box is put for every data file that a commit adds or removes. When there are more than `MOST_REGIONS`, neighbours
become one: first those of one partition, those that few commits have touched before others. So a box is merged some
`log(commits / MOST_REGIONS)` times in its life, and what lies far from new data keeps its old version.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from athena.changes import Changes, Region, Span

MOST_REGIONS = 64
# Boxes of one commit: a load of thousands of files is told roughly.
MOST_AT_ONCE = 32


def folded(before: Changes | None, version: str, boxes: Sequence[Region], order: Sequence[int]) -> Changes:
    """The changes after a commit that made data version `version` by adding and removing the files in `boxes`.

    `before` is None when what was before is not known; `order` are the field ids by which regions are neighbours.

    >>> def box(version: str, day: int) -> Region:
    ...     return Region(version, {1: Span(day, day, nulls=False)})
    >>> told = folded(Changes("1", "0", (box("1", 7),)), "2", [box("2", 8)], [1])
    >>> [region.version for region in told.regions]
    ['2', '1']
    >>> [region.version for region in folded(told, "3", [box("3", 7)], [1]).regions]
    ['3', '2']
    """
    if before is None:
        return Changes(version, version)
    fresh = _condensed(boxes, MOST_AT_ONCE, order)
    kept: list[Region] = []
    for region in before.regions:
        within = next((place for place, box in enumerate(fresh) if _contains(box, region)), None)
        if within is None:
            kept.append(region)
        else:
            fresh[within] = _heavier(fresh[within], region.weight)
    regions = [*fresh, *kept]
    age = {one: place for place, one in enumerate(dict.fromkeys(region.version for region in regions))}
    merged = _merged(regions, MOST_REGIONS, order, age)
    return Changes(version, before.floor, tuple(sorted(merged, key=lambda region: age[region.version])))


def _heavier(region: Region, more: int) -> Region:
    return Region(region.version, region.spans, region.weight + more, region.partition)


def _condensed(boxes: Sequence[Region], most: int, order: Sequence[int]) -> list[Region]:
    """The boxes of one commit, at most so many: neighbours in equal shares."""
    ordered: list[Region] = []
    for box in sorted(boxes, key=lambda box: _place(box, order)):
        if not ordered or not _contains(ordered[-1], box):  # an added file often stands for a removed one
            ordered.append(box)
    if len(ordered) <= most:
        return ordered
    share = -(-len(ordered) // most)
    return [_united(ordered[start : start + share]) for start in range(0, len(ordered), share)]


def _merged(regions: list[Region], most: int, order: Sequence[int], age: Mapping[str, int]) -> list[Region]:
    ordered = sorted(regions, key=lambda region: _place(region, order))
    while len(ordered) > most:
        place = min(range(len(ordered) - 1), key=lambda at: _cost(ordered[at], ordered[at + 1]))
        pair = sorted(ordered[place : place + 2], key=lambda region: age[region.version])
        ordered[place : place + 2] = [_united(pair)]
    return ordered


def _cost(one: Region, other: Region) -> tuple[bool, int]:
    return one.partition != other.partition, one.weight + other.weight


def _place(region: Region, order: Sequence[int]) -> tuple[Any, ...]:
    lows = (region.spans[number].low if number in region.spans else None for number in order[:3])
    # Kinds that do not compare never meet: a column that changes its type gets another field id.
    first, *rest = [(low is not None, 0 if low is None else low) for low in lows] or [(False, 0)]
    return (first, region.partition, *rest)


def _united(regions: Sequence[Region]) -> Region:
    """One region around several, with the version of the first."""
    shared = set.intersection(*(set(region.spans) for region in regions))
    spans = {
        number: _around([region.spans[number] for region in regions]) for number in regions[0].spans if number in shared
    }
    partitions = {region.partition for region in regions}
    partition = partitions.pop() if len(partitions) == 1 else ""
    return Region(regions[0].version, spans, sum(region.weight for region in regions), partition)


def _around(spans: Iterable[Span]) -> Span:
    every = list(spans)
    filled = [span for span in every if span.values]
    if not filled:
        return Span(values=False)
    lows, highs = [span.low for span in filled], [span.high for span in filled]
    return Span(
        None if None in lows else min(lows),
        None if None in highs else max(highs),
        nulls=any(span.nulls for span in every),
    )


def _contains(outer: Region, inner: Region) -> bool:
    return all(number in inner.spans and _covers(span, inner.spans[number]) for number, span in outer.spans.items())


def _covers(outer: Span, inner: Span) -> bool:
    if inner.nulls and not outer.nulls:
        return False
    if not inner.values:
        return True
    low = outer.low is None or (inner.low is not None and outer.low <= inner.low)
    high = outer.high is None or (inner.high is not None and outer.high >= inner.high)
    return outer.values and low and high
