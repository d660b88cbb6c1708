"""JSON: paths, scalars, NULL for a text that is no JSON.

https://trino.io/docs/current/functions/json.html
"""

import json
import re

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, literal_text, once, string, to_storage
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported
from athena.trino.values import Rewrite, Translator

_STEP = re.compile(r"\.([\w:]+)|\[(\d+)\]|\[\"([^\"\\]*)\"\]|\[(\w+)\]")
_DEPTH = 4
_TOO_DEEP = "CAST(CAST('lakegate:query-unsupported' AS INTEGER) AS VARCHAR)"
_NOT_JSON = "CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR)"

MACROS = {
    # a number keeps the digits that it was written with: read once more with fractions as texts
    "trino_json_digits(a, b)": "TRY(json_extract_string(regexp_replace(a, '([:\\[,]\\s*)(-?[0-9]+[.eE][0-9.eE+-]*)', "
    "'\\1\"\\2\"', 'g'), b))",
    "trino_json_scalar(a, b)": "CASE json_type(a, b) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'DOUBLE' THEN "
    "CASE WHEN json_valid(regexp_replace(a, '([:\\[,]\\s*)(-?[0-9]+[.eE][0-9.eE+-]*)', '\\1\"\\2\"', 'g')) THEN "
    "coalesce(trino_json_digits(a, b), json_extract_string(a, b)) ELSE json_extract_string(a, b) END "
    "ELSE json_extract_string(a, b) END",
    # keys in order, as Trino keeps them
    "trino_json_sorted_0(a)": f"CASE WHEN contains(a, '{{') THEN {_TOO_DEEP} ELSE CAST(a AS VARCHAR) END",
    "trino_json_pairs(a)": "CASE json_type(a) WHEN 'OBJECT' THEN list_transform(list_sort(map_entries(CAST(a AS "
    "MAP(VARCHAR, JSON)))), lambda trino_e: {'p': CAST(to_json(trino_e.key) AS VARCHAR) || ':', 'v': trino_e.value}) "
    "ELSE list_transform(CAST(a AS JSON[]), lambda trino_e: {'p': '', 'v': trino_e}) END",
}
for _level in range(1, _DEPTH + 1):
    MACROS[f"trino_json_sorted_{_level}(a)"] = (
        "CASE WHEN NOT contains(CAST(a AS VARCHAR), '{') THEN CAST(a AS VARCHAR) ELSE "
        "CASE json_type(a) WHEN 'OBJECT' THEN '{' ELSE '[' END || "
        f"array_to_string(list_transform(trino_json_pairs(a), lambda trino_p{_level}: trino_p{_level}.p || "
        f"coalesce(trino_json_sorted_{_level - 1}(trino_p{_level}.v), 'null')), ',') || "
        "CASE json_type(a) WHEN 'OBJECT' THEN '}' ELSE ']' END END"
    )
# DuckDB also reads a comma before a bracket, NaN and Infinity
MACROS["trino_json_valid(a)"] = (
    "json_valid(a) AND NOT regexp_matches(regexp_replace(a, '\"(\\\\.|[^\"\\\\])*\"', '\"\"', 'g'), ',\\s*[]}]|(?i:nan|inf)')"
)
MACROS["trino_json_parse(a)"] = (
    f"CASE WHEN a IS NULL THEN NULL WHEN NOT trino_json_valid(a) THEN CAST({_NOT_JSON} AS JSON) "
    f"ELSE CAST(trino_json_sorted_{_DEPTH}(CAST(json(a) AS JSON)) AS JSON) END"
)


def json_path(text: str) -> str:
    """A path of Trino as DuckDB's; `Refused` for wildcards and filters.

    >>> json_path('$.store.book[0]["a b"]')
    '$."store"."book"[0]."a b"'
    """
    if not text.startswith("$"):
        raise unsupported(f"The JSON path {text!r}", "Begin it with $.")
    made, index = ["$"], 1
    while index < len(text):
        match = _STEP.match(text, index)
        if match is None:
            raise unsupported(f"The JSON path {text!r}", 'Use steps like .key, [0] and ["key"].')
        key = match[1] if match[1] is not None else match[3] if match[3] is not None else match[4]
        made.append(f'."{key}"' if key is not None else f"[{match[2]}]")
        index = match.end()
    return "".join(made)


def _source(made: Call, count: int) -> Value:
    values = made.values()
    if len(values) != count:
        raise mistyped(f"{made.name} takes {count} arguments.", "Check the call.")
    if values[0].type.name not in ("varchar", "json", "unknown"):
        raise mistyped(f"{made.name}({values[0].type}) does not exist.", "Give it JSON or a text.")
    return coerce(values[0], types.VARCHAR) if values[0].type.name == "unknown" else values[0]


def _path(made: Call) -> exp.Expr:
    text = literal_text(made.values()[1].node)
    if text is None:
        raise unsupported(f"{made.name} with a path that is no literal", "Write the path as a literal.")
    return string(json_path(text))


def _read(source: Value) -> exp.Expr:
    """The JSON of a text, NULL where it is none."""
    return call("trino_json_or_null", source.node) if source.type.name == "varchar" else source.node


MACROS["trino_json_or_null(a)"] = "CASE WHEN json_valid(a) THEN a END"


