"""CAST to and from JSON: rows become objects, maps are sorted by key, numbers keep their digits.

https://trino.io/docs/current/functions/json.html#cast-to-json
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import (
    call,
    case,
    field_of,
    is_null,
    lambda_of,
    name,
    null,
    once,
    string,
    struct,
    to,
    to_storage,
)
from athena.trino.function import Value
from athena.trino.refusal import mistyped
from athena.trino.types import Type
from athena.trino.written import as_text, decimal_text

_FAIL = "CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR)"

MACROS = {
    "trino_json_text(a)": "a ->> '$'",
    "trino_json_varchar(a)": "CASE json_type(a) WHEN 'DOUBLE' THEN trino_double_varchar(TRY_CAST(trino_json_text(a) "
    f"AS DOUBLE)) WHEN 'OBJECT' THEN {_FAIL} WHEN 'ARRAY' THEN {_FAIL} "
    "ELSE trino_json_text(a) END",
    # the text of the number that a JSON scalar stands for
    "trino_json_number(a)": "CASE json_type(a) WHEN 'BOOLEAN' THEN CASE trino_json_text(a) WHEN 'true' THEN '1' "
    f"ELSE '0' END WHEN 'OBJECT' THEN {_FAIL} WHEN 'ARRAY' THEN {_FAIL}"
    " ELSE trino_json_text(a) END",
    "trino_json_integer(a)": "CASE json_type(a) WHEN 'DOUBLE' THEN CAST(CAST(round(TRY_CAST(trino_json_text(a) AS DOUBLE)) "
    "AS BIGINT) AS VARCHAR) ELSE trino_integer_text(trino_json_number(a)) END",
    "trino_json_boolean(a)": "CASE json_type(a) WHEN 'BOOLEAN' THEN trino_json_text(a) = 'true' WHEN 'VARCHAR' THEN "
    "trino_boolean(trino_json_text(a)) ELSE CAST(trino_double_text(trino_json_number(a)) AS DOUBLE) <> 0 END",
    "trino_quoted(a)": "CAST(to_json(a) AS VARCHAR)",
}


def to_json(value: Value) -> exp.Expr:
    """CAST(value AS JSON)."""
    if value.type.name == "unknown":
        return null(types.JSON)
    if value.type.name == "json":
        return value.node
    return to_storage(_text(value), "JSON")


def _text(value: Value) -> exp.Expr:
    """The JSON text of a value; NULL for NULL."""
    kind = value.type
    if kind.name in ("double", "real"):
        return case(
            (call("isfinite", value.node), call("trino_java_double", value.node)),
            otherwise=call("trino_quoted", call("trino_special", value.node)),
        )
    if kind.name == "decimal":
        return decimal_text(value)
    if kind.name in types.INTEGERS or kind.name in ("boolean", "json"):
        return to(value.node, types.VARCHAR)
    if kind.name == "varchar":
        return call("trino_quoted", value.node)
    if kind.name == "unknown":
        return null(types.VARCHAR)
    if kind.name == "array":
        return _brackets("[", _items(value.node, _element(Value(name("trino_e"), kind.args[0]))), "]")
    if kind.name == "map":
        return _map(value)
    if kind.name == "row":
        return _row(value)
    text = as_text(value)
    if text is None:
        raise mistyped(f"CAST from {kind} to json does not exist.", "Cast to varchar first.")
    return call("trino_quoted", text)


def _element(value: Value) -> exp.Expr:
    return call("coalesce", _text(value), string("null"))


def _items(values: exp.Expr, body: exp.Expr) -> exp.Expr:
    return call("list_transform", values, lambda_of(body, "trino_e"))


def _brackets(opening: str, items: exp.Expr, closing: str) -> exp.Expr:
    joined = call("array_to_string", items, string(","))
    return exp.paren(
        exp.DPipe(this=exp.DPipe(this=string(opening), expression=joined), expression=string(closing)), copy=False
    )


def _map(value: Value) -> exp.Expr:
    key, item = value.type.args
    entry = name("trino_e")
    key_text = as_text(Value(call("struct_extract", entry, string("key")), key))
    if key_text is None:
        raise mistyped(f"CAST from {value.type} to json does not exist.", "Use varchar keys.")
    text = _element(Value(call("struct_extract", entry.copy(), string("value")), item))
    pair = struct(("k", key_text), ("v", text))
    ordered = call("list_sort", _items(call("map_entries", value.node), pair))
    body = exp.DPipe(
        this=exp.DPipe(
            this=call("trino_quoted", call("struct_extract", name("trino_e"), string("k"))), expression=string(":")
        ),
        expression=call("struct_extract", name("trino_e"), string("v")),
    )
    return _brackets("{", _items(ordered, body), "}")


def _row(value: Value) -> exp.Expr:
    fields = list(zip(types.row_fields(value.type), value.type.args, strict=True))

    def body(node: exp.Expr) -> exp.Expr:
        parts: list[exp.Expr] = []
        for (physical, kind), (label, _) in fields:
            item = exp.DPipe(this=string(":"), expression=_element(Value(field_of(node, physical), kind)))
            parts.append(exp.DPipe(this=call("trino_quoted", string(label or "")), expression=item))
        made = _brackets("{", exp.Array(expressions=parts), "}")
        return case((is_null(node), null(types.VARCHAR)), otherwise=made)

    return once(value.node, "trino_o", body)


def from_json(value: Value, wanted: Type) -> exp.Expr:
    """CAST(json AS wanted)."""
    return once(value.node, "trino_j", lambda node: _from_json(node, wanted))


def _from_json(node: exp.Expr, wanted: Type) -> exp.Expr:
    if wanted.name == "json":
        return node
    if wanted.name == "varchar":
        return call("trino_json_varchar", node)
    if wanted.name == "boolean":
        return call("trino_json_boolean", node)
    if wanted.name in types.INTEGERS:
        return to(call("trino_json_integer", node), wanted)
    if wanted.name in ("double", "real"):
        return to(call("trino_double_text", call("trino_json_number", node)), wanted)
    if wanted.name == "decimal":
        return to(call("trino_decimal_text", call("trino_json_number", node)), wanted)
    element = Value(name("trino_e"), types.JSON)
    if wanted.name == "array":
        return _items(to_storage(node, "JSON[]"), from_json(element, wanted.args[0]))
    if wanted.name == "map":
        return _to_map(node, wanted)
    if wanted.name == "row":
        return _to_row(node, wanted)
    raise mistyped(f"CAST from json to {wanted} does not exist.", "Cast to varchar first.")


def _to_map(node: exp.Expr, wanted: Type) -> exp.Expr:
    if wanted.args[0].name != "varchar":
        raise mistyped(f"CAST from json to {wanted} is not supported.", "Use varchar keys.")
    plain = to_storage(node, "MAP(VARCHAR, JSON)")
    items = _items(call("map_values", plain.copy()), from_json(Value(name("trino_e"), types.JSON), wanted.args[1]))
    made = call("map", call("map_keys", plain), items)
    return case((exp.Is(this=exp.paren(plain.copy(), copy=False), expression=exp.Null()), null(wanted)), otherwise=made)


def _to_row(node: exp.Expr, wanted: Type) -> exp.Expr:
    parts = []
    for index, ((physical, kind), (label, _)) in enumerate(zip(types.row_fields(wanted), wanted.args, strict=True)):
        by_name = call("json_extract", node.copy(), string(f'$."{label}"' if label else "$.\x00"))
        by_place = call("json_extract", node.copy(), string(f"$[{index}]"))
        item = from_json(Value(call("coalesce", by_name, by_place), types.JSON), kind)
        parts.append((physical, item))
    kind_of = call("json_type", node.copy())
    empty = exp.Or(
        this=exp.Is(this=exp.paren(node.copy(), copy=False), expression=exp.Null()),
        expression=exp.EQ(this=kind_of, expression=string("NULL")),
    )
    return case((empty, null(wanted)), otherwise=struct(*parts))
