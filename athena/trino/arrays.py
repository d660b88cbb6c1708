"""Arrays: subscripts that fail out of range, NULLs by Trino's rules, lambdas over elements.

https://trino.io/docs/current/functions/array.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import (
    call,
    case,
    is_null,
    lambda_of,
    literal_int,
    name,
    number,
    string,
    struct,
    texts_joined,
    to,
)
from athena.trino.cast import coerce
from athena.trino.comparisons import common_of
from athena.trino.function import Build, Call, Function, Value, built, function
from athena.trino.refusal import mistyped, unsupported
from athena.trino.values import Rewrite, Translator
from athena.trino.written import as_text

_BAD = "CAST('lakegate:bad-argument' AS BIGINT)"

MACROS = {
    "trino_has_null(a)": "list_count(a) < len(a)",
    "trino_subscript(a, b)": "list_extract(a, CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN b BETWEEN 1 AND len(a) "
    f"THEN b ELSE {_BAD} END)",
    "trino_map_subscript(a, b)": "list_extract(map_extract(a, b), CASE WHEN a IS NULL OR b IS NULL THEN NULL "
    f"WHEN len(map_extract(a, b)) = 1 THEN 1 ELSE {_BAD} END)",
    "trino_distinct(a)": "list_filter(a, lambda trino_e, trino_i: list_position(a, trino_e) = trino_i)",
    # of the truth values of a predicate
    "trino_any(a)": "CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, true) THEN true WHEN trino_has_null(a) THEN NULL "
    "ELSE false END",
    "trino_all(a)": "CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, false) THEN false WHEN trino_has_null(a) THEN "
    "NULL ELSE true END",
    "trino_sequence(a, b, c)": "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL ELSE generate_series(a, b, "
    f"CASE WHEN c = 0 OR (c > 0) <> (b >= a) AND a <> b OR abs(CAST(b AS HUGEINT) - a) // abs(c) >= 10000 THEN {_BAD} ELSE c END) END",
    "trino_instants(a, b, c)": "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL WHEN a = b THEN [a] "
    f"WHEN (a + c > a) <> (b > a) OR a + c = a THEN [a + to_microseconds({_BAD})] ELSE generate_series(a, b, c) END",
}


def constructed(translator: Translator, node: exp.Expr) -> Value:
    """ARRAY[…]"""
    values = [translator.value(part) for part in node.expressions]
    both = common_of(values, "ARRAY")
    nodes = [coerce(value, both).node if both.name != "unknown" else value.node for value in values]
    made: exp.Expr = exp.Array(expressions=nodes)
    plain = both.name in ("varchar", "boolean", "double", "integer") and not any(isinstance(n, exp.Null) for n in nodes)
    return Value(made if plain and nodes else to(made, types.array(both)), types.array(both))


def subscript(translator: Translator, node: exp.Expr) -> Value:
    """a[i], m[k], r[n]: out of range is an error."""
    value = translator.value(node.this)
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        raise unsupported("a[from:to]", "Use slice(array, start, length).")
    index = translator.value(node.expressions[0])
    if value.type.name == "array":
        if index.type.name not in types.INTEGERS:
            raise mistyped(f"array[{index.type}] does not exist.", "Cast the index to bigint.")
        return Value(call("trino_subscript", value.node, coerce(index, types.BIGINT).node), value.type.args[0])
    if value.type.name == "map":
        return Value(call("trino_map_subscript", value.node, _key(value, index)), value.type.args[1])
    if value.type.name == "row":
        at = literal_int(index.node)
        fields = types.row_fields(value.type)
        if at is None or not 1 <= at <= len(fields):
            raise mistyped("A row is subscripted by a literal number of a field.", "Count its fields from 1.")
        return Value(call("struct_extract", value.node, string(fields[at - 1][0])), fields[at - 1][1])
    raise mistyped(f"{value.type}[…] does not exist.", "Subscript an array, a map or a row.")


def _key(value: Value, key: Value) -> exp.Expr:
    if not types.coerces(key.type, value.type.args[0]):
        raise mistyped(f"{value.type}[{key.type}] does not exist.", "Cast the key.")
    return coerce(key, value.type.args[0]).node


def _element_at(made: Call) -> Value:
    values = made.values()
    if len(values) == 2 and values[0].type.name == "map":
        return Value(
            call("list_extract", call("map_extract", values[0].node, _key(*values)), number(1)), values[0].type.args[1]
        )
    if len(values) != 2 or values[0].type.name != "array" or values[1].type.name not in types.INTEGERS:
        raise mistyped("element_at takes an array and a number, or a map and a key.", "Check the call.")
    index = call("trino_not_zero", coerce(values[1], types.BIGINT).node)
    return Value(call("list_extract", values[0].node, index), values[0].type.args[0])


MACROS |= {"trino_not_zero(a)": f"CASE WHEN a = 0 THEN {_BAD} ELSE a END"}


def _join(made: Call) -> Value:
    """array_join(x, delimiter [, replacement of NULL])"""
    values = made.values()
    if not 2 <= len(values) <= 3 or values[0].type.name != "array":
        raise mistyped("array_join takes an array and a delimiter.", "Check the call.")
    element = Value(name("trino_e"), values[0].type.args[0])
    if element.type.name == "unknown":
        element = Value(to(element.node, types.VARCHAR), types.VARCHAR)
    text = element.node if element.type.name == "varchar" else as_text(element)
    if text is None:
        raise mistyped(f"array_join({values[0].type}) does not exist.", "Transform the elements to varchar.")
    if len(values) == 3:
        text = call("coalesce", text, coerce(values[2], types.VARCHAR).node)
    texts = call("list_transform", values[0].node, lambda_of(text, "trino_e"))
    return Value(texts_joined(texts, coerce(values[1], types.VARCHAR).node), types.VARCHAR)


def _sequence(made: Call) -> Value:
    values = made.values()
    if not 2 <= len(values) <= 3:
        raise mistyped("sequence takes a start, a stop and a step.", "Check the call.")
    both = types.common(values[0].type, values[1].type)
    if both is not None and both.name in types.INTEGERS:
        start, stop = (coerce(value, types.BIGINT).node for value in values[:2])
        down = case((exp.GT(this=start.copy(), expression=stop.copy()), number(-1)), otherwise=number(1))
        step = coerce(values[2], types.BIGINT).node if len(values) == 3 else down
        return Value(call("trino_sequence", start, stop, to(step, types.BIGINT)), types.array(types.BIGINT))
    if both is None or both.name not in ("date", "timestamp"):
        raise mistyped(f"sequence({values[0].type}, {values[1].type}) does not exist.", "Cast both to one type.")
    if len(values) == 2 and both.name == "timestamp":
        raise mistyped("sequence of timestamps needs a step.", "Add INTERVAL '1' DAY.")
    start, stop = (to(coerce(value, both).node, types.timestamp()) for value in values[:2])
    down = case((exp.GT(this=start.copy(), expression=stop.copy()), number(-1)), otherwise=number(1))
    step = values[2].node if len(values) == 3 else call("to_days", to(down, types.INTEGER))
    made_list = call("trino_instants", start, stop, step)
    return Value(to(made_list, types.array(both)), types.array(both))


def _match(wrapper: str, *, negate: bool = False) -> Build:
    def build(made: Call) -> Value:
        source, predicate = _array_and_lambda(made)
        wrap, body = made.translator.lambda_(predicate, [source.type.args[0]])
        if body.type.name not in ("boolean", "unknown"):
            raise mistyped(f"The lambda of {made.name} gives {body.type}.", "It must give a boolean.")
        truths = call("list_transform", source.node, wrap(to(body.node, types.BOOLEAN)))
        result = call(wrapper, truths)
        return Value(exp.Not(this=result) if negate else result, types.BOOLEAN)

    return build


def _array_and_lambda(made: Call) -> tuple[Value, exp.Lambda]:
    if len(made.arguments) != 2:
        raise mistyped(f"{made.name} takes an array and a lambda.", "Check the call.")
    source, predicate = made.arguments
    if not isinstance(source, Value) or source.type.name != "array" or not isinstance(predicate, exp.Lambda):
        raise mistyped(f"{made.name} takes an array and a lambda.", "Check the call.")
    return source, predicate


def _sort(made: Call) -> Value:
    """array_sort(x) and array_sort(x, comparator): the comparator's elements are put in one by one."""
    if len(made.arguments) == 1:
        source = made.values()[0]
        if source.type.name != "array":
            raise mistyped(f"array_sort({source.type}) does not exist.", "Give it an array.")
        return Value(call("list_sort", source.node, string("ASC"), string("NULLS LAST")), source.type)
    source, comparator = _array_and_lambda(made)
    element = source.type.args[0]
    left = Value(name("trino_x"), element)
    right = Value(call("list_extract", name("trino_new"), number(1)), element)
    order = made.translator.bound(comparator, [left, right])
    before = exp.LTE(this=exp.paren(order.node, copy=False), expression=number(0))
    after = exp.GT(this=exp.paren(order.node.copy(), copy=False), expression=number(0))
    placed = call(
        "list_concat",
        call("list_concat", call("list_filter", name("trino_s"), lambda_of(before, "trino_x")), name("trino_new")),
        call("list_filter", name("trino_s"), lambda_of(after, "trino_x")),
    )
    singles = call("list_transform", source.node, lambda_of(exp.Array(expressions=[name("trino_e")]), "trino_e"))
    empty = to(exp.Array(expressions=[]), source.type)
    return Value(call("list_reduce", singles, lambda_of(placed, "trino_s", "trino_new"), empty), source.type)


