"""The read story, one function: question → answer. What comes after it is in `answers.py`.

caller → grant → parse → entitle → pin → fingerprint → hit | join | lead → page
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from athena.admission import Admission, admitted, withdraw
from athena.answers import Flow, Sheet, answered, cancel, link, look, on_done, page, result_file, stream, wait
from athena.engines import Job
from athena.errors import Damaged, Failed, LakegateError, NotFound, OutcomeUnknown
from athena.flight import begun_at, depart, let_go, new_leader
from athena.flights import Flight, Flights
from athena.handles import Handle
from athena.heads import Head
from athena.lake import Lake
from athena.meter import UNLIMITED
from athena.planning import Given, Plan, Standing, parsed, pinned, planned, remembered, standing_of
from athena.question import Answer, CacheOutcome, Question, Rate, SnapshotRef, State
from athena.records import encode
from athena.telling import tell_answer, tell_refusal

# The cache's store is away; the question can do without it.
STORE_AWAY = ("state-unavailable", "state-damaged", "outcome-unknown")

__all__ = [
    "Flow",
    "Sheet",
    "ask",
    "at_once",
    "cancel",
    "let_go",
    "link",
    "look",
    "on_done",
    "page",
    "result_file",
    "stream",
    "wait",
]


def ask(lake: Lake, question: Question) -> Answer:
    """The answer when there is one, else where its run stands; never waits for the engine.

    Raises `Refused` (syntax, parameters), `LimitExceeded`, `NotFound` (denied, absent, hidden), `Busy`.
    """
    asked_at, heads = lake.clock(), dict[str, Head]()
    try:
        standing = standing_of(lake, question.caller)
        rate = lake.meter.admit(standing.grant)
        statement = parsed(lake, question.sql)
        heads.update(pinned(lake, statement, question))
        plan = planned(lake, Given(question, standing, heads, asked_at.date()), statement)
        answer = _flown(_Asking(lake, question, standing, plan, asked_at, lake.random_bytes(8).hex(), rate))
    except LakegateError as error:
        tell_refusal(lake, question, error, asked_at=asked_at, tables=tuple(heads))
        raise
    tell_answer(lake, question, answer, asked_at=asked_at, tables=tuple(heads))
    return answer


def at_once(lake: Lake, question: Question, *, most_page_bytes: int = 2**31) -> Answer | None:
    """The answer of `ask` when this process has seen the question before and its answer is there, with a first page
    of so many bytes at most; None otherwise, and then nothing is counted.

    Grant and heads are those of now, as ever; but nothing is parsed, planned, begun or waited for, so that a server
    may call it where it must not block.
    """
    asked_at = lake.clock()
    try:
        standing = standing_of(lake, question.caller)
        plan = None if question.cache == "refresh" else remembered(lake, question, standing, today=asked_at.date())
        known = None if plan is None else lake.flights.get(plan.fingerprint)
    except (NotFound, Failed, Damaged):
        return None
    if plan is None or known is None or known.page is None or len(known.page.fragment) > most_page_bytes:
        return None
    asking = _Asking(lake, question, standing, plan, asked_at, asker=lake.random_bytes(8).hex())
    rate = lake.meter.spare(standing.grant) if _usable(asking, known) else None
    if rate is None:
        return None
    answer = _answer(asking, lake.flights, known, "hit", rate=rate)
    tell_answer(lake, question, answer, asked_at=asked_at, tables=tuple(plan.heads))
    return answer


@dataclass(frozen=True, slots=True)
class _Asking:
    """One asking of one plan; `asker` tells it from all others."""

    lake: Lake
    question: Question
    standing: Standing
    plan: Plan
    asked_at: datetime
    asker: str
    rate: Rate = UNLIMITED


def _flown(asking: _Asking) -> Answer:
    """The answer or its run; without the store's help while that is away."""
    try:
        return _hit_join_or_lead(asking, asking.lake.flights)
    except (Failed, Damaged, OutcomeUnknown) as error:
        if error.code not in STORE_AWAY:
            raise
        return _hit_join_or_lead(asking, asking.lake.tower.alone)


