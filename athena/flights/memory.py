"""Flights in this process alone: for questions that run while the store cannot be reached, and for tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from athena.flights import Flight
from athena.flights.step import expired, next_step
from athena.lake import Clock
from athena.question import Page, Receipt, State

KEPT = 1000


class MemoryFlights:
    """A dictionary under a lock; the oldest records go when there are more than a thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._flights: dict[str, dict[int, Flight]] = {}
        self._askers: dict[tuple[str, int], dict[str, bool]] = {}  # asker → still waits

    def get(self, fingerprint: str, attempt: int | None = None) -> Flight | None:
        """The current record, or that of `attempt`; None when it is expired."""
        with self._lock:
            flight = self._latest(fingerprint) if attempt is None else self._flights.get(fingerprint, {}).get(attempt)
            return None if flight is None or expired(flight, self._clock()) else flight

    def standing(self, fingerprints: Sequence[str]) -> tuple[Flight, ...]:
        """The current records, without work, receipt and page."""
        found = (self.get(fingerprint) for fingerprint in fingerprints)
        return tuple(replace(flight, work=None, receipt=None, page=None) for flight in found if flight is not None)

    def lead(
        self, fingerprint: str, *, leader: str, lease_seconds: float, asker: str, work: bytes, anew: int | None = None
    ) -> Flight:
        """See the port."""
        with self._lock:
            now, current = self._clock(), self._latest(fingerprint)
            step = next_step(current, now, anew=anew)
            if step == "begin" or current is None:
                attempt = 1 if current is None else current.attempt + 1
                current = Flight(fingerprint, attempt, State.RUNNING, leader, _later(now, lease_seconds), work=work)
            elif step == "take over":
                current = replace(current, leader=leader, lease_expires_at=_later(now, lease_seconds))
            self._flights.setdefault(fingerprint, {})[current.attempt] = current
            if step != "use":
                self._askers.setdefault((fingerprint, current.attempt), {})[asker] = True
            self._trim()
            return current

    def take_over(self, fingerprint: str, attempt: int, *, leader: str, lease_seconds: float) -> Flight | None:
        """See the port."""
        with self._lock:
            now, held = self._clock(), self._flights.get(fingerprint, {}).get(attempt)
            if held is None or next_step(held, now, anew=None) != "take over":
                return None
            self._put(held, leader=leader, lease_expires_at=_later(now, lease_seconds))
            return self._flights[fingerprint][attempt]

    def beat(self, flight: Flight, *, lease_seconds: float) -> bool:
        """See the port."""
        with self._lock:
            if not self._owned(flight) or (lease_seconds and not self._waiting(flight)):
                return False
            self._put(flight, lease_expires_at=_later(self._clock(), lease_seconds))
            return True

    def note(self, flight: Flight, execution: str) -> None:
        """See the port."""
        with self._lock:
            if self._owned(flight):
                self._put(flight, execution=execution)

    def finish(self, flight: Flight, receipt: Receipt, page: Page, *, expires_at: datetime) -> bool:
        """See the port."""
        with self._lock:
            if not self._owned(flight):
                return False
            self._put(flight, state=State.SUCCEEDED, receipt=receipt, page=page, expires_at=expires_at)
            return True

    def fail(self, flight: Flight, error_code: str, *, state: State = State.FAILED) -> bool:
        """See the port."""
        with self._lock:
            if not self._owned(flight) or (state is State.CANCELLED and self._waiting(flight)):
                return False
            self._put(flight, state=state, error_code=error_code)
            return True

    def lose(self, fingerprint: str, attempt: int) -> None:
        """See the port."""
        with self._lock:
            found = self._flights.get(fingerprint, {}).get(attempt)
            if found is not None and found.state is State.SUCCEEDED:
                self._put(found, expires_at=self._clock())

    def leave(self, fingerprint: str, attempt: int, asker: str) -> int:
        """See the port."""
        with self._lock:
            askers = self._askers.setdefault((fingerprint, attempt), {})
            askers[asker] = False
            return sum(askers.values())

    def has_left(self, fingerprint: str, attempt: int, asker: str) -> bool:
        """Whether this asker cancelled."""
        with self._lock:
            return self._askers.get((fingerprint, attempt), {}).get(asker) is False

    def _latest(self, fingerprint: str) -> Flight | None:
        attempts = self._flights.get(fingerprint)
        return attempts[max(attempts)] if attempts else None

    def _owned(self, flight: Flight) -> bool:
        held = self._flights.get(flight.fingerprint, {}).get(flight.attempt)
        return held is not None and held.leader == flight.leader and held.state is State.RUNNING

    def _waiting(self, flight: Flight) -> bool:
        return any(self._askers.get((flight.fingerprint, flight.attempt), {}).values())

    def _put(self, flight: Flight, **changes: object) -> None:
        held = self._flights[flight.fingerprint]
        held[flight.attempt] = replace(held[flight.attempt], **changes)  # type: ignore[arg-type]

    def _trim(self) -> None:
        while len(self._flights) > KEPT:
            oldest = next(iter(self._flights))
            for attempt in self._flights.pop(oldest):
                self._askers.pop((oldest, attempt), None)


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
