"""Measuring in turns: A B A B …, because the machine's speed drifts while it is measured."""

from collections.abc import Callable, Mapping
from statistics import median

Measure = Callable[[], float]


def in_turn(measures: Mapping[str, Measure], *, rounds: int) -> dict[str, list[float]]:
    """What each measure gave in each round, after one round that does not count."""
    for measure in measures.values():
        measure()
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios, pair by pair.

    >>> ratio([2.0, 4.0, 9.0], [1.0, 2.0, 3.0])
    2.0
    """
    return median(our / their for our, their in zip(ours, theirs, strict=True))


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed.

    >>> quantile([3.0, 1.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