def _hit_join_or_lead(asking: _Asking, flights: Flights) -> Answer:
    lake, plan = asking.lake, asking.plan
    known = flights.get(plan.fingerprint)
    anew = asking.question.cache == "refresh" and flights is lake.flights
    if not anew and known is not None and _usable(asking, known):
        return _answer(asking, flights, known, "hit")
    if known is not None and known.state is State.RUNNING and known.lease_expires_at > lake.clock():
        return _lead(asking, flights, known, None)
    lake.tower.check_room()
    admission = admitted(lake, asking.standing.grant, _job(asking), holder=new_leader(lake))
    try:
        return _lead(asking, flights, known, admission)
    except BaseException:
        withdraw(lake, admission)
        raise


def _lead(asking: _Asking, flights: Flights, known: Flight | None, admission: Admission | None) -> Answer:
    """The answer of whoever leads; without an admission, only to join what is under way."""
    lake, plan = asking.lake, asking.plan
    holder = new_leader(lake) if admission is None else admission.holder
    flight = flights.lead(
        plan.fingerprint,
        leader=holder,
        lease_seconds=lake.settings.flight_lease_seconds,
        asker=asking.asker,
        work=encode(_job(asking) if admission is None else admission.job),
        anew=known.attempt if known is not None and known.state is State.SUCCEEDED else None,
    )
    if flight.leader == holder:
        depart(lake, flights, flight if admission is not None else _admitted_late(asking, flights, flight))
        return _answer(asking, flights, flight, "bypass" if plan.entitled.volatile else "miss")
    if admission is not None:
        withdraw(lake, admission)
    return _answer(asking, flights, flight, "hit" if flight.state is State.SUCCEEDED else "joined")


def _admitted_late(asking: _Asking, flights: Flights, flight: Flight) -> Flight:
    """The flight with its slot, when the run that was to be joined ended in that very instant."""
    lake, job = asking.lake, _job(asking)
    if flight.work != encode(job):
        return flight  # a dead leader's run, which has its slot and its bytes
    try:
        lake.tower.check_room()
        admission = admitted(lake, asking.standing.grant, job, holder=flight.leader)
    except BaseException:
        flights.fail(flight, "busy")
        raise
    return replace(flight, work=encode(admission.job))


def _job(asking: _Asking) -> Job:
    seconds, partner = asking.lake.settings.query_timeout_seconds, asking.standing.caller.partner
    return asking.plan.job(timeout_seconds=seconds, partner=partner, begun=begun_at(asking.asked_at))


def _usable(asking: _Asking, flight: Flight) -> bool:
    """Whether a flight's answer is there whole, was computed on rows that its fingerprint tells of, and is young
    enough for who asks."""
    receipt, most_seconds, heads = flight.receipt, asking.question.max_age_seconds, asking.plan.heads
    if flight.state is not State.SUCCEEDED or receipt is None or flight.page is None:
        return False
    if most_seconds is not None and asking.asked_at - receipt.finished_at > timedelta(seconds=most_seconds):
        return False
    if receipt.pinned_anew and any(
        heads[name].data_version != ref.data_version for name, ref in receipt.snapshots.items()
    ):
        return False
    return asking.lake.results.remote or asking.lake.results.holds(receipt)


def _answer(
    asking: _Asking, flights: Flights, flight: Flight, cache: CacheOutcome, *, rate: Rate | None = None
) -> Answer:
    alone = flights is asking.lake.tower.alone
    handle = Handle(
        fingerprint=flight.fingerprint,
        attempt=flight.attempt,
        grant_digest=asking.standing.digest,
        submitted_at=asking.asked_at,
        cache="bypass" if alone else cache,
        asker=asking.asker,
        alone=alone,
        snapshots=_seen(asking.plan, flight, cache),
    )
    return answered(asking.lake, asking.standing.caller, handle, flight, rate=rate or asking.rate)


def _seen(plan: Plan, flight: Flight, cache: CacheOutcome) -> tuple[SnapshotRef, ...]:
    """The snapshots that this asker's answer is known to equal, where they are not those that it is computed on."""
    heads = [plan.heads[name] for name in plan.entitled.tables]
    refs = [SnapshotRef(head.snapshot_id, head.committed_at) for head in heads]
    computed = flight.receipt.snapshots if flight.receipt is not None else {}
    known = [SnapshotRef(ref.snapshot_id, ref.committed_at) for _, ref in sorted(computed.items())]
    return () if cache in ("miss", "bypass") or refs == known else tuple(refs)
