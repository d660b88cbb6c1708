"""Trino's types as values: how they are written, how they widen, and what DuckDB stores them as. Pure.

Widening follows Trino's `TypeCoercion`; literals follow its `Decimals.parse`.
"""

from typing import NamedTuple

from sqlglot import exp

from athena.trino.refusal import unsupported


class Type(NamedTuple):
    """One type. `args` are precision and scale, a length, element types, or a row's (name or None, type) pairs.

    A timestamp with time zone also carries the zone that all its values have, when the text tells it: DuckDB keeps
    the instant alone.
    """

    name: str
    args: tuple = ()  # type: ignore[type-arg]

    def __str__(self) -> str:
        """As `typeof` writes it.

        >>> str(decimal(12, 2)), str(Type("array", (BIGINT,)))
        ('decimal(12,2)', 'array(bigint)')
        """
        return _written(self)


UNKNOWN, BOOLEAN, JSON, DATE, VARBINARY = (
    Type("unknown"),
    Type("boolean"),
    Type("json"),
    Type("date"),
    Type("varbinary"),
)
TINYINT, SMALLINT, INTEGER, BIGINT = Type("tinyint"), Type("smallint"), Type("integer"), Type("bigint")
REAL, DOUBLE, VARCHAR, UUID = Type("real"), Type("double"), Type("varchar"), Type("uuid")
DAY_INTERVAL, YEAR_INTERVAL = Type("interval day to second"), Type("interval year to month")

INTEGERS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_RANK = {"tinyint": 0, "smallint": 1, "integer": 2, "bigint": 3, "decimal": 4, "real": 5, "double": 6}
_TEMPORAL = {"date": 0, "timestamp": 1, "timestamp with time zone": 2}
MAX_PRECISION = 38

_DUCKDB = {
    "unknown": "INTEGER",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "json": "JSON",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
    "uuid": "UUID",
}


def decimal(precision: int, scale: int) -> Type:
    """A decimal; precision is cut at 38 as Trino cuts it."""
    return Type("decimal", (min(precision, MAX_PRECISION), scale))


def varchar(length: int | None = None) -> Type:
    """A varchar, bounded or not."""
    return Type("varchar", (length,)) if length is not None else VARCHAR


def timestamp(precision: int = 3) -> Type:
    """A timestamp without zone."""
    return Type("timestamp", (precision,))


def zoned(precision: int = 3, zone: str | None = "UTC") -> Type:
    """A timestamp with time zone; `zone` None means that the values have several, or unknown, zones."""
    return Type("timestamp with time zone", (precision, zone))


def array(element: Type) -> Type:
    """An array of `element`."""
    return Type("array", (element,))


def map_of(key: Type, value: Type) -> Type:
    """A map."""
    return Type("map", (key, value))


def row(*fields: tuple[str | None, Type]) -> Type:
    """A row; a field without a name is None."""
    return Type("row", fields)


def duckdb(kind: Type) -> str:
    """What DuckDB stores a value of this type as.

    >>> duckdb(array(decimal(4, 1)))
    'DECIMAL(4, 1)[]'
    """
    plain = _DUCKDB.get(kind.name)
    if plain is not None:
        return plain
    if kind.name == "decimal":
        return f"DECIMAL({kind.args[0]}, {kind.args[1]})"
    if kind.name == "array":
        return duckdb(kind.args[0]) + "[]"
    if kind.name == "map":
        return f"MAP({duckdb(kind.args[0])}, {duckdb(kind.args[1])})"
    if kind.name == "row":
        fields = (f'"{physical}" {duckdb(field)}' for physical, field in row_fields(kind))
        return f"STRUCT({', '.join(fields)})"
    raise unsupported(f"The type {kind}", "Cast to varchar, a number, date or timestamp.")


