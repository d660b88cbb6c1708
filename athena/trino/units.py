"""Sizes and durations that are written with a unit: parse_data_size('2.3MB'), parse_duration('42.8ms').

https://trino.io/docs/current/functions/conversion.html#data-size, …/datetime.html#duration
"""

from athena.trino.function import Function, function

_SIZE = "^([0-9]+(?:[.][0-9]+)?)(B|kB|MB|GB|TB|PB|EB|ZB|YB)$"
_TIME = "^\\s*([0-9]+(?:[.][0-9]+)?)\\s*(ns|us|ms|s|m|h|d)\\s*$"
_BAD = "CAST('lakegate:bad-argument' AS HUGEINT)"
_BYTES = " ".join(
    f"WHEN '{unit}' THEN {1024**power}::HUGEINT"
    for power, unit in enumerate(["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
)
_MICROS = " ".join(
    f"WHEN '{unit}' THEN {micros}"
    for unit, micros in (
        *(("ns", "0.001"), ("us", "1"), ("ms", "1000"), ("s", "1000000")),
        *(("m", "60000000"), ("h", "3600000000"), ("d", "86400000000")),
    )
)

MACROS = {
    # whole bytes and thousandths of the unit apart, as their product may have more digits than a number holds
    "trino_size(a, b)": "CAST(split_part(a, '.', 1) AS HUGEINT) * b + CASE WHEN contains(a, '.') THEN "
    "CAST(left(rpad(split_part(a, '.', 2), 9, '0'), 9) AS HUGEINT) * b // 1000000000 ELSE 0 END",
}

FUNCTIONS: tuple[Function, ...] = (
    function(
        "parse_data_size(varchar) -> decimal(38,0)",
        f"CASE WHEN a IS NULL THEN NULL WHEN NOT regexp_matches(a, '{_SIZE}') THEN CAST({_BAD} AS DECIMAL(38, 0)) ELSE "
        f"CAST(trino_size(regexp_extract(a, '{_SIZE}', 1), CASE regexp_extract(a, '{_SIZE}', 2) {_BYTES} END) "
        "AS DECIMAL(38, 0)) END",
    ),
    function(
        "parse_duration(varchar) -> interval_day",
        f"CASE WHEN a IS NULL THEN NULL WHEN NOT regexp_matches(a, '{_TIME}') THEN to_microseconds(CAST({_BAD} AS BIGINT)) "
        f"ELSE to_microseconds(1000 * CAST(floor(CAST(regexp_extract(a, '{_TIME}', 1) AS DOUBLE) * "
        f"CASE regexp_extract(a, '{_TIME}', 2) {_MICROS} END / 1000 + 0.5) AS BIGINT)) END",
    ),
)
