"""The read story, one function: question → answer. What comes after it is in `answers.py`.

caller → grant → parse → entitle → pin → fingerprint → hit | join | lead → page
"""

from collections.abc import Mapping
from datetime import datetime

from athena.answers import CsvPage, JsonPage, answered, cancel, csv, look, on_done, page, result_file, wait
from athena.errors import Damaged, Failed
from athena.flight import depart, new_leader
from athena.flights import Flight, Flights
from athena.handles import Handle
from athena.heads import Head
from athena.lake import Lake
from athena.planning import Plan, Standing, parsed, pinned, planned, standing_of
from athena.question import Answer, CacheOutcome, Question, State
from athena.records import encode

__all__ = ["CsvPage", "JsonPage", "ask", "cancel", "csv", "look", "on_done", "page", "result_file", "wait"]


def ask(lake: Lake, question: Question) -> Answer:
    """The answer when there is one, else where its run stands; never waits for the engine.

    Raises `Refused` (syntax, limits, parameters), `NotFound` (denied, absent, hidden), `Busy`.
    """
    asked_at = lake.clock()
    standing = standing_of(lake, question.caller)
    statement = parsed(lake, question.sql)
    heads = pinned(lake, statement)
    plan = planned(lake, question, standing, statement, heads, today=asked_at.date())
    asked = _Asked(lake, standing, plan, asked_at)
    try:
        known = lake.flights.get(plan.fingerprint)
        if question.cache == "use" and known is not None and _usable(lake, known, plan.heads):
            return asked.answer(known, "hit")
        return asked.boarded(lake.flights, known)
    except (Failed, Damaged) as error:
        if error.code not in ("state-unavailable", "state-damaged"):
            raise
        return asked.boarded(lake.tower.alone, None)


class _Asked:
    """One asking of one plan."""

    def __init__(self, lake: Lake, standing: Standing, plan: Plan, asked_at: datetime) -> None:
        self._lake, self._standing, self._plan, self._asked_at = lake, standing, plan, asked_at
        self._asker = lake.random_bytes(8).hex()

    def boarded(self, flights: Flights, known: Flight | None) -> Answer:
        """Lead or join; what `known` holds is not used again."""
        lake, plan = self._lake, self._plan
        lake.tower.check_room()
        leader = new_leader(lake)
        flight = flights.lead(
            plan.fingerprint,
            leader=leader,
            lease_seconds=lake.settings.flight_lease_seconds,
            asker=self._asker,
            work=encode(plan.job(timeout_seconds=lake.settings.query_timeout_seconds)),
            anew=known.attempt if known is not None and known.state is State.SUCCEEDED else None,
        )
        alone = flights is lake.tower.alone
        if flight.leader == leader:
            depart(lake, flights, flight)
            return self.answer(flight, "bypass" if alone or plan.entitled.volatile else "miss", alone=alone)
        return self.answer(flight, "hit" if flight.state is State.SUCCEEDED else "joined", alone=alone)

    def answer(self, flight: Flight, cache: CacheOutcome, *, alone: bool = False) -> Answer:
        """The answer as it stands, under an id of its own."""
        handle = Handle(
            fingerprint=flight.fingerprint,
            attempt=flight.attempt,
            grant_digest=self._standing.digest,
            submitted_at=self._asked_at,
            cache=cache,
            asker=self._asker,
            alone=alone,
        )
        return answered(self._lake, self._standing.caller, handle, flight)


def _usable(lake: Lake, flight: Flight, heads: Mapping[str, Head]) -> bool:
    """Whether a flight's answer is there whole, and was computed on the rows that the heads hold now."""
    receipt = flight.receipt
    if flight.state is not State.SUCCEEDED or receipt is None or flight.page is None:
        return False
    fresh = all(heads[name].data_version == seen.data_version for name, seen in receipt.snapshots.items())
    return fresh and lake.results.holds(receipt)
