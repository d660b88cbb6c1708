"""What may be done with a flight's record as it stands. Pure; every store decides by it."""

from datetime import datetime
from typing import Literal

from athena.flights import Flight
from athena.question import State

Step = Literal["begin", "take over", "join", "use"]


def next_step(current: Flight | None, now: datetime, *, anew: int | None) -> Step:
    """What `Flights.lead` has to do: begin a new attempt, take over a dead leader's, join, or use the answer.

    >>> next_step(None, datetime.min, anew=None)
    'begin'
    """
    if current is None or current.state in (State.FAILED, State.CANCELLED) or expired(current, now):
        return "begin"
    if current.state is State.SUCCEEDED:
        return "begin" if anew == current.attempt else "use"
    return "take over" if current.lease_expires_at <= now else "join"


def expired(flight: Flight, now: datetime) -> bool:
    """Counts as absent, although the record is still there."""
    return flight.expires_at is not None and flight.expires_at <= now
