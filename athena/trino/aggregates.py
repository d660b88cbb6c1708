"""Aggregates and window functions: their modifiers, and Trino's result types.

sum of integers is a bigint, avg of decimals keeps its scale (rounded half up), min_by keeps NULLs, map_agg keeps the
first of equal keys. https://trino.io/docs/current/functions/aggregate.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.arithmetic import scaled, unscaled
from athena.trino.build import call, case, is_null, lambda_of, literal_int, name, number, string, struct, to, to_storage
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Kind, Value, built, function
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.values import Rewrite, Translator, Wrap

MACROS = {
    "trino_offset(a)": "CASE WHEN a >= 0 THEN a ELSE CAST('lakegate:bad-argument' AS BIGINT) END",
    "trino_finite(a)": "CASE WHEN isfinite(a) THEN a END",
    # the first value of each key, keys in the order in which they came
    "trino_first_of_keys(a)": "CASE WHEN len(list_distinct(list_transform(a, lambda trino_e: trino_e.k))) = len(a) "
    "THEN a ELSE list_filter(a, lambda trino_e, trino_i: list_position(list_transform(a, lambda trino_f: trino_f.k), "
    "trino_e.k) = trino_i) END",
    "trino_entries_to_map(a)": "CASE WHEN a IS NULL THEN NULL ELSE map(list_transform(trino_first_of_keys(a), "
    "lambda trino_e: trino_e.k), list_transform(trino_first_of_keys(a), lambda trino_e: trino_e.v)) END",
    # all values of each key, in the order in which they came
    "trino_entries_to_multimap(a)": "CASE WHEN len(a) > 0 THEN map("
    "list_transform(trino_first_of_keys(a), lambda trino_e: trino_e.k), "
    "list_transform(trino_first_of_keys(a), lambda trino_k: list_transform(list_filter(a, lambda trino_e: trino_e.k = "
    "trino_k.k), lambda trino_e: trino_e.v))) END",
}


def modified(translator: Translator, node: exp.Anonymous, *, filter_: exp.Expr | None = None) -> Value:
    """A call without OVER: DISTINCT and ORDER BY inside its parentheses are an aggregate's."""
    overloads = translator.overloads(str(node.this))
    if not overloads or overloads[0].kind == Kind.SCALAR:
        if filter_ is not None:
            raise mistyped(f"{node.this} is no aggregate: it takes no FILTER.", "Filter with WHERE or CASE.")
        return translator.call(node)
    arguments, wrap = _inner(translator, node.expressions, filter_, None, None)
    return translator.named(str(node.this), arguments, wrap, (Kind.AGGREGATE,))


def filtered(translator: Translator, node: exp.Expr) -> Value:
    """aggregate FILTER (WHERE …)"""
    condition = translator.boolean(node.expression.this)
    if isinstance(node.this, exp.GroupConcat):
        return _listagg(translator, node.this, condition, None)
    if not isinstance(node.this, exp.Anonymous):
        raise unsupported("This FILTER", "Put it behind an aggregate.")
    return modified(translator, node.this, filter_=condition)


def over(translator: Translator, node: exp.Expr) -> Value:
    """function [FILTER] [IGNORE NULLS] OVER (…)"""
    inner, condition, nulls = node.this, None, None
    while not isinstance(inner, exp.Anonymous | exp.GroupConcat):
        if isinstance(inner, exp.Filter):
            condition = translator.boolean(inner.expression.this)
        elif isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
            nulls = type(inner)
        else:
            raise unsupported("This OVER", "Put it behind a window function or an aggregate.")
        inner = inner.this
    window = window_of(translator, node)
    if isinstance(inner, exp.GroupConcat):
        raise unsupported("listagg OVER", "Use listagg with GROUP BY and join the result.")
    if nulls is exp.IgnoreNulls and str(inner.this) not in ("lag", "lead", "first_value", "last_value", "nth_value"):
        raise mistyped(f"{inner.this} takes no IGNORE NULLS.", "Filter the NULLs.")
    if any(isinstance(argument, exp.Distinct) for argument in inner.expressions):
        raise mistyped(f"{inner.this}(DISTINCT …) takes no OVER.", "Count the distinct values in a subquery.")
    arguments, wrap = _inner(translator, inner.expressions, condition, window, nulls)
    return translator.named(str(inner.this), arguments, wrap, (Kind.AGGREGATE, Kind.WINDOW))


