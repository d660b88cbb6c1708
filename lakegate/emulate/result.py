"""Rows → the CSV that Athena would have written, and the types that it would name. Pure.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Type:
    """A column's type in Athena's words, as GetQueryResults tells it."""

    name: str
    precision: int
    scale: int = 0


_TYPES = {
    "BOOLEAN": Type("boolean", 0),
    "TINYINT": Type("tinyint", 3),
    "SMALLINT": Type("smallint", 5),
    "INTEGER": Type("integer", 10),
    "BIGINT": Type("bigint", 19),
    "HUGEINT": Type("bigint", 19),
    "FLOAT": Type("float", 17),
    "DOUBLE": Type("double", 17),
    "DATE": Type("date", 0),
    "TIME": Type("time", 3),
    "TIMESTAMP": Type("timestamp", 3),
    "TIMESTAMP WITH TIME ZONE": Type("timestamp with time zone", 3),
    "BLOB": Type("varbinary", 1073741824),
    "INTERVAL": Type("interval day to second", 0),
    '"NULL"': Type("unknown", 0),
}
_VARCHAR = Type("varchar", 2147483647)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def athena_type(duckdb_type: str) -> Type:
    """Athena's name for a type of DuckDB's.

    >>> athena_type("DECIMAL(12,2)"), athena_type("BIGINT[]").name
    (Type(name='decimal', precision=12, scale=2), 'array')
    """
    if duckdb_type.endswith("]"):
        return Type("array", 0)
    if match := _DECIMAL.match(duckdb_type):
        return Type("decimal", int(match[1]), int(match[2]))
    nested = {"STRUCT": "row", "MAP": "map"}.get(duckdb_type.partition("(")[0])
    return Type(nested, 0) if nested else _TYPES.get(duckdb_type, _VARCHAR)


def written(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[bytes]:
    r"""The lines of the file: every value in quotes, NULL an empty field.

    >>> b"".join(written(["a", "b"], [("", None), ('an "x" it is', 1.0)]))
    b'"a","b"\n"",\n"an ""x"" it is","1.0"\n'
    """
    yield _line(names)
    for row in rows:
        yield _line([None if value is None else shown(value) for value in row])


def rows_of(batches: "Iterable[pa.RecordBatch]") -> Iterator[tuple[object, ...]]:
    """The rows as Python values, a batch at a time."""
    import pyarrow as pa

    from athena.results.arrow import values_of

    for batch in batches:
        # By way of Arrow, as a float is then the shortest number that rounds to it.
        yield from zip(*values_of(pa.Table.from_batches([batch])), strict=True)


def shown(value: object) -> str:
    """A value as Athena writes it.

    >>> shown(True), shown(1e10), shown(datetime(2024, 1, 2, 3, 4, 5, 600, tzinfo=UTC)), shown(b"\\x00\\xff")
    ('true', '1.0E10', '2024-01-02 03:04:05.000600 UTC', '00 ff')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, datetime):
        zone = "" if value.tzinfo is None else " UTC"
        at = value if value.tzinfo is None else value.astimezone(UTC)
        return at.replace(tzinfo=None).isoformat(" ", "microseconds") + zone
    if isinstance(value, time):
        return value.isoformat("milliseconds")
    if isinstance(value, bytes):
        return value.hex(" ")
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _double(value: float) -> str:
    """Java's Double.toString, which differs from Python's in when it uses an exponent.

    >>> [_double(number) for number in (1.0, 1234567.5, 12345678.0, 0.001, 0.0001, float("nan"), -0.0)]
    ['1.0', '1234567.5', '1.2345678E7', '0.001', '1.0E-4', 'NaN', '-0.0']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = format(Decimal(repr(value)), "f")
        return plain if "." in plain else plain + ".0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    power = len(mantissa) - 1 + int(exponent)
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{power}"


def _line(fields: Sequence[str | None]) -> bytes:
    quoted = ["" if field is None else '"' + field.replace('"', '""') + '"' for field in fields]
    return (",".join(quoted) + "\n").encode()