def row_fields(kind: Type) -> list[tuple[str, Type]]:
    """A row's fields with the names that DuckDB knows them by.

    >>> row_fields(row((None, BIGINT), ("b", VARCHAR)))[0][0]
    'field0'
    """
    return [(name or f"field{index}", field) for index, (name, field) in enumerate(kind.args)]


def common(left: Type, right: Type) -> Type | None:
    """The type that both widen to without a cast, None when there is none.

    >>> str(common(INTEGER, decimal(3, 1))), common(INTEGER, VARCHAR)
    ('decimal(11,1)', None)
    """
    if left == right:
        return left
    if left.name == "unknown":
        return right
    if right.name == "unknown":
        return left
    if left.name in _RANK and right.name in _RANK:
        return _common_number(left, right)
    if left.name in _TEMPORAL and right.name in _TEMPORAL:
        return _common_instant(left, right)
    if left.name == right.name:
        return _common_of_a_kind(left, right)
    return None


def coerces(given: Type, wanted: Type) -> bool:
    """Whether a value of `given` may stand where `wanted` is asked for (lengths and zones do not count)."""
    if wanted.name == "json" or given.name == "json":
        return given.name in (wanted.name, "unknown")
    both = common(given, wanted)
    return both is not None and both.name == wanted.name and _shape(both) == _shape(wanted)


def common_all(kinds: list[Type]) -> Type | None:
    """The common type of many."""
    result: Type | None = UNKNOWN
    for kind in kinds:
        result = common(result, kind) if result is not None else None
    return result


def same_storage(left: Type, right: Type) -> bool:
    """Whether DuckDB stores both as one type, so that no cast is needed."""
    return left.name != "unknown" and right.name != "unknown" and (left == right or duckdb(left) == duckdb(right))


def number_type(text: str) -> Type:
    """The type of a numeric literal.

    >>> str(number_type("1")), str(number_type("0.50")), str(number_type("1e0")), str(number_type("3000000000"))
    ('integer', 'decimal(2,2)', 'double', 'bigint')
    """
    if "e" in text.lower():
        return DOUBLE
    whole, point, fraction = text.partition(".")
    digits = whole.lstrip("0")
    if not point:
        value = int(text)
        if value > 2**63 - 1:
            raise unsupported(f"The number {text}", "Write it as a decimal: DECIMAL '…'.")
        return INTEGER if value <= 2**31 - 1 else BIGINT
    if len(digits) + len(fraction) > MAX_PRECISION:
        raise unsupported(f"The number {text}", "A decimal has at most 38 digits.")
    return decimal(max(len(digits) + len(fraction), 1), len(fraction))


def as_decimal(kind: Type) -> Type | None:
    """An integer or decimal type as a decimal."""
    if kind.name == "decimal":
        return kind
    return decimal(INTEGERS[kind.name], 0) if kind.name in INTEGERS else None


