"""Maps and rows: entries are rows without names, the last of equal keys wins, lambdas over entries.

https://trino.io/docs/current/functions/map.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, case, is_null, lambda_of, name, null, string, struct, to
from athena.trino.cast import coerce
from athena.trino.comparisons import common_of
from athena.trino.function import Build, Call, Function, Value, built, function
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.values import Rewrite, Translator

MACROS = {
    "trino_entries(a)": "list_transform(map_entries(a), lambda trino_e: {'field0': trino_e.key, 'field1': trino_e.value})",
    "trino_multimap(a)": "CASE WHEN len(a) = 0 THEN MAP {} ELSE trino_entries_to_multimap(list_transform(a, "
    "lambda trino_e: {'k': trino_e.field0, 'v': trino_e.field1})) END",
    "trino_from_entries(a)": "CASE WHEN a IS NULL THEN NULL ELSE map(list_transform(a, lambda trino_e: "
    "trino_e.field0), list_transform(a, lambda trino_e: trino_e.field1)) END",
}


def constructed(translator: Translator, node: exp.Expr) -> Value:
    """MAP(keys, values) and MAP()."""
    sides = [node.args.get("keys"), node.args.get("values")]
    if sides[0] is None:
        kind = types.map_of(types.UNKNOWN, types.UNKNOWN)
        return Value(to(call("map"), kind), kind)
    keys, items = (translator.value(side) for side in sides if side is not None)
    if keys.type.name != "array" or items.type.name != "array":
        raise mistyped("MAP takes an array of keys and an array of values.", "Write MAP(ARRAY[…], ARRAY[…]).")
    kind = types.map_of(keys.type.args[0], items.type.args[0])
    missing = exp.or_(is_null(keys.node), is_null(items.node), copy=False)
    both_literal = isinstance(keys.node, exp.Array) and isinstance(items.node, exp.Array)
    made = call("map", keys.node, items.node)
    return Value(made if both_literal else case((missing, null(kind)), otherwise=made), kind)


def row(translator: Translator, node: exp.Expr) -> Value:
    """ROW(a, b) and (a, b): fields without names."""
    values = [translator.value(part) for part in node.expressions]
    kind = types.row(*((None, value.type) for value in values))
    nodes = [to(v.node, v.type) if v.type.name != "varchar" else v.node for v in values]
    fields = types.row_fields(kind)
    return Value(struct(*((physical, n) for (physical, _), n in zip(fields, nodes, strict=True))), kind)


def _entry_sides(kind: Type) -> list[Value]:
    return [
        Value(call("struct_extract", name("trino_e"), string(side)), kind.args[i])
        for i, side in enumerate(("key", "value"))
    ]


def _map_and_lambda(made: Call) -> tuple[Value, exp.Lambda]:
    if len(made.arguments) != 2:
        raise mistyped(f"{made.name} takes a map and a lambda.", "Write (k, v) -> …")
    source, function_ = made.arguments
    if not isinstance(source, Value) or source.type.name != "map" or not isinstance(function_, exp.Lambda):
        raise mistyped(f"{made.name} takes a map and a lambda of two parameters.", "Write (k, v) -> …")
    return source, function_


def _filter(made: Call) -> Value:
    source, predicate = _map_and_lambda(made)
    body = made.translator.bound(predicate, _entry_sides(source.type))
    kept = call("list_filter", call("map_entries", source.node), lambda_of(to(body.node, types.BOOLEAN), "trino_e"))
    return Value(case((is_null(source.node), null(source.type)), otherwise=call("map_from_entries", kept)), source.type)


def _transformed(side: str) -> Build:
    def build(made: Call) -> Value:
        source, function_ = _map_and_lambda(made)
        body = made.translator.bound(function_, _entry_sides(source.type))
        changed = call("list_transform", call("map_entries", source.node), lambda_of(body.node, "trino_e"))
        key, item = source.type.args
        if side == "key":
            kind, parts = types.map_of(body.type, item), (changed, call("map_values", source.node.copy()))
        else:
            kind, parts = types.map_of(key, body.type), (call("map_keys", source.node.copy()), changed)
        return Value(case((is_null(source.node), null(kind)), otherwise=call("map", *parts)), kind)

    return build


def _zip_with(made: Call) -> Value:
    if len(made.arguments) != 3 or not isinstance(made.arguments[2], exp.Lambda):
        raise mistyped("map_zip_with takes two maps and a lambda.", "Check the call.")
    one, two = made.values()
    if one.type.name != "map" or two.type.name != "map" or types.common(one.type.args[0], two.type.args[0]) is None:
        raise mistyped("map_zip_with takes two maps with keys of one type.", "Cast the keys.")
    key = Value(name("trino_k"), one.type.args[0])
    sides = [
        Value(call("map_extract_value", side.node.copy(), name("trino_k")), side.type.args[1]) for side in (one, two)
    ]
    body = made.translator.bound(made.arguments[2], [key, *sides])
    keys = call("trino_distinct", call("list_concat", call("map_keys", one.node), call("map_keys", two.node)))
    kind = types.map_of(one.type.args[0], body.type)
    zipped = call("map", keys, call("list_transform", keys.copy(), lambda_of(body.node, "trino_k")))
    missing = exp.or_(is_null(one.node), is_null(two.node), copy=False)
    return Value(case((missing, null(kind)), otherwise=zipped), kind)


def _concat(made: Call) -> Value:
    values = made.values()
    both = common_of(values, "map_concat")
    if both.name != "map":
        raise mistyped("map_concat takes maps.", "Check the call.")
    missing = exp.or_(*(is_null(value.node) for value in values), copy=False)
    made_node = call("map_concat", *(coerce(value, both).node for value in values))
    return Value(case((missing, null(both)), otherwise=made_node), both)


def _entries(made: Call) -> Value:
    source = made.values()[0]
    if source.type.name != "map":
        raise mistyped(f"map_entries({source.type}) does not exist.", "Give it a map.")
    kind = types.array(types.row((None, source.type.args[0]), (None, source.type.args[1])))
    return Value(call("trino_entries", source.node), kind)


def _from_entries(made: Call) -> Value:
    source = made.values()[0]
    element = source.type.args[0] if source.type.name == "array" else types.UNKNOWN
    if element.name != "row" or len(element.args) != 2:
        raise mistyped(f"{made.name} takes an array of rows of two fields.", "Write ARRAY[ROW(k, v), …].")
    if any(label for label, _ in element.args):
        raise unsupported(f"{made.name} of rows with named fields", "Leave the fields without names.")
    key, item = element.args[0][1], element.args[1][1]
    if made.name == "multimap_from_entries":
        return Value(call("trino_multimap", source.node), types.map_of(key, types.array(item)))
    return Value(call("trino_from_entries", source.node), types.map_of(key, item))


FUNCTIONS: tuple[Function, ...] = (
    function("map_keys(map(K, V)) -> array(K)", "map_keys", total=True),
    function("map_values(map(K, V)) -> array(V)", "map_values", total=True),
    built("map_entries", _entries, total=True, strict=True),
    built("map_from_entries", _from_entries, strict=True),
    built("multimap_from_entries", _from_entries, strict=True),
    built("map_concat", _concat, total=True, strict=True),
    built("map_filter", _filter, strict=True),
    built("transform_keys", _transformed("key"), strict=True),
    built("transform_values", _transformed("value"), strict=True),
    built("map_zip_with", _zip_with, strict=True),
)

REWRITES: dict[type[exp.Expr], Rewrite] = {exp.Map: constructed, exp.Struct: row, exp.Tuple: row}
