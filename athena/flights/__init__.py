"""The port of flights: one record per (fingerprint, attempt) says whether an answer exists, is under way, or is to
be made. The highest attempt is the current one; older ones stay for the pages of answers that were given from them.

absent ──lead──▶ RUNNING ──finish──▶ SUCCEEDED (the cache entry)
                    │ ▲
       lease ends   │ └─ lead by a follower: same attempt, same execution, new leader
                    ├──fail────▶ FAILED      (never served to a new question: lead begins attempt + 1)
                    └──cancel──▶ CANCELLED
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from athena.question import Page, Receipt, State


@dataclass(frozen=True, slots=True)
class Flight:
    """One run of one fingerprint. (`attempt`, `leader`) is the fence: a late finisher has an older pair.

    `work` is what the leader runs, in the words of `athena/flight.py`, so that a successor needs nobody's question.
    """

    fingerprint: str
    attempt: int
    state: State
    leader: str
    lease_expires_at: datetime
    execution: str | None = None
    work: bytes | None = None
    receipt: Receipt | None = None
    page: Page | None = None
    error_code: str | None = None
    expires_at: datetime | None = None


class Flights(Protocol):
    """Every method is one look-up or one conditional write by key. Expired records count as absent.

    All raise `Failed` or `Damaged` when the store cannot be used: the question then runs alone.
    """

    def get(self, fingerprint: str, attempt: int | None = None) -> Flight | None:
        """The current record, or that of `attempt`, whatever its state."""
        ...

    def standing(self, fingerprints: Sequence[str]) -> tuple[Flight, ...]:
        """The current records of many at once, without work, receipt and page: what a poll needs."""
        ...

    def lead(
        self, fingerprint: str, *, leader: str, lease_seconds: float, asker: str, work: bytes, anew: int | None = None
    ) -> Flight:
        """Try to lead. The caller leads if the result's `leader` is its own; else the result is what to join, or,
        when it SUCCEEDED, to use. Unless it is used, `asker` counts among those who wait, in the same write.

        Takes over a RUNNING flight whose lease ended (same attempt, execution and work); begins a new attempt when
        there is none, the last one failed, was cancelled or expired, or is the SUCCEEDED attempt `anew` that
        must not be used (refresh, or its result is gone).
        """
        ...

    def take_over(self, fingerprint: str, attempt: int, *, leader: str, lease_seconds: float) -> Flight | None:
        """Lead an attempt that is RUNNING without a living leader; None when there is nothing to take over."""
        ...

    def beat(self, flight: Flight, *, lease_seconds: float) -> bool:
        """Prolong the lease; False when it was lost or everybody who asked has left (then try to cancel).
        With `lease_seconds` 0 the lease ends now, for a successor."""
        ...

    def note(self, flight: Flight, execution: str) -> None:
        """Record the engine's id for this attempt, so that a successor adopts it."""
        ...

    def finish(self, flight: Flight, receipt: Receipt, page: Page, *, expires_at: datetime) -> bool:
        """Store the answer; False (and no effect) when another leader or attempt has taken over."""
        ...

    def fail(self, flight: Flight, error_code: str, *, state: State = State.FAILED) -> bool:
        """End the attempt without an answer; False when it is no longer the caller's, or when `state` is
        CANCELLED and somebody still waits for it."""
        ...

    def lose(self, fingerprint: str, attempt: int) -> None:
        """The result of an answer is gone: it counts as expired from now on, and who asks next begins anew."""
        ...

    def leave(self, fingerprint: str, attempt: int, asker: str) -> int:
        """Take `asker` off the count, once; how many are left. The asker's own answer is CANCELLED from now on."""
        ...

    def has_left(self, fingerprint: str, attempt: int, asker: str) -> bool:
        """Whether this asker cancelled."""
        ...
