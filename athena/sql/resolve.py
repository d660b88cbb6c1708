"""Names → what they mean: every column with its source, every source with an alias of our own. Pure.

The caller's names survive only as the names of the answer's columns: aliases become t1, t2 …, columns of derived
tables c1, c2 …, WITH items w1, w2 …. So nothing that the caller chose can capture a name of a policy, and two
statements that differ in their aliases alone are one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from sqlglot import exp

from athena.dataset import DataType
from athena.errors import LakegateError
from athena.sql.effort import spend
from athena.sql.from_clause import read_from
from athena.sql.grouping import check_groups, check_no_aggregate, check_places
from athena.sql.judge import judge
from athena.sql.kinds import is_aggregate, mark
from athena.sql.lambdas import rename_parameters
from athena.sql.scopes import cte_of
from athena.sql.sources import Field, Found, Leaf, Origin, Scope, renamed, size, unsupported

Types = Mapping[str, DataType | None]
# What stars, columns of USING and aliases in ORDER BY may add to a statement, in nodes: each WITH item that joins the
# one before it with itself has twice as many columns, so that 300 bytes can mean a million.
MAX_GROWN = 5_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """`leaves` are the places where datasets are read, `output` the names of the answer's columns, all different;
    `may_fail` says whether some row could make the statement fail."""

    leaves: tuple[Leaf, ...]
    output: tuple[str, ...]
    may_fail: bool


def resolve(tree: exp.Query, types: Callable[[str], Types], absent: Callable[[str], LakegateError]) -> Resolved:
    """Resolve `tree` in place. `types` gives the columns to be seen of a dataset, or raises.

    A name that means nothing raises `absent(name)`, one that means two things `SqlRefused`.
    """
    # Before anything gets a new name.
    items = {id(table): cte_of(table) for table in tree.find_all(exp.Table)}
    work = Work(types, absent, items)
    fields = work.query(tree, None, top=True)
    output = _unique([item.name or f"_col{place}" for place, item in enumerate(fields)])
    _name_outputs(tree, output)
    for origin, condition in work.filters:
        if all(work.uses[item] == 1 for item in origin.shared):
            origin.leaf.filters.append(condition)
    return Resolved(tuple(work.leaves), output, work.may_fail)


@dataclass(slots=True)
class Work:
    """What one resolution gathers: leaves, conditions to copy, WITH items with their fields and number of uses.

    `references` tells of each table node, by its id, which WITH item it means.
    """

    types: Callable[[str], Types]
    absent: Callable[[str], LakegateError]
    references: Mapping[int, exp.CTE | None]
    leaves: list[Leaf] = field(default_factory=list)
    filters: list[tuple[Origin, exp.Expr]] = field(default_factory=list)
    items: dict[int, tuple[str, list[Field]]] = field(default_factory=dict)
    uses: dict[int, int] = field(default_factory=dict)
    may_fail: bool = False
    _grown: int = 0
    _numbers: dict[str, "count[int]"] = field(default_factory=dict)

    def fresh(self, letter: str) -> str:
        """A name that is not in the statement yet: every name in it is one of these."""
        return f"{letter}{next(self._numbers.setdefault(letter, count(1)))}"

    def grow(self, nodes: int) -> None:
        """Count what the statement gets longer by than its text; raises `SqlRefused` when it is too much."""
        self._grown += nodes
        if self._grown > MAX_GROWN:
            raise unsupported(
                f"Stars and repeated columns that stand for more than {MAX_GROWN} parts are not supported"
            )

    def query(self, node: exp.Expr, outer: Scope | None, *, top: bool = False) -> list[Field]:
        """The fields of a query, resolved in place."""
        spend()
        clause = node.args.get("with_")
        for item in clause.expressions if clause else ():
            self._item(item)
        if isinstance(node, exp.Select):
            return self._select(node, outer, top=top)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            fields = self.query(node.this, outer, top=top)
            self._order_by_output(node, fields)
            cut = node.args.get("limit") or node.args.get("offset")
            return [Field(each.name, each.column, each.type) for each in fields] if cut else fields
        raise unsupported("A table or VALUES here is not supported: write a SELECT from it")

    def expression(self, node: exp.Expr, scope: Scope, *, grouped: bool = False) -> exp.Expr:
        """`node` with its columns and subqueries resolved, in place where it has a parent."""
        return self.rewritten(node, scope, lambda column: self.column(column, scope), grouped=grouped)

    def rewritten(
        self, node: exp.Expr, scope: Scope, find: Callable[[exp.Column], Found], *, grouped: bool = False
    ) -> exp.Expr:
        """The same, with `find` saying what a column means."""
        spend()
        result = node
        rename_parameters(node, self.fresh)
        for each in list(node.walk(prune=lambda inner: isinstance(inner, exp.Query))):
            if isinstance(each, exp.Query):
                fields = self.query(each, scope)
                mark(each, fields[0].type if len(fields) == 1 else None)
            elif isinstance(each, exp.Column):
                meant = find(each).node
                result = meant if each is node else result
                each.replace(meant)
        self.may_fail |= judge(result, grouped=grouped).may_fail
        return result

    def column(self, node: exp.Column, scope: Scope) -> Found:
        """What a column's name means."""
        found = scope.find(node.name.lower(), node.text("table").lower(), in_lake=bool(node.text("db")))
        found = found or self._field(node, scope)
        if found is None or isinstance(node.this, exp.Star):
            raise self.absent(node.name)
        if not isinstance(found.node, exp.Column):
            self.grow(size(found.node))
        return found

    def _field(self, node: exp.Column, scope: Scope) -> Found | None:
        """`r.x` where `r` is no source but a column that may be a row: the columns of datasets are none."""
        row = scope.find(node.table.lower()) if node.table and not node.text("db") else None
        if row is None or row.type is not None or isinstance(node.this, exp.Star):
            return None
        named = exp.to_identifier(node.name.lower(), quoted=True)
        return Found(exp.Dot(this=row.node.copy(), expression=named), node.name.lower(), None)

    def _item(self, item: exp.CTE) -> None:
        fields = renamed(self.query(item.this, None), item.args["alias"].columns)
        name = self.fresh("w")
        self.items[id(item)] = (name, [each.through(id(item)) for each in fields])
        item.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))

    def _set_operation(self, node: exp.SetOperation, outer: Scope | None) -> list[Field]:
        left, right = self.query(node.this, outer), self.query(node.expression, outer)
        if len(left) != len(right):
            raise unsupported(f"{node.key.upper()} of {len(left)} and {len(right)} columns is not supported")
        pairs = list(zip(left, right, strict=True))
        self.may_fail |= any(one.type is None or one.type != other.type for one, other in pairs)
        fields = [Field(one.name, one.column, one.type if one.type == other.type else None) for one, other in pairs]
        self._order_by_output(node, fields)
        return fields

    def _order_by_output(self, node: exp.Expr, fields: list[Field]) -> None:
        order = node.args.get("order")
        for item in order.expressions if order else ():
            if isinstance(item.this, exp.Column) and not item.this.table:
                places = [place for place, each in enumerate(fields, 1) if each.name == item.this.name.lower()]
                item.set("this", exp.Literal.number(_one(places, item.this.name, self.absent)))
            elif not _is_number(item.this):
                raise unsupported("ORDER BY of a set operation takes column names and numbers only")
        check_places(order, len(fields), "ORDER BY")

    def _select(self, node: exp.Select, outer: Scope | None, *, top: bool) -> list[Field]:
        scope = Scope(outer)
        read_from(node, scope, self)
        for part in ("group", "having"):
            if node.args.get(part) is not None:
                self.expression(node.args[part], scope, grouped=top and part == "having")
        outputs = self._outputs(node, scope, top=top)
        for window in node.args.get("windows") or ():
            self.expression(window, scope)
        self._order(node, scope, outputs, top=top)
        self._check(node, scope, outputs)
        plain = _is_plain(node)
        return [
            Field(each.name or None, f"c{place}", each.type, each.origin if plain else None)
            for place, each in enumerate(outputs, 1)
        ]

    def _check(self, node: exp.Select, scope: Scope, outputs: list[Found]) -> None:
        group, order = node.args.get("group"), node.args.get("order")
        check_places(group, len(outputs), "GROUP BY")
        check_places(order, len(outputs), "ORDER BY")
        if group is not None:
            check_no_aggregate(group, "GROUP BY")
        check_groups(node, [each.node for each in outputs], scope.name_of)

    def _outputs(self, node: exp.Select, scope: Scope, *, top: bool) -> list[Found]:
        outputs: list[Found] = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                source, in_lake = item.text("table").lower(), bool(item.text("db"))
                self.grow(scope.width(source, in_lake=in_lake))
                outputs.extend(scope.stars(source, in_lake=in_lake) or _raise(self.absent(source or "*")))
            else:
                outputs.append(self._output(item, scope, top=top))
        # No copies: the leaves below are known by their nodes.
        names = [exp.to_identifier(f"c{place}", quoted=True) for place, _ in enumerate(outputs, 1)]
        pairs = zip(outputs, names, strict=True)
        node.set("expressions", [exp.Alias(this=each.node, alias=name) for each, name in pairs])
        return outputs

    def _output(self, item: exp.Expr, scope: Scope, *, top: bool) -> Found:
        # (A window's `alias` is the name of its WINDOW clause.)
        inner, alias = (item.this, item.alias.lower()) if isinstance(item, exp.Alias) else (item, "")
        if isinstance(inner, exp.Column):
            found = self.column(inner, scope)
            return Found(found.node, alias or found.name, found.type, found.origin)
        name = alias or (inner.expression.name.lower() if isinstance(inner, exp.Dot) else "")
        meant = self.expression(inner, scope, grouped=top)
        return Found(meant, name, judge(meant).type)

    def _order(self, node: exp.Select, scope: Scope, outputs: list[Found], *, top: bool) -> None:
        """Athena's rule: in ORDER BY a bare name means a column of the answer first, a column of a source second."""
        named = {each.name: each for each in outputs if each.name}

        def find(column: exp.Column) -> Found:
            own = None if column.table else named.get(column.name.lower())
            if own is None:
                return self.column(column, scope)
            if own.node.find(exp.Query):
                raise unsupported(f"A subquery's alias ({column.name!r}) inside of an ORDER BY expression")
            self.grow(size(own.node))
            return Found(exp.paren(own.node), own.name, own.type)

        order = node.args.get("order")
        for item in order.expressions if order else ():
            name = item.this.name.lower() if isinstance(item.this, exp.Column) and not item.this.table else ""
            if name in named:
                places = [place for place, each in enumerate(outputs, 1) if each.name == name]
                same = all(outputs[place - 1].node == named[name].node for place in places)
                item.set("this", exp.Literal.number(places[0] if same else _one(places, name, self.absent)))
            elif not _is_number(item.this):
                self.rewritten(item, scope, find, grouped=top)


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_int


