"""What a partner's grant makes of a statement: the SQL that is safe to run. Pure.

bind → resolve → put each dataset behind its guard → write → read again and compare. Each place where a dataset is
read becomes a subquery that yields the granted rows and columns alone; why it looks as it does is told in
`docs/decisions/0050-guarded-rows.md`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlglot import exp

from athena.conditions import Reading, by_months
from athena.dataset import Column
from athena.errors import Failed, NotFound, SqlRefused
from athena.grants import Grant
from athena.heads import Head
from athena.parameters import Parameters, bind
from athena.policy import GrantProblem, Policy, owner_policy, partner_policy, with_system
from athena.sql.accepted import accepted
from athena.sql.effort import spend
from athena.sql.guard import guarded, plain_filters
from athena.sql.resolve import resolve
from athena.sql.sources import Leaf
from athena.sql.verify import verified
from athena.statement import Statement

MAX_SQL_BYTES = 262_144  # of Athena's QueryString


@dataclass(frozen=True, slots=True)
class Entitled:
    """A statement that shows nothing but what is granted, whatever the engine does with it.

    `sql` is canonical Athena SQL without parameters (they are literals by now), tables written `"lake"."flights"`;
    `tables` are the datasets that it reads; `output` are the names of the answer's columns, all different (`_col0`
    where the caller gave none, `carrier_2` for the second `carrier`); `volatile` means: run it as bypass.
    `guarded` means that rows are hidden and that something in it may fail: the engine must then choose its plan from
    the text alone, not from statistics of hidden rows. `policy` is a digest of what is granted on its tables.
    `readings` say which rows matter in each place where a dataset is read, `columns` which columns of which type and
    field id the answer is made of.
    """

    sql: str
    tables: tuple[str, ...]
    output: tuple[str, ...]
    volatile: bool
    guarded: bool
    policy: str
    readings: tuple[Reading, ...] = ()
    columns: tuple[tuple[str, str, str, int | None], ...] = ()


def entitle(
    statement: Statement,
    grant: Grant | None,
    heads: Mapping[str, Head],
    *,
    lake: str,
    parameters: Parameters,
    today: date,
    salt: str,
) -> Entitled:
    """The statement on what `grant` shows (None is the owner, who sees everything, system columns too).

    `heads` holds the head of every table of `statement.tables` that exists; `today` (UTC) is current_date;
    `salt` is the home's secret for hash masks. The same arguments give the same result, so it may be memoised by
    (grant digest, data versions and schemas of the heads, text, typed_text(parameters), today).

    Raises `NotFound` (to a partner in one fixed text) for a table or column that is absent, denied or hidden,
    `Refused` for wrong parameters, `Failed` with code `grant-invalid` for a grant that does not fit the schema.
    """
    tree = statement.tree.copy()
    bind(tree, statement.placeholders, parameters)
    _fix_today(tree, today)
    policies = {name: _policy(name, grant, heads, salt) for name in statement.tables}
    types = {name: {key: shown.type for key, shown in policies[name].columns.items()} for name in policies}
    absent = unknown if grant is None else (lambda _: not_found())
    resolved = resolve(tree, types.__getitem__, absent)
    may_fail = resolved.may_fail or any(
        policies[leaf.dataset].columns[name].may_fail for leaf in resolved.leaves for name in leaf.used
    )
    for leaf in resolved.leaves:
        spend()
        leaf.table.replace(guarded(leaf, policies[leaf.dataset], lake=lake, may_fail=may_fail))
    known = {name: {each.name: each for each in with_system(heads[name].columns)} for name in policies}
    sql = verified(tree, lake=lake, datasets=[leaf.dataset for leaf in resolved.leaves])
    if len(sql.encode("utf-8")) > MAX_SQL_BYTES:
        raise SqlRefused("The statement is too long once your grant is applied.", "Read fewer columns or tables.")
    return Entitled(
        sql=sql,
        tables=tuple(sorted({leaf.dataset for leaf in resolved.leaves})),
        output=resolved.output,
        volatile=statement.volatile,
        guarded=may_fail and any(policies[leaf.dataset].rows is not None for leaf in resolved.leaves),
        policy=_digest(policies),
        readings=tuple(_reading(leaf, policies[leaf.dataset], known[leaf.dataset]) for leaf in resolved.leaves),
        columns=_used(resolved.leaves, policies, known),
    )


def visible_columns(grant: Grant | None, head: Head) -> tuple[Column, ...]:
    """The columns that the asker may read, in the table's order, with the type that they see (a hash is a string).

    Raises `NotFound` when nothing of the dataset is granted; the owner sees the system columns too.
    """
    policy = _policy(head.dataset, grant, {head.dataset: head}, "")
    known = {each.name: each for each in with_system(head.columns)}
    return tuple(replace(known[name], type=shown.type) for name, shown in policy.columns.items())


def grant_problems(grant: Grant, heads: Mapping[str, Head]) -> tuple[str, ...]:
    """What is wrong with a grant against the datasets that exist; empty when it can be used as it is."""
    problems: list[str] = []
    for name, dataset_grant in grant.datasets.items():
        head = heads.get(name)
        if head is None:
            problems.append(f"[datasets.{name}] there is no such dataset.")
            continue
        try:
            if not partner_policy(dataset_grant, name, head.columns, salt="").columns:
                problems.append(f"[datasets.{name}] grants no column.")
        except GrantProblem as problem:
            problems.append(f"[datasets.{name}] {problem}")
    return tuple(problems)


def not_found() -> NotFound:
    """The one answer for what is denied, absent or hidden."""
    return NotFound(
        "There is no such dataset or column, or it is not yours to see.",
        "List what you may read with GET /v1/datasets, or ask the lake's owner for a grant.",
    )


def unknown(name: str) -> NotFound:
    """The owner's answer to a name that means nothing: nothing is hidden from them."""
    return NotFound(
        f"There is no dataset or column {name!r}.",
        "`lakegate datasets` and `lakegate describe DATASET` list what there is; in Python, datasets().",
    )