def parse_type(node: exp.DataType) -> Type:
    """The type that a CAST names; `Refused` for one that Trino does not have or DuckDB cannot hold."""
    name = node.this.name if isinstance(node.this, exp.DType) else str(node.this)
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple
    numbers = [int(part.name) for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    if name == "DECIMAL":
        precision, scale, *_ = (*numbers, 0) if numbers else (MAX_PRECISION, 0)
        if not 1 <= precision <= MAX_PRECISION or scale > precision:
            raise unsupported(f"DECIMAL({precision}, {scale})", "Use a precision up to 38 and a scale up to it.")
        return decimal(precision, scale)
    if name == "VARCHAR":
        return varchar(numbers[0] if numbers else None)
    if name in _PRECISE:
        return _instant_type(_PRECISE[name], numbers[0] if numbers else 3)
    if name == "ARRAY" and node.expressions:
        return array(parse_type(node.expressions[0]))
    if name == "MAP" and len(node.expressions) == 2:
        return map_of(parse_type(node.expressions[0]), parse_type(node.expressions[1]))
    if name == "STRUCT":
        return row(*(_field(part) for part in node.expressions))
    if isinstance(node.this, exp.Interval):
        return YEAR_INTERVAL if "YEAR" in node.this.sql("trino") else DAY_INTERVAL
    raise unsupported(
        f"The type {node.sql('trino')}", "Use Athena's types: varchar, bigint, double, decimal(p,s), date …"
    )


_SIMPLE = {
    "BOOLEAN": BOOLEAN,
    "TINYINT": TINYINT,
    "SMALLINT": SMALLINT,
    "INT": INTEGER,
    "BIGINT": BIGINT,
    "FLOAT": REAL,
    "DOUBLE": DOUBLE,
    "DATE": DATE,
    "JSON": JSON,
    "VARBINARY": VARBINARY,
    "UUID": UUID,
}
_PRECISE = {"TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp with time zone", "TIME": "time"}


def _instant_type(name: str, precision: int) -> Type:
    if precision > 6:
        raise unsupported(f"{name}({precision})", "Use a precision up to 6 (microseconds).")
    return zoned(precision) if name == "timestamp with time zone" else Type(name, (precision,))


def _field(part: exp.Expr) -> tuple[str | None, Type]:
    if isinstance(part, exp.ColumnDef):
        return part.name.lower(), parse_type(part.args["kind"])
    assert isinstance(part, exp.DataType)
    return None, parse_type(part)


def _common_number(left: Type, right: Type) -> Type:
    wider, other = (left, right) if _RANK[left.name] >= _RANK[right.name] else (right, left)
    if wider.name != "decimal":
        return wider
    one, two = as_decimal(wider), as_decimal(other)
    assert one is not None and two is not None
    scale = max(one.args[1], two.args[1])
    return decimal(max(one.args[0] - one.args[1], two.args[0] - two.args[1]) + scale, scale)


def _common_instant(left: Type, right: Type) -> Type:
    wider, other = (left, right) if _TEMPORAL[left.name] >= _TEMPORAL[right.name] else (right, left)
    if wider.name == "date":
        return wider
    precision = max(wider.args[0], other.args[0] if other.args else 0)
    if wider.name == "timestamp":
        return timestamp(precision)
    # a plain timestamp becomes one of the session's zone, which is UTC
    other_zone = other.args[1] if other.name == wider.name else "UTC"
    return zoned(precision, wider.args[1] if wider.args[1] == other_zone else None)


def _common_of_a_kind(left: Type, right: Type) -> Type | None:
    if left.name == "varchar":
        lengths = (left.args or (None,))[0], (right.args or (None,))[0]
        return VARCHAR if None in lengths else varchar(max(lengths))
    if left.name == "time":
        return Type("time", (max(left.args[0], right.args[0]),))
    if left.name in ("array", "map"):
        parts = [common(one, two) for one, two in zip(left.args, right.args, strict=True)]
        return None if None in parts else Type(left.name, tuple(parts))
    if left.name == "row" and len(left.args) == len(right.args):
        fields = []
        for (name, one), (other_name, two) in zip(left.args, right.args, strict=True):
            both = common(one, two)
            if both is None:
                return None
            fields.append((name if name == other_name else None, both))
        return row(*fields)
    return None


def _shape(kind: Type) -> object:
    if kind.name in ("array", "map"):
        return kind.name, tuple(_shape(part) for part in kind.args)
    if kind.name == "decimal":
        return kind
    return kind.name


def _written(kind: Type) -> str:
    if kind.name == "row":
        return f"row({', '.join(f'{name} {field}' if name else str(field) for name, field in kind.args)})"
    if kind.name in ("timestamp", "time"):
        return f"{kind.name}({kind.args[0]})"
    if kind.name == "timestamp with time zone":
        return f"timestamp({kind.args[0]}) with time zone"
    if kind.args and kind.args[0] is not None:
        return f"{kind.name}({', '.join(map(str, kind.args)) if kind.name == 'map' else ','.join(map(str, kind.args))})"
    return kind.name
