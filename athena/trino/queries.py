"""A whole query of Trino → the same on DuckDB: names, stars, joins, set operations and the order of rows.

Trees are changed in place. Every column is written with its relation's alias, so that DuckDB's wider rules (an output
name may be used in WHERE) cannot make a name mean something else.
"""

from collections.abc import Mapping

from sqlglot import exp

from athena.trino import types
from athena.trino.aggregates import ordered, window_of
from athena.trino.build import call
from athena.trino.cast import coerce
from athena.trino.columns import cast_columns
from athena.trino.comparisons import both_sides, common_of
from athena.trino.function import Function, Value
from athena.trino.refusal import mistyped, unsupported
from athena.trino.scope import Field, Relation, Scope, reference
from athena.trino.ties import keep_ties
from athena.trino.types import Type
from athena.trino.unnest import unnest
from athena.trino.values import Rewrite, Translator

Tables = Mapping[str, tuple[tuple[str, Type], ...]]
_REFUSED_PARTS = (
    "laterals",
    "qualify",
    "connect",
    "cluster",
    "distribute",
    "sort",
    "locks",
    "match",
    "into",
    "prewhere",
)


class Queries:
    """Translates queries over `tables` (dataset name → its columns in Trino's types)."""

    def __init__(
        self, tables: Tables, rewrites: Mapping[type[exp.Expr], Rewrite], functions: Mapping[str, list[Function]]
    ) -> None:
        self._tables = tables
        self._rewrites = rewrites
        self._functions = functions
        self._named: list[dict[str, list[Field]]] = []
        self._count = 0

    def top(self, node: exp.Expr) -> tuple[exp.Expr, list[Field]]:
        """The caller's whole query."""
        return self.query(node, None)

    def query(self, node: exp.Expr, outer: Scope | None) -> tuple[exp.Expr, list[Field]]:
        """The query translated in place, and its columns."""
        with_ = node.args.get("with_")
        if with_ is not None:
            self._named.append({})
            for cte in with_.expressions:
                self._define(cte, recursive=bool(with_.args.get("recursive")), outer=outer)
        try:
            if isinstance(node, exp.Select):
                return node, self._select(node, outer)
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, outer)
            if isinstance(node, exp.Subquery):
                return self._parenthesised(node, outer)
            if isinstance(node, exp.Values):
                return self._values(node, outer)
        finally:
            if with_ is not None:
                self._named.pop()
        raise unsupported(node.key.upper(), "Write a SELECT.")

    def _translator(self, scope: Scope) -> Translator:
        def nested(node: exp.Expr, outer: Scope) -> tuple[exp.Expr, list[Field]]:
            return self.query(node, outer)

        return Translator(scope, nested, self._rewrites, self._functions)

    def _define(self, cte: exp.Expr, *, recursive: bool, outer: Scope | None) -> None:
        name, alias = cte.alias.lower(), cte.args["alias"]
        if recursive and isinstance(cte.this, exp.Union):
            raise unsupported("WITH RECURSIVE", "Write the levels out as joins.")
        translated, fields = self.query(cte.this, outer)
        cte.set("this", translated)
        fields = self._renamed(fields, [part.name.lower() for part in alias.columns])
        alias.set("columns", [exp.Identifier(this=field.physical, quoted=True) for field in fields])
        alias.set("this", exp.Identifier(this=name, quoted=True))
        self._named[-1][name] = fields

    def _renamed(self, fields: list[Field], names: list[str]) -> list[Field]:
        """The fields under an alias' column names, each with a name of its own on DuckDB."""
        if names and len(names) != len(fields):
            raise mistyped(f"{len(names)} column names for {len(fields)} columns.", "Name each column once.")
        labels: list[str | None] = list(names) if names else [field.name for field in fields]
        made, seen = [], set()
        for index, (label, field) in enumerate(zip(labels, fields, strict=True)):
            physical = label if label is not None and label not in seen else f"$c{index}"
            seen.add(physical)
            made.append(Field(label, physical, field.type))
        return made

    # SELECT

    def _select(self, node: exp.Select, outer: Scope | None) -> list[Field]:
        for part in _REFUSED_PARTS:
            if node.args.get(part):
                raise unsupported(part.upper(), "Write it in another way.")
        scope = Scope(outer=outer)
        self._from(node, scope)
        translator = self._translator(scope)
        if node.args.get("where") is not None:
            node.args["where"].set("this", translator.boolean(node.args["where"].this))
        for window in node.args.get("windows") or []:
            named = window_of(translator, window)
            named.set("this", window.this)
            window.replace(named)
        sources = [part.copy() for part in node.expressions]
        outputs = self._outputs(node, scope, translator)
        self._group(node, translator)
        if node.args.get("having") is not None:
            node.args["having"].set("this", translator.boolean(node.args["having"].this))
        if node.args.get("distinct") is not None and node.args["distinct"].args.get("on"):
            raise unsupported("DISTINCT ON", "Use row_number() OVER (…) = 1.")
        self._order(node, outputs, translator if not node.args.get("distinct") else None, sources)
        keep_ties(node, [value.node for _, value in outputs])
        _limits(node, translator)
        fields = self._renamed([Field(label, "", value.type) for label, value in outputs], [])
        node.set(
            "expressions",
            [
                exp.Alias(this=value.node, alias=exp.Identifier(this=field.physical, quoted=True))
                for (_, value), field in zip(outputs, fields, strict=True)
            ],
        )
        return fields

    def _outputs(self, node: exp.Select, scope: Scope, translator: Translator) -> list[tuple[str | None, Value]]:
        outputs: list[tuple[str | None, Value]] = []
        for part in node.expressions:
            star = part.this if isinstance(part, exp.Column) else part
            if isinstance(star, exp.Star):
                if star.args.get("except_") or star.args.get("replace") or star.args.get("rename"):
                    raise unsupported("* EXCEPT", "Name the columns that you want.")
                outputs += _expanded(scope, part.table.lower() if isinstance(part, exp.Column) else None)
            elif isinstance(part, exp.Dot) and isinstance(part.expression, exp.Star):
                raise unsupported("row.*", "Name the fields that you want.")
            else:
                inner = part.this if isinstance(part, exp.Alias) else part
                outputs.append((_label(part), translator.value(inner)))
        return outputs

    def _group(self, node: exp.Select, translator: Translator) -> None:
        group = node.args.get("group")
        if group is None:
            return
        if group.args.get("all"):
            raise unsupported("GROUP BY ALL", "Name the columns.")
        for item in list(group.expressions):
            self._grouped(item, translator)
        for key in ("rollup", "cube", "grouping_sets"):
            for item in list(group.args.get(key) or []):
                self._grouped(item, translator)

    def _grouped(self, item: exp.Expr, translator: Translator) -> None:
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            for part in list(item.expressions):
                self._grouped(part, translator)
        elif isinstance(item, exp.Literal) and not item.is_string:
            return
        elif isinstance(item, exp.Paren) and isinstance(item.parent, exp.GroupingSets):
            item.set("this", translator.value(item.this).node)
        else:
            item.replace(translator.value(item).node)

    def _order(
        self,
        node: exp.Expr,
        outputs: list[tuple[str | None, Value]],
        translator: Translator | None,
        sources: list[exp.Expr],
    ) -> None:
        order = node.args.get("order")
        if order is None:
            return
        labels = [label for label, _ in outputs]
        items = []
        for item in order.expressions:
            key = item.this
            if isinstance(key, exp.Literal) and not key.is_string:
                items.append(ordered(item, key))
                continue
            place = _place(key, labels, sources, len(outputs))
            if place is not None:
                items.append(ordered(item, exp.Literal.number(place + 1)))
                continue
            if translator is None:
                raise unsupported("ORDER BY of an expression here", "Select it, or order by a column's number.")
            named = {label: Value(value.node, value.type) for label, value in outputs if label is not None}
            outer = translator.scope.variables
            translator.scope.variables = {**outer, **named}
            try:
                items.append(ordered(item, translator.value(key).node.copy()))
            finally:
                translator.scope.variables = outer
        order.set("expressions", items)

    # FROM

    def _from(self, node: exp.Select, scope: Scope) -> None:
        source = node.args.get("from_")
        if source is None:
            return
        made, relation = self._source(source.this, scope)
        source.set("this", made)
        scope.relations.append(relation)
        nested = made.args.get("joins") if isinstance(made, exp.Table) else None
        if nested:
            raise unsupported("Joins in parentheses", "Write the joins one after the other.")
        for join in node.args.get("joins") or []:
            self._join(join, scope)

    def _join(self, join: exp.Expr, scope: Scope) -> None:
        if join.args.get("method") or str(join.args.get("kind") or "") not in ("", "INNER", "OUTER", "CROSS"):
            raise unsupported(f"{join.args.get('method') or join.args.get('kind')} JOIN", "Use JOIN … ON.")
        lateral = isinstance(join.this, exp.Unnest | exp.Lateral)
        made, relation = self._source(join.this, scope)
        join.set("this", made)
        if any(known.alias == relation.alias for known in scope.relations):
            raise mistyped(f"The alias {relation.alias!r} is used twice.", "Give each table an alias of its own.")
        scope.relations.append(relation)
        if not join.args.get("side") and not join.args.get("on") and not join.args.get("using"):
            join.set("kind", "CROSS")
        if join.args.get("using"):
            _using(join, scope)
        elif join.args.get("on") is not None:
            if lateral and not _is_true(join.args["on"]):
                raise unsupported("UNNEST … ON a condition", "Write ON TRUE and filter in WHERE.")
            join.set("on", self._translator(scope).boolean(join.args["on"]))

    def _source(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, Relation]:
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            return self._table(node)
        if isinstance(node, exp.Unnest):
            made, fields, alias = unnest(
                node,
                self._translator(Scope(scope.relations, scope.outer, {}, scope.merged, scope.hidden)),
                bool(scope.relations),
            )
            return made, Relation(self._alias(made, alias), fields)
        if isinstance(node, exp.Lateral):
            inner = node.this
            translated, found = self.query(inner.this if isinstance(inner, exp.Subquery) else inner, scope)
            node.set("this", exp.Subquery(this=translated))
            return node, self._relation(node, found)
        if isinstance(node, exp.Values):
            translated, found = self._values(node, scope)
            given = node.args.get("alias")
            translated.set("alias", given.copy() if given is not None else None)
            return translated, self._relation(translated, found)
        if isinstance(node, exp.Subquery):
            if isinstance(node.this, exp.Table | exp.Join) or node.args.get("joins"):
                raise unsupported("Joins in parentheses", "Write the joins one after the other.")
            translated, found = self.query(node.this, scope.outer)
            node.set("this", translated)
            return node, self._relation(node, found)
        raise unsupported("This table", "Name a dataset, or write a query in parentheses.")

    def _table(self, node: exp.Table) -> tuple[exp.Expr, Relation]:
        for part in ("sample", "version", "when", "pivots", "hints", "joins", "ordinality"):
            if node.args.get(part):
                raise unsupported(part.upper(), "Name the table alone.")
        name = node.name.lower()
        found = next((level[name] for level in reversed(self._named) if name in level), None) if not node.db else None
        if found is None:
            columns = self._tables.get(name)
            if columns is None:
                raise mistyped(f"There is no table {name!r}.", "Check its name.")
            found = [Field(column, column, kind) for column, kind in columns]
        if not node.args.get("alias"):
            return node, Relation(name, tuple(found))
        return node, self._relation(node, found)

    def _alias(self, node: exp.Expr, wanted: str) -> str:
        if wanted:
            return wanted
        self._count += 1
        alias = node.args.get("alias") or exp.TableAlias()
        alias.set("this", exp.Identifier(this=f"$t{self._count}", quoted=True))
        node.set("alias", alias)
        return f"$t{self._count}"

    def _relation(self, node: exp.Expr, fields: list[Field]) -> Relation:
        alias = node.args.get("alias")
        names = [part.name.lower() for part in alias.columns] if alias is not None else []
        renamed = self._renamed(fields, names)
        if names or any(one.physical != two.physical for one, two in zip(renamed, fields, strict=True)):
            alias = alias or exp.TableAlias()
            alias.set("columns", [exp.Identifier(this=field.physical, quoted=True) for field in renamed])
            node.set("alias", alias)
        wanted = alias.name.lower() if alias is not None and alias.this is not None else ""
        return Relation(self._alias(node, wanted), tuple(renamed))

    # the other forms of a query

    def _parenthesised(self, node: exp.Subquery, outer: Scope | None) -> tuple[exp.Expr, list[Field]]:
        translated, fields = self.query(node.this, outer)
        node.set("this", translated)
        if node.args.get("order") is not None:
            nulls = [(field.name, Value(exp.Null(), field.type)) for field in fields]
            self._order(node, nulls, None, [])
        _limits(node, None)
        return node, fields

    def _set_operation(self, node: exp.SetOperation, outer: Scope | None) -> tuple[exp.Expr, list[Field]]:
        # a long chain of UNION leans to the left: walked without recursion
        chain: list[exp.SetOperation] = [node]
        while isinstance(chain[-1].this, exp.SetOperation) and not chain[-1].this.args.get("with_"):
            chain.append(chain[-1].this)
        translated, fields = self.query(chain[-1].this, outer)
        for part in reversed(chain):
            if part.args.get("by_name") or part.args.get("side"):
                raise unsupported("UNION BY NAME", "Name the columns in one order.")
            right, others = self.query(part.expression, outer)
            if len(fields) != len(others):
                raise mistyped(f"{part.key.upper()} of {len(fields)} and {len(others)} columns.", "Select as many.")
            kinds = [_column_type(one, two, part.key.upper()) for one, two in zip(fields, others, strict=True)]
            part.set("this", _widened(translated, fields, kinds))
            part.set("expression", _widened(right, others, kinds))
            fields = [Field(field.name, field.physical, kind) for field, kind in zip(fields, kinds, strict=True)]
            translated = part
        self._order(node, [(field.name, Value(exp.Null(), field.type)) for field in fields], None, [])
        _limits(node, None)
        return node, fields

    def _values(self, node: exp.Values, outer: Scope | None) -> tuple[exp.Expr, list[Field]]:
        translator = self._translator(Scope(outer=outer))
        rows = [
            [
                translator.value(cell)
                for cell in (
                    line.expressions
                    if isinstance(line, exp.Tuple)
                    else [line.this if isinstance(line, exp.Paren) else line]
                )
            ]
            for line in node.expressions
        ]
        if len({len(cells) for cells in rows}) != 1:
            raise mistyped("The rows of VALUES are of different lengths.", "Give each as many values.")
        kinds = [common_of(list(column), "VALUES") for column in zip(*rows, strict=True)]
        made = [
            exp.Tuple(expressions=[_exactly(cell, kind) for cell, kind in zip(cells, kinds, strict=True)])
            for cells in rows
        ]
        fields = [Field(None, f"col{index}", kind) for index, kind in enumerate(kinds)]
        alias = exp.TableAlias(
            this=exp.Identifier(this="$v", quoted=True),
            columns=[exp.Identifier(this=field.physical, quoted=True) for field in fields],
        )
        select = exp.Select(
            expressions=[reference("$v", field).node for field in fields],
            from_=exp.From(this=exp.Values(expressions=made, alias=alias)),
        )
        return exp.Subquery(this=select), fields