def window_of(translator: Translator, node: exp.Expr) -> exp.Window:
    """The window's partition, order and frame translated, without a function."""
    if node.args.get("alias") is not None:
        return exp.Window(this=None, alias=node.args["alias"].copy(), over=node.args.get("over"))
    made = exp.Window(this=None, over=node.args.get("over"))
    if node.args.get("partition_by"):
        made.set("partition_by", [translator.value(part).node for part in node.args["partition_by"]])
    order, key_type = node.args.get("order"), types.UNKNOWN
    if order is not None:
        items = []
        for item in order.expressions:
            key = translator.value(item.this)
            key_type = key.type
            items.append(ordered(item, key.node))
        made.set("order", exp.Order(expressions=items))
    spec = node.args.get("spec")
    if spec is not None:
        made.set("spec", _frame(translator, spec, key_type))
    return made


def _frame(translator: Translator, spec: exp.Expr, key: Type) -> exp.Expr:
    made = exp.WindowSpec(**{**spec.args})
    if spec.args.get("exclude"):
        raise unsupported("EXCLUDE in a window frame", "Write the frame without it.")
    for side in ("start", "end"):
        bound = spec.args.get(side)
        if isinstance(bound, exp.Expr):
            value = translator.value(bound)
            ranged = str(spec.args.get("kind", "")).upper() == "RANGE" and key.name in (
                "decimal",
                "double",
                "real",
                "bigint",
            )
            made.set(side, coerce(value, key).node if ranged and types.coerces(value.type, key) else value.node)
    if not spec.args.get("end"):
        made.set("end", "CURRENT ROW")
    return made


def ordered(item: exp.Expr, node: exp.Expr) -> exp.Ordered:
    """An item of ORDER BY: NULLs are last unless it says otherwise."""
    first = bool(item.args.get("nulls_first"))
    return exp.Ordered(this=node, desc=bool(item.args.get("desc")), nulls_first=first)


def _inner(
    translator: Translator,
    arguments: list[exp.Expr],
    condition: exp.Expr | None,
    window: exp.Window | None,
    nulls: type[exp.Expr] | None,
) -> tuple[list[exp.Expr], Wrap]:
    """The plain arguments, and what puts the modifiers around DuckDB's aggregate of them."""
    plain, distinct, order = list(arguments), False, None
    if plain and isinstance(plain[-1], exp.Order):
        order = [ordered(item, translator.value(item.this).node) for item in plain[-1].expressions]
        plain[-1] = plain[-1].this
    if plain and isinstance(plain[0], exp.Distinct):
        distinct, plain = True, [*plain[0].expressions, *plain[1:]]

    def wrap(made: exp.Expr) -> exp.Expr:
        given = list(made.expressions)
        if distinct and given:
            given = [exp.Distinct(expressions=given)]
        if order is not None and given:
            given[-1] = exp.Order(this=given[-1], expressions=[item.copy() for item in order])
        result: exp.Expr = exp.Anonymous(this=made.this, expressions=given)
        if nulls is exp.IgnoreNulls:
            # sqlglot leaves IGNORE NULLS out for all but its own nodes of these functions
            result = exp.IgnoreNulls(this=exp.func(str(made.this), *given, dialect="duckdb"))
        if condition is not None:
            result = exp.Filter(this=result, expression=exp.Where(this=condition.copy()))
        if window is not None:
            whole = window.copy()
            whole.set("this", result)
            result = whole
        return result

    return plain, wrap


def _count(made: Call) -> Value:
    if len(made.arguments) > 1:
        raise mistyped("count takes one argument.", "Use count(DISTINCT row(a, b)).")
    given = [value.node for value in made.values()]
    return Value(made.wrap(call("count", *(given or [exp.Star()]))), types.BIGINT)


def star(translator: Translator, node: exp.Expr) -> Value:
    """The * of count(*)."""
    return Value(exp.Star(), types.BIGINT)


def _one(made: Call, count: int = 1) -> list[Value]:
    values = made.values()
    if len(values) != count:
        raise mistyped(f"{made.name} takes {count} argument{'s' if count > 1 else ''}.", "Check the call.")
    return values


