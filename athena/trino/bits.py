"""Bits and binary values: shifts wrap at the width of their type, digests are binary.

https://trino.io/docs/current/functions/bitwise.html https://trino.io/docs/current/functions/binary.html
"""

from athena.trino.function import Function, function

_WIDTHS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}

MACROS = {
    # an integer of 128 bits as the signed number that its lowest bits are
    "trino_signed(a, b)": "CASE WHEN a % b >= b // 2 THEN a % b - b WHEN a % b < -(b // 2) THEN a % b + b ELSE a % b END",
    "trino_unsigned(a, b)": "CASE WHEN a < 0 THEN CAST(a AS HUGEINT) + b ELSE CAST(a AS HUGEINT) END",
    "trino_power_of_two(a)": "CAST(power(2e0, a) AS HUGEINT)",
}


def _remainder(byte: int) -> int:
    """What the checksum of IEEE 802.3 (reflected) adds for one byte."""
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


_CRC = str([_remainder(byte) for byte in range(256)])


def _shifts(name: str, width: int) -> tuple[Function, ...]:
    size = f"CAST({2**width} AS HUGEINT)"
    storage = name.upper()
    # Java masks a negative shift, differently per width: nobody means that
    negative = f"WHEN b < 0 THEN CAST('lakegate:bad-argument' AS {storage})"
    return (
        function(
            f"bitwise_left_shift({name}, bigint) -> {name}",
            f"CASE {negative} WHEN b >= {width} THEN CAST(0 AS {storage}) ELSE CAST(trino_signed(CAST(a AS HUGEINT) * "
            f"trino_power_of_two(b), {size}) AS {storage}) END",
        ),
        function(
            f"bitwise_right_shift({name}, bigint) -> {name}",
            f"CASE {negative} WHEN b >= {width} THEN CAST(0 AS {storage}) ELSE CAST(trino_signed(trino_unsigned(a, {size}) // "
            f"trino_power_of_two(b), {size}) AS {storage}) END",
        ),
        function(
            f"bitwise_right_shift_arithmetic({name}, bigint) -> {name}",
            f"CASE {negative} WHEN b >= {width} THEN CAST(CASE WHEN a < 0 THEN -1 ELSE 0 END AS {storage}) ELSE a >> CAST(b AS "
            f"{storage}) END",
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
    function(
        "from_hex(varchar) -> varbinary",
        "CASE WHEN a IS NULL THEN NULL WHEN length(a) % 2 = 0 THEN unhex(a) ELSE unhex(CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR)) END",
    ),
    function("to_base64(varbinary) -> varchar", "to_base64", total=True),
    function("from_base64(varchar) -> varbinary", "from_base64"),
    function("to_base64url(varbinary) -> varchar", "translate(to_base64(a), '+/', '-_')", total=True),
    function("from_base64url(varchar) -> varbinary", "from_base64(translate(a, '-_', '+/'))"),
    function("md5(varbinary) -> varbinary", "unhex(md5(a))", total=True),
    function("sha1(varbinary) -> varbinary", "unhex(sha1(a))", total=True),
    function("sha256(varbinary) -> varbinary", "unhex(sha256(a))", total=True),
    function(
        "crc32(varbinary) -> bigint",
        "CASE WHEN a IS NULL THEN NULL ELSE xor(list_reduce(list_transform(range(1, 2 * octet_length(a), 2), lambda trino_i: "
        "CAST('0x' || substring(hex(a), trino_i, 2) AS BIGINT)), lambda trino_s, trino_e: "
        f"xor(trino_s >> 8, ({_CRC})[xor(trino_s & 255, trino_e) + 1]), CAST(4294967295 AS BIGINT)), 4294967295) END",
        total=True,
    ),
    function(
        "to_big_endian_64(bigint) -> varbinary",
        "unhex(lpad(hex(CAST(trino_unsigned(a, CAST(18446744073709551616 AS HUGEINT)) AS UBIGINT)), 16, '0'))",
        total=True,
    ),
)
