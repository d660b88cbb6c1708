"""The ten column types in Arrow, and a page of JSON as a record batch."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from athena.question import ResultColumn

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(columns: Sequence[ResultColumn]) -> "pa.Schema":
    """The schema of an answer."""
    import pyarrow as pa

    from athena.arrow import arrow_type

    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])


def fitted(batch: "pa.RecordBatch", schema: "pa.Schema") -> "pa.RecordBatch":
    """The batch in exactly these types: files and wires may name the same zone or text in another way."""
    import pyarrow as pa

    if batch.schema.equals(schema):
        return batch
    arrays = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def from_json(rows: Sequence[Sequence[Any]], columns: Sequence[ResultColumn]) -> "pa.RecordBatch":
    """A page's rows, as the interface writes them, in their own types."""
    import pyarrow as pa

    schema = arrow_schema(columns)
    given = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [
        pa.array([_read(column.type.name, value) for value in values], field.type)
        for column, values, field in zip(columns, given, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _read(kind: str, value: Any) -> Any:
    read = _READERS.get(kind)
    return value if read is None or value is None else read(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "long": int,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "float": float,
    "double": float,
}