def _sum(made: Call) -> Value:
    value = _one(made)[0]
    kind = value.type
    if kind.name == "decimal":
        result = types.decimal(38, kind.args[1])
    elif kind.name in types.INTEGERS or kind.name == "unknown":
        result = types.BIGINT
    elif kind.name in ("double", "real"):
        result = kind
    elif kind == types.DAY_INTERVAL:
        raise unsupported(f"sum({kind})", "Sum to_milliseconds(x).")
    else:
        raise mistyped(f"sum({kind}) does not exist.", "Cast it to a number.")
    node = value.node if kind.name != "unknown" else coerce(value, types.BIGINT).node
    return Value(to(made.wrap(call("sum", node)), result), result)


def _avg(made: Call) -> Value:
    value = _one(made)[0]
    kind = value.type
    if kind.name == "decimal":
        total = made.wrap(call("sum", value.node))
        count = made.wrap(call("count", value.node.copy()))
        wide = types.decimal(38, kind.args[1])
        digits = unscaled(Value(total, wide), wide)
        safe = call("nullif", count, number(0))
        return Value(scaled(call("trino_average", digits, to_storage(safe, "HUGEINT")), kind), kind)
    if kind.name in types.INTEGERS or kind.name in ("double", "unknown"):
        return Value(to(made.wrap(call("avg", coerce(value, types.DOUBLE).node)), types.DOUBLE), types.DOUBLE)
    if kind.name == "real":
        return Value(to(made.wrap(call("avg", value.node)), kind), kind)
    raise mistyped(f"avg({kind}) does not exist.", "Cast it to a number.")


def _same(made: Call) -> Value:
    """min, max, any_value: of the type of what is given; with a number behind it, the n smallest."""
    values = made.values()
    if len(values) == 2 and made.name in ("min", "max"):
        node = made.wrap(call(made.name, values[0].node, to(values[1].node, types.BIGINT)))
        return Value(node, types.array(values[0].type))
    value = _one(made)[0]
    if made.name in ("min", "max") and value.type.name in ("json", "map"):
        raise mistyped(f"{made.name}({value.type}) does not exist.", "Cast it to varchar.")
    if value.type.name == "unknown":
        return Value(exp.Null(), value.type)
    name_ = {"arbitrary": "any_value"}.get(made.name, made.name)
    if value.type.name in ("double", "real") and made.name in ("min", "max"):
        return Value(made.wrap(call(name_, value.node)), value.type)
    return Value(made.wrap(call(name_, value.node)), value.type)


def _by(made: Call) -> Value:
    values = made.values()
    name_ = "arg_max" if made.name == "max_by" else "arg_min"
    if len(values) == 3:
        node = made.wrap(call(name_, *(value.node for value in values)))
        return Value(node, types.array(values[0].type))
    one, two = _one(made, 2)
    return Value(made.wrap(call(f"{name_}_null", one.node, two.node)), one.type)


def _array_agg(made: Call) -> Value:
    value = _one(made)[0]
    return Value(made.wrap(call("list", value.node)), types.array(value.type))


def _set_agg(made: Call) -> Value:
    value = _one(made)[0]
    return Value(made.wrap(call("list", exp.Distinct(expressions=[value.node]))), types.array(value.type))


def _map_agg(made: Call) -> Value:
    key, item = _one(made, 2)
    entry = case((exp.Not(this=is_null(key.node)), struct(("k", key.node.copy()), ("v", item.node))))
    entries = made.wrap(call("list", entry))
    kept = call("list_filter", entries, lambda_of(exp.Not(this=is_null(name("trino_e"))), "trino_e"))
    if made.name == "multimap_agg":
        return Value(call("trino_entries_to_multimap", kept), types.map_of(key.type, types.array(item.type)))
    empty = case((exp.GT(this=call("len", kept), expression=number(0)), kept.copy()))
    return Value(call("trino_entries_to_map", empty), types.map_of(key.type, item.type))


def _map_union(made: Call) -> Value:
    value = _one(made)[0]
    if value.type.name != "map":
        raise mistyped(f"map_union({value.type}) does not exist.", "Give it maps.")
    key, item = value.type.args
    pair = struct(
        ("k", call("struct_extract", name("trino_e"), string("key"))),
        ("v", call("struct_extract", name("trino_e"), string("value"))),
    )
    lists = made.wrap(call("list", call("map_entries", value.node)))
    flat = call("flatten", call("list_filter", lists, lambda_of(exp.Not(this=is_null(name("trino_e"))), "trino_e")))
    pairs = call("list_transform", flat, lambda_of(pair, "trino_e"))
    return Value(call("trino_entries_to_map", pairs), types.map_of(key, item))


