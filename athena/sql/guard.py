"""A dataset as a subquery that yields the granted rows and columns alone. Pure.

Where something in the statement may fail, a WHERE is not enough: engines run the caller's casts on rows that it
hides, and fold its conditions by the smallest and largest hidden value. There the columns come through ::

    CASE WHEN <rows> THEN column WHEN rand() < 0 THEN NULL END

The second branch is never taken: no row is left for it. But it makes the column one that no engine may move a
predicate through.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from athena.policy import Policy, Shown
from athena.sql.sources import Leaf
from athena.trino.text import write

_RAW, _GUARDED = "r", "g"


def guarded(leaf: Leaf, policy: Policy, *, lake: str, may_fail: bool) -> exp.Subquery:
    """The subquery to put in the place of `leaf.table`, under the alias `leaf.alias`."""
    shown = {name: policy.columns[name] for name in leaf.types if name in leaf.used}
    if policy.rows is None or not may_fail:
        query = _filtered(leaf, shown, policy.rows, lake)
    else:
        query = _fenced(leaf, shown, policy.rows, lake)
    return exp.Subquery(this=query, alias=exp.TableAlias(this=_name(leaf.alias)))


def _filtered(leaf: Leaf, shown: dict[str, Shown], rows: exp.Expr | None, lake: str) -> exp.Select:
    columns = [_as(_of(each.node, _RAW), name) for name, each in shown.items()]
    query = _select(columns, _physical(leaf.dataset, lake))
    conditions = [*([_of(rows, _RAW)] if rows is not None else []), *_filters(leaf, shown)]
    if conditions:
        query.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
    return query


def _fenced(leaf: Leaf, shown: dict[str, Shown], rows: exp.Expr, lake: str) -> exp.Select:
    names = sorted({node.name for each in shown.values() for node in each.node.find_all(exp.Column)})
    inner_names = {name: f"i{place}" for place, name in enumerate(names, 1)}
    columns = [_as(exp.column(_name(name), _name(_RAW)), inner) for name, inner in inner_names.items()]
    inner = _select([*columns, _as(_of(rows, _RAW), "i0")], _physical(leaf.dataset, lake))
    filters = _filters(leaf, shown)
    if filters:
        inner.set("where", exp.Where(this=exp.and_(*filters, copy=False)))
    outer = [_as(_case(each, inner_names), name) for name, each in shown.items()]
    query = _select(outer, exp.Subquery(this=inner, alias=exp.TableAlias(this=_name(_GUARDED))))
    query.set("where", exp.Where(this=_allowed()))
    return query


def _filters(leaf: Leaf, shown: dict[str, Shown]) -> list[exp.Expr]:
    """The caller's conditions to copy: once each."""
    return list({write(each): _of(each, _RAW) for each in plain_filters(leaf, shown)}.values())


def plain_filters(leaf: Leaf, shown: Mapping[str, Shown]) -> list[exp.Expr]:
    """The caller's conditions on the dataset's own values: none on a masked column, which means its mask."""
    return [each for each in leaf.filters if all(shown[column.name].is_plain for column in each.find_all(exp.Column))]


def _case(shown: Shown, inner_names: dict[str, str]) -> exp.Case:
    value = _of(shown.node, _GUARDED, inner_names)
    never = exp.LT(this=exp.Anonymous(this="rand"), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=_allowed(), true=value), exp.If(this=never, true=exp.Null())])


def _allowed() -> exp.Column:
    return exp.column(_name("i0"), _name(_GUARDED))


def _select(columns: Sequence[exp.Expr], source: exp.Expr) -> exp.Select:
    # A count needs rows and no column.
    return exp.Select(expressions=list(columns) or [_as(exp.Literal.number(1), "i0")], from_=exp.From(this=source))


def _physical(dataset: str, lake: str) -> exp.Table:
    return exp.Table(this=_name(dataset), db=_name(lake), alias=exp.TableAlias(this=_name(_RAW)))


def _of(node: exp.Expr, alias: str, names: dict[str, str] | None = None) -> exp.Expr:
    """A copy of `node` with its columns read from `alias`."""
    holder = exp.Paren(this=node.copy())
    for column in list(holder.find_all(exp.Column)):
        name = names[column.name] if names else column.name
        column.replace(exp.column(_name(name), _name(alias)))
    return holder if isinstance(node, exp.Connector) else holder.this


def _as(node: exp.Expr, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=_name(name))


def _name(text: str) -> exp.Identifier:
    return exp.to_identifier(text, quoted=True)
