"""The port of flights: one record per fingerprint says whether an answer exists, is under way, or is to be made.

absent ──lead──▶ RUNNING ──finish──▶ SUCCEEDED (the cache entry)
                    │ ▲
       lease ends   │ └─ lead by a follower: same attempt, same execution, new leader
                    ├──fail────▶ FAILED      (never served to a new question: lead begins attempt + 1)
                    └──cancel──▶ CANCELLED
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from athena.question import Page, Receipt, State


@dataclass(frozen=True, slots=True)
class Flight:
    """One run of one fingerprint. (`attempt`, `leader`) is the fence: a late finisher has an older pair."""

    fingerprint: str
    attempt: int
    state: State
    leader: str
    lease_expires_at: datetime
    execution: str | None = None
    receipt: Receipt | None = None
    page: Page | None = None
    error_code: str | None = None
    expires_at: datetime | None = None


class Flights(Protocol):
    """Every method is one look-up or one conditional write by key. Expired records count as absent."""

    def get(self, fingerprint: str) -> Flight | None:
        """The record, whatever its state."""
        ...

    def lead(self, fingerprint: str, *, leader: str, lease_seconds: float, anew: bool = False) -> Flight:
        """Try to lead. The caller leads if the result's `leader` is its own; else the result is what to join.

        Takes over a RUNNING flight whose lease ended (same attempt and execution); begins a new attempt when
        there is none, the last one failed, was cancelled or expired, or `anew` says that a SUCCEEDED one
        must not be used (refresh, or its result is gone).
        """
        ...

    def beat(self, flight: Flight, *, lease_seconds: float) -> bool:
        """Prolong the lease; False when it was lost or everybody who asked has left (then stop the engine)."""
        ...

    def note(self, flight: Flight, execution: str) -> None:
        """Record the engine's id for this attempt, so that a successor adopts it."""
        ...

    def finish(self, flight: Flight, receipt: Receipt, page: Page, *, expires_at: datetime) -> bool:
        """Store the answer; False (and no effect) when another leader or attempt has taken over."""
        ...

    def fail(self, flight: Flight, error_code: str, *, state: State = State.FAILED) -> bool:
        """End the attempt without an answer; False when it is no longer the caller's."""
        ...

    def join(self, fingerprint: str, attempt: int, asker: str) -> None:
        """Count `asker` (an answer's id) among those who wait for this attempt."""
        ...

    def leave(self, fingerprint: str, attempt: int, asker: str) -> int:
        """Take `asker` off the count, once; how many are left. The asker's own answer is CANCELLED from now on."""
        ...

    def has_left(self, fingerprint: str, attempt: int, asker: str) -> bool:
        """Whether this asker cancelled."""
        ...
