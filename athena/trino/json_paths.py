"""json_exists, json_value and json_query: paths of SQL/JSON, lax and strict, of keys, places and [*].

A path makes a list of items, one step at a time. In it NULL stands for a structural error, which only strict paths
have. https://trino.io/docs/current/functions/json.html
"""

import re
from collections.abc import Callable

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, case, is_null, literal_text, number, once, string, to
from athena.trino.cast import coerce, try_cast
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type, parse_type
from athena.trino.values import Rewrite, Translator

_STEP = re.compile(r"\s*(?:\.\s*(?:([A-Za-z_]\w*)|\"([^\"\\]*)\")|\[\s*(?:(\d{1,9})|(\*))\s*\])", re.ASCII)
_MODE = re.compile(r"\s*(lax|strict)\s+\$")
_RETURNED = {*types.INTEGERS, "varchar", "double", "decimal", "date"}
_ELEMENTS = "json_extract(trino_x, '$[*]')"

MACROS = {
    "trino_items(a)": "CASE WHEN a IS NULL THEN NULL WHEN trino_json_valid(a) THEN [json(a)] ELSE [CAST(NULL AS JSON)] END",
    "trino_strict_key(a, b)": "list_transform(a, lambda trino_x: CASE WHEN json_type(trino_x) = 'OBJECT' "
    "THEN json_extract(trino_x, b) END)",
    "trino_lax_all(a)": "flatten(list_transform(a, lambda trino_x: CASE WHEN json_type(trino_x) = 'ARRAY' "
    f"THEN {_ELEMENTS} ELSE [trino_x] END))",
    "trino_lax_key(a, b)": "flatten(list_transform(trino_lax_all(a), lambda trino_x: CASE WHEN json_type(trino_x) = 'OBJECT' "
    "AND json_extract(trino_x, b) IS NOT NULL THEN [json_extract(trino_x, b)] ELSE CAST([] AS JSON[]) END))",
    "trino_strict_all(a)": "flatten(list_transform(a, lambda trino_x: CASE WHEN json_type(trino_x) = 'ARRAY' "
    f"THEN {_ELEMENTS} ELSE [CAST(NULL AS JSON)] END))",
    "trino_lax_place(a, b)": "flatten(list_transform(a, lambda trino_x: CASE WHEN json_type(trino_x) = 'ARRAY' "
    f"THEN ({_ELEMENTS})[b + 1:b + 1] WHEN b = 0 THEN [trino_x] ELSE CAST([] AS JSON[]) END))",
    "trino_strict_place(a, b)": "list_transform(a, lambda trino_x: CASE WHEN json_type(trino_x) = 'ARRAY' "
    f"THEN ({_ELEMENTS})[b + 1] END)",
    "trino_sound(a)": "list_count(a) = len(a)",
    "trino_is_scalar_item(a)": "json_type(a) NOT IN ('OBJECT', 'ARRAY')",
    # a fraction is rounded to a whole number, as CAST does it
    "trino_whole_text(a)": "CASE WHEN json_type(a) = 'DOUBLE' THEN CAST(CAST(round(CAST(a ->> '$' AS DECIMAL(38, 10))) "
    "AS HUGEINT) AS VARCHAR) ELSE a ->> '$' END",
    "trino_scalar_text(a)": "CASE WHEN json_type(a) <> 'NULL' THEN a ->> '$' END",
    "trino_in_brackets(a)": "'[' || array_to_string(list_transform(a, lambda trino_x: CAST(trino_x AS VARCHAR)), ',') || ']'",
    "trino_unquoted(a)": "CASE WHEN json_type(a) = 'VARCHAR' THEN a ->> '$' ELSE CAST(a AS VARCHAR) END",
}


def items(source: Value, path: exp.Expr | None, what: str) -> exp.Expr:
    """The list of what a path finds: NULL for NULL, with a NULL in it for an error."""
    text = literal_text(path) if path is not None else None
    mode = _MODE.match(text) if text is not None else None
    if text is None or mode is None:
        raise unsupported(f"The path of {what}", "Write it as a literal: 'lax $.key' or 'strict $.key'.")
    if source.type.name not in ("varchar", "json", "unknown"):
        raise mistyped(f"{what}({source.type}, …) does not exist.", "Give it a text that holds JSON.")
    source = coerce(source, types.VARCHAR) if source.type.name == "unknown" else source
    made, index = call("trino_items", to(source.node, types.VARCHAR)), mode.end()
    while text[index:].strip():
        step = _STEP.match(text, index)
        if step is None:
            raise unsupported(f"The JSON path {text!r}", 'Use steps like .key, ."a b", [0] and [*].')
        key = step[1] if step[1] is not None else step[2]
        if key is not None:
            made = call(f"trino_{mode[1]}_key", made, string(f'$."{key}"'))
        elif step[3] is not None:
            made = call(f"trino_{mode[1]}_place", made, number(int(step[3])))
        else:
            made = call(f"trino_{mode[1]}_all", made)
        index = step.end()
    return made


