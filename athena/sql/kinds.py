"""The types of expressions, and which of them the engines bring together without a failure. Pure.

Beside the ten column types there are those of NULL and of intervals; None is a type that is not known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlglot import exp

from athena.dataset import DataType
from athena.sql.functions import FUNCTIONS, Kind

# Where the resolver leaves the type of a column or of a scalar subquery, see `mark`.
_META = "lakegate"

NULL = DataType("null")
INTERVAL = DataType("interval")
TEXT, FLAG, INT, LONG = DataType("string"), DataType("boolean"), DataType("int"), DataType("long")
DOUBLE, DATE, TIMESTAMP, INSTANT = DataType("double"), DataType("date"), DataType("timestamp"), DataType("timestamptz")
WHOLE, FLOATING, TEMPORAL = {INT, LONG}, {DOUBLE, DataType("float")}, {DATE, TIMESTAMP, INSTANT}
MAX_DIGITS = 38
_LONG_DIGITS = 19

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\Z", re.ASCII)
_ZONE = re.compile(r"(?: ?[+-](?:0\d|1[0-3]):[0-5]\d| UTC)\Z", re.ASCII)
_CASTS = {
    exp.DType.BOOLEAN: FLAG,
    exp.DType.INT: INT,
    exp.DType.BIGINT: LONG,
    exp.DType.FLOAT: DataType("float"),
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.VARCHAR: TEXT,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMP: TIMESTAMP,
    exp.DType.TIMESTAMPTZ: INSTANT,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The type (None: not known) and whether some row could make it fail."""

    type: DataType | None
    may_fail: bool = False


def mark(node: exp.Expr, found: DataType | None) -> None:
    """Note the type of a column or of a scalar subquery, for `judge`."""
    node.meta[_META] = found


def marked(node: exp.Expr) -> DataType | None:
    """What `mark` has noted."""
    found: DataType | None = node.meta.get(_META)
    return found


def comparable(left: DataType | None, right: DataType | None) -> bool:
    """Whether the engines compare the two without a cast that can fail.

    >>> comparable(DataType("int"), DataType("double")), comparable(DataType("string"), DataType("int"))
    (True, False)
    """
    if left is None or right is None:
        return False
    if left == right or NULL in (left, right):
        return True
    if left.name == right.name == "decimal":
        whole = max(left.precision - left.scale, right.precision - right.scale)
        return whole + max(left.scale, right.scale) <= MAX_DIGITS
    if "decimal" in (left.name, right.name):
        number, other = (left, right) if left.name == "decimal" else (right, left)
        return other in FLOATING or (other in WHOLE and number.scale + _LONG_DIGITS <= MAX_DIGITS)
    numbers = WHOLE | FLOATING
    return left in numbers and right in numbers


def common(types: Iterable[DataType | None]) -> Judgement:
    """The one type of all of them, NULLs aside; where there are several, casts may fail.

    >>> common([DataType("int"), NULL]).type, common([DataType("int"), DataType("string")]).may_fail
    (DataType(name='int', precision=0, scale=0), True)
    """
    kinds = {each for each in types if each != NULL}
    if len(kinds) == 1 and None not in kinds:
        return Judgement(kinds.pop())
    return Judgement(None, may_fail=True) if kinds else Judgement(NULL)


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is the call of an aggregate function."""
    if isinstance(node, exp.Anonymous):
        return FUNCTIONS[node.name].kind == Kind.AGGREGATE
    return isinstance(node, exp.GroupConcat)


def cast_type(node: exp.Expr) -> DataType | None:
    """The column type that a type in a CAST is; None for JSON and the like."""
    if node.this != exp.DType.DECIMAL:
        return _CASTS.get(node.this)
    sizes = [int(each.name) for each in node.expressions if each.name.isdigit()]
    precision, scale = [*sizes, 0][:2] if sizes else (MAX_DIGITS, 0)
    return DataType("decimal", precision, scale)


def safe_cast(operand: exp.Expr, source: DataType | None, to: DataType | None) -> bool:
    """Whether a CAST of `operand`, whose type is `source`, works for every value."""
    if isinstance(operand, exp.Literal) and operand.is_string:
        return _reads(operand.name, to)
    if source is None or to is None:
        return False
    if source in (to, NULL):
        return True
    if to == TEXT:
        return source != INTERVAL
    return (source, to) in {(INT, LONG), (INT, DOUBLE), (LONG, DOUBLE), (DataType("float"), DOUBLE), (TIMESTAMP, DATE)}


def _reads(text: str, to: DataType | None) -> bool:
    try:
        if to == DATE:
            return bool(_DATE.match(text)) and bool(date.fromisoformat(text))
        if to == TIMESTAMP:
            return bool(_TIMESTAMP.match(text)) and bool(datetime.fromisoformat(text))
        if to == INSTANT:
            zone = _ZONE.search(text)
            return zone is not None and _reads(text[: zone.start()], TIMESTAMP)
    except ValueError:
        return False
    return to == TEXT
