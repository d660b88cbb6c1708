"""Bits and binary values: shifts wrap at the width of their type, digests are binary.

https://trino.io/docs/current/functions/bitwise.html https://trino.io/docs/current/functions/binary.html
"""

from athena.trino.function import Function, function

_WIDTHS = {"integer": 32, "bigint": 64}

MACROS = {
    # an integer of 128 bits as the signed number that its lowest bits are
    "trino_signed(a, b)": "CASE WHEN a % b >= b // 2 THEN a % b - b WHEN a % b < -(b // 2) THEN a % b + b ELSE a % b END",
    "trino_unsigned(a, b)": "CASE WHEN a < 0 THEN CAST(a AS HUGEINT) + b ELSE CAST(a AS HUGEINT) END",
    "trino_power_of_two(a)": "CAST(power(2e0, a) AS HUGEINT)",
}


def _shifts(name: str, width: int) -> tuple[Function, ...]:
    size = f"CAST({2**width} AS HUGEINT)"
    storage = name.upper()
    return (
        function(
            f"bitwise_left_shift({name}, bigint) -> {name}",
            f"CASE WHEN b >= {width} THEN CAST(0 AS {storage}) ELSE CAST(trino_signed(CAST(a AS HUGEINT) * "
            f"trino_power_of_two(b), {size}) AS {storage}) END",
            total=True,
        ),
        function(
            f"bitwise_right_shift({name}, bigint) -> {name}",
            f"CASE WHEN b >= {width} THEN CAST(0 AS {storage}) ELSE CAST(trino_signed(trino_unsigned(a, {size}) // "
            f"trino_power_of_two(b), {size}) AS {storage}) END",
            total=True,
        ),
        function(
            f"bitwise_right_shift_arithmetic({name}, bigint) -> {name}",
            f"CASE WHEN b >= {width} THEN CAST(CASE WHEN a < 0 THEN -1 ELSE 0 END AS {storage}) ELSE a >> CAST(b AS "
            f"{storage}) END",
            total=True,
        ),
    )


FUNCTIONS: tuple[Function, ...] = (
    function("bitwise_and(bigint, bigint) -> bigint", "a & b", total=True),
    function("bitwise_or(bigint, bigint) -> bigint", "a | b", total=True),
    function("bitwise_xor(bigint, bigint) -> bigint", "xor", total=True),
    function("bitwise_not(bigint) -> bigint", "(~a)", total=True),
    *(shift for name, width in _WIDTHS.items() for shift in _shifts(name, width)),
    function(
        "bit_count(bigint, bigint) -> bigint",
        "CASE WHEN b BETWEEN 2 AND 64 AND (b = 64 OR a BETWEEN -trino_power_of_two(b - 1) AND trino_power_of_two(b - 1) "
        "- 1) THEN CAST(bit_count(CAST(CASE WHEN a < 0 THEN a + trino_power_of_two(b) ELSE a END AS UBIGINT)) AS BIGINT) "
        "WHEN a IS NULL OR b IS NULL THEN NULL ELSE CAST('lakegate:bad-argument' AS BIGINT) END",
    ),
    function("to_hex(varbinary) -> varchar", "hex", total=True),
    function("from_hex(varchar) -> varbinary", "unhex"),
    function("to_base64(varbinary) -> varchar", "to_base64", total=True),
    function("from_base64(varchar) -> varbinary", "from_base64"),
    function("to_base64url(varbinary) -> varchar", "translate(to_base64(a), '+/', '-_')", total=True),
    function("from_base64url(varchar) -> varbinary", "from_base64(translate(a, '-_', '+/'))"),
    function("md5(varbinary) -> varbinary", "unhex(md5(a))", total=True),
    function("sha1(varbinary) -> varbinary", "unhex(sha1(a))", total=True),
    function("sha256(varbinary) -> varbinary", "unhex(sha256(a))", total=True),
    function(
        "to_big_endian_64(bigint) -> varbinary",
        "unhex(lpad(hex(CAST(trino_unsigned(a, CAST(18446744073709551616 AS HUGEINT)) AS UBIGINT)), 16, '0'))",
        total=True,
    ),
)
