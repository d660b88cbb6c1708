"""Flying: one process drives the engine for all who ask the same, and hands over when it dies.

leader   lead ─▶ start ─▶ note ─▶ (wait ─▶ beat)… ─▶ finish | fail
others   join ─▶ parked until it has landed; who finds the lease over takes over
"""

import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from athena.engines import Broken, Finished, Job, Progress, Running
from athena.errors import LakegateError
from athena.flights import Flight, Flights
from athena.question import State
from athena.records import decode
from athena.telling import tell_run
from athena.tower import Run, run_of

if TYPE_CHECKING:
    from athena.lake import Lake

# So many chances to beat before the lease ends.
_BEATS_PER_LEASE = 3

CANCELLED = Broken("cancelled")
_log = logging.getLogger(__name__)


def depart(lake: "Lake", flights: Flights, flight: Flight) -> None:
    """Drive a flight that this process leads, in the background."""
    run = run_of(flight, alone=flights is lake.tower.alone)
    lake.tower.depart(run, flight.leader, lambda: _fly(lake, flights, flight))


def take_over(lake: "Lake", flights: Flights, run: Run) -> bool:
    """Become the leader of a run whose leader died; False when it has one (this process among them) or is over."""
    if lake.tower.closing or lake.tower.leads(run):
        return False
    lease_seconds = lake.settings.flight_lease_seconds
    flight = flights.take_over(run.fingerprint, run.attempt, leader=new_leader(lake), lease_seconds=lease_seconds)
    if flight is None:
        return False
    depart(lake, flights, flight)
    return True


def landed(lake: "Lake", runs: Iterable[Run]) -> list[Run]:
    """Those of several runs that are over; takes over those whose leader died on the way."""
    wanted = list(runs)
    over = _over(lake, lake.tower.alone, [run for run in wanted if run.alone])
    # While the store is away, whoever waits will see so for himself.
    with suppress(LakegateError):
        over += _over(lake, lake.flights, [run for run in wanted if not run.alone])
    return over


def _over(lake: "Lake", flights: Flights, runs: list[Run]) -> list[Run]:
    standing = {flight.fingerprint: flight for flight in flights.standing([run.fingerprint for run in runs])}
    over = []
    for run in runs:
        flight = standing.get(run.fingerprint)
        if flight is None or flight.attempt != run.attempt or flight.state.final:
            over.append(run)
        elif flight.lease_expires_at <= lake.clock():
            take_over(lake, flights, run)
    return over


def let_go(lake: "Lake") -> None:
    """End the leases of what this process leads, so that whoever looks next takes over at once.

    For a process that stands still between two requests (a function on AWS). Its own thread goes on when the process
    does, unless another leads by then.
    """
    for run, leader in lake.tower.led():
        if not run.alone:
            with suppress(LakegateError):
                lake.flights.beat(_held(run, leader, lake), lease_seconds=0)


def abandon(lake: "Lake", flights: Flights, flight: Flight) -> None:
    """Stop the engine if nobody waits any more."""
    if flights.fail(flight, "cancelled", state=State.CANCELLED) and flight.execution is not None:
        lake.engine.stop(flight.execution)


def new_leader(lake: "Lake") -> str:
    """A leader's name that nobody else has."""
    return f"{lake.tower.name}/{lake.random_bytes(8).hex()}"


def token_of(fingerprint: str, attempt: int, begun: str = "") -> str:
    """What the engine knows an attempt by: the same for a leader and his successor. `begun` tells it from one of the
    same number whose record is long gone: Athena would answer with that one's execution, ended or lost as it is.

    >>> len(token_of("ab", 1)), token_of("ab", 1, "2026-03-01T08") == token_of("ab", 1)
    (64, False)
    """
    return hashlib.sha256("/".join(filter(None, (fingerprint, str(attempt), begun))).encode()).hexdigest()


def begun_at(now: datetime) -> str:
    """When a run was begun, as its record keeps it: to the hour, so that processes that cannot reach the store, and so
    run alone, still share an execution of Athena's.

    >>> begun_at(datetime(2026, 3, 1, 8, 59))
    '2026-03-01T08'
    """
    return f"{now:%Y-%m-%dT%H}"


def _held(run: Run, leader: str, lake: "Lake") -> Flight:
    return Flight(run.fingerprint, run.attempt, State.RUNNING, leader, lake.clock())