def _histogram(made: Call) -> Value:
    value = _one(made)[0]
    kind = types.map_of(value.type, types.BIGINT)
    return Value(to(made.wrap(call("histogram", value.node)), kind), kind)


def _percentile(made: Call) -> Value:
    values = made.values()
    if len(values) != 2:
        raise unsupported("approx_percentile with weights or accuracy", "Call it with a value and a percentage.")
    value, at = values
    if value.type.name not in (*types.INTEGERS, "double", "real"):
        if value.type.name != "decimal":
            raise mistyped(f"approx_percentile({value.type}) does not exist.", "Cast it to double.")
        value = coerce(value, types.DOUBLE)
    if value.type.name in types.INTEGERS:
        value = coerce(value, types.BIGINT)
    if at.type.name == "array":
        node = made.wrap(call("quantile_disc", value.node, coerce(at, types.array(types.DOUBLE)).node))
        return Value(node, types.array(value.type))
    return Value(made.wrap(call("quantile_disc", value.node, coerce(at, types.DOUBLE).node)), value.type)


def _distinct_count(made: Call) -> Value:
    values = made.values()
    if not values or len(values) > 2:
        raise mistyped("approx_distinct takes one argument.", "Check the call.")
    return Value(made.wrap(call("count", exp.Distinct(expressions=[values[0].node]))), types.BIGINT)


def listagg(translator: Translator, node: exp.Expr) -> Value:
    """listagg(x, separator) WITHIN GROUP (ORDER BY …)"""
    return _listagg(translator, node, None, None)


def _listagg(translator: Translator, node: exp.Expr, condition: exp.Expr | None, window: exp.Window | None) -> Value:
    order = node.this
    if node.args.get("on_overflow") is not None and "TRUNCATE" in node.args["on_overflow"].sql("trino").upper():
        raise unsupported("ON OVERFLOW TRUNCATE", "Leave it out.")
    if not isinstance(order, exp.Order):
        raise mistyped("listagg needs WITHIN GROUP (ORDER BY …).", "Say in which order to join.")
    inner, distinct = order.this, False
    if isinstance(inner, exp.Distinct):
        inner, distinct = inner.expressions[0], True
    value = translator.value(inner)
    if value.type.name not in ("varchar", "unknown"):
        raise mistyped(f"listagg({value.type}) does not exist.", "Cast it to varchar.")
    separator = node.args.get("separator")
    given = translator.value(separator).node if separator is not None else string("")
    items = [ordered(item, translator.value(item.this).node) for item in order.expressions]
    first: exp.Expr = exp.Distinct(expressions=[value.node]) if distinct else value.node
    last = exp.Order(this=given, expressions=items)
    made: exp.Expr = exp.Anonymous(this="string_agg", expressions=[first, last])
    if condition is not None:
        made = exp.Filter(this=made, expression=exp.Where(this=condition))
    return Value(made, types.VARCHAR)


def _shifted(made: Call) -> Value:
    """lag and lead."""
    values = made.values()
    kind = values[0].type
    given = [values[0].node]
    if len(values) > 1:
        offset = literal_int(values[1].node)
        if offset is not None and offset < 0:
            raise mistyped(f"The offset of {made.name} is negative.", "Use lead for lag, and the other way round.")
        if values[1].type.name not in types.INTEGERS:
            raise mistyped(f"The offset of {made.name} is of type {values[1].type}.", "Use a whole number.")
        computed = call("trino_offset", coerce(values[1], types.BIGINT).node)
        given.append(number(offset) if offset is not None else computed)
    if len(values) > 2:
        both = types.common(kind, values[2].type)
        if both is None:
            raise mistyped(f"The default of {made.name} is of another type.", "Cast it.")
        given = [coerce(values[0], both).node, *given[1:], coerce(values[2], both).node]
        kind = both
    return Value(made.wrap(call(made.name, *given)), kind)


def _nth(made: Call) -> Value:
    values = made.values()
    return Value(made.wrap(call(made.name, *(value.node for value in values))), values[0].type)


def _nth_value(made: Call) -> Value:
    offset = literal_int(made.values()[-1].node)
    if offset is None or offset < 1:
        raise unsupported("nth_value with this offset", "Use a literal of 1 or more.")
    return _nth(made)


def _grouping(made: Call) -> Value:
    kind = types.INTEGER if len(made.arguments) <= 31 else types.BIGINT
    return Value(to(call("grouping", *(value.node for value in made.values())), kind), kind)


