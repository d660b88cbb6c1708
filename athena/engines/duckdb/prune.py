"""Which data files can hold rows that a statement's own filters let through. Pure.

Only filters that are false for NULL are used, on columns against literals; whatever is not understood keeps the file.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from athena.dataset import DataType
from athena.engines.duckdb.files import DataFile

Test = Callable[[DataFile], bool]
_EPOCH = datetime(1970, 1, 1)


def kept_files(
    tree: exp.Expr, dataset: str, types: Mapping[str, DataType], files: tuple[DataFile, ...]
) -> tuple[DataFile, ...]:
    """The files of `dataset` that any of its mentions in `tree` can need."""
    tests = [_mention(table, types) for table in tree.find_all(exp.Table) if table.name == dataset]
    if not tests or None in tests:
        return files
    return tuple(file for file in files if any(test(file) for test in tests if test is not None))


def _mention(table: exp.Table, types: Mapping[str, DataType]) -> Test | None:
    """The test that the filters beside one mention of a table make; None when there are none."""
    select = table.parent.parent if isinstance(table.parent, (exp.From, exp.Join)) else None
    if not isinstance(select, exp.Select):
        return None
    alone = not select.args.get("joins")
    where, rows = select.args.get("where"), _rows_kept_outside(select)
    found = [
        _test(condition, lambda column: _named(column, table.alias_or_name, alone=alone), types)
        for condition in ([] if where is None else [where.this]) + ([] if rows is None else [rows])
    ]
    return _both(found[0], found[1]) if len(found) == 2 else (found or [None])[0]


def _rows_kept_outside(select: exp.Select) -> exp.Expr | None:
    """What the query around `select` keeps rows by, when that is one column which `select` computes beside plain
    ones: a grant's row filter is put so, see `athena/guard.py`."""
    subquery = select.parent
    if not isinstance(subquery, exp.Subquery) or not isinstance(subquery.parent, exp.From):
        return None
    outer = subquery.parent.parent
    where = outer.args.get("where") if isinstance(outer, exp.Select) else None
    kept = where.this if where is not None else None
    if not isinstance(kept, exp.Column) or kept.table != subquery.alias or set(_given(select)) - _ROW_BY_ROW:
        return None
    computed = [each for each in select.expressions if not isinstance(each.unalias(), exp.Column)]
    found = computed[0] if len(computed) == 1 else None
    return found.this if isinstance(found, exp.Alias) and found.alias == kept.name else None


# A query of nothing else computes each of its rows from one row of its table.
_ROW_BY_ROW = frozenset(["expressions", "from_", "where"])


def _given(select: exp.Select) -> list[str]:
    return [name for name, value in select.args.items() if value]


def _named(column: exp.Expr, alias: str, *, alone: bool) -> str | None:
    if not isinstance(column, exp.Column) or (column.table != alias and (column.table or not alone)):
        return None
    return column.name


def _test(node: exp.Expr, name_of: Callable[[exp.Expr], str | None], types: Mapping[str, DataType]) -> Test | None:
    node = node.unnest()
    if isinstance(node, (exp.And, exp.Or)):
        left, right = _test(node.left, name_of, types), _test(node.right, name_of, types)
        if isinstance(node, exp.And):
            return _both(left, right)
        return None if left is None or right is None else lambda file: left(file) or right(file)
    if isinstance(node, exp.Between):
        low = _compared(node.this, node.args["low"], exp.GTE, name_of, types)
        return _both(low, _compared(node.this, node.args["high"], exp.LTE, name_of, types))
    if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
        tests = [_compared(node.this, value, exp.EQ, name_of, types) for value in node.expressions]
        found = [test for test in tests if test is not None]
        return (lambda file: any(test(file) for test in found)) if len(found) == len(tests) else None
    if isinstance(node, (exp.EQ, exp.LT, exp.LTE, exp.GT, exp.GTE)):
        flipped = _FLIPPED[type(node)]
        return _compared(node.left, node.right, type(node), name_of, types) or _compared(
            node.right, node.left, flipped, name_of, types
        )
    return None


def _both(left: Test | None, right: Test | None) -> Test | None:
    if left is None or right is None:
        return left or right
    return lambda file: left(file) and right(file)


def _compared(
    column: exp.Expr,
    literal: exp.Expr,
    operator: type[exp.Expr],
    name_of: Callable[[exp.Expr], str | None],
    types: Mapping[str, DataType],
) -> Test | None:
    name = name_of(column.unnest())
    value = literal_value(literal.unnest(), types[name]) if name in types and name is not None else None
    if name is None or value is None:
        return None
    fits = _FITS[operator]

    def test(file: DataFile) -> bool:
        bounds = file.bounds.get(name)
        if bounds is None or any(isinstance(bound, float) and math.isnan(bound) for bound in bounds):
            return True
        return fits(bounds[0], bounds[1], value)

    return test


_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
_FITS: dict[type[exp.Expr], Callable[[Any, Any, Any], bool]] = {
    exp.EQ: lambda least, greatest, value: least <= value <= greatest,
    exp.LT: lambda least, greatest, value: least < value,
    exp.LTE: lambda least, greatest, value: least <= value,
    exp.GT: lambda least, greatest, value: greatest > value,
    exp.GTE: lambda least, greatest, value: greatest >= value,
}


def literal_value(node: exp.Expr, kind: DataType) -> Any:
    """A literal as what bounds of a column of `kind` are compared with; None when they may not be compared.

    >>> from sqlglot import parse_one
    >>> literal_value(parse_one("DATE '1970-01-03'", read="athena"), DataType("date"))
    2
    """
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return _instant(node.this.name, node.to.this, kind)
    if isinstance(node, exp.Literal) and node.is_string:
        return node.name if kind.name == "string" else None
    sign = -1 if isinstance(node, exp.Neg) else 1
    number = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(number, exp.Literal) or number.is_string:
        return None
    exact = "e" not in number.name.lower()
    if kind.name in ("int", "long", "decimal"):
        return sign * Decimal(number.name) if exact else None
    return sign * float(number.name) if kind.name == "double" else None


def _instant(text: str, target: object, kind: DataType) -> int | None:
    try:
        if kind.name == "date" and target is exp.DataType.Type.DATE:
            return (date.fromisoformat(text) - _EPOCH.date()).days
        if (kind.name, target) in (
            ("timestamp", exp.DataType.Type.TIMESTAMP),
            ("timestamptz", exp.DataType.Type.TIMESTAMPTZ),
        ):
            instant = datetime.fromisoformat(text)
            naive = instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
            passed = naive - _EPOCH
            return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    except ValueError:
        return None
    return None