def _zip(made: Call) -> Value:
    values = made.values()
    if len(values) < 2 or any(value.type.name != "array" for value in values):
        raise mistyped("zip takes arrays.", "Check the call.")
    kind = types.row(*((None, value.type.args[0]) for value in values))
    parts = [(f"field{i}", call("struct_extract", name("trino_e"), number(i + 1))) for i in range(len(values))]
    zipped = call("list_zip", *(value.node for value in values))
    made_node = call("list_transform", zipped, lambda_of(struct(*parts), "trino_e"))
    missing = exp.or_(*(is_null(value.node) for value in values), copy=False)
    return Value(case((missing, exp.Null()), otherwise=made_node), types.array(kind))


def _zip_with(made: Call) -> Value:
    if len(made.arguments) != 3 or not isinstance(made.arguments[2], exp.Lambda):
        raise mistyped("zip_with takes two arrays and a lambda.", "Check the call.")
    one, two = made.values()
    sides = [
        Value(call("struct_extract", name("trino_e"), number(index)), value.type.args[0])
        for index, value in ((1, one), (2, two))
    ]
    body = made.translator.bound(made.arguments[2], sides)
    zipped = call("list_zip", one.node, two.node)
    mapped = call("list_transform", zipped, lambda_of(body.node, "trino_e"))
    missing = exp.or_(is_null(one.node), is_null(two.node), copy=False)
    return Value(case((missing, exp.Null()), otherwise=mapped), types.array(body.type))