def _counted(signature: str, body: str) -> Function:
    """A count: 0 where DuckDB's own is NULL, and of Trino's type."""
    plain = function(signature, body, kind=Kind.AGGREGATE, total=True, strict=False)

    def build(made: Call) -> Value:
        from athena.trino.resolve import resolved

        value = resolved(made, [plain])
        return Value(to(call("coalesce", value.node, number(0)), value.type), value.type)

    return built(plain.name, build, kind=Kind.AGGREGATE, total=True)


def _finite(signature: str) -> Function:
    """An aggregate that is NULL where its value would be NaN or infinite."""
    plain = _plain(signature)

    def build(made: Call) -> Value:
        from athena.trino.resolve import resolved

        value = resolved(made, [plain])
        return Value(call("trino_finite", value.node), value.type)

    return built(plain.name, build, kind=Kind.AGGREGATE, total=True)


def _plain(signature: str, body: str = "") -> Function:
    name_ = signature.partition("(")[0]
    return function(signature, body or name_, kind=Kind.AGGREGATE, total=True, strict=False)


_DOUBLES = (
    "stddev stddev_pop stddev_samp variance var_pop var_samp geometric_mean:geomean skewness:trino_skewness kurtosis"
)
_PAIRS = "corr regr_slope regr_intercept"

FUNCTIONS: tuple[Function, ...] = (
    built("count", _count, kind=Kind.AGGREGATE, total=True),
    built("sum", _sum, kind=Kind.AGGREGATE),
    built("avg", _avg, kind=Kind.AGGREGATE),
    *(built(name_, _same, kind=Kind.AGGREGATE, total=True) for name_ in ("min", "max", "any_value", "arbitrary")),
    built("min_by", _by, kind=Kind.AGGREGATE, total=True),
    built("max_by", _by, kind=Kind.AGGREGATE, total=True),
    built("array_agg", _array_agg, kind=Kind.AGGREGATE, total=True),
    built("set_agg", _set_agg, kind=Kind.AGGREGATE, total=True),
    built("map_agg", _map_agg, kind=Kind.AGGREGATE, total=True),
    built("multimap_agg", _map_agg, kind=Kind.AGGREGATE, total=True),
    built("map_union", _map_union, kind=Kind.AGGREGATE, total=True),
    built("histogram", _histogram, kind=Kind.AGGREGATE, total=True),
    built("approx_percentile", _percentile, kind=Kind.AGGREGATE),
    built("approx_distinct", _distinct_count, kind=Kind.AGGREGATE, total=True),
    built("grouping", _grouping, total=True),
    _plain("bool_and(boolean) -> boolean"),
    _plain("bool_or(boolean) -> boolean"),
    _plain("every(boolean) -> boolean", "bool_and"),
    _counted("count_if(boolean) -> bigint", "count_if"),
    _plain("bitwise_and_agg(bigint) -> bigint", "bit_and"),
    _plain("bitwise_or_agg(bigint) -> bigint", "bit_or"),
    _plain("bitwise_xor_agg(bigint) -> bigint", "bit_xor"),
    *(
        _plain(f"{word.partition(':')[0]}(double) -> double", word.partition(":")[2] or word)
        for word in _DOUBLES.split()
        if "skew" not in word and "kurt" not in word
    ),
    *(_plain(f"{word}(double, double) -> double") for word in ("covar_pop", "covar_samp")),
    *(_finite(f"{word}(double, double) -> double") for word in _PAIRS.split()),
    *(
        function(f"{word}() -> bigint", word, kind=Kind.WINDOW, total=True, strict=False)
        for word in ("row_number", "rank", "dense_rank")
    ),
    *(
        function(f"{word}() -> double", word, kind=Kind.WINDOW, total=True, strict=False)
        for word in ("percent_rank", "cume_dist")
    ),
    function("ntile(bigint) -> bigint", "ntile", kind=Kind.WINDOW, strict=False),
    built("lag", _shifted, kind=Kind.WINDOW, total=True),
    built("lead", _shifted, kind=Kind.WINDOW, total=True),
    built("first_value", _nth, kind=Kind.WINDOW, total=True),
    built("last_value", _nth, kind=Kind.WINDOW, total=True),
    built("nth_value", _nth_value, kind=Kind.WINDOW),
)

REWRITES: dict[type[exp.Expr], Rewrite] = {
    exp.Filter: filtered,
    exp.Window: over,
    exp.GroupConcat: listagg,
    exp.Star: star,
}
