"""CAST, TRY_CAST and the silent widening that Trino does.

DuckDB rounds half to even, reads '1.5' as an integer, forgets varchar lengths and prints doubles and timestamps in
its own way; each is mended here. https://trino.io/docs/current/functions/conversion.html
"""

import re
from collections.abc import Callable

from sqlglot import exp

from athena.trino import types
from athena.trino.build import (
    call,
    case,
    field_of,
    is_null,
    lambda_of,
    literal_text,
    name,
    null,
    number,
    once,
    string,
    struct,
    to,
    try_to,
)
from athena.trino.function import Value
from athena.trino.instants import instant_literal, rounded, zoned_literal
from athena.trino.json_cast import from_json, to_json
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.written import as_text, at_zone, known_zone, local

_DATE = re.compile(r"[+-]?\d{4,}-\d{1,2}-\d{1,2}", re.ASCII)

NUMBERS = {*types.INTEGERS, "decimal", "real", "double"}

MACROS = {
    "trino_boolean(a)": "CASE WHEN lower(a) IN ('t', 'true', '1') THEN true WHEN lower(a) IN ('f', 'false', '0') "
    "THEN false WHEN a IS NULL THEN NULL ELSE CAST('lakegate:cast-failed' AS BOOLEAN) END",
    "trino_integer_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(a, '[+-]?[0-9]+') THEN a "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    "trino_double_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(trim(a), "
    "'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?Infinity|[+-]?NaN') THEN trim(a) "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    "trino_decimal_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(a, "
    "'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') THEN a "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    "trino_date_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(trim(a), '[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}') "
    "THEN trim(a) ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    # Java makes infinities of what a real cannot hold
    "trino_real(a)": "CASE WHEN abs(a) >= 3.4028235677973366e38 THEN CAST(sign(a) AS DOUBLE) * CAST('inf' AS DOUBLE) ELSE a END",
    "trino_timestamp_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(trim(a), "
    "'[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]+)?)?)?') "
    "THEN CASE WHEN regexp_full_match(trim(a), '.* [0-9]{1,2}:[0-9]{1,2}') THEN trim(a) || ':00' ELSE trim(a) END "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    "trino_time_text(a)": "CASE WHEN a IS NULL OR regexp_full_match(trim(a), "
    "'[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]+)?)?') "
    "THEN CASE WHEN regexp_full_match(trim(a), '[0-9]{1,2}:[0-9]{1,2}') THEN trim(a) || ':00' ELSE trim(a) END "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    # exact: the binary value is written out before it is rounded
    "trino_exact(a)": "CASE WHEN isfinite(a) THEN format('{:.45f}', a) WHEN a IS NULL THEN NULL "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
    "trino_bounded(a, b)": "CASE WHEN a IS NULL OR length(a) <= b THEN a "
    "ELSE CAST(CAST('lakegate:cast-failed' AS INTEGER) AS VARCHAR) END",
}


def coerce(value: Value, wanted: Type) -> Value:
    """`value` widened silently, as Trino does between types that fit; the node unchanged where DuckDB stores the same.

    The caller has checked that the types fit.
    """
    given = value.type
    if given == wanted or types.same_storage(given, wanted):
        return Value(value.node, wanted)
    if given.name == "unknown":
        return Value(null(wanted), wanted)
    if wanted.name == "double" and isinstance(value.node, exp.Literal):
        return Value(number(_as_double(str(value.node.this))), wanted)
    if given.name in ("array", "map", "row"):
        return Value(_nested(value, wanted, implicit=True), wanted)
    if given.name == "timestamp with time zone" and wanted.name == "timestamp":
        raise unsupported("A silent cast of a timestamp with time zone", "Cast it explicitly.")
    if given.name == "timestamp" and wanted.name == "timestamp with time zone":
        return Value(at_zone(value.node, "UTC"), wanted)
    if given.name == "date" and wanted.name == "timestamp with time zone":
        return Value(at_zone(to(value.node, types.timestamp()), "UTC"), wanted)
    return Value(to(value.node, wanted), wanted)