def _exactly(cell: Value, kind: Type) -> exp.Expr:
    from athena.trino.build import to

    node = coerce(cell, kind).node
    simple = kind.name in ("varchar", "boolean", "integer", "double", "unknown")
    return node if simple and not isinstance(node, exp.Null) else (to(node, kind) if kind.name != "unknown" else node)


def _column_type(one: Field, two: Field, what: str) -> Type:
    both = types.common(one.type, two.type)
    if both is None:
        raise mistyped(f"{what} of a column of {one.type} with one of {two.type}.", "Cast one of the two.")
    return both


def _widened(query: exp.Expr, fields: list[Field], kinds: list[Type]) -> exp.Expr:
    if all(
        types.same_storage(field.type, kind) or field.type == kind for field, kind in zip(fields, kinds, strict=True)
    ):
        return query
    inner = query.this if isinstance(query, exp.Subquery) and not query.args.get("limit") else query
    return cast_columns(inner, list(fields), kinds)


def _label(part: exp.Expr) -> str | None:
    if isinstance(part, exp.Alias):
        return str(part.alias).lower()
    if isinstance(part, exp.Column | exp.Dot):
        return str(part.name).lower()
    return None


def _place(key: exp.Expr, labels: list[str | None], sources: list[exp.Expr], count: int) -> int | None:
    """Which output a key of ORDER BY is: by its name, or because the same expression is selected."""
    if isinstance(key, exp.Column) and not key.table:
        places = [index for index, label in enumerate(labels) if label == key.name.lower()]
        if len(places) > 1:
            raise mistyped(f"Column {key.name!r} is ambiguous.", "Order by the column's number.")
        if places:
            return places[0]
    if len(sources) == count:
        for index, source in enumerate(sources):
            if (source.this if isinstance(source, exp.Alias) else source) == key:
                return index
    return None


