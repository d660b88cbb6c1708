"""What a function of Trino is here: its signature in Trino's types, and what it is on DuckDB. Pure.

A signature is written as Trino's documentation writes it, `strpos(varchar, varchar) -> bigint`; a single capital
letter stands for any type, `function(T, R)` for a lambda that makes an R of a T, `decimal` for any decimal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from athena.trino import types
from athena.trino.types import Type

if TYPE_CHECKING:
    from athena.trino.values import Translator


class Kind(StrEnum):
    """How a function is called."""

    SCALAR = "scalar"
    AGGREGATE = "aggregate"
    WINDOW = "window"


class Value(NamedTuple):
    """An expression for DuckDB and the type that Trino gives it; DuckDB's own type always equals `duckdb(type)`."""

    node: exp.Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the caller wrote it: arguments translated, lambdas left as they are until their types are known.

    `wrap` puts an aggregate's DISTINCT, ORDER BY, FILTER and OVER around each DuckDB aggregate that is made of it.
    """

    name: str
    arguments: list["Value | exp.Lambda"]
    translator: "Translator"
    wrap: Callable[[exp.Expr], exp.Expr]

    def values(self) -> list[Value]:
        """The arguments when none of them is a lambda."""
        return [argument for argument in self.arguments if isinstance(argument, Value)]


Build = Callable[[Call], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """One function with one signature (or with `build`, which types and translates it by itself).

    `body` is DuckDB's own name for it, or the text of a macro over a, b, c, d, e. `total`: cannot fail on any input
    of its types. `strict`: NULL whenever an argument is NULL.
    """

    name: str
    parameters: tuple[Type, ...] = ()
    result: Type = types.UNKNOWN
    body: str = ""
    kind: Kind = Kind.SCALAR
    total: bool = False
    strict: bool = False
    variadic: bool = False
    build: Build | None = None
    macro: str = ""

    @property
    def is_macro(self) -> bool:
        """Whether `body` is an expression, not just a name."""
        return "(" in self.body or " " in self.body


def function(
    signature: str, body: str, *, kind: Kind = Kind.SCALAR, total: bool = False, strict: bool = True
) -> Function:
    """A function from its signature.

    >>> function("strpos(varchar, varchar) -> bigint", "strpos", total=True).result.name
    'bigint'
    """
    head, _, result = signature.partition("->")
    name, _, inner = head.strip().partition("(")
    text = inner.strip().removesuffix(")")
    variadic = text.endswith("...")
    parameters = tuple(map(_pattern, _split(text.removesuffix("..."))))
    return Function(name.strip(), parameters, _pattern(result.strip()), body, kind, total, strict, variadic)


def built(name: str, build: Build, *, kind: Kind = Kind.SCALAR, total: bool = False, strict: bool = False) -> Function:
    """A function whose types and translation need code."""
    return Function(name, kind=kind, total=total, strict=strict, build=build)


def _split(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [part.strip() for part in [*parts, current] if part.strip()]


def _pattern(text: str) -> Type:
    name, _, inner = text.partition("(")
    arguments = _split(inner.removesuffix(")"))
    if name in ("array", "map", "function"):
        return Type(name, tuple(map(_pattern, arguments)))
    if name == "tz":
        return types.zoned(int(arguments[0]) if arguments else 3)
    if name in ("timestamp", "time"):
        return Type(name, (int(arguments[0]) if arguments else 3,))
    if name == "decimal" and arguments:
        return types.decimal(int(arguments[0]), int(arguments[1]))
    if name == "interval_day":
        return types.DAY_INTERVAL
    if name == "interval_year":
        return types.YEAR_INTERVAL
    if name == "varchar" and arguments == ["x"]:
        return Type("varchar", ("x",))
    return Type(name)
