"""Between our columns and Iceberg's: schemas, partition specs, table properties, and the home's catalog."""

import json
from collections.abc import Sequence
from itertools import dropwhile, pairwise
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update.schema import UpdateSchema
from pyiceberg.transforms import Transform, parse_transform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
)
from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError, OperationalError

from athena.dataset import Column, DataType
from athena.errors import Refused
from athena.heads.catalog import COLUMNS, DESCRIPTION, column_of
from etl import durable
from etl.contract import Layout
from etl.partition import Partition, parse_partition

# Planning stays flat when manifests are merged, commits when our own loop retries (it re-checks first).
# A long log of old metadata files is copied with everything else.
# Bounds of long texts are cut at 16 characters, which is Iceberg's own default.
TABLE_PROPERTIES = {
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "commit.retry.num-retries": "0",
    "write.metadata.previous-versions-max": "10",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "3",
}
_TYPES: dict[str, IcebergType] = {
    "string": StringType(),
    "boolean": BooleanType(),
    "int": IntegerType(),
    "long": LongType(),
    "float": FloatType(),
    "double": DoubleType(),
    "date": DateType(),
    "timestamp": TimestampType(),
    "timestamptz": TimestamptzType(),
}


def open_catalog(path: Path, warehouse: Path, lake: str) -> Catalog:
    """The home's catalog, made when it is not there; tables live in the namespace `lake`."""
    uri = URL.create("sqlite", database=str(path), query={"timeout": "30"}).render_as_string()
    properties = {"uri": uri, "warehouse": str(warehouse), "py-io-impl": durable.NAME}
    # Of processes that make it at once each thing is made by one, and the others fail at it and find it there the
    # next time. There are three such things: two tables and the namespace.
    for _ in range(3):
        try:
            return _opened(lake, properties)
        except (OperationalError, IntegrityError) as error:
            if not any(told in str(error.orig) for told in ("already exists", "UNIQUE constraint")):
                raise
    return _opened(lake, properties)


def _opened(lake: str, properties: dict[str, str]) -> Catalog:
    catalog = SqlCatalog(lake, **properties)
    catalog.create_namespace_if_not_exists(lake)
    return catalog


def iceberg_type(kind: DataType) -> IcebergType:
    """Iceberg's type for one of ours.

    >>> str(iceberg_type(DataType("decimal", 12, 2)))
    'decimal(12, 2)'
    """
    return DecimalType(kind.precision, kind.scale) if kind.name == "decimal" else _TYPES[kind.name]


def iceberg_schema(columns: Sequence[Column]) -> Schema:
    """The schema of columns that have field ids. Everything is optional there: `required` is the contract's
    promise about new files, and Iceberg would never let it be taken up later."""
    return Schema(
        *(
            NestedField(column.field_id or 0, column.name, iceberg_type(column.type), False, column.description)
            for column in columns
        )
    )


def table_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table as our values, with field ids."""
    told = json.loads(table.properties.get(COLUMNS, "{}"))
    return tuple(
        column_of(
            {"id": field.field_id, "name": field.name, "type": str(field.field_type), "doc": field.doc},
            told.get(str(field.field_id), {}),
        )
        for field in table.schema().fields
    )


def described(columns: Sequence[Column], description: str) -> dict[str, str]:
    """The table properties that hold what Iceberg's schema cannot say."""
    told = {str(column.field_id): _told(column) for column in columns}
    return {
        COLUMNS: json.dumps({key: value for key, value in told.items() if value}, ensure_ascii=False),
        DESCRIPTION: description,
    }


def _told(column: Column) -> dict[str, object]:
    told = {
        "required": column.required,
        "unit": column.unit,
        "description": column.description,
        "sensitive": column.sensitive,
        "allowed": list(column.allowed) if column.allowed is not None else None,
    }
    return {key: value for key, value in told.items() if value is not None and value is not False}


def check_layout(layout: Layout, columns: Sequence[Column]) -> None:
    """Raises `Refused` ("contract-invalid") for a layout that does not fit these columns."""
    partition_spec(layout.partition, columns)
    names = {column.name for column in columns}
    for partition in map(parse_partition, layout.partition):
        if partition.name in names:
            raise Refused(
                f"The layout's partition {partition} has the name {partition.name} in the table, and so has a column.",
                f'Call the column otherwise ([sources.<source>] rename = {{ "{partition.name}" = "…" }}), '
                "or partition by another one.",
                code="contract-invalid",
            )
    for name in layout.sort:
        if name not in names:
            raise Refused(
                f"The layout sorts by {name!r}, which is no column.",
                f"Known: {', '.join(sorted(names))}.",
                code="contract-invalid",
            )


def partition_spec(partitions: Sequence[str], columns: Sequence[Column]) -> PartitionSpec:
    """The spec of a layout's partitions. Raises `Refused` for a transform that does not fit its column's type."""
    ids = {column.name: column.field_id or 0 for column in columns}
    kinds = {column.name: column.type for column in columns}
    fields = []
    for number, text in enumerate(partitions):
        partition = parse_partition(text)
        transform = transform_of(partition)
        if partition.column not in ids or not transform.can_transform(iceberg_type(kinds[partition.column])):
            raise Refused(
                f"The layout's partition {text} does not fit: {partition.column} is "
                f"{kinds.get(partition.column, 'no column')}.",
                "Partition by year, month, day of a date or timestamp; by bucket, truncate or the value of others.",
                code="contract-invalid",
            )
        fields.append(
            PartitionField(ids[partition.column], PARTITION_FIELD_ID_START + number, transform, partition.name)
        )
    return PartitionSpec(*fields)


def transform_of(partition: Partition) -> Transform:  # type: ignore[type-arg]
    """Iceberg's transform for one of ours."""
    return parse_transform(f"{partition.transform}[{partition.width}]" if partition.width else partition.transform)


def put_in_order(update: UpdateSchema, names: Sequence[str], known: set[str]) -> None:
    """Bring what was added, which stands at the end, to its place; or else what is known behind all of it. Whichever
    is less: pyiceberg goes through all columns for each that moves."""
    fresh = [name for name in names if name not in known]
    behind = [name for name in dropwhile(known.__contains__, names) if name in known]
    if len(behind) < len(fresh):
        before = {name: last for last, name in pairwise(names)}
        for name in behind:
            update.move_after(name, before[name])
    else:
        following = dict(pairwise(names))
        for name in reversed(fresh):
            update.move_before(name, following[name])


def same_partitions(metadata: TableMetadata, partitions: Sequence[str]) -> bool:
    """Whether the table's current spec is this layout's."""
    schema = metadata.schema()
    now = [(schema.find_column_name(field.source_id), str(field.transform)) for field in metadata.spec().fields]
    wanted = [(one.column, str(transform_of(one))) for one in map(parse_partition, partitions)]
    return now == wanted
