"""Typed values → finished JSON and CSV, as section 4 of the interface says. Pure.

JSON: long and decimal are strings (no silent rounding), NaN and infinities null, instants ISO 8601 in UTC.
CSV: NULL is an empty field, an empty string is `""` (RFC 4180 otherwise).
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


def csv_rows(columns: Sequence[ResultColumn], values: Values, *, header: bool) -> bytes:
    r"""The rows as CSV lines.

    >>> from athena.dataset import DataType
    >>> csv_rows([ResultColumn("a", DataType("string"))], [["", None, 'x"y']], header=True)
    b'a\r\n""\r\n\r\n"x""y"\r\n'
    """
    lines = [",".join(_quoted(column.name) for column in columns)] if header else []
    texts = [[_field(value) for value in column] for column in values]
    lines.extend(",".join(row) for row in zip(*texts, strict=True))
    return "".join(f"{line}\r\n" for line in lines).encode()


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
