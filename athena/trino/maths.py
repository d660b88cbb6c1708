"""Numbers: rounding half up on exact digits, decimals that stay decimals, logarithms with the base first.

https://trino.io/docs/current/functions/math.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.arithmetic import hugeint, operate, scaled, unscaled
from athena.trino.build import call, literal_int, number, to
from athena.trino.cast import NUMBERS, coerce
from athena.trino.function import Call, Function, Value, built, function
from athena.trino.refusal import mistyped, unsupported

_INTEGER_KINDS = ("tinyint", "smallint", "integer", "bigint")

MACROS = {
    # Java's Math.round(x * 10^d) / 10^d, away from zero
    "trino_round_double(a, b)": "CASE WHEN NOT isfinite(a) OR isinf(abs(a) * power(10e0, b)) THEN a "
    "WHEN abs(a) * power(10e0, b) >= 9007199254740992e0 THEN a "
    "WHEN a < 0 THEN -(floor(-a * power(10e0, b) + 0.5e0) / power(10e0, b)) "
    "ELSE floor(a * power(10e0, b) + 0.5e0) / power(10e0, b) END",
    "trino_truncate_double(a, b)": "CASE WHEN NOT isfinite(a) THEN a ELSE trunc(a * power(10e0, b)) / power(10e0, b) END",
    "trino_round_integer(a, b)": "CASE WHEN b >= 0 THEN a WHEN b < -18 THEN 0 ELSE CAST(a + CASE WHEN a < 0 THEN -1 "
    "ELSE 1 END * (CAST(power(10e0, -b) AS BIGINT) // 2) AS HUGEINT) // CAST(power(10e0, -b) AS BIGINT) "
    "* CAST(power(10e0, -b) AS BIGINT) END",
    "trino_truncate_integer(a, b)": "CASE WHEN b >= 0 THEN a WHEN b < -18 THEN 0 ELSE a // CAST(power(10e0, -b) AS BIGINT) "
    "* CAST(power(10e0, -b) AS BIGINT) END",
}


def _number(made: Call, most: int = 1) -> list[Value]:
    values = made.values()
    if not 1 <= len(values) <= most or values[0].type.name not in (*NUMBERS, "unknown"):
        given = ", ".join(str(value.type) for value in values)
        raise mistyped(f"{made.name}({given}) does not exist.", "Cast it to a number.")
    if values[0].type.name == "unknown":
        values[0] = coerce(values[0], types.DOUBLE)
    return values


def _round(made: Call) -> Value:
    """round(x) and round(x, d)."""
    value, *places = _number(made, 2)
    kind = value.type
    digits = coerce(places[0], types.BIGINT).node if places else number(0)
    if kind.name in ("double", "real"):
        return Value(to(call("trino_round_double", to(value.node, types.DOUBLE), digits), kind), kind)
    if kind.name in _INTEGER_KINDS:
        if not places:
            return value
        return Value(to(call("trino_round_integer", value.node, digits), kind), kind)
    precision, scale = kind.args
    if not places:
        result = types.decimal(precision - scale + min(1, scale), 0)
        return Value(to(value.node, result), result)
    at = literal_int(places[0].node)
    if at is None:
        raise unsupported("round of a decimal to a computed place", "Write the number of places as a literal.")
    result = types.decimal(precision + 1, scale)
    if at >= scale:
        return Value(to(value.node, result), result)
    if at >= 0:
        return Value(to(to(value.node, types.decimal(min(precision + 1, 38), at)), result), result)
    digits = unscaled(value, kind)
    return Value(scaled(call("trino_half_step", digits, hugeint(10 ** (scale - at))), result), result)


def _truncate(made: Call) -> Value:
    value, *places = _number(made, 2)
    kind = value.type
    digits = coerce(places[0], types.BIGINT).node if places else number(0)
    if kind.name in ("double", "real"):
        return Value(to(call("trino_truncate_double", to(value.node, types.DOUBLE), digits), kind), kind)
    if kind.name in _INTEGER_KINDS:
        if not places:
            return coerce(value, types.DOUBLE)
        return Value(to(call("trino_truncate_integer", value.node, digits), kind), kind)
    precision, scale = kind.args
    if not places:
        result = types.decimal(max(precision - scale, 1), 0)
        return Value(to(call("trunc", value.node), result), result)
    at = literal_int(places[0].node)
    if at is None or at < 0:
        raise unsupported("truncate of a decimal to this place", "Write a literal of 0 or more.")
    if at >= scale:
        return value
    return Value(scaled(call("trino_step", unscaled(value, kind), hugeint(10 ** (scale - at))), kind), kind)


def _ceiling(made: Call) -> Value:
    value = _number(made)[0]
    kind = value.type
    name = "floor" if made.name == "floor" else "ceil"
    if kind.name in _INTEGER_KINDS:
        return value
    if kind.name == "decimal":
        precision, scale = kind.args
        result = types.decimal(precision - scale + min(scale, 1), 0)
        return Value(to(call(name, value.node), result), result)
    return Value(to(call(name, value.node), kind), kind)


def _abs(made: Call) -> Value:
    value = _number(made)[0]
    return Value(to(call("abs", value.node), value.type), value.type)


def _sign(made: Call) -> Value:
    value = _number(made)[0]
    kind = types.decimal(1, 0) if value.type.name == "decimal" else value.type
    if kind.name in ("double", "real"):
        return Value(to(call("trino_sign_double", value.node), kind), kind)
    return Value(to(call("sign", value.node), kind), kind)


MACROS |= {
    "trino_sign_double(a)": "CASE WHEN isnan(a) THEN a WHEN a = 0 THEN a ELSE CAST(sign(a) AS DOUBLE) END",
    "trino_ln(a)": "CASE WHEN a > 0 OR isnan(a) THEN ln(a) WHEN a = 0 THEN CAST('-inf' AS DOUBLE) WHEN a < 0 THEN "
    "CAST('nan' AS DOUBLE) END",
    "trino_step(a, b)": "a // b * b",
    "trino_half_step(a, b)": "(a + CASE WHEN a < 0 THEN -(b // 2) ELSE b // 2 END) // b * b",
}


def _mod(made: Call) -> Value:
    values = made.values()
    if len(values) != 2:
        raise mistyped("mod takes two arguments.", "Check the call.")
    return operate(exp.Mod, values[0], values[1])


_PLAIN = "degrees radians exp sin cos tan atan sinh cosh"

FUNCTIONS: tuple[Function, ...] = (
    built("round", _round, strict=True),
    *(function(f"{word}() -> double", "random", total=True, strict=False) for word in ("random", "rand")),
    *(
        made
        for word in ("random", "rand")
        for kind in ("integer", "bigint")
        for made in (
            function(f"{word}({kind}) -> {kind}", f"CAST(floor(random() * trino_positive(a)) AS {kind.upper()})"),
            function(
                f"{word}({kind}, {kind}) -> {kind}",
                f"CAST(a + floor(random() * trino_positive(CAST(b AS BIGINT) - a)) AS {kind.upper()})",
            ),
        )
    ),
    built("truncate", _truncate, strict=True),
    built("ceil", _ceiling, strict=True, total=True),
    built("ceiling", _ceiling, strict=True, total=True),
    built("floor", _ceiling, strict=True, total=True),
    built("abs", _abs, strict=True),
    built("sign", _sign, strict=True, total=True),
    built("mod", _mod, strict=True),
    *(function(f"{word}(double) -> double", word, total=True) for word in _PLAIN.split()),
    function("tanh(double) -> double", "tanh", total=True),
    # one step more, as DuckDB's cube root of 27 is no 3
    function(
        "cbrt(double) -> double",
        "CASE WHEN a = 0 OR NOT isfinite(a) THEN a ELSE cbrt(a) - (cbrt(a) * cbrt(a) * cbrt(a) - a) / (3 * cbrt(a) * cbrt(a)) "
        "END",
        total=True,
    ),
    # Java gives NaN or infinities where DuckDB fails
    function("sqrt(double) -> double", "CASE WHEN a < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(a) END", total=True),
    *(
        function(
            f"{word}(double) -> double",
            f"CASE WHEN a > 0 OR isnan(a) THEN {word}(a) WHEN a = 0 THEN CAST('-inf' AS DOUBLE) WHEN a < 0 THEN "
            "CAST('nan' AS DOUBLE) END",
            total=True,
        )
        for word in ("ln", "log10")
    ),
    # Java has the natural logarithm alone: log2(2^29) is 29.000000000000004
    function("log2(double) -> double", "trino_ln(a) / ln(2e0)", total=True),
    function("log(double, double) -> double", "trino_ln(b) / trino_ln(a)", total=True),
    *(
        function(
            f"{word}(double) -> double",
            f"CASE WHEN abs(a) <= 1 THEN {word}(a) WHEN a IS NULL THEN NULL ELSE CAST('nan' AS DOUBLE) END",
            total=True,
        )
        for word in ("asin", "acos")
    ),
    function("atan2(double, double) -> double", "atan2", total=True),
    function("power(double, double) -> double", "power", total=True),
    function("pow(double, double) -> double", "power", total=True),
    function("pi() -> double", "pi", total=True),
    function("e() -> double", "exp(1e0)", total=True),
    function("nan() -> double", "CAST('nan' AS DOUBLE)", total=True),
    function("infinity() -> double", "CAST('inf' AS DOUBLE)", total=True),
    function("is_nan(double) -> boolean", "isnan", total=True),
    function("is_finite(double) -> boolean", "isfinite", total=True),
    function("is_infinite(double) -> boolean", "isinf", total=True),
    function(
        "width_bucket(double, double, double, bigint) -> bigint",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL OR d IS NULL THEN NULL WHEN trino_positive(d) IS NULL OR b = c OR isnan(a) OR NOT isfinite(b) OR NOT isfinite(c) THEN CAST(CASE WHEN "
        "b = c OR isnan(a) OR NOT isfinite(b) OR NOT isfinite(c) THEN 'lakegate:bad-argument' END AS BIGINT) "
        "WHEN b < c THEN CASE WHEN a < b THEN 0 WHEN a >= c THEN d + 1 ELSE CAST(floor((a - b) / (c - b) * d) AS BIGINT) "
        "+ 1 END ELSE CASE WHEN a > b THEN 0 WHEN a <= c THEN d + 1 ELSE CAST(floor((b - a) / (b - c) * d) AS BIGINT) + 1 END END",
    ),
    function(
        "width_bucket(double, array(double)) -> bigint",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN isnan(a) OR len(b) = 0 OR b <> list_sort(b) OR "
        "len(list_filter(b, lambda trino_e: isfinite(trino_e))) < len(b) THEN CAST('lakegate:bad-argument' AS BIGINT) "
        "ELSE CAST(len(list_filter(b, lambda trino_e: trino_e <= a)) AS BIGINT) END",
    ),
    function(
        "from_base(varchar, bigint) -> bigint",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN b NOT BETWEEN 2 AND 36 OR NOT regexp_full_match(a, '[+-]?[0-9a-zA-Z]+') "
        "THEN CAST('lakegate:bad-argument' AS BIGINT) ELSE CAST(CASE WHEN a[1] = '-' THEN -1 ELSE 1 END * "
        "list_reduce(list_transform(regexp_extract_all(lower(ltrim(a, '+-')), '.'), lambda trino_e: CAST("
        "CASE WHEN strpos('0123456789abcdefghijklmnopqrstuvwxyz', trino_e) > b THEN CAST('lakegate:bad-argument' AS HUGEINT) "
        "ELSE strpos('0123456789abcdefghijklmnopqrstuvwxyz', trino_e) - 1 END AS HUGEINT)), "
        "lambda trino_s, trino_e: trino_s * b + trino_e, CAST(0 AS HUGEINT)) AS BIGINT) END",
    ),
    function(
        "to_base(bigint, bigint) -> varchar",
        "CASE WHEN a < 0 THEN '-' ELSE '' END || lower(to_base(abs(a), CAST(b AS INTEGER)))",
    ),
)