def _reduce(made: Call) -> Value:
    """reduce(array, initial, (state, element) -> state, state -> result)"""
    if len(made.arguments) != 4 or not all(isinstance(part, exp.Lambda) for part in made.arguments[2:]):
        raise mistyped("reduce takes an array, a first state and two lambdas.", "Check the call.")
    source, state = made.values()
    step, last = (part for part in made.arguments[2:] if isinstance(part, exp.Lambda))
    kind = state.type
    for _ in range(3):
        wrap, body = made.translator.lambda_(step, [kind, source.type.args[0]])
        both = types.common(kind, body.type)
        if both is None:
            raise mistyped(f"reduce has a state of {kind}, its lambda gives {body.type}.", "Cast the state.")
        if both == kind or types.same_storage(both, kind):
            break
        kind = both
    reduced = call("list_reduce", source.node, wrap(coerce(body, kind).node), to(coerce(state, kind).node, kind))
    applied = made.translator.bound(last, [Value(name("trino_r"), kind)])
    one = exp.Array(expressions=[reduced])
    out = call("list_extract", call("list_transform", one, lambda_of(applied.node, "trino_r")), number(1))
    return Value(case((is_null(source.node), exp.Null()), otherwise=out), applied.type)


def _repeat(made: Call) -> Value:
    values = made.values()
    if len(values) != 2:
        raise mistyped("repeat takes an element and a count.", "Check the call.")
    element, count = values
    single = to(exp.Array(expressions=[element.node]), types.array(element.type))
    return Value(
        call("repeat", single, call("trino_not_negative", coerce(count, types.BIGINT).node)), types.array(element.type)
    )


_MANY = f"CASE WHEN b < 0 OR b > len(a) THEN {_BAD} ELSE b END"

# NaN is equal to nothing, so that it is found nowhere
_IN_FLOATS = tuple(
    found
    for kind in ("double", "real")
    for found in (
        function(
            f"contains(array({kind}), {kind}) -> boolean",
            "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_contains(a, b) AND NOT isnan(b) THEN true "
            "WHEN trino_has_null(a) THEN NULL ELSE false END",
            total=True,
        ),
        function(
            f"array_position(array({kind}), {kind}) -> bigint",
            "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN isnan(b) THEN CAST(0 AS BIGINT) "
            "ELSE CAST(coalesce(list_position(a, b), 0) AS BIGINT) END",
            total=True,
        ),
        function(
            f"array_remove(array({kind}), {kind}) -> array({kind})",
            "CASE WHEN b IS NULL THEN NULL WHEN isnan(b) THEN a ELSE list_filter(a, lambda trino_e: trino_e IS NULL OR "
            "trino_e <> b) END",
            total=True,
        ),
    )
)

