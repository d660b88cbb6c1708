"""What a dataset is, as values: names, types, columns. Pure.

Types and their promotions follow the Iceberg specification (schema evolution):
https://iceberg.apache.org/spec/#schema-evolution
"""

import re
from dataclasses import dataclass

from athena.errors import Refused

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
COLUMN_NAME = re.compile(r"[a-z0-9_]+\Z")
REJECTS_SUFFIX = "__rejects"
MAX_DECIMAL_PRECISION = 38

_PLAIN_TYPES = frozenset(["string", "boolean", "int", "long", "float", "double", "date", "timestamp", "timestamptz"])
_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)\Z")


@dataclass(frozen=True, slots=True)
class DataType:
    """One of the ten column types; `precision` and `scale` matter to `decimal` alone."""

    name: str
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        """As written in contracts and answers.

        >>> str(DataType("decimal", 12, 2))
        'decimal(12,2)'
        """
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name


def parse_type(text: str) -> DataType:
    """The type that a contract names; raises `Refused` for anything else.

    >>> parse_type("decimal(12, 2)")
    DataType(name='decimal', precision=12, scale=2)
    """
    folded = text.strip().lower()
    if folded in _PLAIN_TYPES:
        return DataType(folded)
    match = _DECIMAL.match(folded)
    if match:
        precision, scale = int(match[1]), int(match[2])
        if 1 <= precision <= MAX_DECIMAL_PRECISION and scale <= precision:
            return DataType("decimal", precision, scale)
    raise Refused(
        f"{text!r} is no column type.",
        "Use string, boolean, int, long, float, double, decimal(p,s) with p up to 38, date, timestamp or timestamptz.",
        code="contract-invalid",
    )


def promotes(old: DataType, new: DataType) -> bool:
    """Whether a column of `old` may become `new` by Iceberg's rules (equal types included).

    >>> promotes(DataType("int"), DataType("long")), promotes(DataType("long"), DataType("double"))
    (True, False)
    """
    if old.name == new.name == "decimal":
        return old.scale == new.scale and old.precision <= new.precision
    return old == new or (old.name, new.name) in {("int", "long"), ("float", "double")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset. `field_id` is Iceberg's, None until the table exists."""

    name: str
    type: DataType
    required: bool = False
    unit: str | None = None
    description: str | None = None
    sensitive: bool = False
    allowed: tuple[str, ...] | None = None
    field_id: int | None = None


STRING, LONG, TIMESTAMPTZ = DataType("string"), DataType("long"), DataType("timestamptz")

# Every row's origin. Partners do not see these unless granted by name.
SYSTEM_COLUMNS = (
    Column("_file", STRING, description="key (or key!member) that first brought this content"),
    Column("_line", LONG, description="first physical line of the record, 1-based"),
    Column("_content", STRING, description="sha256 of the decompressed bytes"),
    Column("_loaded_at", TIMESTAMPTZ, description="when the load was made"),
)
SYSTEM_NAMES = frozenset(column.name for column in SYSTEM_COLUMNS)

REJECT_COLUMNS = (
    Column("load_id", STRING),
    Column("file", STRING, description="key or key!member"),
    Column("first_line", LONG, description="physical line, 1-based"),
    Column("last_line", LONG),
    Column("first_byte", LONG, description="offset in the decompressed file, 0-based"),
    Column("last_byte", LONG),
    Column("column", STRING),
    Column("reason", STRING),
    Column("message", STRING),
    Column("raw", STRING, description="the record as it stood in the file"),
)


def check_dataset_name(name: str) -> str:
    """`name` itself when it can name a dataset that files may land in; `Refused` otherwise.

    >>> check_dataset_name("flights")
    'flights'
    """
    if not _names_dataset(name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        raise Refused(
            f"{name!r} is no dataset name.",
            (f"{near!r} is one: use" if _names_dataset(near) else "Use")
            + " lower-case letters, digits and _, beginning with a letter, 120 at most; "
            f"names ending in {REJECTS_SUFFIX} are reserved.",
            code="dataset-name",
        )
    return name


def _names_dataset(name: str) -> bool:
    return bool(NAME.match(name)) and not name.endswith(REJECTS_SUFFIX) and len(name) <= 120
