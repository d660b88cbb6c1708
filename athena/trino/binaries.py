"""Binary values taken apart, turned round, written as numbers and as Base32, and keyed digests of them.

https://trino.io/docs/current/functions/binary.html
"""

from athena.trino.function import Function, function

_BAD = "CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR)"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BLOCK_BYTES = 64

MACROS = {
    "trino_bits(a)": "CASE WHEN octet_length(a) = 0 THEN '' ELSE CAST(CAST(a AS BIT) AS VARCHAR) END",
    # the argument itself when it has b bytes
    "trino_sized(a, b)": f"CASE WHEN octet_length(a) = b THEN a WHEN a IS NOT NULL THEN unhex({_BAD}) END",
    # bytes from the one after b on, c of them
    "trino_bytes(a, b, c)": "unhex(substring(hex(a), least(b, octet_length(a)) * 2 + 1, least(c, octet_length(a)) * 2))",
    "trino_bytes_before(a, b)": "CASE WHEN b < 0 THEN octet_length(a) + b ELSE b - 1 END",
    "trino_base32_of_bits(a)": "array_to_string(list_transform(range(1, length(a) + 1, 5), lambda trino_i: "
    f"substring('{_LETTERS}', CAST(CAST(rpad(substring(a, trino_i, 5), 5, '0') AS BIT) AS INTEGER) + 1, 1)), '')",
    "trino_padded_base32(a)": "rpad(a, CAST(ceil(length(a) / 8) AS INTEGER) * 8, '=')",
    "trino_bits_of_base32(a)": "array_to_string(list_transform(string_split(a, ''), lambda trino_e: "
    f"right(bin(strpos('{_LETTERS}', trino_e) + 31), 5)), '')",
    "trino_base32_text(a)": f"CASE WHEN a IS NULL OR regexp_full_match(a, '[A-Z2-7]*') AND length(a) % 8 NOT IN (1, 3, 6) THEN a ELSE {_BAD} END",
    "trino_blob_of_bits(a)": "CASE WHEN length(a) < 8 THEN unhex('') ELSE CAST(CAST(left(a, length(a) // 8 * 8) AS BIT) AS BLOB) END",
    "trino_xored(a, b)": f"CAST(xor(CAST(unhex(rpad(hex(a), {2 * _BLOCK_BYTES}, '0')) AS BIT), "
    f"CAST(unhex(repeat(b, {_BLOCK_BYTES})) AS BIT)) AS BLOB)",
}


def _keyed(digest: str) -> Function:
    """HMAC (RFC 2104): the digest of the text behind the key, and of that behind the key again."""
    key = f"CASE WHEN octet_length(b) > {_BLOCK_BYTES} THEN unhex({digest}(b)) ELSE b END"
    body = f"unhex({digest}(trino_xored({key}, '5C') || unhex({digest}(trino_xored({key}, '36') || a))))"
    return function(f"hmac_{digest}(varbinary, varbinary) -> varbinary", body, total=True)


FUNCTIONS: tuple[Function, ...] = (
    *(_keyed(digest) for digest in ("md5", "sha1", "sha256")),
    function(
        "reverse(varbinary) -> varbinary",
        "unhex(array_to_string(list_reverse(regexp_extract_all(hex(a), '..')), ''))",
        total=True,
    ),
    function(
        "substr(varbinary, bigint) -> varbinary",
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN b = 0 OR b < -octet_length(a) THEN unhex('') ELSE "
        "trino_bytes(a, trino_bytes_before(a, b), octet_length(a)) END",
        total=True,
    ),
    function(
        "substr(varbinary, bigint, bigint) -> varbinary",
        "CASE WHEN a IS NULL OR b IS NULL OR c IS NULL THEN NULL WHEN b = 0 OR b < -octet_length(a) OR c <= 0 "
        "THEN unhex('') ELSE trino_bytes(a, trino_bytes_before(a, b), c) END",
        total=True,
    ),
    function("to_big_endian_32(integer) -> varbinary", "CAST(CAST(a AS BIT) AS BLOB)", total=True),
    function("from_big_endian_32(varbinary) -> integer", "CAST(CAST(trino_sized(a, 4) AS BIT) AS INTEGER)"),
    function("from_big_endian_64(varbinary) -> bigint", "CAST(CAST(trino_sized(a, 8) AS BIT) AS BIGINT)"),
    function("to_ieee754_32(real) -> varbinary", "CAST(CAST(a AS BIT) AS BLOB)", total=True),
    function("from_ieee754_32(varbinary) -> real", "CAST(CAST(trino_sized(a, 4) AS BIT) AS FLOAT)"),
    function("to_ieee754_64(double) -> varbinary", "CAST(CAST(a AS BIT) AS BLOB)", total=True),
    function("from_ieee754_64(varbinary) -> double", "CAST(CAST(trino_sized(a, 8) AS BIT) AS DOUBLE)"),
    function("to_base32(varbinary) -> varchar", "trino_padded_base32(trino_base32_of_bits(trino_bits(a)))", total=True),
    function(
        "from_base32(varchar) -> varbinary",
        "CASE WHEN a IS NOT NULL THEN trino_blob_of_bits(trino_bits_of_base32(trino_base32_text(rtrim(a, '=')))) END",
    ),
)