def _expanded(scope: Scope, alias: str | None) -> list[tuple[str | None, Value]]:
    outputs: list[tuple[str | None, Value]] = []
    if alias is None:
        outputs += [
            (field.name, Value(field.merged.copy(), field.type)) for field in scope.merged.values() if field.merged
        ]
    found = False
    for relation in scope.relations:
        if alias is not None and relation.alias != alias:
            continue
        found = True
        for field in relation.fields:
            if alias is not None or (relation.alias, field.name) not in scope.hidden:
                outputs.append((field.name, reference(relation.alias, field)))
    if not found:
        raise mistyped(f"There is nothing that {alias or ''}* could stand for.", "Check the alias, or write FROM.")
    return outputs


def _using(join: exp.Expr, scope: Scope) -> None:
    """JOIN … USING: the columns are merged, and come first under *."""
    last = scope.relations[-1]
    conditions = []
    for identifier in join.args["using"]:
        name = identifier.name.lower()
        others = Scope(scope.relations[:-1], None, {}, scope.merged, scope.hidden)
        left, right = others.column(name, None), Scope([last]).column(name, None)
        if left is None or right is None:
            raise mistyped(f"USING names {name!r}, which one side does not have.", "Use ON.")
        one, two, both = both_sides(left, right, "=")
        conditions.append(exp.EQ(this=one, expression=two))
        merged = call("coalesce", one.copy(), two.copy())
        scope.merged[name] = Field(name, name, both, merged)
        scope.hidden |= {(relation.alias, name) for relation in scope.relations}
    join.set("using", None)
    join.set("on", exp.and_(*conditions, copy=False))


def _is_true(node: exp.Expr) -> bool:
    return isinstance(node, exp.Boolean) and bool(node.this)


def _limits(node: exp.Expr, translator: Translator | None) -> None:
    limit = node.args.get("limit")
    if isinstance(limit, exp.Fetch):
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
            raise unsupported("FETCH … WITH TIES", "Use rank() OVER (…) <= n.")
        node.set("limit", exp.Limit(expression=limit.args.get("count") or exp.Literal.number(1)))
    elif limit is not None:
        if isinstance(limit.expression, exp.Var):
            node.set("limit", None)
        elif not isinstance(limit.expression, exp.Literal):
            raise unsupported("LIMIT of an expression", "Write a number.")
