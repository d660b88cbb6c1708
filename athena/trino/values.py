"""One expression of Trino → the same on DuckDB, with its type.

A single walk: an expression's parts are translated first, then the rewrite that is listed for its node (or for the
function's name) makes the whole of them. What no rewrite lists is refused.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, lambda_of, name, tight
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Kind, Value
from athena.trino.refusal import mistyped, unsupported
from athena.trino.resolve import resolved
from athena.trino.scope import Field, Scope
from athena.trino.types import Type

Rewrite = Callable[["Translator", exp.Expr], Value]
Wrap = Callable[[exp.Expr], exp.Expr]


def unwrapped(node: exp.Expr) -> exp.Expr:
    """No modifiers: the call of a scalar function."""
    return node


class Translator:
    """Translates the expressions of one SELECT, seen from one scope.

    `query` translates a nested query in place and gives its columns.
    """

    def __init__(
        self,
        scope: Scope,
        query: Callable[[exp.Expr, Scope], tuple[exp.Expr, list[Field]]],
        rewrites: Mapping[type[exp.Expr], Rewrite],
        functions: Mapping[str, list[Function]],
    ) -> None:
        self.scope = scope
        self.query = query
        self._rewrites = rewrites
        self._functions = functions
        self._aggregated = 0

    def value(self, node: exp.Expr) -> Value:
        """The expression translated."""
        rewrite = self._rewrites.get(type(node))
        if rewrite is None:
            raise unsupported(node.sql("trino").split("(")[0][:60] or node.key, "Write it in another way.")
        return rewrite(self, node)

    def boolean(self, node: exp.Expr) -> exp.Expr:
        """A condition; `Refused` when it is of another type."""
        value = self.value(node)
        if value.type.name not in ("boolean", "unknown"):
            raise mistyped(f"A condition is of type {value.type}.", "Compare it with something: x = 1.")
        return coerce(value, types.BOOLEAN).node

    def overloads(self, function: str) -> list[Function]:
        """The signatures of that name; empty when there is none."""
        return self._functions.get(function, [])

    def call(self, node: exp.Anonymous, wrap: Wrap = unwrapped, kinds: tuple[Kind, ...] = (Kind.SCALAR,)) -> Value:
        """A function call; aggregates and window functions come here with their modifiers in `wrap`."""
        return self.named(str(node.this), node.expressions, wrap, kinds)

    def named(
        self,
        function: str,
        arguments: list[exp.Expr],
        wrap: Wrap = unwrapped,
        kinds: tuple[Kind, ...] = (Kind.SCALAR,),
    ) -> Value:
        """The function of that name on arguments that are not translated yet."""
        overloads = self._functions.get(function)
        if overloads is None:
            raise unsupported(f"The function {function}", "See the list of functions in the documentation.")
        if overloads[0].kind not in kinds:
            raise mistyped(
                f"{function} cannot be called like that.", "Window functions need OVER (…), others have none."
            )
        before = self._aggregated
        given: list[Value | exp.Lambda] = [
            argument if isinstance(argument, exp.Lambda) else self.value(argument) for argument in arguments
        ]
        if function == "try" and self._aggregated > before:
            raise unsupported("try around an aggregate", "Put try inside of it, around the part that can fail.")
        self._aggregated += overloads[0].kind != Kind.SCALAR
        made = Call(function, given, self, wrap)
        build = overloads[0].build
        return build(made) if build is not None else resolved(made, overloads)

    def lambda_(self, node: exp.Lambda, kinds: list[Type]) -> tuple[Callable[[exp.Expr], exp.Expr], Value]:
        """A lambda's body on parameters of these types, and what makes DuckDB's lambda of a body."""
        names = [parameter.name.lower() for parameter in node.expressions]
        body = self.bound(node, [Value(name(n), kind) for n, kind in zip(names, kinds, strict=True)])
        return (lambda made: lambda_of(made, *names)), body

    def bound(self, node: exp.Lambda, values: list[Value]) -> Value:
        """A lambda's body with these values in the place of its parameters."""
        if len(node.expressions) != len(values):
            raise mistyped(f"A lambda of {len(values)} parameters is wanted.", "Write (x, y) -> …")
        outer = self.scope.variables
        named = {parameter.name.lower(): value for parameter, value in zip(node.expressions, values, strict=True)}
        self.scope.variables = {**outer, **named}
        try:
            return self.value(node.this.copy())
        finally:
            self.scope.variables = outer


def parenthesised(translator: Translator, node: exp.Expr) -> Value:
    """(x)"""
    inner = translator.value(node.this)
    return Value(tight(inner.node), inner.type)


def identifier(translator: Translator, node: exp.Expr) -> Value:
    """A bare name inside a lambda."""
    return column(translator, exp.Column(this=node.copy()))


def column(translator: Translator, node: exp.Expr) -> Value:
    """A column, or a field of a column that is a row: `c`, `t.c`, `s.t.c`, `c.f`, `t.c.f`."""
    parts = [part.name.lower() for part in (node.args.get(key) for key in ("catalog", "db", "table", "this")) if part]
    for skip in (0, 1, 2):
        rest = parts[skip:]
        if len(rest) >= 2:
            found = translator.scope.column(rest[1], rest[0])
            if found is not None:
                return fields_of(found, rest[2:])
        if skip == 0:
            found = translator.scope.column(rest[0], None)
            if found is not None:
                return fields_of(found, rest[1:])
    raise mistyped(f"There is no column {'.'.join(parts)!r}.", "Check the name and the table's alias.")


def fields_of(value: Value, names: list[str]) -> Value:
    """`value.a.b` of a row."""
    for wanted in names:
        fields = [field for label, field in value.type.args if label == wanted] if value.type.name == "row" else []
        if len(fields) != 1:
            raise mistyped(f"There is no field {wanted!r}.", "Check the row's field names, or take it by place: r[1].")
        value = Value(call("struct_extract", value.node, exp.Literal.string(wanted)), fields[0])
    return value


def dot(translator: Translator, node: exp.Expr) -> Value:
    """expression.field"""
    return fields_of(translator.value(node.this), [node.expression.name.lower()])


def function_call(translator: Translator, node: exp.Expr) -> Value:
    """f(…)"""
    from athena.trino.aggregates import modified

    assert isinstance(node, exp.Anonymous)
    return modified(translator, node)


REWRITES: dict[type[exp.Expr], Rewrite] = {
    exp.Paren: parenthesised,
    exp.Identifier: identifier,
    exp.Column: column,
    exp.Dot: dot,
    exp.Anonymous: function_call,
}