def _one(places: list[int], name: str, absent: Callable[[str], LakegateError]) -> int:
    if not places:
        raise absent(name)
    if len(places) > 1:
        raise unsupported(f"{name!r} in ORDER BY is ambiguous")
    return places[0]


def _raise(error: LakegateError) -> list[Found]:
    raise error


def _is_plain(node: exp.Select) -> bool:
    """Whether a condition on the result is the same condition on the rows that it is made of."""
    if any(node.args.get(part) for part in ("group", "having", "distinct", "limit", "offset", "windows")):
        return False
    inner = (each for item in node.expressions for each in item.walk(prune=lambda each: isinstance(each, exp.Query)))
    return not any(isinstance(each, exp.Window) or is_aggregate(each) for each in inner)


def _unique(names: list[str]) -> tuple[str, ...]:
    """The names with a number behind those that were there before.

    >>> _unique(["a", "a", "a_2", "a"])
    ('a', 'a_3', 'a_2', 'a_4')
    """
    given, taken, result = set(names), set[str](), list[str]()
    numbers: dict[str, count[int]] = {}
    for name in names:
        free = name
        while free in taken or (free != name and free in given):
            free = f"{name}_{next(numbers.setdefault(name, count(2)))}"
        taken.add(free)
        result.append(free)
    return tuple(result)


def _name_outputs(tree: exp.Expr, output: tuple[str, ...]) -> None:
    node = tree
    while not isinstance(node, exp.Select):
        node = node.this
    for item, name in zip(node.expressions, output, strict=True):
        item.set("alias", exp.to_identifier(name, quoted=True))
