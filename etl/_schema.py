"""Columns → Arrow schemas, with what Parquet files need to be known by. Pure."""

from collections.abc import Sequence

import pyarrow as pa

from athena.arrow import arrow_type
from athena.dataset import Column
from etl._decimals import is_short, narrow_type


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of `columns`; fields carry `PARQUET:field_id` where the column has one, and are not nullable
    where it is required.

    >>> from athena.dataset import DataType
    >>> arrow_schema([Column("n", DataType("int"), required=True, field_id=1)]).field("n").nullable
    False
    """
    return pa.schema([_field(column) for column in columns])


def stored_schema(columns: Sequence[Column]) -> pa.Schema:
    """The same with short decimals in 64 bits, as Parquet stores them.

    >>> from athena.dataset import DataType
    >>> stored_schema([Column("fare", DataType("decimal", 9, 2))]).field("fare").type
    Decimal64Type(decimal64(9, 2))
    """
    fields = zip(columns, arrow_schema(columns), strict=True)
    return pa.schema(
        [field.with_type(narrow_type(column.type)) if is_short(column.type) else field for column, field in fields]
    )


def of_types(columns: Sequence[pa.Array], schema: pa.Schema) -> list[pa.Array]:
    """The columns as a schema wants them: decimals come in 64 or 128 bits, as was quickest for their block."""
    pairs = zip(columns, schema.types, strict=True)
    return [column if column.type == kind else column.cast(kind) for column, kind in pairs]


def _field(column: Column) -> pa.Field:
    metadata = None if column.field_id is None else {"PARQUET:field_id": str(column.field_id)}
    return pa.field(column.name, arrow_type(column.type), nullable=not column.required, metadata=metadata)