FUNCTIONS: tuple[Function, ...] = (
    built("element_at", _element_at, strict=True),
    built("array_join", _join, total=True),
    built("sequence", _sequence, strict=True),
    built("any_match", _match("trino_any"), strict=True),
    built("all_match", _match("trino_all"), strict=True),
    built("none_match", _match("trino_any", negate=True), strict=True),
    built("array_sort", _sort, strict=True),
    built("zip", _zip, total=True, strict=True),
    built("zip_with", _zip_with, strict=True),
    built("reduce", _reduce),
    built("repeat", _repeat),
    function("cardinality(array(T)) -> bigint", "CAST(len(a) AS BIGINT)", total=True),
    function("cardinality(map(K, V)) -> bigint", "CAST(len(map_keys(a)) AS BIGINT)", total=True),
    *_IN_FLOATS,
    function(
        "contains(array(T), T) -> boolean",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_contains(a, b) THEN true WHEN trino_has_null(a) THEN NULL "
        "ELSE false END",
        total=True,
    ),
    function("array_distinct(array(T)) -> array(T)", "trino_distinct(a)", total=True),
    function(
        "array_intersect(array(T), array(T)) -> array(T)",
        "CASE WHEN b IS NULL THEN NULL ELSE list_filter(trino_distinct(a), lambda trino_e: list_position(b, trino_e) IS NOT NULL) END",
        total=True,
    ),
    function(
        "array_union(array(T), array(T)) -> array(T)",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE trino_distinct(list_concat(a, b)) END",
        total=True,
    ),
    function(
        "array_except(array(T), array(T)) -> array(T)",
        "CASE WHEN b IS NULL THEN NULL ELSE list_filter(trino_distinct(a), lambda trino_e: list_position(b, trino_e) IS NULL) END",
        total=True,
    ),
    function("array_max(array(T)) -> T", "CASE WHEN NOT trino_has_null(a) THEN list_max(a) END", total=True),
    function("array_min(array(T)) -> T", "CASE WHEN NOT trino_has_null(a) THEN list_min(a) END", total=True),
    function(
        "array_position(array(T), T) -> bigint",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE CAST(coalesce(list_position(a, b), 0) AS BIGINT) END",
        total=True,
    ),
    function(
        "array_remove(array(T), T) -> array(T)",
        "CASE WHEN b IS NOT NULL THEN list_filter(a, lambda trino_e: trino_e IS NULL OR trino_e <> b) END",
        total=True,
    ),
    function(
        "arrays_overlap(array(T), array(T)) -> boolean",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true WHEN len(a) = 0 OR len(b) = 0 THEN "
        "false WHEN trino_has_null(a) OR trino_has_null(b) THEN NULL ELSE false END",
        total=True,
    ),
    # Trino's order is that of the bits of a counter, one bit per element; its limits are 5 and 100,000
    function(
        "combinations(array(T), bigint) -> array(array(T))",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN b NOT BETWEEN 0 AND 5 OR len(a) > 16 THEN "
        "[[a[CAST('lakegate:bad-argument' AS BIGINT)]]] ELSE list_transform(list_filter(range(0, 1 << len(a)), lambda trino_m: "
        "bit_count(trino_m) = b), lambda trino_m: list_filter(a, lambda trino_e, trino_i: (trino_m >> (trino_i - 1)) & 1 = 1)) END",
    ),
    function(
        "contains_sequence(array(T), array(T)) -> boolean",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(b) = 0 THEN true ELSE len(list_filter(range(1, len(a) - "
        "len(b) + 2), lambda trino_i: a[trino_i:trino_i + len(b) - 1] = b)) > 0 END",
        total=True,
    ),
    function("filter(array(T), function(T, boolean)) -> array(T)", "list_filter"),
    function("transform(array(T), function(T, R)) -> array(R)", "list_transform"),
    function(
        "flatten(array(array(T))) -> array(T)",
        "flatten(list_filter(a, lambda trino_e: trino_e IS NOT NULL))",
        total=True,
    ),
    function(
        "ngrams(array(T), bigint) -> array(array(T))",
        "CASE WHEN len(a) <= trino_positive(b) THEN [a] ELSE list_transform(range(1, len(a) - b + 2), "
        "lambda trino_i: a[trino_i:trino_i + b - 1]) END",
    ),
    function(
        "slice(array(T), bigint, bigint) -> array(T)",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL WHEN trino_not_zero(b) < -len(a) OR b > len(a) OR trino_not_negative(c) = 0 THEN a[1:0] "
        "WHEN b < 0 THEN a[len(a) + b + 1:least(len(a) + b + c, len(a))] "
        "ELSE a[b:least(b + c - 1, len(a))] END",
    ),
    function("trim_array(array(T), bigint) -> array(T)", f"a[1:len(a) - {_MANY}]"),
    function(
        "array_histogram(array(T)) -> map(T, bigint)",
        "CASE WHEN a IS NOT NULL THEN map(list_filter(trino_distinct(a), lambda trino_e: trino_e IS NOT NULL), "
        "list_transform(list_filter(trino_distinct(a), lambda trino_e: trino_e IS NOT NULL), lambda trino_e: "
        "CAST(len(list_filter(a, lambda trino_f: trino_f = trino_e)) AS BIGINT))) END",
        total=True,
    ),
)

REWRITES: dict[type[exp.Expr], Rewrite] = {exp.Array: constructed, exp.Bracket: subscript}
