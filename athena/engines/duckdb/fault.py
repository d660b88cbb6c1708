"""DuckDB's errors → our own codes. Nothing of the engine's message leaves the child: it may quote hidden rows."""

import re

import duckdb

from athena.failures import CODES


class QueryFault(Exception):
    """The query failed for a reason of ours; the argument is the code."""

    @property
    def code(self) -> str:
        """One of `athena/failures.py`."""
        return str(self.args[0])


# Looked up in this order: a subclass stands before its parent.
_BY_CLASS: tuple[tuple[type[BaseException], str], ...] = (
    (duckdb.OutOfMemoryException, "query-memory"),
    (duckdb.ConversionException, "cast-failed"),
    (duckdb.OutOfRangeException, "out-of-range"),
    (duckdb.InvalidTypeException, "query-unsupported"),
    (duckdb.NotImplementedException, "query-unsupported"),
    (duckdb.BinderException, "query-unsupported"),
    (duckdb.CatalogException, "query-unsupported"),
    (duckdb.ParserException, "query-unsupported"),
    (duckdb.SyntaxException, "query-unsupported"),
    (duckdb.TypeMismatchException, "cast-failed"),
    (duckdb.InvalidInputException, "bad-argument"),
    (duckdb.PermissionException, "engine-failed"),
    (duckdb.IOException, "engine-failed"),
    (duckdb.InterruptException, "cancelled"),
    (duckdb.Error, "query-failed"),
    (MemoryError, "query-memory"),
)
_BY_TEXT: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("query-disk", re.compile(r"max_temp_directory_size|temporary (data|files)|No space left", re.IGNORECASE)),
    ("query-memory", re.compile(r"out of memory|failed to allocate|bad_alloc|could not allocate", re.IGNORECASE)),
    ("division-by-zero", re.compile(r"division by zero|divide by zero", re.IGNORECASE)),
    ("subquery-rows", re.compile(r"More than one row returned by a subquery")),
    ("out-of-range", re.compile(r"out of range|overflow", re.IGNORECASE)),
    ("snapshot-gone", re.compile(r"No files found|No such file", re.IGNORECASE)),
)
# A damaged data file has the class of a bad argument. From its beginning: what follows may quote a value.
_DAMAGED_FILE = re.compile(r"Invalid Input Error: (No magic bytes|Failed to read file|File '[^']*' too small to be)")


# How the translated SQL fails on purpose, see `athena/trino/build.py`.
_OWN = re.compile(r"lakegate:([a-z-]+)")


def code_of(error: BaseException) -> str:
    """Our code for what DuckDB, PyArrow or we ourselves raised while a query ran."""
    if isinstance(error, QueryFault):
        return error.code
    text = str(error)
    told = _OWN.search(text)
    if told is not None and told[1] in CODES:
        return told[1]
    if isinstance(error, duckdb.InvalidInputException) and _DAMAGED_FILE.match(text):
        return "engine-failed"
    for code, pattern in _BY_TEXT:
        if pattern.search(text[:2000]):
            return code
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), "query-failed")


def log_of(error: BaseException) -> str:
    """What an operator may read: the error's class and the place in our code, never its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"
