"""Text: positions and padding by Trino's rules, NULL where a field is missing, white space as Java knows it.

https://trino.io/docs/current/functions/string.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import binary, call, string, texts_joined
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Value, built, function
from athena.trino.refusal import mistyped, unsupported
from athena.trino.values import Rewrite, Translator

# what Java's Character.isWhitespace says; no-break spaces are none
_WHITE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
_BAD_TEXT = "CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR)"
_BAD_NUMBER = "CAST('lakegate:bad-argument' AS BIGINT)"

MACROS = {
    # the argument itself, or the failure that Trino gives for an empty text
    "trino_not_empty(a)": f"CASE WHEN a = '' THEN {_BAD_TEXT} ELSE a END",
    "trino_positive(a)": f"CASE WHEN a <= 0 THEN {_BAD_NUMBER} ELSE a END",
    "trino_not_negative(a)": f"CASE WHEN a < 0 THEN {_BAD_NUMBER} ELSE a END",
    "trino_ascii(a)": f"CASE WHEN strlen(a) > length(a) THEN {_BAD_TEXT} ELSE a END",
    "trino_from_start(a, b)": "b = 0 OR b < -length(a)",
    "trino_places(a, b)": "list_filter(range(1, length(a) + 1), lambda trino_i: substring(a, trino_i, length(b)) = b)",
    # H and W part nothing, vowels do: of a run of equal digits the first one is kept
    "trino_soundex(a)": "rpad(left(substring(regexp_extract(a, '[A-Z]'), 1, 1) || replace(substring("
    + "".join(["regexp_replace("] * 7)
    + "translate(regexp_extract(a, '[A-Z]') || regexp_replace(substring(a, strpos(a, regexp_extract(a, '[A-Z]')) + 1), "
    "'[^A-Z]|[HW]', '', 'g'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202')"
    + "".join(f", '{digit}+', '{digit}', 'g')" for digit in range(7))
    + ", 2), '0', ''), 4), CASE WHEN regexp_matches(a, '[A-Z]') THEN 4 ELSE 0 END, '0')",
    "trino_entry(a, b)": f"CASE WHEN len(string_split(a, b)) = 2 THEN a ELSE {_BAD_TEXT} END",
    # a text may end with a delimiter; between two of them there has to be something
    "trino_written_pairs(a, b)": "CASE WHEN a = '' THEN [] ELSE string_split(CASE WHEN ends_with(a, b) THEN "
    "left(a, length(a) - length(b)) ELSE a END, b) END",
}


def joined(translator: Translator, node: exp.Expr) -> Value:
    """`||` of texts, of binaries, of arrays, and of an array with an element."""
    return join(translator.value(node.this), translator.value(node.expression))


def join(left: Value, right: Value) -> Value:
    """`||` of two translated values."""
    kinds = (left.type.name, right.type.name)
    if "array" in kinds:
        return _lists(left, right)
    if "varbinary" in kinds and set(kinds) <= {"varbinary", "unknown"}:
        made = binary(exp.DPipe, coerce(left, types.VARBINARY).node, coerce(right, types.VARBINARY).node)
        return Value(made, types.VARBINARY)
    if not set(kinds) <= {"varchar", "unknown"}:
        raise mistyped(f"{left.type} || {right.type} does not exist.", "Cast both to varchar.")
    made = binary(exp.DPipe, coerce(left, types.VARCHAR).node, coerce(right, types.VARCHAR).node)
    return Value(made, types.VARCHAR)


def _lists(left: Value, right: Value) -> Value:
    sides = []
    element = types.common(*(v.type.args[0] if v.type.name == "array" else v.type for v in (left, right)))
    if element is None:
        raise mistyped(f"{left.type} || {right.type} does not exist.", "Cast one of the two.")
    for value in (left, right):
        if value.type.name == "array":
            sides.append(coerce(value, types.array(element)).node)
        else:
            sides.append(exp.Array(expressions=[coerce(value, element).node]))
    return Value(call("trino_list_concat", *sides), types.array(element))


def _concat(made: Call) -> Value:
    values = made.values()
    if len(values) < 2:
        raise mistyped("concat takes two arguments or more.", "Check the call.")
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def _concat_ws(made: Call) -> Value:
    values = made.values()
    if len(values) == 2 and values[1].type.name == "array":
        return Value(texts_joined(values[1].node, coerce(values[0], types.VARCHAR).node), types.VARCHAR)
    if len(values) < 2 or any(value.type.name not in ("varchar", "unknown") for value in values):
        raise mistyped("concat_ws takes a separator and texts.", "Cast the others to varchar.")
    return Value(call("concat_ws", *(coerce(value, types.VARCHAR).node for value in values)), types.VARCHAR)


def trimmed(translator: Translator, node: exp.Expr) -> Value:
    """TRIM([LEADING | TRAILING | BOTH] [characters FROM] text)"""
    value = translator.value(node.this)
    if value.type.name not in ("varchar", "unknown"):
        raise mistyped(f"trim({value.type}) does not exist.", "Cast it to varchar.")
    position = str(node.args.get("position") or "BOTH").upper()
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(position, "trim")
    characters = node.args.get("expression")
    given = string(_WHITE) if characters is None else translator.value(characters).node
    return Value(call(name, coerce(value, types.VARCHAR).node, given), _length_kept(value))


def _trim(made: Call) -> Value:
    values = made.values()
    if not 1 <= len(values) <= 2 or any(value.type.name not in ("varchar", "unknown") for value in values):
        raise mistyped(f"{made.name} takes a text.", "Cast it to varchar.")
    given = values[1].node if len(values) == 2 else string(_WHITE)
    return Value(call(made.name, coerce(values[0], types.VARCHAR).node, given), _length_kept(values[0]))


def _length_kept(value: Value) -> types.Type:
    return value.type if value.type.name == "varchar" else types.VARCHAR


def normalized(translator: Translator, node: exp.Expr) -> Value:
    """normalize(x [, NFC]): DuckDB knows NFC alone."""
    form = node.args.get("form")
    if form and form.name.upper() != "NFC":
        raise unsupported(f"normalize with {form.name.upper()}", "Use NFC.")
    value = translator.value(node.this)
    return Value(call("nfc_normalize", coerce(value, types.VARCHAR).node), types.VARCHAR)


MACROS |= {
    "trino_joined(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN substring(list_reduce(list_transform("
    "list_filter(a, lambda trino_e: trino_e IS NOT NULL), lambda trino_e: b || trino_e), "
    "lambda trino_s, trino_e: trino_s || trino_e, ''), length(b) + 1) END",
}

FUNCTIONS: tuple[Function, ...] = (
    function("length(varchar) -> bigint", "length", total=True),
    function("length(varbinary) -> bigint", "octet_length", total=True),
    function("lower(varchar(x)) -> varchar(x)", "lower", total=True),
    # Java leaves a sharp s as it is
    function(
        "upper(varchar(x)) -> varchar(x)",
        "CASE WHEN contains(a, 'ß') THEN array_to_string(list_transform(string_split(a, 'ß'), lambda trino_e: "
        "upper(trino_e)), 'ß') ELSE upper(a) END",
        total=True,
    ),
    # DuckDB reverses grapheme clusters, Trino code points
    function(
        "reverse(varchar(x)) -> varchar(x)",
        "CASE WHEN strlen(a) = length(a) THEN reverse(a) ELSE array_to_string(list_reverse(regexp_extract_all(a, "
        "'(?s).')), '') END",
        total=True,
    ),
    function("reverse(array(T)) -> array(T)", "list_reverse", total=True),
    function(
        "substr(varchar(x), bigint) -> varchar(x)",
        "CASE WHEN trino_from_start(a, b) THEN substring(a, 1, 0) ELSE substring(a, b) END",
        total=True,
    ),
    function(
        "substr(varchar(x), bigint, bigint) -> varchar(x)",
        "CASE WHEN trino_from_start(a, b) OR c <= 0 THEN substring(a, 1, 0) ELSE substring(a, b, c) END",
        total=True,
    ),
    function("strpos(varchar, varchar) -> bigint", "strpos", total=True),
    function(
        "strpos(varchar, varchar, bigint) -> bigint",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL WHEN b = '' THEN 1 "
        f"ELSE coalesce(trino_places(a, b)[CASE WHEN c = 0 THEN {_BAD_NUMBER} ELSE c END], 0) END",
    ),
    function("starts_with(varchar, varchar) -> boolean", "starts_with", total=True),
    function("ends_with(varchar, varchar) -> boolean", "ends_with", total=True),
    function("replace(varchar, varchar) -> varchar", "replace(a, b, '')", total=True),
    function(
        "replace(varchar, varchar, varchar) -> varchar",
        "CASE WHEN b = '' THEN c || regexp_replace(a, '(?s)(.)', '\\1' || replace(c, '\\', '\\\\'), 'g') ELSE replace(a, b, c) END",
        total=True,
    ),
    function(
        "lpad(varchar, bigint, varchar) -> varchar",
        "lpad(a, CAST(trino_not_negative(b) AS INTEGER), trino_not_empty(c))",
    ),
    function(
        "rpad(varchar, bigint, varchar) -> varchar",
        "rpad(a, CAST(trino_not_negative(b) AS INTEGER), trino_not_empty(c))",
    ),
    function(
        "split(varchar, varchar) -> array(varchar)",
        "CASE WHEN b IS NOT NULL THEN string_split(a, trino_not_empty(b)) END",
    ),
    function(
        "split(varchar, varchar, bigint) -> array(varchar)",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL "
        "WHEN len(string_split(a, trino_not_empty(b))) <= trino_positive(c) THEN string_split(a, b) ELSE "
        "list_concat(string_split(a, b)[:c - 1], [substring(a, CAST((c - 1) * length(b) + 1 + coalesce(list_sum("
        "list_transform(string_split(a, b)[:c - 1], lambda trino_e: length(trino_e))), 0) AS BIGINT))]) END",
    ),
    function(
        "split_part(varchar, varchar, bigint) -> varchar",
        "CASE WHEN b IS NOT NULL THEN string_split(a, b)[trino_positive(c)] END",
    ),
    function(
        "split_to_map(varchar, varchar, varchar) -> map(varchar, varchar)",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL ELSE map("
        "list_transform(trino_written_pairs(a, trino_not_empty(b)), lambda trino_e: "
        "string_split(trino_entry(trino_e, trino_not_empty(c)), c)[1]), "
        "list_transform(trino_written_pairs(a, b), lambda trino_e: string_split(trino_e, c)[2])) END",
    ),
    function(
        "split_to_multimap(varchar, varchar, varchar) -> map(varchar, array(varchar))",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL WHEN a = '' THEN MAP {} ELSE trino_entries_to_multimap("
        "list_transform(trino_written_pairs(a, trino_not_empty(b)), lambda trino_e: "
        "{'k': string_split(trino_entry(trino_e, trino_not_empty(c)), c)[1], 'v': string_split(trino_e, c)[2]})) END",
    ),
    function("soundex(varchar) -> varchar", "trino_soundex(upper(trino_ascii(a)))"),
    function("translate(varchar, varchar, varchar) -> varchar", "translate", total=True),
    function("chr(bigint) -> varchar(1)", "chr(CAST(b AS INTEGER))".replace("b", "a")),
    function(
        "codepoint(varchar) -> integer",
        f"CASE WHEN length(a) <> 1 THEN CAST({_BAD_NUMBER} AS INTEGER) ELSE unicode(a) END",
    ),
    function("levenshtein_distance(varchar, varchar) -> bigint", "levenshtein(trino_ascii(a), trino_ascii(b))"),
    function(
        "hamming_distance(varchar, varchar) -> bigint",
        f"CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN length(a) <> length(b) THEN {_BAD_NUMBER} ELSE CAST(len(list_filter(range(1, length(a) + 1), "
        "lambda trino_i: a[trino_i] <> b[trino_i])) AS BIGINT) END",
    ),
    function("to_utf8(varchar) -> varbinary", "encode", total=True),
    function("from_utf8(varbinary) -> varchar", "decode"),
    function(
        "luhn_check(varchar) -> boolean",
        "CASE WHEN a IS NULL THEN NULL WHEN NOT regexp_full_match(a, '[0-9]*') THEN CAST('lakegate:bad-argument' AS "
        "BOOLEAN) WHEN a = '' THEN false ELSE list_sum(list_transform(range(1, length(a) + 1), lambda trino_i: CASE WHEN (length(a) - trino_i) % 2 = 1 "
        "THEN CAST(a[trino_i] AS INTEGER) * 2 // 10 + CAST(a[trino_i] AS INTEGER) * 2 % 10 "
        "ELSE CAST(a[trino_i] AS INTEGER) END)) % 10 = 0 END",
    ),
    built("concat", _concat, total=True, strict=True),
    built("concat_ws", _concat_ws, total=True),
    built("trim", _trim, total=True, strict=True),
    built("ltrim", _trim, total=True, strict=True),
    built("rtrim", _trim, total=True, strict=True),
)

MACROS |= {"trino_list_concat(a, b)": "CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE list_concat(a, b) END"}

REWRITES: dict[type[exp.Expr], Rewrite] = {
    exp.DPipe: joined,
    exp.Trim: trimmed,
    exp.Normalize: normalized,
}
