"""Rows, arrays and maps compared as Trino does: with a NULL inside two of them may be neither equal nor unequal.

DuckDB takes a NULL inside for equal to another one. https://trino.io/docs/current/functions/comparison.html
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from athena.trino import types
from athena.trino.build import binary, call, case, is_null, lambda_of, name, number, string
from athena.trino.function import Value
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
        fields = (parts(left, right, part) for left, right, part in _fields(one, two, kind))
        missing = exp.or_(is_null(one), is_null(two), copy=False)
        return case((missing, exp.Null()), otherwise=exp.and_(*map(exp.paren, fields), copy=False))
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
    branches: list[tuple[exp.Expr, exp.Expr]] = [(exp.or_(is_null(one), is_null(two), copy=False), exp.Null())]
    for left, right, part in _fields(one, two, kind):
        known = exp.Not(this=call("trino_known", left.copy(), right.copy()))
        branches.append((known, exp.Null()))
        differs = compared(exp.NEQ, Value(left.copy(), part), Value(right.copy(), part))
        branches.append((differs, compared(sign, Value(left, part), Value(right, part))))
    same = exp.true() if sign in (exp.LTE, exp.GTE) else exp.false()
    return case(*branches, otherwise=same)


def _fields(one: exp.Expr, two: exp.Expr, kind: Type) -> Iterator[tuple[exp.Expr, exp.Expr, Type]]:
    for physical, part in types.row_fields(kind):
        left, right = (call("struct_extract", side.copy(), string(physical)) for side in (one, two))
        yield left, right, part