def _as_double(text: str) -> str:
    return text if "e" in text.lower() else text.rstrip(".") + "e0"


def cast(value: Value, wanted: Type) -> Value:
    """CAST(value AS wanted) with Trino's rounding, truncation and errors; `Refused` where Trino has no such cast."""
    given = value.type
    if wanted.name == "timestamp with time zone" and given.name == wanted.name:
        wanted = types.zoned(wanted.args[0], given.args[1])
    if given.name == "unknown":
        return Value(null(wanted), wanted)
    if given == wanted:
        return value
    maker = _MAKERS.get(wanted.name)
    node = maker(value, wanted) if maker is not None else None
    if node is None:
        raise mistyped(f"CAST from {given} to {wanted} does not exist.", "Cast in two steps, or to another type.")
    if isinstance(node, Value):
        return node
    return Value(node, wanted)


def try_cast(value: Value, wanted: Type) -> Value:
    """TRY_CAST: NULL where CAST would fail."""
    if value.type.name == "varchar" and wanted.name in ("double", "real"):
        plain = call("trino_double_text", value.node)
        return Value(try_to(call("try", plain), wanted), wanted)
    done = cast(value, wanted)
    return Value(call("try", done.node), done.type)


def _nested(value: Value, wanted: Type, *, implicit: bool) -> exp.Expr:
    step = coerce if implicit else cast
    given = value.type
    if wanted.name == "array" and given.name == "array":
        body = step(Value(name("trino_e"), given.args[0]), wanted.args[0])
        return call("list_transform", value.node, lambda_of(body.node, "trino_e"))
    if wanted.name == "map" and given.name == "map":
        key = step(Value(name("trino_e"), given.args[0]), wanted.args[0])
        item = step(Value(name("trino_e"), given.args[1]), wanted.args[1])
        keys = call("list_transform", call("map_keys", value.node), lambda_of(key.node, "trino_e"))
        items = call("list_transform", call("map_values", value.node.copy()), lambda_of(item.node, "trino_e"))
        return case((is_null(value.node), null(wanted)), otherwise=call("map", keys, items))
    if wanted.name == "row" and given.name == "row" and len(given.args) == len(wanted.args):
        return _row(value, wanted, step)
    raise mistyped(f"CAST from {given} to {wanted} does not exist.", "Cast element by element.")


def _row(value: Value, wanted: Type, step: Callable[[Value, Type], Value]) -> exp.Expr:
    sides = list(zip(types.row_fields(value.type), types.row_fields(wanted), strict=True))

    def fields(node: exp.Expr) -> exp.Expr:
        parts = [(to, step(Value(field_of(node, given), kind), goal).node) for (given, kind), (to, goal) in sides]
        made = struct(*parts)
        return made if isinstance(node, exp.Struct) else case((is_null(node), null(wanted)), otherwise=made)

    return once(value.node, "trino_w", fields)


def _boolean(value: Value, wanted: Type) -> exp.Expr | None:
    if value.type.name == "varchar":
        return call("trino_boolean", value.node)
    if value.type.name == "json":
        return from_json(value, wanted)
    return to(value.node, wanted) if value.type.name in NUMBERS else None


def _integer(value: Value, wanted: Type) -> exp.Expr | None:
    source = value.type.name
    if source == "varchar":
        return to(call("trino_integer_text", value.node), wanted)
    if source == "json":
        return from_json(value, wanted)
    if source in ("double", "real"):
        return to(call("round", value.node), wanted)
    return to(value.node, wanted) if source in NUMBERS or source == "boolean" else None


def _floating(value: Value, wanted: Type) -> exp.Expr | None:
    source = value.type.name
    if source == "varchar":
        return to(call("trino_double_text", value.node), wanted)
    if source == "json":
        return from_json(value, wanted)
    if wanted.name == "real" and source in ("double", "decimal"):
        return to(call("trino_real", to(value.node, types.DOUBLE)), wanted)
    return to(value.node, wanted) if source in NUMBERS or source == "boolean" else None


