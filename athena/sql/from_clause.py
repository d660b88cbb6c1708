"""FROM, JOIN and WHERE of one SELECT → its scope. Pure; part of `athena/sql/resolve.py`."""

from typing import TYPE_CHECKING

from sqlglot import exp

from athena.dataset import DataType
from athena.sql.filters import note_filters
from athena.sql.grouping import check_no_aggregate
from athena.sql.judge import judge
from athena.sql.kinds import FLAG
from athena.sql.sources import Field, Found, Leaf, Origin, Scope, Source, renamed, size, unsupported

if TYPE_CHECKING:
    from athena.sql.resolve import Work


def read_from(node: exp.Select, scope: Scope, work: "Work") -> None:
    """Fill `scope` with the sources of `node`, resolved in place, and resolve its WHERE."""
    from_ = node.args.get("from_")
    if from_ is not None:
        _open_brackets(node)
        _add(from_.this, scope, work)
        _joins(node, scope, work)
    where = node.args.get("where")
    if where is not None:
        work.expression(where, scope)
        check_no_aggregate(where, "WHERE")
        note_filters(where.this, scope.sources, lambda *found: work.filters.append(found))


def _open_brackets(node: exp.Select) -> None:
    """Joins are read from the left: brackets around the first of them mean nothing."""
    from_ = node.args["from_"]
    first = _without_brackets(from_.this)
    while _is_join(first):
        inner = first.this
        node.set("joins", [*inner.args["joins"], *(node.args.get("joins") or ())])
        inner.set("joins", None)
        first.replace(inner)
        first = _without_brackets(inner)


def _add(node: exp.Expr, scope: Scope, work: "Work") -> None:
    node = _without_brackets(node)
    if _is_join(node):
        raise unsupported("A join in brackets on the right of a join is not supported: write it as a subquery")
    source = _source(node, scope, work)
    if source.name and any(each.name == source.name for each in scope.sources):
        raise unsupported(f"The name {source.name!r} stands twice in FROM: give one of the two an alias")
    scope.sources.append(source)


def _is_join(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.Subquery) and bool(node.this.args.get("joins")) and not isinstance(node.this, exp.Select)
    )


def _without_brackets(node: exp.Expr) -> exp.Expr:
    """The item of FROM itself: brackets around one table mean nothing."""
    while isinstance(node, exp.Subquery) and isinstance(node.this, exp.Subquery | exp.Table) and not _is_join(node):
        inner, alias = node.this, node.args.get("alias")
        if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Query) and not inner.args.get("alias"):
            break
        if alias and inner.args.get("alias"):
            raise unsupported("Two aliases on one table are not supported")
        if alias:
            inner.set("alias", alias)
        joins = node.args.get("joins")
        if joins:
            inner.set("joins", joins)
        node.replace(inner)
        node = inner
    if _is_join(node) and node.args.get("alias"):
        raise unsupported("An alias on a join in brackets is not supported")
    return node


def _source(node: exp.Expr, scope: Scope, work: "Work") -> Source:
    given, alias = node.args.get("alias"), work.fresh("t")
    name = node.alias.lower() or (node.name.lower() if isinstance(node, exp.Table) else "")
    columns: list[exp.Expr] = list(given.columns) if given else []
    is_dataset = False
    if isinstance(node, exp.Table):
        item = work.references[id(node)]
        is_dataset = item is None and not node.alias
        fields = _leaf(node, alias, work) if item is None else _item(node, item, work)
    elif isinstance(node, exp.Unnest):
        # (sqlglot takes the last name for the ordinality; True means that there was none to take.)
        columns = [*columns, *([node.args["offset"]] if node.args.get("offset") else [])]
        if not all(isinstance(column, exp.Identifier) for column in columns):
            raise unsupported("WITH ORDINALITY needs two names: write UNNEST(…) WITH ORDINALITY AS t(item, place)")
        fields = _unnest(node, columns, scope, work)
    elif isinstance(node, exp.Values):
        fields = _values(node, scope, work)
    elif isinstance(node, exp.Subquery):
        fields = work.query(node, scope.outer)
    elif isinstance(node, exp.Lateral):
        # Sees the sources before it. Nothing is copied into it: it is asked once for each of their rows.
        fields = [Field(each.name, each.column, each.type) for each in work.query(node.this, scope)]
    else:
        raise unsupported(f"{node.key.upper()} in FROM is not supported")
    fields = renamed(fields, columns)
    _set_alias(node, alias, fields)
    return Source(name, alias, fields, is_dataset=is_dataset)