def _extract(made: Call) -> Value:
    source = _source(made, 2)
    return Value(call("json_extract", _read(source), _path(made)), types.JSON)


def _extract_scalar(made: Call) -> Value:
    source = _source(made, 2)
    return Value(call("trino_json_scalar", _read(source), _path(made)), types.VARCHAR)


def _length(made: Call) -> Value:
    source = _source(made, 1)
    return Value(call("trino_json_array_length", _read(source)), types.BIGINT)


def _get(made: Call) -> Value:
    source = _source(made, 2)
    index = coerce(made.values()[1], types.BIGINT).node
    return Value(call("trino_json_array_get", _read(source), index), types.JSON)


def _size(made: Call) -> Value:
    source = _source(made, 2)
    return Value(call("trino_json_size", call("json_extract", _read(source), _path(made))), types.BIGINT)


def _contains(made: Call) -> Value:
    source = _source(made, 2)
    wanted = made.values()[1]
    if wanted.type.name == "boolean":
        value, name = wanted.node, "boolean"
    elif wanted.type.name in types.INTEGERS:
        value, name = coerce(wanted, types.BIGINT).node, "number"
    elif wanted.type.name in ("double", "real", "decimal"):
        value, name = coerce(wanted, types.DOUBLE).node, "number"
    elif wanted.type.name in ("varchar", "unknown"):
        value, name = coerce(wanted, types.VARCHAR).node, "text"
    else:
        raise mistyped(f"json_array_contains(json, {wanted.type}) does not exist.", "Look for a scalar.")
    return Value(call(f"trino_json_has_{name}", _read(source), value), types.BOOLEAN)


_HAS = "CASE WHEN json_type(a) = 'ARRAY' AND b IS NOT NULL THEN len(list_filter(CAST(a AS JSON[]), lambda trino_e: "
MACROS |= {
    "trino_json_array_length(a)": "CASE WHEN json_type(a) = 'ARRAY' THEN CAST(json_array_length(a) AS BIGINT) END",
    "trino_json_array_get(a, b)": "CASE WHEN json_type(a) = 'ARRAY' THEN list_extract(CAST(a AS JSON[]), CASE WHEN b < 0 "
    "THEN b ELSE b + 1 END) END",
    "trino_json_size(a)": "CASE json_type(a) WHEN 'OBJECT' THEN CAST(len(json_keys(a)) AS BIGINT) WHEN 'ARRAY' THEN "
    "CAST(json_array_length(a) AS BIGINT) ELSE CASE WHEN a IS NOT NULL THEN CAST(0 AS BIGINT) END END",
    "trino_json_has_boolean(a, b)": _HAS
    + "json_type(trino_e) = 'BOOLEAN' AND (trino_e ->> '$') = CAST(b AS VARCHAR))) > 0 END",
    "trino_json_has_number(a, b)": _HAS + "json_type(trino_e) IN ('UBIGINT', 'BIGINT', 'DOUBLE') AND "
    "CAST(trino_e ->> '$' AS DOUBLE) = b)) > 0 END",
    "trino_json_has_text(a, b)": _HAS + "json_type(trino_e) = 'VARCHAR' AND (trino_e ->> '$') = b)) > 0 END",
}


def _format(made: Call) -> Value:
    source = made.values()[0]
    if source.type.name not in ("json", "unknown"):
        raise mistyped(f"json_format({source.type}) does not exist.", "Use CAST(x AS JSON) first.")
    return Value(to_storage(source.node, "VARCHAR"), types.VARCHAR)


def _is_scalar(made: Call) -> Value:
    source = _source(made, 1)
    return Value(call("trino_json_is_scalar", source.node), types.BOOLEAN)


MACROS["trino_json_is_scalar(a)"] = "json_type(a) NOT IN ('OBJECT', 'ARRAY')"


def _parse(made: Call) -> Value:
    """json_parse; a literal is parsed here, which spares DuckDB the nested macros."""
    value = _source(made, 1)
    if value.type.name == "json":
        raise mistyped("json_parse(json) does not exist.", "It is JSON already.")
    text = literal_text(value.node)
    if text is not None:
        try:
            kept = json.dumps(
                json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
            return Value(to_storage(string(kept), "JSON"), types.JSON)
        except (ValueError, RecursionError):
            pass
    return Value(once(value.node, "trino_j", lambda node: call("trino_json_parse", node)), types.JSON)


def refused(translator: Translator, node: exp.Expr) -> Value:
    """json_object"""
    raise unsupported("json_object", "Use CAST(MAP(ARRAY[…], ARRAY[…]) AS JSON).")


FUNCTIONS: tuple[Function, ...] = (
    built("json_extract", _extract, total=True, strict=True),
    built("json_extract_scalar", _extract_scalar, total=True, strict=True),
    built("json_array_length", _length, total=True, strict=True),
    built("json_array_get", _get, total=True, strict=True),
    built("json_array_contains", _contains, total=True, strict=True),
    built("json_size", _size, total=True, strict=True),
    built("json_format", _format, total=True, strict=True),
    built("is_json_scalar", _is_scalar, strict=True),
    built("json_parse", _parse, strict=True),
)

REWRITES: dict[type[exp.Expr], Rewrite] = {exp.JSONObject: refused}
