"""Comparisons between types that fit, with NaN equal to nothing; IN, BETWEEN, LIKE, IS NULL, DISTINCT FROM.

https://trino.io/docs/current/functions/comparison.html
"""

from sqlglot import exp

from athena.trino import nested, types
from athena.trino.build import binary, call, case, is_null, literal_text, string, tight
from athena.trino.cast import coerce
from athena.trino.columns import cast_columns
from athena.trino.function import Value
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.values import Rewrite, Translator


def both_sides(left: Value, right: Value, what: str) -> tuple[exp.Expr, exp.Expr, Type]:
    """Two values brought to their common type; `Refused` when they have none."""
    both = types.common(left.type, right.type)
    if both is None:
        raise mistyped(f"{left.type} {what} {right.type} does not exist.", "Cast one of the two.")
    return coerce(left, both).node, coerce(right, both).node, both


def compare(translator: Translator, node: exp.Expr) -> Value:
    """= <> < <= > >="""
    if isinstance(node.expression, exp.Any | exp.All):
        return _quantified(translator, node)
    left, right = translator.value(node.this), translator.value(node.expression)
    return compared(type(node), left, right)


def compared(kind: type[exp.Expr], left: Value, right: Value) -> Value:
    """A comparison of two translated values."""
    one, two, both = both_sides(left, right, _SIGNS[kind])
    ordering = kind not in (exp.EQ, exp.NEQ)
    if ordering and both.name in ("json", "map"):
        raise unsupported(f"{both} {_SIGNS[kind]} {both}", "Compare the elements, or cast to varchar.")
    assert issubclass(kind, exp.Binary)
    if both.name in nested.NESTED and ordering:
        return Value(nested.before(one, two, both, kind, _node), types.BOOLEAN)
    if both.name in nested.NESTED:
        equal = nested.equal(one, two, both, lambda left, right: _node(exp.EQ, left, right))
        return Value(equal if kind is exp.EQ else exp.Not(this=equal), types.BOOLEAN)
    made = binary(kind, one, two)
    if both.name in ("double", "real"):
        made = _without_nan(kind, made, one, two)
    return Value(made, types.BOOLEAN)


def _node(kind: type[exp.Expr], left: Value, right: Value) -> exp.Expr:
    return compared(kind, left, right).node


def _without_nan(kind: type[exp.Expr], made: exp.Expr, one: exp.Expr, two: exp.Expr) -> exp.Expr:
    """DuckDB orders NaN above everything and equal to itself; in Trino it compares false, and <> true."""
    suspects: dict[type[exp.Expr], tuple[exp.Expr]] = {
        exp.EQ: (one,),
        exp.NEQ: (one,),
        exp.LT: (two,),
        exp.LTE: (two,),
        exp.GT: (one,),
        exp.GTE: (one,),
    }
    (suspect,) = suspects[kind]
    literal = any(isinstance(side.this if isinstance(side, exp.Neg) else side, exp.Literal) for side in (one, two))
    if literal and (kind in (exp.EQ, exp.NEQ) or isinstance(suspect, exp.Literal | exp.Neg)):
        return made
    other = two if suspect is one else one
    nan = call("isnan", suspect.copy())
    if kind is exp.NEQ:
        return exp.paren(exp.or_(made, nan, copy=False), copy=False)
    if literal:
        return exp.paren(exp.And(this=made, expression=exp.Not(this=nan)), copy=False)
    known = exp.And(this=nan, expression=exp.Not(this=is_null(other)))
    return exp.paren(exp.And(this=made, expression=exp.Not(this=exp.paren(known, copy=False))), copy=False)


def distinct_from(translator: Translator, node: exp.Expr) -> Value:
    """IS [NOT] DISTINCT FROM"""
    one, two, _ = both_sides(translator.value(node.this), translator.value(node.expression), "IS DISTINCT FROM")
    assert isinstance(node, exp.Binary)
    return Value(binary(type(node), one, two), types.BOOLEAN)


def connect(translator: Translator, node: exp.Expr) -> Value:
    """AND, OR: a chain is walked without recursion."""
    kind, operands = type(node), []
    while type(node) is kind:
        operands.append(translator.boolean(node.expression))
        node = node.this
    made = translator.boolean(node)
    assert issubclass(kind, exp.Binary)
    for operand in reversed(operands):
        made = kind(this=_in_chain(made, kind), expression=_in_chain(operand, kind))
    return Value(made, types.BOOLEAN)


