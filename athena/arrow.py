"""Arrow ↔ the ten column types, for all who read or write Arrow. Pure."""

import pyarrow as pa

from athena.dataset import DataType

_ARROW = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_NAMES = {arrow: name for name, arrow in _ARROW.items()}


def arrow_type(kind: DataType) -> pa.DataType:
    """Arrow's type of a column type: instants in microseconds, `timestamptz` in UTC.

    >>> arrow_type(DataType("decimal", 12, 2)), arrow_type(DataType("timestamptz"))
    (Decimal128Type(decimal128(12, 2)), TimestampType(timestamp[us, tz=UTC]))
    """
    if kind.name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    return _ARROW[kind.name]


def data_type(arrow: pa.DataType) -> DataType | None:
    """The column type of an Arrow type; None when it is none of the ten.

    >>> data_type(pa.int64()), data_type(pa.uint64())
    (DataType(name='long', precision=0, scale=0), None)
    """
    if pa.types.is_decimal128(arrow):
        return DataType("decimal", arrow.precision, arrow.scale)
    name = _NAMES.get(arrow)
    return None if name is None else DataType(name)
