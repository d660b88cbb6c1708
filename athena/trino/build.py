"""Small words for building DuckDB trees. Pure."""

from collections.abc import Callable
from decimal import Decimal

from sqlglot import exp

from athena.trino import types
from athena.trino.types import Type

# A cast that fails on purpose: unlike error() it may stand inside TRY. The code after the colon is one of ours.
FAIL_PREFIX = "lakegate:"


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a DuckDB function or macro.

    >>> call("trino_f", number(1)).sql("duckdb")
    'TRINO_F(1)'
    """
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(value: int | str | Decimal) -> exp.Expr:
    """A literal number; a negative one is wrapped."""
    text = str(value)
    return exp.Paren(this=exp.Neg(this=exp.Literal.number(text[1:]))) if text[:1] == "-" else exp.Literal.number(text)


def string(value: str) -> exp.Expr:
    """A literal text."""
    return exp.Literal.string(value)


def to(node: exp.Expr, kind: Type) -> exp.Expr:
    """DuckDB's own cast to the storage of `kind`."""
    return to_storage(node, types.duckdb(kind))


def to_storage(node: exp.Expr, storage: str) -> exp.Expr:
    """DuckDB's own cast to a type of DuckDB."""
    return exp.Cast(this=node, to=_storage(storage))


def try_to(node: exp.Expr, kind: Type) -> exp.Expr:
    """DuckDB's own TRY_CAST."""
    return exp.TryCast(this=node, to=_storage(types.duckdb(kind)))


def null(kind: Type) -> exp.Expr:
    """NULL of a type."""
    return to(exp.Null(), kind)


def case(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Expr:
    """CASE WHEN … THEN … END."""
    ifs = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(ifs=ifs, default=otherwise)


def lambda_of(body: exp.Expr, *names: str) -> exp.Expr:
    """A lambda for DuckDB."""
    return exp.Lambda(this=body, expressions=[exp.Identifier(this=name, quoted=True) for name in names])


def name(text: str) -> exp.Expr:
    """A bare name: a lambda's parameter."""
    return exp.Column(this=exp.Identifier(this=text, quoted=True))


def struct(*fields: tuple[str, exp.Expr]) -> exp.Expr:
    """DuckDB's struct, its fields in order."""
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.Identifier(this=field, quoted=True), expression=value) for field, value in fields
        ]
    )


def field_of(node: exp.Expr, physical: str) -> exp.Expr:
    """A field of a struct, on a copy: of one that is written out, what is written for it."""
    if isinstance(node, exp.Struct):
        found: exp.Expr = next(part.expression for part in node.expressions if part.this.name == physical)
        return found.copy()
    return call("struct_extract", node.copy(), exp.Literal.string(physical))


def is_null(node: exp.Expr) -> exp.Expr:
    """`node IS NULL`, on a copy."""
    if isinstance(node, exp.Struct):
        return exp.false()
    return exp.Is(this=exp.paren(node), expression=exp.Null())


def literal_text(node: exp.Expr) -> str | None:
    """The text of a string literal, None for anything else."""
    if isinstance(node, exp.Paren):
        return literal_text(node.this)
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def literal_int(node: exp.Expr) -> int | None:
    """The value of an integer literal, None for anything else."""
    if isinstance(node, exp.Paren):
        return literal_int(node.this)
    if isinstance(node, exp.Neg):
        inner = literal_int(node.this)
        return -inner if inner is not None else None
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        return int(node.this)
    return None


def texts_joined(texts: exp.Expr, separator: exp.Expr) -> exp.Expr:
    """A list of texts as one, without its NULLs; DuckDB's own function wants the separator to be a constant."""
    plain = literal_text(separator) is not None
    return call("array_to_string" if plain else "trino_joined", texts, separator)


_STORAGE: dict[str, exp.DataType] = {}


def _storage(text: str) -> exp.DataType:
    """A DataType that writes itself as `text`: parsing types anew for every cast would cost the budget."""
    kind = _STORAGE.get(text)
    if kind is None:
        kind = _STORAGE[text] = exp.DataType.build(text, dialect="duckdb")
    return kind.copy()


_TIGHT = (
    exp.Column,
    exp.Literal,
    exp.Anonymous,
    exp.Cast,
    exp.Paren,
    exp.Null,
    exp.Boolean,
    exp.Subquery,
    exp.Array,
    exp.Struct,
    exp.Case,
    exp.Bracket,
    exp.Identifier,
    exp.Window,
    exp.Filter,
)


def tight(node: exp.Expr) -> exp.Expr:
    """`node`, in parentheses unless it binds tighter than any operator."""
    return node if isinstance(node, _TIGHT) else exp.Paren(this=node)


def binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """`left op right` whose operands stay what they are."""
    return kind(this=tight(left), expression=tight(right))


def once(node: exp.Expr, variable: str, body: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """`body` of `node`, which is written (and bound, and computed) one time however often `body` names it."""
    if isinstance(node, exp.Column | exp.Struct) or node.name == "struct_extract":
        return body(node)
    mapped = call("list_transform", exp.Array(expressions=[node]), lambda_of(body(name(variable)), variable))
    return call("list_extract", mapped, number(1))
