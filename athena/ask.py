"""The read story, one function: question → answer. What comes after it is in `answers.py`.

caller → grant → parse → entitle → pin → fingerprint → hit | join | lead → page
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from athena.answers import Flow, Sheet, answered, cancel, link, look, on_done, page, result_file, stream, wait
from athena.errors import Damaged, Failed, OutcomeUnknown
from athena.flight import depart, let_go, new_leader
from athena.flights import Flight, Flights
from athena.handles import Handle
from athena.heads import Head
from athena.lake import Lake
from athena.planning import Plan, Standing, parsed, pinned, planned, remembered, standing_of
from athena.question import Answer, CacheOutcome, Question, SnapshotRef, State
from athena.records import encode

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

    Raises `Refused` (syntax, limits, parameters), `NotFound` (denied, absent, hidden), `Busy`.
    """
    asked_at = lake.clock()
    standing = standing_of(lake, question.caller)
    statement = parsed(lake, question.sql)
    heads = pinned(lake, statement, question)
    plan = planned(lake, question, standing, statement, heads, today=asked_at.date())
    asking = _Asking(lake, standing, plan, asked_at, asker=lake.random_bytes(8).hex())
    try:
        return _hit_join_or_lead(asking, lake.flights, anew=question.cache == "refresh")
    except (Failed, Damaged, OutcomeUnknown) as error:
        if error.code not in STORE_AWAY:
            raise
        return _hit_join_or_lead(asking, lake.tower.alone, anew=False)


def at_once(lake: Lake, question: Question) -> Answer | None:
    """The answer of `ask` when this process has seen the question before and its answer is there; None otherwise.

    Grant and heads are those of now, as ever; but nothing is parsed, planned, begun or waited for, so that a server
    may call it where it must not block. Raises `NotFound`.
    """
    asked_at = lake.clock()
    standing = standing_of(lake, question.caller)
    try:
        plan = None if question.cache == "refresh" else remembered(lake, question, standing, today=asked_at.date())
        known = None if plan is None else lake.flights.get(plan.fingerprint)
    except (Failed, Damaged):
        return None
    if plan is None or known is None or not _usable(lake, known, plan.heads):
        return None
    asking = _Asking(lake, standing, plan, asked_at, asker=lake.random_bytes(8).hex())
    return _answer(asking, lake.flights, known, "hit")


@dataclass(frozen=True, slots=True)
class _Asking:
    """One asking of one plan; `asker` tells it from all others."""

    lake: Lake
    standing: Standing
    plan: Plan
    asked_at: datetime
    asker: str


def _hit_join_or_lead(asking: _Asking, flights: Flights, *, anew: bool) -> Answer:
    lake, plan = asking.lake, asking.plan
    known = flights.get(plan.fingerprint)
    if not anew and known is not None and _usable(lake, known, plan.heads):
        return _answer(asking, flights, known, "hit")
    lake.tower.check_room()
    leader = new_leader(lake)
    flight = flights.lead(
        plan.fingerprint,
        leader=leader,
        lease_seconds=lake.settings.flight_lease_seconds,
        asker=asking.asker,
        work=encode(plan.job(timeout_seconds=lake.settings.query_timeout_seconds)),
        anew=known.attempt if known is not None and known.state is State.SUCCEEDED else None,
    )
    if flight.leader == leader:
        depart(lake, flights, flight)
        return _answer(asking, flights, flight, "bypass" if plan.entitled.volatile else "miss")
    return _answer(asking, flights, flight, "hit" if flight.state is State.SUCCEEDED else "joined")


def _usable(lake: Lake, flight: Flight, heads: Mapping[str, Head]) -> bool:
    """Whether a flight's answer is there whole, and was computed on rows that its fingerprint tells of."""
    receipt = flight.receipt
    if flight.state is not State.SUCCEEDED or receipt is None or flight.page is None:
        return False
    if receipt.pinned_anew and any(
        heads[name].data_version != ref.data_version for name, ref in receipt.snapshots.items()
    ):
        return False
    return lake.results.remote or lake.results.holds(receipt)


def _answer(asking: _Asking, flights: Flights, flight: Flight, cache: CacheOutcome) -> Answer:
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
    return answered(asking.lake, asking.standing.caller, handle, flight)


def _seen(plan: Plan, flight: Flight, cache: CacheOutcome) -> tuple[SnapshotRef, ...]:
    """The snapshots that this asker's answer is known to equal, where they are not those that it is computed on."""
    heads = [plan.heads[name] for name in plan.entitled.tables]
    refs = [SnapshotRef(head.snapshot_id, head.committed_at) for head in heads]
    computed = flight.receipt.snapshots if flight.receipt is not None else {}
    known = [SnapshotRef(ref.snapshot_id, ref.committed_at) for _, ref in sorted(computed.items())]
    return () if cache in ("miss", "bypass") or refs == known else tuple(refs)
