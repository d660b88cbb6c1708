"""Counting lines and records, so that nothing falls under the table. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of physical lines and records. Tallies add up."""

    lines_in: int = 0
    lines_loaded: int = 0
    lines_rejected: int = 0
    lines_skipped: Mapping[str, int] = field(default_factory=dict)
    rows_loaded: int = 0
    rows_rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows_in(self) -> int:
        """Every record, loaded or rejected."""
        return self.rows_loaded + self.rows_rejected

    @property
    def rejected_share(self) -> float:
        """Rejected records among all, 0 to 1; 0 for a file without records."""
        return self.rows_rejected / self.rows_in if self.rows_in else 0.0

    def too_many(self, name: str, max_rejected: float) -> str:
        """What is said of a file with more bad records than its contract allows; the most frequent reason first.

        >>> Tally(rows_loaded=2, rows_rejected=6, reasons={"field-count": 1, "not-a-date": 5}).too_many("t/a.csv", 0.1)
        '6 of 8 records of t/a.csv are bad (5 not-a-date, 1 field-count), more than max_rejected = 0.1 allows.'
        """
        by_count = sorted(self.reasons.items(), key=lambda one: (-one[1], one[0]))
        faults = ", ".join(f"{count} {reason}" for reason, count in by_count)
        counts = f"{self.rows_rejected} of {self.rows_in} records of {name} are bad ({faults})"
        return f"{counts}, more than max_rejected = {max_rejected:g} allows."

    @property
    def balances(self) -> bool:
        """Whether every line is accounted for, once.

        >>> Tally(lines_in=3, lines_loaded=1, lines_rejected=1, lines_skipped={"header": 1}).balances
        True
        """
        return self.lines_in == self.lines_loaded + self.lines_rejected + sum(self.lines_skipped.values())

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.lines_in + other.lines_in,
            self.lines_loaded + other.lines_loaded,
            self.lines_rejected + other.lines_rejected,
            dict(Counter(self.lines_skipped) + Counter(other.lines_skipped)),
            self.rows_loaded + other.rows_loaded,
            self.rows_rejected + other.rows_rejected,
            dict(Counter(self.reasons) + Counter(other.reasons)),
        )
