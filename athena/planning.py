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
class Plan:
    """What answers a question: safe to run, on these heads, known by this fingerprint."""

    entitled: Entitled
    heads: Mapping[str, Head]
    row_limit: int
    fingerprint: str

    def job(self, *, timeout_seconds: float, partner: str | None = None) -> Job:
        """The plan as the engine takes it; the attempt's token is the leader's to add."""
        return Job(
            sql=self.entitled.sql,
            output=self.entitled.output,
            pins={name: replace(self.heads[name], changes="") for name in self.entitled.tables},
            guarded=self.entitled.guarded,
            row_limit=self.row_limit,
            token="",
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


def planned(
    lake: "Lake",
    question: Question,
    standing: Standing,
    statement: Statement,
    heads: Mapping[str, Head],
    *,
    today: date,
) -> Plan:
    """The plan; one that was made before from all the same is not made again, unless it is volatile.

    Raises what `entitle` raises, and `Refused` for a limit below 1.
    """
    key = _plan_key(question, standing, heads, today)
    plan = lake.plans.recall(key, lambda: _made(lake, question, standing, statement, heads, today))
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
    plan = lake.plans.known(_plan_key(question, standing, heads, today))
    return None if plan is None or plan.entitled.volatile else plan


def _plan_key(question: Question, standing: Standing, heads: Mapping[str, Head], today: date) -> Hashable:
    values = typed_text(question.parameters)
    return standing.digest, tuple(heads.values()), question.sql, values, _row_limit(question, standing), today


def _made(
    lake: "Lake",
    question: Question,
    standing: Standing,
    statement: Statement,
    heads: Mapping[str, Head],
    today: date,
) -> Plan:
    row_limit = _row_limit(question, standing)
    entitled = _entitled(lake, question, standing, statement, heads, today)
    versions = {name: _last_change(lake, entitled, heads[name]) for name in entitled.tables}
    key = fingerprint(entitled, versions, row_limit=row_limit, engine_version=lake.engine.version)
    return Plan(entitled, heads, row_limit, key)


def _entitled(
    lake: "Lake",
    question: Question,
    standing: Standing,
    statement: Statement,
    heads: Mapping[str, Head],
    today: date,
) -> Entitled:
    """The statement on what may be seen, checked by the engine; new rows do not change it, new columns do."""

    def made() -> Entitled:
        with effort(lake.settings.statement_seconds):
            entitled = entitle(
                statement,
                standing.grant,
                heads,
                lake=lake.settings.name,
                parameters=question.parameters,
                today=today,
                salt=lake.salt,
            )
            lake.engine.check(Plan(entitled, heads, 0, "").job(timeout_seconds=0))
        return entitled

    columns = tuple((name, head.columns) for name, head in heads.items())
    key = (standing.digest, columns, question.sql, typed_text(question.parameters), today)
    return lake.entitlements.recall(key, made)


def _last_change(lake: "Lake", entitled: Entitled, head: Head) -> str:
    """The data version that last changed a row of the table which the statement accepts."""
    readings = [one for one in entitled.readings if one.dataset == head.dataset]
    if not all(one.conditions for one in readings):
        return head.data_version
    fields = {column.name: column.field_id for column in head.columns if column.field_id is not None}
    return last_change(lake.changes(head), readings, fields)


def _row_limit(question: Question, standing: Standing) -> int:
    if question.limit is None:
        return standing.most_rows
    if question.limit < 1:
        raise Refused(f"limit is {question.limit}.", "Ask for at least one row.", code="limit-invalid")
    return min(question.limit, standing.most_rows)
