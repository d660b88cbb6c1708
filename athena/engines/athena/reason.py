"""Why a query of Athena's failed, as one of our codes. Pure.

Only the error's name is looked at, the first word of the reason: what follows it may quote hidden rows.
Names: https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/StandardErrorCode.java
"""

import re

_CODES = {
    "DIVISION_BY_ZERO": "division-by-zero",
    "INVALID_CAST_ARGUMENT": "cast-failed",
    "NUMERIC_VALUE_OUT_OF_RANGE": "out-of-range",
    "SUBQUERY_MULTIPLE_ROWS": "subquery-rows",
    "INVALID_FUNCTION_ARGUMENT": "bad-argument",
    "INVALID_ARGUMENTS": "bad-argument",
    "EXCEEDED_TIME_LIMIT": "query-timeout",
    "EXCEEDED_CPU_LIMIT": "query-timeout",
    "EXCEEDED_LOCAL_MEMORY_LIMIT": "query-memory",
    "EXCEEDED_GLOBAL_MEMORY_LIMIT": "query-memory",
    "EXHAUSTED_RESOURCES": "query-memory",
    "CLUSTER_OUT_OF_MEMORY": "query-memory",
    "EXCEEDED_SPILL_LIMIT": "query-disk",
    "ICEBERG_INVALID_SNAPSHOT_ID": "snapshot-gone",
    "ICEBERG_MISSING_METADATA": "snapshot-gone",
    "ICEBERG_CANNOT_OPEN_SPLIT": "snapshot-gone",
    "ICEBERG_FILESYSTEM_ERROR": "snapshot-gone",
    "NOT_SUPPORTED": "query-unsupported",
    "SYNTAX_ERROR": "query-unsupported",
    "TYPE_MISMATCH": "query-unsupported",
    "FUNCTION_NOT_FOUND": "query-unsupported",
    "COLUMN_NOT_FOUND": "query-unsupported",
    "TABLE_NOT_FOUND": "query-unsupported",
    "QUERY_TEXT_TOO_LARGE": "query-unsupported",
    "GENERIC_INTERNAL_ERROR": "engine-failed",
}
# What Athena says in its own words, without a name in front.
_TEXTS = (
    ("Bytes scanned limit was exceeded", "scan-limit"),
    ("Query exhausted resources", "query-memory"),
    ("Query timeout", "query-timeout"),
)
_NAME = re.compile(r"[A-Z][A-Z_]+(?=:)")
SYSTEM_ERROR = 1


def code_of(reason: str, *, category: int) -> str:
    """Our code; `category` is Athena's (1 system, 2 user, 3 other).

    >>> code_of("INVALID_CAST_ARGUMENT: Cannot cast 'N14228' to INT", category=2)
    'cast-failed'
    >>> code_of("something new", category=1), code_of("something new", category=2)
    ('engine-failed', 'query-failed')
    """
    for text, code in _TEXTS:
        if text in reason[:200]:
            return code
    name = _NAME.match(reason)
    if name and name[0] in _CODES:
        return _CODES[name[0]]
    return "engine-failed" if category == SYSTEM_ERROR else "query-failed"