def _in_chain(node: exp.Expr, kind: type[exp.Expr]) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Or) and kind is exp.And else node


def negation(translator: Translator, node: exp.Expr) -> Value:
    """NOT"""
    return Value(exp.Not(this=tight(translator.boolean(node.this))), types.BOOLEAN)


def between(translator: Translator, node: exp.Expr) -> Value:
    """BETWEEN, as the two comparisons that it stands for."""
    value, low, high = (translator.value(node.args[key]) for key in ("this", "low", "high"))
    if node.args.get("symmetric"):
        raise unsupported("BETWEEN SYMMETRIC", "Order the two bounds with least and greatest.")
    above = compared(exp.GTE, value, low).node
    below = compared(exp.LTE, Value(value.node.copy(), value.type), high).node
    made: exp.Expr = exp.paren(exp.And(this=above, expression=below), copy=False)
    return Value(exp.Not(this=made) if node.args.get("negate") else made, types.BOOLEAN)


def contained(translator: Translator, node: exp.Expr) -> Value:
    """x [NOT] IN (list or query)"""
    value = translator.value(node.this)
    query = node.args.get("query")
    if query is not None:
        made: exp.Expr = _in_query(translator, value, query)
    else:
        others = [translator.value(part) for part in node.expressions]
        both = types.common_all([value.type, *(other.type for other in others)])
        if both is None:
            raise mistyped(f"IN compares {value.type} with other types.", "Cast the values to one type.")
        listed = [coerce(other, both).node for other in others]
        plain = (isinstance(one.this if isinstance(one, exp.Neg) else one, exp.Literal | exp.Null) for one in listed)
        # one of them may be NaN, or have a NULL inside
        if both.name in nested.NESTED or (both.name in ("double", "real") and not all(plain)):
            equal = (compared(exp.EQ, Value(value.node.copy(), value.type), other).node for other in others)
            made = exp.paren(exp.or_(*equal, copy=False), copy=False)
        else:
            made = exp.In(this=tight(coerce(value, both).node), expressions=listed)
    return Value(exp.Not(this=made) if node.args.get("negate") else made, types.BOOLEAN)


def _in_query(translator: Translator, value: Value, query: exp.Expr) -> exp.Expr:
    inner = query.this if isinstance(query, exp.Subquery) and not query.args.get("limit") else query
    translated, fields = translator.query(inner, translator.scope)
    width = len(value.type.args) if value.type.name == "row" else 1
    if len(fields) != width:
        raise mistyped("The query of IN has several columns.", "Select one column.")
    if width > 1:
        raise unsupported("A row IN (query)", "Use EXISTS with one comparison per column.")
    both = types.common(value.type, fields[0].type)
    if both is None:
        raise mistyped(f"IN compares {value.type} with {fields[0].type}.", "Cast one of the two.")
    if not types.same_storage(both, fields[0].type):
        translated = cast_columns(translated, fields, [both])
    return exp.In(this=tight(coerce(value, both).node), query=exp.Subquery(this=translated))


def _quantified(translator: Translator, node: exp.Expr) -> Value:
    value = translator.value(node.this)
    quantifier = node.expression
    query = quantifier.this.this if isinstance(quantifier.this, exp.Subquery) else quantifier.this
    if not isinstance(query, exp.Query):
        raise unsupported("A comparison with ANY or ALL of an array", "Use contains(array, x) or any_match.")
    translated, fields = translator.query(query, translator.scope)
    both = types.common(value.type, fields[0].type)
    if both is None or len(fields) != 1:
        raise mistyped("ANY and ALL compare values of one type.", "Cast one of the two.")
    if both.name in ("double", "real"):
        raise unsupported("ANY and ALL on doubles", "Use IN, or compare with min and max.")
    if not types.same_storage(both, fields[0].type):
        translated = cast_columns(translated, list(fields), [both])
    side = type(quantifier)(this=exp.Subquery(this=translated))
    return Value(type(node)(this=tight(coerce(value, both).node), expression=side), types.BOOLEAN)


def is_null_node(translator: Translator, node: exp.Expr) -> Value:
    """IS NULL"""
    return Value(exp.Is(this=tight(translator.value(node.this).node), expression=exp.Null()), types.BOOLEAN)


