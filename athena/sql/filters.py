"""The caller's own conditions on single columns, which may stand beside a grant's rows. Pure.

No engine pushes a predicate through the guard of `athena/entitlement.py`, so the conditions that partitions and row
groups are pruned by are copied below it. Only what cannot fail on a hidden row is copied: a column, an operator
and literals of exactly that column's type.
"""

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from athena.sql.judge import judge
from athena.sql.sources import Field, Origin, Source

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.Is)

Record = Callable[[Origin, exp.Expr], None]


def note_filters(condition: exp.Expr, sources: Sequence[Source], record: Record) -> None:
    """Tell `record` of each conjunct of `condition` that may go below the guard of a dataset among `sources`.

    The recorded expression names the dataset's column without a table.
    """
    for part in conjuncts(condition):
        column = only_column(part)
        origin = _origin(column, sources) if column is not None else None
        if origin is None or judge(part).may_fail:
            continue
        copied = part.copy()
        for reference in copied.find_all(exp.Column):
            reference.replace(exp.column(exp.to_identifier(origin.column, quoted=True)))
        record(origin, copied)


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that all have to be true for `condition` to be."""
    stack = [condition]
    while stack:
        part = stack.pop().unnest()
        if isinstance(part, exp.And):
            stack.extend(reversed(list(part.flatten())))
        else:
            yield part


def only_column(part: exp.Expr) -> exp.Column | None:
    """The column of `column operator literals` (either way round, NOT around it or not), None for all else."""
    inner = part.this.unnest() if isinstance(part, exp.Not) else part
    if not isinstance(inner, _COMPARISONS) or inner.args.get("query") is not None:
        return None
    parts = [each.unnest() for each in inner.iter_expressions()]
    columns = [each for each in parts if isinstance(each, exp.Column)]
    rest = [each for each in parts if not isinstance(each, exp.Column)]
    return columns[0] if len(columns) == 1 and all(_is_literal(each) for each in rest) else None


def _is_literal(node: exp.Expr) -> bool:
    if isinstance(node, exp.Neg | exp.Cast):
        return isinstance(node.this, exp.Literal)
    return isinstance(node, exp.Literal | exp.Boolean | exp.Null)


def _origin(column: exp.Column, sources: Sequence[Source]) -> Origin | None:
    for source in sources:
        if source.alias == column.table and not source.optional:
            return next((item.origin for item in source.fields if _is(item, column)), None)
    return None


def _is(item: Field, column: exp.Column) -> bool:
    return item.column == column.name
