"""A whole answer as Parquet on AWS: one UNLOAD for all who want it, led and joined as questions are.

known parts ─▶ still there? ─▶ parts          running ─▶ wait ─▶ parts | not yet
nothing, or lost ─▶ may it be repeated? ─▶ admit ─▶ lead | join ─▶ wait
"""

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from athena.admission import admitted, withdraw
from athena.answers import result_of
from athena.engines import Job
from athena.errors import Gone
from athena.failures import explained
from athena.flight import abandon, begun_at, depart, landed, new_leader, take_over
from athena.flights import Flight, Flights
from athena.forms import unavailable
from athena.handles import Handle
from athena.planning import standing_of
from athena.question import Caller, Receipt, State
from athena.records import encode
from athena.results.parts import Parts, of_page
from athena.tower import run_of

if TYPE_CHECKING:
    from athena.lake import Lake

# The statement itself succeeded before: what fails now is what UNLOAD cannot write, each time anew.
_UNWRITABLE = frozenset(["cast-failed", "query-unsupported", "snapshot-gone"])


def unload(lake: "Lake", caller: Caller, answer_id: str, *, seconds: float) -> Parts | None:
    """The Parquet files of an answer, as soon as they are written; None when that takes longer than `seconds`: ask
    again. Raises like `page`, and `Refused` (`format-unavailable`) with why this answer has none.
    """
    handle, receipt = result_of(lake, caller, answer_id)
    flights = lake.tower.alone if handle.alone else lake.flights
    key = _key(receipt)
    known = _sound(lake, flights, flights.get(key))
    if known is None or known.state not in (State.RUNNING, State.SUCCEEDED):
        _check_repeatable(handle, known)
        known = _begun(lake, caller, flights, key, handle, receipt)
    if known.state is State.RUNNING:
        known = _waited(lake, flights, known, seconds) or known
    if known.state is State.FAILED:
        _check_repeatable(handle, known)
        raise explained(known.error_code)
    return of_page(known.page) if known.state is State.SUCCEEDED and known.page is not None else None


def leave(lake: "Lake", caller: Caller, answer_id: str) -> None:
    """Who waited for the files does so no more: the engine stops unless somebody else does."""
    handle, receipt = result_of(lake, caller, answer_id)
    flights = lake.tower.alone if handle.alone else lake.flights
    known = flights.get(_key(receipt))
    over = known is None or known.state.final
    if known is not None and not over and flights.leave(known.fingerprint, known.attempt, handle.asker) == 0:
        abandon(lake, flights, known)


def _key(receipt: Receipt) -> str:
    return hashlib.sha256(f"parquet {receipt.result_id}".encode()).hexdigest()


def _sound(lake: "Lake", flights: Flights, known: Flight | None) -> Flight | None:
    """The flight, unless its files are gone: then it is lost, and nobody's."""
    if known is None or known.state is not State.SUCCEEDED or known.page is None or lake.parts is None:
        return known
    try:
        lake.parts.check(of_page(known.page))
    except Gone:
        flights.lose(known.fingerprint, known.attempt)
        return None
    return known


def _check_repeatable(handle: Handle, known: Flight | None) -> None:
    if handle.cache == "bypass":
        raise unavailable("This answer is not kept for others, and another run may give other rows")
    if known is not None and known.error_code in _UNWRITABLE:
        raise unavailable("Athena cannot unload one of its columns (such as instants finer than a millisecond)")


def _begun(lake: "Lake", caller: Caller, flights: Flights, key: str, handle: Handle, receipt: Receipt) -> Flight:
    """The run, led by this process or joined."""
    job = _job(lake, caller, receipt)
    lake.tower.check_room()
    admission = admitted(lake, standing_of(lake, caller).grant, job, holder=new_leader(lake))
    try:
        flight = flights.lead(
            key,
            leader=admission.holder,
            lease_seconds=lake.settings.flight_lease_seconds,
            asker=handle.asker,
            work=encode(admission.job),
        )
    except BaseException:
        withdraw(lake, admission)
        raise
    if flight.leader == admission.holder:
        depart(lake, flights, flight)
    else:
        withdraw(lake, admission)
    return flight


def _job(lake: "Lake", caller: Caller, receipt: Receipt) -> Job:
    if lake.whole is None:
        raise unavailable("This lake does not write whole answers anew")
    begun, seconds = begun_at(lake.clock()), lake.settings.query_timeout_seconds
    return replace(lake.whole(receipt), token=begun, timeout_seconds=seconds, partner=caller.partner)


def _waited(lake: "Lake", flights: Flights, flight: Flight, seconds: float) -> Flight | None:
    """The flight once it has landed, or as it is when time is up; one whose leader died is taken over."""
    run = run_of(flight, alone=flights is lake.tower.alone)
    if flight.lease_expires_at <= lake.clock():
        take_over(lake, flights, run)
    done = threading.Event()
    take_off = lake.tower.park(run, done.set, lambda runs: landed(lake, runs))
    try:
        if not _is_over(flights, flight):
            done.wait(seconds)
    finally:
        take_off()
    return flights.get(flight.fingerprint, flight.attempt)


def _is_over(flights: Flights, flight: Flight) -> bool:
    now = flights.get(flight.fingerprint, flight.attempt)
    return now is None or now.state.final