def _found(source: Value, path: exp.Expr | None, what: str, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    return once(items(source, path, what), "trino_q", body)


def _exists(made: Call) -> Value:
    values = made.values()
    if len(values) != 2:
        raise mistyped("json_exists takes JSON and a path.", "Check the call.")

    def body(found: exp.Expr) -> exp.Expr:
        some = exp.GT(this=call("len", found), expression=number(0))
        sound = call("trino_sound", found.copy())
        return case((sound, some), (exp.Not(this=sound.copy()), exp.false()))

    return Value(_found(values[0], values[1].node, "json_exists", body), types.BOOLEAN)


def value(translator: Translator, node: exp.Expr) -> Value:
    """json_value(text, path [RETURNING type] [DEFAULT … ON EMPTY] [DEFAULT … ON ERROR])"""
    returning = node.args.get("returning")
    kind = parse_type(returning) if returning else types.VARCHAR
    if kind.name not in _RETURNED:
        raise unsupported(f"json_value RETURNING {kind}", "Cast what it returns: CAST(json_value(…) AS …).")
    empty, error = (_default(translator, node, key, kind) for key in ("empty", "error"))

    def body(found: exp.Expr) -> exp.Expr:
        item = call("list_extract", found.copy(), number(1))
        cast = _scalar(item, kind)
        failed = exp.And(
            this=is_null(cast), expression=exp.NEQ(this=call("json_type", item.copy()), expression=string("NULL"))
        )
        return case(
            (is_null(found), to(exp.Null(), kind)),
            (exp.Not(this=call("trino_sound", found.copy())), error.copy()),
            (exp.EQ(this=call("len", found.copy()), expression=number(0)), empty),
            (exp.GT(this=call("len", found.copy()), expression=number(1)), error.copy()),
            (exp.Not(this=call("trino_is_scalar_item", item.copy())), error.copy()),
            (failed, error),
            otherwise=cast.copy(),
        )

    source = translator.value(node.this)
    return Value(_found(source, node.args.get("path"), "json_value", body), kind)


def _scalar(item: exp.Expr, kind: Type) -> exp.Expr:
    text = call("trino_whole_text" if kind.name in types.INTEGERS else "trino_scalar_text", item.copy())
    return try_cast(Value(text, types.VARCHAR), kind).node


def _default(translator: Translator, node: exp.Expr, key: str, kind: Type) -> exp.Expr:
    """What json_value gives ON EMPTY or ON ERROR: NULL unless it says otherwise."""
    condition = node.args.get("on_condition")
    given = condition.args.get(key) if condition is not None else None
    if given is None or (isinstance(given, str) and given.startswith("NULL")):
        return to(exp.Null(), kind)
    if not isinstance(given, exp.Expr):
        raise unsupported(f"json_value … {given}", "Use NULL or DEFAULT.")
    default = translator.value(given)
    if not types.coerces(default.type, kind):
        raise mistyped(f"The default of json_value is of type {default.type}.", f"Cast it to {kind}.")
    return coerce(default, kind).node


def query(translator: Translator, node: exp.Expr) -> Value:
    """json_query(text, path [WITH | WITHOUT ARRAY WRAPPER] [KEEP | OMIT QUOTES])"""
    if not node.args.get("json_query"):
        raise unsupported("The operator ->", "Use json_extract(json, path).")
    if node.args.get("on_condition") is not None:
        raise unsupported("json_query … ON EMPTY or ON ERROR", "Leave it out: both give NULL, then coalesce.")
    wraps = str(node.args.get("option") or "").upper().startswith("WITH ")
    quotes = node.args.get("quote")
    omitted = quotes is not None and str(quotes.args.get("option")).upper().startswith("OMIT")
    if omitted and wraps:
        raise mistyped("OMIT QUOTES does not go with an ARRAY WRAPPER.", "Use one of the two.")

    def body(found: exp.Expr) -> exp.Expr:
        item = call("list_extract", found.copy(), number(1))
        one = call("trino_unquoted", item) if omitted else to(item, types.VARCHAR)
        count, wrapped = call("len", found.copy()), call("trino_in_brackets", found.copy())
        sound = exp.And(this=call("trino_sound", found), expression=exp.GT(this=count, expression=number(0)))
        single = exp.EQ(this=count.copy(), expression=number(1))
        return case((sound, wrapped)) if wraps else case((exp.And(this=sound, expression=single), one))

    source = translator.value(node.this)
    return Value(_found(source, node.expression, "json_query", body), types.VARCHAR)


FUNCTIONS: tuple[Function, ...] = (built("json_exists", _exists, total=True, strict=True),)

REWRITES: dict[type[exp.Expr], Rewrite] = {exp.JSONValue: value, exp.JSONExtract: query}