def _set_alias(node: exp.Expr, alias: str, fields: list[Field]) -> None:
    listed = [exp.to_identifier(each.column, quoted=True) for each in fields]
    if isinstance(node, exp.Unnest) and node.args.get("offset"):
        node.set("offset", listed.pop())
    # Only these have no names of their own; a SELECT's columns are named inside of it.
    columns = listed if isinstance(node, exp.Unnest | exp.Values) else None
    node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=columns))


def _leaf(node: exp.Table, alias: str, work: "Work") -> list[Field]:
    types = dict(work.types(node.name.lower()))
    leaf = Leaf(node, node.name.lower(), alias, types)
    work.leaves.append(leaf)
    return [Field(name, name, kind, Origin(leaf, name)) for name, kind in types.items()]


def _item(node: exp.Table, item: exp.CTE, work: "Work") -> list[Field]:
    work.uses[id(item)] = work.uses.get(id(item), 0) + 1
    name, fields = work.items[id(item)]
    node.set("this", exp.to_identifier(name, quoted=True))
    return fields


def _unnest(node: exp.Unnest, columns: list[exp.Expr], scope: Scope, work: "Work") -> list[Field]:
    if not columns:
        raise unsupported("UNNEST needs a name for its column: write UNNEST(…) AS t(item)")
    for each in list(node.expressions):
        work.expression(each, scope)
    work.may_fail = True
    return [Field(None, f"c{place}", None) for place, _ in enumerate(columns, 1)]


def _values(node: exp.Values, scope: Scope, work: "Work") -> list[Field]:
    width = len(_cells(node.expressions[0]))
    kinds: list[set[object]] = [set() for _ in range(width)]
    first: list[DataType | None] = []
    for row in node.expressions:
        cells = _cells(row)
        if len(cells) != width:
            raise unsupported("VALUES with rows of different lengths is not supported")
        judged = [judge(work.expression(cell, Scope(scope.outer))).type for cell in cells]
        first = first or judged
        for kind, seen in zip(judged, kinds, strict=True):
            seen.add(kind)
    work.may_fail |= any(len(seen) > 1 or None in seen for seen in kinds)
    return [
        Field(None, f"c{place}", kind if len(seen) == 1 else None)
        for place, (kind, seen) in enumerate(zip(first, kinds, strict=True), 1)
    ]


def _cells(row: exp.Expr) -> list[exp.Expr]:
    return list(row.expressions) if isinstance(row, exp.Tuple) else [row]


def _joins(node: exp.Expr, scope: Scope, work: "Work") -> None:
    for join in node.args.get("joins") or ():
        before = len(scope.sources)
        _add(join.this, scope, work)
        left, right = scope.sources[:before], scope.sources[before:]
        if join.args.get("using"):
            _using(join, scope, left, right, work)
        elif join.args.get("on") is not None:
            _on(join, scope, left, right, work)
        _mark_optional(join, left, right)


def _on(join: exp.Join, scope: Scope, left: list[Source], right: list[Source], work: "Work") -> None:
    condition = work.expression(join.args["on"], scope)
    check_no_aggregate(condition, "ON")
    work.may_fail |= judge(condition).type != FLAG
    # What an outer join keeps must not be filtered by its ON.
    reached = [*left, *right] if not join.side else right if join.side == "LEFT" else []
    note_filters(condition, reached, lambda *found: work.filters.append(found))


def _mark_optional(join: exp.Join, left: list[Source], right: list[Source]) -> None:
    for side, sources in (("LEFT", right), ("RIGHT", left), ("FULL", [*left, *right])):
        if join.side == side:
            for source in sources:
                source.optional = True


def _using(join: exp.Join, scope: Scope, left: list[Source], right: list[Source], work: "Work") -> None:
    conditions: list[exp.Expr] = []
    for name in (item.name.lower() for item in join.args["using"]):
        one = Scope(None, left, scope.merged).find(name)
        other = Scope(None, right).find(name)
        if one is None or other is None:
            raise work.absent(name)
        work.grow(size(one.node) if name in scope.merged else 0)
        equal = exp.EQ(this=one.node.copy(), expression=other.node.copy())
        work.may_fail |= judge(equal).may_fail
        conditions.append(equal)
        scope.merged[name] = _merged(name, one, other, join.side)
    join.set("using", None)
    join.set("on", exp.and_(*conditions, copy=False))


def _merged(name: str, one: Found, other: Found, side: str) -> Found:
    """The column of USING: the left one where that is never missing, else whichever is there."""
    if side in ("", "LEFT") and one.type == other.type is not None:
        return Found(one.node, name, one.type)
    return Found(
        exp.Coalesce(this=one.node, expressions=[other.node]), name, one.type if one.type == other.type else None
    )