def _decimal(value: Value, wanted: Type) -> exp.Expr | None:
    source = value.type.name
    if source == "varchar":
        return to(call("trino_decimal_text", value.node), wanted)
    if source == "json":
        return from_json(value, wanted)
    if source in ("double", "real"):
        return to(call("trino_exact", to(value.node, types.DOUBLE)), wanted)
    if source == "boolean":
        return to(to(value.node, types.INTEGER), wanted)
    return to(value.node, wanted) if source in NUMBERS else None


def _varchar(value: Value, wanted: Type) -> exp.Expr | None:
    length = wanted.args[0] if wanted.args else None
    if value.type.name == "varchar":
        own = value.type.args[0] if value.type.args else None
        if length is None or (own is not None and own <= length):
            return value.node
        return call("substring", value.node, number(1), number(length))
    text = from_json(value, types.VARCHAR) if value.type.name == "json" else as_text(value)
    if text is None or length is None:
        return text
    return call("trino_bounded", text, number(length))


def _date(value: Value, wanted: Type) -> exp.Expr | None:
    kind = value.type
    if kind.name == "varchar":
        text = literal_text(value.node)
        plain = text is not None and _DATE.fullmatch(text.strip())
        return to(string(plain[0]) if plain else call("trino_date_text", value.node), wanted)
    if kind.name == "timestamp":
        return to(value.node, wanted)
    if kind.name == "timestamp with time zone":
        return to(local(value, "CAST to date"), wanted)
    return from_json(value, wanted) if kind.name == "json" else None


def _timestamp(value: Value, wanted: Type) -> exp.Expr | None:
    kind = value.type
    if kind.name == "varchar":
        text = literal_text(value.node)
        if text is not None:
            return instant_literal(text, wanted)
        return rounded(to(call("trino_timestamp_text", value.node), wanted), 6, wanted.args[0])
    if kind.name == "date":
        return to(value.node, wanted)
    if kind.name == "timestamp":
        return rounded(value.node, kind.args[0], wanted.args[0])
    if kind.name == "timestamp with time zone":
        return rounded(local(value, "CAST to timestamp"), kind.args[0], wanted.args[0])
    return None


def _zoned(value: Value, wanted: Type) -> exp.Expr | Value | None:
    kind = value.type
    if kind.name == "varchar":
        text = literal_text(value.node)
        if text is None:
            raise unsupported("CAST of a varchar column to timestamp with time zone", "Use from_iso8601_timestamp(x).")
        node, zone = zoned_literal(text, wanted.args[0])
        return Value(node, types.zoned(wanted.args[0], zone))
    if kind.name in ("date", "timestamp"):
        plain = _timestamp(value, types.timestamp(wanted.args[0]))
        assert plain is not None
        return at_zone(plain, "UTC")
    if kind.name == "timestamp with time zone":
        zone = known_zone(kind, "CAST")
        return at_zone(rounded(at_zone(value.node, zone), kind.args[0], wanted.args[0]), zone)
    return None


def _time(value: Value, wanted: Type) -> exp.Expr | None:
    if value.type.name == "varchar":
        return to(call("trino_time_text", value.node), wanted)
    return to(value.node, wanted) if value.type.name in ("timestamp", "time") else None


def _varbinary(value: Value, wanted: Type) -> exp.Expr | None:
    return call("encode", value.node) if value.type.name == "varchar" else None


def _composite(value: Value, wanted: Type) -> exp.Expr:
    return from_json(value, wanted) if value.type.name == "json" else _nested(value, wanted, implicit=False)


def _uuid(value: Value, wanted: Type) -> exp.Expr | None:
    return to(value.node, wanted) if value.type.name == "varchar" else None


_MAKERS = {
    "boolean": _boolean,
    **dict.fromkeys(types.INTEGERS, _integer),
    "real": _floating,
    "double": _floating,
    "decimal": _decimal,
    "varchar": _varchar,
    "date": _date,
    "timestamp": _timestamp,
    "timestamp with time zone": _zoned,
    "time": _time,
    "varbinary": _varbinary,
    "json": lambda value, wanted: to_json(value),
    "array": _composite,
    "map": _composite,
    "row": _composite,
    "uuid": _uuid,
}
