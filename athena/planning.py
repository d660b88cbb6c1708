"""A question → what may be run for it, and under which key: grant, parse, entitle, pin, fingerprint."""

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from athena.changes import last_change
from athena.engines import Job
from athena.entitlement import Entitled, entitle, not_found
from athena.errors import Refused
from athena.fingerprint import fingerprint
from athena.grants import Grant
from athena.handles import OWNER_DIGEST
from athena.heads import Head
from athena.heads.past import heads_as_of
from athena.parameters import typed_text
from athena.question import Caller, Question
from athena.sql.effort import effort
from athena.statement import Statement, parse

if TYPE_CHECKING:
    from athena.lake import Lake

# The owner's own limit: what one result file can sensibly hold.
OWNER_ROWS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller may see at this moment; `grant` is None for the owner alone."""

    caller: Caller
    grant: Grant | None
    digest: str
    most_rows: int


@dataclass(frozen=True, slots=True)
class Given:
    """All that a plan is made of: the same makes the same, unless it is volatile. `today` (UTC) is current_date."""

    question: Question
    standing: Standing
    heads: Mapping[str, Head]
    today: date

    @property
    def row_limit(self) -> int:
        """How many rows the answer may have; raises `Refused` (`limit-invalid`) for a limit below 1."""
        asked, most = self.question.limit, self.standing.most_rows
        if asked is not None and asked < 1:
            raise Refused(f"limit is {asked}.", "Ask for at least one row.", code="limit-invalid")
        return most if asked is None else min(asked, most)

    @property
    def plan_key(self) -> Hashable:
        """What tells it from all others."""
        return self._key(tuple(self.heads.values()), self.row_limit)

    @property
    def entitled_key(self) -> Hashable:
        """What tells its entitled statement from all others: new rows do not change it, new columns do."""
        return self._key(tuple((name, head.columns) for name, head in self.heads.items()))

    def _key(self, *more: Hashable) -> Hashable:
        return self.standing.digest, self.question.sql, typed_text(self.question.parameters), self.today, *more


@dataclass(frozen=True, slots=True)
class Plan:
    """What answers a question: safe to run, on these heads, known by this fingerprint."""

    entitled: Entitled
    heads: Mapping[str, Head]
    row_limit: int
    fingerprint: str

    def job(self, *, timeout_seconds: float, partner: str | None = None, begun: str = "") -> Job:
        """The plan as the engine takes it; the leader makes the attempt's token of `begun`."""
        return Job(
            sql=self.entitled.sql,
            output=self.entitled.output,
            pins={name: replace(self.heads[name], changes="") for name in self.entitled.tables},
            guarded=self.entitled.guarded,
            row_limit=self.row_limit,
            token=begun,
            timeout_seconds=timeout_seconds,
            partner=partner,
        )


def standing_of(lake: "Lake", caller: Caller) -> Standing:
    """The caller's grant as it is now; raises `NotFound` for a partner without one."""
    if caller.partner is None:
        return Standing(caller, None, OWNER_DIGEST, OWNER_ROWS)
    grant = lake.grants.get(caller.partner)
    if grant is None:
        raise not_found()
    return Standing(caller, grant, grant.digest, grant.limits.result_rows)


def parsed(lake: "Lake", text: str) -> Statement:
    """The statement; a text that was parsed before is not parsed again. Knows no policy."""

    def made() -> Statement:
        with effort(lake.settings.statement_seconds):
            return parse(text, lake=lake.settings.name)

    return lake.statements.recall(text, made)


def pinned(lake: "Lake", statement: Statement, question: Question) -> dict[str, Head]:
    """The heads of those of its tables that exist, as they are now or as of then."""
    if question.as_of is not None:
        if not question.caller.is_owner:
            raise Refused("Only the owner may ask for older states.", "Leave as_of out.", code="as-of-invalid")
        histories = {name: lake.history(name) for name in statement.tables}
        return heads_as_of({name: history for name, history in histories.items() if history}, question.as_of)
    return lake.heads_of(statement.tables)


def planned(lake: "Lake", given: Given, statement: Statement) -> Plan:
    """The plan; one that was made before from all the same is not made again, unless it is volatile.

    Raises what `entitle` raises, and `Refused` for a limit below 1.
    """
    plan = lake.plans.recall(given.plan_key, lambda: _made(lake, given, statement))
    if plan.entitled.volatile:
        return replace(plan, fingerprint=hashlib.sha256(lake.random_bytes(32)).hexdigest())
    return plan


def remembered(lake: "Lake", question: Question, standing: Standing, *, today: date) -> Plan | None:
    """The plan that `planned` would give, if this process has made it before; look-ups by key and nothing else."""
    statement = lake.statements.known(question.sql)
    if statement is None or question.as_of is not None:
        return None
    published = lake.heads.some(statement.tables)
    heads = {name: published[name] for name in statement.tables if name in published}
    if len(heads) < len(statement.tables) or any(head.intent is not None for head in heads.values()):
        return None
    plan = lake.plans.known(Given(question, standing, heads, today).plan_key)
    return None if plan is None or plan.entitled.volatile else plan


def _made(lake: "Lake", given: Given, statement: Statement) -> Plan:
    entitled, heads = _entitled(lake, given, statement), given.heads
    versions = {name: _last_change(lake, entitled, heads[name]) for name in entitled.tables}
    key = fingerprint(entitled, versions, row_limit=given.row_limit, engine_version=lake.engine.version)
    return Plan(entitled, heads, given.row_limit, key)


def _entitled(lake: "Lake", given: Given, statement: Statement) -> Entitled:
    """The statement on what may be seen, checked by the engine."""

    def made() -> Entitled:
        with effort(lake.settings.statement_seconds):
            entitled = entitle(
                statement,
                given.standing.grant,
                given.heads,
                lake=lake.settings.name,
                parameters=given.question.parameters,
                today=given.today,
                salt=lake.salt,
            )
            lake.engine.check(Plan(entitled, given.heads, 0, "").job(timeout_seconds=0))
        return entitled

    return lake.entitlements.recall(given.entitled_key, made)


def _last_change(lake: "Lake", entitled: Entitled, head: Head) -> str:
    """The data version that last changed a row of the table which the statement accepts."""
    readings = [one for one in entitled.readings if one.dataset == head.dataset]
    if not all(one.conditions for one in readings):
        return head.data_version
    fields = {column.name: column.field_id for column in head.columns if column.field_id is not None}
    return last_change(lake.changes(head), readings, fields)
