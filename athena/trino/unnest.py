"""UNNEST of arrays, of several arrays, of maps and of arrays of rows, WITH ORDINALITY.

https://trino.io/docs/current/sql/select.html#unnest
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, number, string, to_storage
from athena.trino.function import Value
from athena.trino.refusal import mistyped
from athena.trino.scope import Field
from athena.trino.types import Type
from athena.trino.values import Translator


def unnest(node: exp.Unnest, translator: Translator, lateral: bool) -> tuple[exp.Expr, tuple[Field, ...], str]:
    """A subquery that yields the rows, its columns, and its alias ("" when it has none)."""
    alias = node.args.get("alias")
    names = [part.name.lower() for part in alias.columns] if alias is not None else []
    offset = node.args.get("offset")
    if isinstance(offset, exp.Identifier):  # sqlglot takes the last column's name for the ordinality
        names.append(offset.name.lower())
    inner: list[exp.Expr] = []
    columns: list[tuple[str | None, exp.Expr, Type]] = []
    lengths: list[exp.Expr] = []
    for argument in node.expressions:
        value = translator.value(argument)
        for made, kind, fields in _unnested(value, len(inner)):
            inner.append(made)
            columns += fields or [(None, _column(len(inner) - 1), kind)]
        lengths.append(
            call("len", value.node.copy())
            if value.type.name == "array"
            else call("len", call("map_keys", value.node.copy()))
        )
    if offset:
        longest = call("greatest", *lengths) if len(lengths) > 1 else lengths[0]
        upto = exp.Add(this=to_storage(call("coalesce", longest, number(0)), "BIGINT"), expression=number(1))
        inner.append(_named(call("unnest", call("range", number(1), upto)), len(inner)))
        columns.append((None, _column(len(inner) - 1), types.BIGINT))
    return _subquery(inner, columns, names, alias, lateral)


def _subquery(
    inner: list[exp.Expr],
    columns: list[tuple[str | None, exp.Expr, Type]],
    names: list[str],
    alias: exp.Expr | None,
    lateral: bool,
) -> tuple[exp.Expr, tuple[Field, ...], str]:
    if names and len(names) != len(columns):
        raise mistyped(f"{len(names)} column names for {len(columns)} columns of UNNEST.", "Name each column once.")
    fields, outputs = [], []
    for index, (own, made, kind) in enumerate(columns):
        label = names[index] if names else own
        physical = label or f"$c{index}"
        fields.append(Field(label, physical, kind))
        outputs.append(exp.alias_(made, physical, quoted=True, copy=False))
    rows = exp.Subquery(
        this=exp.Select(expressions=inner), alias=exp.TableAlias(this=exp.Identifier(this="$u", quoted=True))
    )
    select = exp.Select(expressions=outputs, from_=exp.From(this=rows))
    wanted = str(alias.name).lower() if alias is not None else ""
    table_alias = exp.TableAlias(this=exp.Identifier(this=wanted, quoted=True)) if wanted else None
    body = exp.Subquery(this=select)
    if lateral:
        return exp.Lateral(this=body, alias=table_alias), tuple(fields), wanted
    body.set("alias", table_alias)
    return body, tuple(fields), wanted


def _column(index: int) -> exp.Expr:
    return exp.Column(this=exp.Identifier(this=f"$i{index}", quoted=True), table=exp.Identifier(this="$u", quoted=True))


def _named(node: exp.Expr, index: int) -> exp.Expr:
    return exp.alias_(node, f"$i{index}", quoted=True, copy=False)


def _unnested(value: Value, start: int) -> list[tuple[exp.Expr, Type, list[tuple[str | None, exp.Expr, Type]]]]:
    kind = value.type
    if kind.name == "map":
        keys = _named(call("unnest", call("map_keys", value.node)), start)
        values = _named(call("unnest", call("map_values", value.node.copy())), start + 1)
        return [(keys, kind.args[0], []), (values, kind.args[1], [])]
    if kind.name != "array":
        raise mistyped(f"UNNEST({kind}) does not exist.", "Give it an array or a map.")
    element = kind.args[0]
    made = _named(call("unnest", value.node), start)
    if element.name != "row":
        return [(made, element, [])]
    fields: list[tuple[str | None, exp.Expr, Type]] = []
    for (physical, inner), (label, _) in zip(types.row_fields(element), element.args, strict=True):
        fields.append((label, call("struct_extract", _column(start), string(physical)), inner))
    return [(made, element, fields)]
