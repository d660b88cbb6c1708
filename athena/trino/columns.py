"""The columns of a query brought to the types that another query or value asks for."""

from collections.abc import Sequence

from sqlglot import exp

from athena.trino.cast import coerce
from athena.trino.scope import Field, reference
from athena.trino.types import Type


def cast_columns(query: exp.Expr, fields: Sequence[Field], kinds: list[Type]) -> exp.Expr:
    """A query around `query` whose columns are of these types."""
    columns: list[exp.Expr] = []
    for field, kind in zip(fields, kinds, strict=True):
        node = coerce(reference("$q", field), kind).node
        columns.append(exp.alias_(node, field.physical, quoted=True, copy=False))
    names = [exp.Identifier(this=field.physical, quoted=True) for field in fields]
    alias = exp.TableAlias(this=exp.Identifier(this="$q", quoted=True), columns=names)
    source = exp.Subquery(this=query, alias=alias)
    return exp.Select(expressions=columns, from_=exp.From(this=source))
