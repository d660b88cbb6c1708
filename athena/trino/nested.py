"""Rows, arrays and maps compared as Trino does: with a NULL inside two of them may be neither equal nor unequal.

DuckDB takes a NULL inside for equal to another one. https://trino.io/docs/current/functions/comparison.html
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from athena.trino import types
from athena.trino.build import binary, call, case, field_of, is_null, lambda_of, name, number, once
from athena.trino.function import Value
from athena.trino.refusal import unsupported
from athena.trino.types import Type

NESTED = ("array", "map", "row")
_FAILED = "CAST('lakegate:bad-argument' AS BOOLEAN)"

# p: for each pair of parts whether they are equal
MACROS = {
    "trino_all_true(p)": "CASE WHEN list_contains(p, false) THEN false WHEN list_count(p) < len(p) THEN NULL "
    "ELSE true END",
    "trino_same_length(a, b)": "CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE len(a) = len(b) END",
    "trino_same_keys(a, b)": "CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE cardinality(a) = cardinality(b) "
    "AND len(list_intersect(map_keys(a), map_keys(b))) = cardinality(a) END",
    # Trino puts no two values in order one of which has a NULL where they first differ; here: has one at all
    "trino_whole(a)": f"CASE WHEN list_count(a) < len(a) THEN {_FAILED} ELSE true END",
    "trino_known(a, b)": f"CASE WHEN a IS NULL OR b IS NULL THEN {_FAILED} ELSE true END",
}

Equal = Callable[[Value, Value], exp.Expr]
Compared = Callable[[type[exp.Expr], Value, Value], exp.Expr]


def equal(one: exp.Expr, two: exp.Expr, kind: Type, leaf: Equal, *, depth: int = 0) -> exp.Expr:
    """Whether two values of a nested type are equal; `leaf` compares those that are not nested."""

    def parts(left: exp.Expr, right: exp.Expr, part: Type) -> exp.Expr:
        if part.name in NESTED:
            return equal(left, right, part, leaf, depth=depth + 1)
        return leaf(Value(left, part), Value(right, part))

    if kind.name == "row":

        def fields(left: exp.Expr, right: exp.Expr) -> exp.Expr:
            pairs = (exp.paren(parts(*pair), copy=False) for pair in _fields(left, right, kind))
            missing = exp.or_(is_null(left), is_null(right), copy=False)
            return case((missing, exp.Null()), otherwise=exp.and_(*pairs, copy=False))

        return once(
            one, f"trino_a{depth}", lambda left: once(two, f"trino_b{depth}", lambda right: fields(left, right))
        )
    each = f"trino_n{depth}"
    if kind.name == "array":
        sides = (call("struct_extract", name(each), number(place)) for place in (1, 2))
        pairs = call("list_zip", one.copy(), two.copy())
        alike, part = call("trino_same_length", one, two), kind.args[0]
    else:
        sides = (call("map_extract_value", side.copy(), name(each)) for side in (one, two))
        pairs = call("map_keys", one.copy())
        alike, part = call("trino_same_keys", one, two), kind.args[1]
    left, right = sides
    compared = call("list_transform", pairs, lambda_of(parts(left, right, part), each))
    return case((alike, call("trino_all_true", compared)), (is_null(alike), exp.Null()), otherwise=exp.false())


def before(one: exp.Expr, two: exp.Expr, kind: Type, sign: type[exp.Binary], compared: Compared) -> exp.Expr:
    """`one < two` (or another `sign` of order) of rows, field by field, or of arrays; fails on a NULL in them."""
    if kind.name == "array":
        broken = ((exp.Not(this=call("trino_whole", side.copy())), exp.Null()) for side in (one, two))
        return case(*broken, otherwise=binary(sign, one, two))

    if any(part.name == "row" for _, part in types.row_fields(kind)):
        raise unsupported("The order of rows inside of rows", "Compare their fields.")

    def fields(left: exp.Expr, right: exp.Expr) -> exp.Expr:
        branches: list[tuple[exp.Expr, exp.Expr]] = [(exp.or_(is_null(left), is_null(right), copy=False), exp.Null())]
        for mine, other, part in _fields(left, right, kind):
            known = exp.Not(this=call("trino_known", mine.copy(), other.copy()))
            branches.append((known, exp.Null()))
            differs = compared(exp.NEQ, Value(mine.copy(), part), Value(other.copy(), part))
            branches.append((differs, compared(sign, Value(mine, part), Value(other, part))))
        return case(*branches, otherwise=exp.true() if sign in (exp.LTE, exp.GTE) else exp.false())

    return once(one, "trino_a", lambda left: once(two, "trino_b", lambda right: fields(left, right)))


def _fields(one: exp.Expr, two: exp.Expr, kind: Type) -> Iterator[tuple[exp.Expr, exp.Expr, Type]]:
    for physical, part in types.row_fields(kind):
        yield field_of(one, physical), field_of(two, physical), part
