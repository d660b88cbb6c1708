"""What can become of a run that failed: our own codes, each with a text that holds no value of the data. Pure."""

from athena.errors import Failed, LakegateError, Refused

# code → what happened, what to do now. The query's own fault: asking again unchanged fails again.
_OF_THE_QUERY = {
    "division-by-zero": (
        "The query divides an integer or decimal by zero.",
        "Guard the divisor: a / NULLIF(b, 0).",
    ),
    "cast-failed": (
        "The query converts a value that does not fit the target type.",
        "Use TRY_CAST, which gives NULL instead, or filter those rows first.",
    ),
    "out-of-range": (
        "A number or date of the query leaves the range of its type.",
        "Cast to a wider type (bigint, decimal(38, s), double) before you compute.",
    ),
    "subquery-rows": (
        "A subquery that stands for one value gave several rows.",
        "Add an aggregate or LIMIT 1 to it.",
    ),
    "bad-argument": (
        "A function of the query was given an argument that it cannot take.",
        "Check patterns, formats, units and positions, or use TRY(...).",
    ),
    "result-type-unsupported": (
        "A result column is an array, a map or a row.",
        "Write CAST(column AS JSON), or select its elements one by one.",
    ),
    "query-memory": (
        "The query needs more memory than one query may have.",
        "Select fewer columns, filter earlier, or group by fewer values.",
    ),
    "query-disk": (
        "The query needs more temporary disk than one query may have.",
        "Filter earlier, sort fewer rows, or join on a more selective condition.",
    ),
    "query-timeout": (
        "The query ran longer than one query may run.",
        "Filter on partition or sort columns, or ask for less at a time.",
    ),
    "result-too-large": (
        "The result is larger than one result may be.",
        "Ask for fewer columns or rows, or shorten long texts.",
    ),
    "scan-limit": (
        "The query would read more data than one query may.",
        "Filter on partition or sort columns, or select fewer columns.",
    ),
    "query-unsupported": (
        "The engine of this lake cannot run this combination of functions.",
        "Write the expression in another way; the list of functions is in the documentation.",
    ),
    "query-failed": (
        "The query failed on the data that it read.",
        "Use TRY_CAST and TRY(...) around conversions, and check its arguments.",
    ),
}
# Nothing that the caller did: the same question may well succeed.
_OF_THE_ENGINE = {
    "engine-lost": ("The engine went away while the query ran.", "Ask again."),
    "engine-failed": ("The engine could not run the query.", "Ask again; if it lasts, tell the lake's owner."),
    "snapshot-gone": (
        "The table's files were replaced while the query waited.",
        "Ask again; if it lasts, tell the lake's owner: files are lost, see `lakegate doctor`.",
    ),
    "busy": ("The engine has no room for another query.", "Ask again in a few seconds."),
    "joined-run-ended": (
        "The run that this query had joined was ended by a limit of whoever began it.",
        "Ask again: it then runs by your own limits.",
    ),
    "cancelled": ("The query was cancelled.", "Ask again if you still need it."),
}
CODES = frozenset([*_OF_THE_QUERY, *_OF_THE_ENGINE])


def explained(code: str | None) -> LakegateError:
    """The error for a FAILED answer's `error_code`, to be shown or raised.

    >>> explained("division-by-zero").remedy
    'Guard the divisor: a / NULLIF(b, 0).'
    >>> explained("something else").code
    'engine-failed'
    """
    if code in _OF_THE_QUERY:
        return Refused(*_OF_THE_QUERY[code], code=code)
    known = code if code in _OF_THE_ENGINE else "engine-failed"
    return Failed(*_OF_THE_ENGINE[known], code=known)