def _fly(lake: "Lake", flights: Flights, flight: Flight) -> bool:
    """Drive it to its end; whether this process is the one that ended it."""
    began_at, job = lake.clock(), None
    try:
        job = decode(Job, flight.work or b"{}")
        progress = _driven(lake, flights, flight, job)
    except LakegateError as error:
        progress = Broken(error.code)
    except Exception:  # noqa: BLE001 - the thread's entry point
        _log.exception("flight %s", flight.fingerprint[:12])
        progress = Broken("engine-failed")
    if job is not None and job.partner is not None:
        lake.meter.exit(job.partner, flight.leader, held=job.slotted)
    try:
        over = _landed(lake, flights, flight, progress)
        # Who cancels a run ends its flight; the log of it is of the process in which the engine stopped.
        if job is not None and (over or progress == CANCELLED):
            tell_run(lake, job, progress, fingerprint=flight.fingerprint, began_at=began_at)
        return over
    except LakegateError as error:
        # The lease ends by itself, and whoever still waits takes over.
        _log.warning("flight %s has landed, but the store was away: %s", flight.fingerprint[:12], error.code)
        return False


def _driven(lake: "Lake", flights: Flights, flight: Flight, work: Job) -> Progress:
    """Where the engine ended; `Running` when this process has nothing to say about it any more."""
    token = token_of(flight.fingerprint, flight.attempt, work.token)
    job = replace(work, token=token, adopt=flight.execution)
    progress = _run(lake, flights, flight, job)
    if progress == Broken("snapshot-gone") and job.pins:
        heads = {name: lake.head(name) or head for name, head in job.pins.items()}
        again = replace(job, pins=heads, token=token_of(job.token, 2), adopt=None)
        progress = _run(lake, flights, flight, again)
        if isinstance(progress, Finished):
            progress = replace(progress, receipt=replace(progress.receipt, pinned_anew=True))
    return progress


def _run(lake: "Lake", flights: Flights, flight: Flight, job: Job) -> Progress:
    lease_seconds = lake.settings.flight_lease_seconds
    execution = lake.engine.start(job)
    flights.note(flight, execution)
    # The first beat sees what happened before the execution was noted: whoever left then could not stop it.
    while not lake.tower.closing and _kept(lake, flights, flight, execution):
        if job.slotted and job.partner is not None:
            lake.meter.stay(job.partner, flight.leader, seconds=lease_seconds)
        progress = lake.engine.wait(execution, seconds=lease_seconds / _BEATS_PER_LEASE)
        if not isinstance(progress, Running):
            return progress
    return Running()


def _kept(lake: "Lake", flights: Flights, flight: Flight, execution: str) -> bool:
    """Whether to go on: the lease is ours and somebody waits."""
    try:
        if flights.beat(flight, lease_seconds=lake.settings.flight_lease_seconds):
            return True
        flights.fail(flight, "cancelled", state=State.CANCELLED)
        now = flights.get(flight.fingerprint, flight.attempt)
        if now is not None and now.state is State.CANCELLED:
            lake.engine.stop(execution)
        return now is not None and now.leader == flight.leader and now.state is State.RUNNING
    except LakegateError:
        return True  # the store may come back before the engine is done


def _landed(lake: "Lake", flights: Flights, flight: Flight, progress: Progress) -> bool:
    if isinstance(progress, Finished):
        expires_at = lake.clock() + timedelta(days=lake.settings.result_days)
        if flights.finish(flight, progress.receipt, progress.page, expires_at=expires_at):
            return True
        _discard_if_orphaned(lake, flights, flight, progress)
    elif isinstance(progress, Running) or lake.tower.closing:
        # Not ours to end: a lease that ends now lets whoever waits elsewhere take over at once.
        flights.beat(flight, lease_seconds=0)
    else:
        return flights.fail(flight, progress.code)
    return False


def _discard_if_orphaned(lake: "Lake", flights: Flights, flight: Flight, finished: Finished) -> None:
    """A late finisher's result is nobody's, unless its heir, having adopted the same execution, has kept it."""
    heir = flights.get(flight.fingerprint, flight.attempt)
    if heir is None or (heir.receipt is not None and heir.receipt.result_id != finished.receipt.result_id):
        lake.results.discard(finished.receipt)