def _policy(name: str, grant: Grant | None, heads: Mapping[str, Head], salt: str) -> Policy:
    head = heads.get(name)
    if head is None:
        raise not_found() if grant is not None else unknown(name)
    if grant is None:
        return owner_policy(head.columns)
    if name not in grant.datasets:
        raise not_found()
    try:
        policy = partner_policy(grant.datasets[name], name, head.columns, salt=salt)
    except GrantProblem as problem:
        # What is wrong with it is the owner's to know: it may name hidden columns.
        raise Failed(
            "Your grant cannot be used at the moment.",
            "Ask the lake's owner: `lakegate partner show` tells what is wrong with it.",
            code=problem.code,
        ) from problem
    if not policy.columns:
        raise not_found()
    return policy


def _reading(leaf: Leaf, policy: Policy, columns: Mapping[str, Column]) -> Reading:
    """The rows that matter there: those that the grant shows and the caller's own conditions accept."""
    types = {name: column.type for name, column in columns.items()}
    own = accepted(plain_filters(leaf, policy.columns), types)
    if policy.rows is None:
        return Reading(leaf.dataset, own)
    # By months only: whether an answer is still fresh would tell where the hidden rows of a commit lie.
    coarse = [by_months(each, types[each.column].name) for each in own]
    return Reading(leaf.dataset, (*accepted([policy.rows], types), *(each for each in coarse if each is not None)))


def _used(
    leaves: Sequence[Leaf], policies: Mapping[str, Policy], known: Mapping[str, Mapping[str, Column]]
) -> tuple[tuple[str, str, str, int | None], ...]:
    found = {
        (leaf.dataset, known[leaf.dataset][node.name])
        for leaf in leaves
        for name in leaf.used
        for node in policies[leaf.dataset].columns[name].node.find_all(exp.Column)
    }
    return tuple(sorted({(dataset, one.name, str(one.type), one.field_id) for dataset, one in found}))


def _fix_today(tree: exp.Expr, today: date) -> None:
    for node in list(tree.find_all(exp.CurrentDate)):
        node.replace(exp.Cast(this=exp.Literal.string(today.isoformat()), to=exp.DataType.build("date")))


def _digest(policies: Mapping[str, Policy]) -> str:
    content = "\n".join(f"{name} {policies[name].digest}" for name in sorted(policies))
    return hashlib.sha256(content.encode()).hexdigest()