def like(translator: Translator, node: exp.Expr) -> Value:
    """LIKE; without ESCAPE Trino has no escape character, and neither has DuckDB."""
    value, pattern = translator.value(node.this), translator.value(node.expression)
    for side in (value, pattern):
        if side.type.name not in ("varchar", "unknown"):
            raise mistyped(f"LIKE does not exist for {side.type}.", "Cast it to varchar.")
    made: exp.Expr = exp.Like(
        this=tight(coerce(value, types.VARCHAR).node), expression=tight(coerce(pattern, types.VARCHAR).node)
    )
    return Value(exp.Not(this=made) if node.args.get("negate") else made, types.BOOLEAN)


def escape(translator: Translator, node: exp.Expr) -> Value:
    """LIKE … ESCAPE 'c'"""
    inner = node.this
    character = literal_text(node.expression)
    if not isinstance(inner, exp.Like) or character is None or len(character) != 1:
        raise unsupported("This ESCAPE", "Write x LIKE pattern ESCAPE 'c' with one character.")
    negated = inner.args.get("negate")
    plain = exp.Like(this=inner.this, expression=inner.expression)
    made = like(translator, plain).node
    pattern = literal_text(inner.expression)
    if pattern is not None and _dangling(pattern, character):
        raise mistyped("The escape character stands before neither %, _ nor itself.", "Mend the pattern of LIKE.")
    escaped: exp.Expr = exp.Escape(this=made, expression=string(character))
    return Value(exp.Not(this=exp.paren(escaped, copy=False)) if negated else escaped, types.BOOLEAN)


def _dangling(pattern: str, character: str) -> bool:
    index = 0
    while index < len(pattern):
        if pattern[index] == character:
            if pattern[index + 1 : index + 2] not in ("%", "_", character):
                return True
            index += 1
        index += 1
    return False


def when(translator: Translator, node: exp.Expr) -> Value:
    """CASE, both forms."""
    subject = translator.value(node.this) if node.args.get("this") is not None else None
    conditions, results = [], []
    for branch in node.args["ifs"]:
        if subject is None:
            conditions.append(translator.boolean(branch.this))
        else:
            own = Value(subject.node.copy(), subject.type)
            conditions.append(compared(exp.EQ, own, translator.value(branch.this)).node)
        results.append(translator.value(branch.args["true"]))
    default = node.args.get("default")
    if default is not None:
        results.append(translator.value(default))
    both = common_of(results, "CASE")
    nodes = [coerce(result, both).node if both.name != "unknown" else result.node for result in results]
    otherwise = nodes.pop() if default is not None else None
    return Value(case(*zip(conditions, nodes, strict=True), otherwise=otherwise), both)


def if_(translator: Translator, node: exp.Expr) -> Value:
    """IF(condition, a, b)"""
    condition = translator.boolean(node.this)
    results = [translator.value(node.args[key]) for key in ("true", "false") if node.args.get(key) is not None]
    both = common_of(results, "IF")
    nodes = [coerce(result, both).node if both.name != "unknown" else result.node for result in results]
    return Value(case((condition, nodes[0]), otherwise=nodes[1] if len(nodes) > 1 else None), both)


def common_of(values: list[Value], what: str) -> Type:
    """The type that all of them widen to; `Refused` when there is none."""
    both = types.common_all([value.type for value in values])
    if both is None:
        kinds = ", ".join(dict.fromkeys(str(value.type) for value in values))
        raise mistyped(f"The values of {what} are of different types ({kinds}).", "Cast them to one type.")
    return both


def scalar_query(translator: Translator, node: exp.Expr) -> Value:
    """(SELECT one value)"""
    translated, fields = translator.query(node, translator.scope)
    if len(fields) != 1:
        raise mistyped("A query that stands for one value has several columns.", "Select one column.")
    made = translated if isinstance(translated, exp.Subquery) else exp.Subquery(this=translated)
    return Value(made, fields[0].type)


def exists(translator: Translator, node: exp.Expr) -> Value:
    """EXISTS (query)"""
    inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    translated, _ = translator.query(inner, translator.scope)
    return Value(exp.Exists(this=translated), types.BOOLEAN)


_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}

REWRITES: dict[type[exp.Expr], Rewrite] = {
    **dict.fromkeys(_SIGNS, compare),
    exp.NullSafeEQ: distinct_from,
    exp.NullSafeNEQ: distinct_from,
    exp.And: connect,
    exp.Or: connect,
    exp.Not: negation,
    exp.Between: between,
    exp.In: contained,
    exp.Is: is_null_node,
    exp.Like: like,
    exp.Escape: escape,
    exp.Case: when,
    exp.If: if_,
    exp.Subquery: scalar_query,
    exp.Exists: exists,
}
