"""Typed values → finished JSON and CSV, as section 4 of the interface says. Pure.

JSON: long and decimal are strings (no silent rounding), NaN and infinities null, instants ISO 8601 in UTC.
CSV: NULL is an empty field, an empty string is `""` (RFC 4180 otherwise). Guarded, a text that begins like a formula
gets an apostrophe before it (https://owasp.org/www-community/attacks/CSV_Injection).
"""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

import orjson

from athena.question import ResultColumn

# One list of values per column, in the order of the columns: str, bool, int, float, Decimal, date, datetime, None.
Values = Sequence[Sequence[object]]

_JSON_OPTIONS = orjson.OPT_UTC_Z
_CSV_SPECIAL = frozenset(',"\r\n')
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def json_fragment(columns: Sequence[ResultColumn], values: Values) -> bytes:
    """`"columns":…,"rows":…` without the outer braces.

    >>> from athena.dataset import DataType
    >>> json_fragment([ResultColumn("n", DataType("long"))], [[9007199254740993, None]])
    b'"columns":[{"name":"n","type":"long"}],"rows":[["9007199254740993"],[null]]'
    """
    described = [{"name": column.name, "type": str(column.type)} for column in columns]
    shown = [_shown_in_json(column.type.name, given) for column, given in zip(columns, values, strict=True)]
    rows = list(zip(*shown, strict=True))
    return orjson.dumps({"columns": described, "rows": rows}, option=_JSON_OPTIONS)[1:-1]


def csv_rows(columns: Sequence[ResultColumn], values: Values, *, header: bool, guarded: bool = False) -> bytes:
    r"""The rows as CSV lines.

    >>> from athena.dataset import DataType
    >>> csv_rows([ResultColumn("a", DataType("string"))], [["", None, 'x"y']], header=True)
    b'a\r\n""\r\n\r\n"x""y"\r\n'
    """
    texts = [csv_fields(column, guarded=guarded) for column in values]
    lines = [",".join(row) for row in zip(*texts, strict=True)]
    body = "".join(f"{line}\r\n" for line in lines).encode()
    return csv_header(columns, guarded=guarded) + body if header else body


def csv_header(columns: Sequence[ResultColumn], *, guarded: bool = False) -> bytes:
    """The first line of a CSV."""
    names = csv_fields([column.name for column in columns], guarded=guarded)
    return (",".join(names) + "\r\n").encode()


def csv_fields(values: Sequence[object], *, guarded: bool = False) -> list[str]:
    """One column's values as they stand between commas.

    >>> csv_fields(["=1+1", None, -1, ""], guarded=True)
    ["'=1+1", '', '-1', '""']
    """
    if guarded:
        values = [guarded_text(value) if isinstance(value, str) else value for value in values]
    return [_field(value) for value in values]


def guarded_text(text: str) -> str:
    """The text as no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def escaped_bytes(content: bytes) -> int:
    r"""How long `content` is as one JSON text: so it travels where a whole response is JSON (Lambda).

    >>> escaped_bytes('"ä"\n'.encode())
    8
    """
    return len(orjson.dumps(content.decode())) - 2


def _shown_in_json(kind: str, given: Sequence[object]) -> Sequence[object]:
    show = _JSON_FORMS.get(kind)
    return given if show is None else [None if value is None else show(value) for value in given]


def _decimal_text(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_JSON_FORMS: dict[str, Callable[[object], object]] = {"long": str, "decimal": _decimal_text}


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return _decimal_text(value)


def _quoted(text: str) -> str:
    if text and not _CSV_SPECIAL.intersection(text):
        return text
    return '"' + text.replace('"', '""') + '"'
