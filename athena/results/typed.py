"""Athena's types and texts → our column types and Python values. Pure.

https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from athena.dataset import DataType
from athena.errors import Refused
from athena.question import ResultColumn
from athena.results.quoted import Record

_TYPES = {
    "varchar": "string",
    "char": "string",
    "string": "string",
    "json": "string",
    "uuid": "string",
    "ipaddress": "string",
    "unknown": "string",
    "time": "string",
    "time with time zone": "string",
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "float": "float",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp with time zone": "timestamptz",
}


def column_type(name: str, *, precision: int, scale: int) -> DataType | None:
    """Our type for a type of Athena's; None for arrays, maps, rows, bytes and intervals, which no answer shows.

    >>> column_type("decimal", precision=12, scale=2), column_type("array", precision=0, scale=0)
    (DataType(name='decimal', precision=12, scale=2), None)
    """
    if name == "decimal":
        return DataType("decimal", precision, scale)
    ours = _TYPES.get(name.partition("(")[0])
    return None if ours is None else DataType(ours)


def values(columns: Sequence[ResultColumn], rows: Sequence[Record]) -> list[list[object]]:
    """The rows' texts as typed values, one list per column. Raises `ValueError` for a text that is none of its type,
    and `Refused` (`query-unsupported`) for an instant that the text does not name.

    >>> values([ResultColumn("n", DataType("long"))], [["7"], [None]])
    [[7, None]]
    """
    read = [_READERS[column.type.name] for column in columns]
    if any(len(row) != len(read) for row in rows):
        raise ValueError("a row has another number of fields than the result has columns")
    return [[None if (text := row[at]) is None else one(text) for row in rows] for at, one in enumerate(read)]


def _timestamp(text: str) -> datetime:
    day, _, clock = text.partition(" ")
    # Python reads six digits of a second at most; a result column has no more than microseconds.
    return datetime.fromisoformat(f"{day} {clock[:15]}" if clock else day)


def _instant(text: str) -> datetime:
    """
    >>> _instant("2024-07-01 12:00:00.000 Europe/Berlin").isoformat()
    '2024-07-01T10:00:00+00:00'
    >>> _instant("2024-07-01 12:00:00.5 -04:00").isoformat()
    '2024-07-01T16:00:00.500000+00:00'
    """
    local, _, zone = text.rpartition(" ")
    if zone == "UTC":
        return _timestamp(local).replace(tzinfo=UTC)
    if zone[:1] in "+-":
        return datetime.fromisoformat(_timestamp(local).isoformat() + zone).astimezone(UTC)
    at = _timestamp(local).replace(tzinfo=ZoneInfo(zone))
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        raise Refused(
            "The result holds an instant of the hour that comes twice where summer time ends, but not which one.",
            "Bring the column to UTC: x AT TIME ZONE 'UTC'.",
            code="query-unsupported",
        )
    return at.astimezone(UTC)


_READERS: dict[str, Callable[[str], object]] = {
    "string": str,
    "boolean": {"true": True, "false": False}.__getitem__,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": _timestamp,
    "timestamptz": _instant,
}
