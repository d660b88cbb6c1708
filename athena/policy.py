"""One dataset's grant against its columns: what may be seen, as expressions. Pure."""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from athena.dataset import REJECT_COLUMNS, SYSTEM_COLUMNS, SYSTEM_NAMES, Column, DataType
from athena.errors import Failed, Refused
from athena.grants import DatasetGrant
from athena.sql.judge import judge
from athena.sql.kinds import FLAG, is_aggregate, mark
from athena.statement import parse
from athena.trino.text import write

TEXT = DataType("string")
# Types whose text is the same in both engines.
_HASHABLE = frozenset({"string", "boolean", "int", "long", "date"})
_FIRST = re.compile(r"first\(\s*(\d{1,4})\s*\)\Z")
_TYPE_NAMES = {"string": "varchar", "long": "bigint", "float": "real", "timestamptz": "timestamp with time zone"}


class GrantProblem(Failed):
    """The grant does not fit its dataset. The message is for the owner; a partner is told `grant-invalid` alone."""

    code = "grant-invalid"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a partner sees as one column; `node` is over the dataset's own columns, without a table."""

    type: DataType
    node: exp.Expr
    may_fail: bool = False

    @property
    def is_plain(self) -> bool:
        """The column itself, without a mask."""
        return isinstance(self.node, exp.Column)


@dataclass(frozen=True, slots=True)
class Policy:
    """The columns to be seen, in the table's order, and the condition on rows (None: all of them).

    `digest` tells unequal policies apart. Do not change the nodes: they are shared.
    """

    columns: Mapping[str, Shown]
    rows: exp.Expr | None
    digest: str


def owner_policy(columns: tuple[Column, ...]) -> Policy:
    """Everything, the system columns too."""
    return Policy({each.name: _plain(each) for each in with_system(columns)}, None, "owner")


def partner_policy(grant: DatasetGrant, dataset: str, columns: tuple[Column, ...], *, salt: str) -> Policy:
    """What `grant` shows of `dataset`; raises `GrantProblem` when the two do not fit."""
    known = {each.name: each for each in with_system(columns)}
    visible = _visible(grant, known)
    for name in grant.mask:
        if name not in known:
            raise GrantProblem(f"mask: there is no column {name!r}.", _near(name, known))
    shown = {name: _shown(dataset, known[name], grant.mask.get(name), columns, salt) for name in visible}
    rows = _rows(dataset, grant.rows, columns) if grant.rows is not None else None
    return Policy(shown, rows, _digest(grant))


_REJECT_NAMES = {each.name for each in REJECT_COLUMNS}


def with_system(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns with those of `SYSTEM_COLUMNS` that every row carries, once each; a reject carries none of them."""
    names = {each.name for each in columns}
    if names == _REJECT_NAMES:
        return columns
    return (*columns, *(each for each in SYSTEM_COLUMNS if each.name not in names))


def _visible(grant: DatasetGrant, known: Mapping[str, Column]) -> list[str]:
    named, removed, every = set[str](), set[str](), False
    for entry in grant.columns:
        name = entry.removeprefix("!")
        if entry == "*":
            every = True
        elif name not in known:
            raise GrantProblem(f"columns: there is no column {name!r}.", _near(name, known))
        else:
            (removed if entry.startswith("!") else named).add(name)
    if named & removed:
        name = min(named & removed)
        raise GrantProblem(f"columns: {name!r} is both granted and taken away.", "Keep one of the two.")
    open_ = {each.name for each in known.values() if not each.sensitive and each.name not in SYSTEM_NAMES}
    return [name for name in known if name not in removed and (name in named or (every and name in open_))]


def _near(name: str, known: Mapping[str, Column]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Its columns: {', '.join(known)}."


def _plain(column: Column) -> Shown:
    return Shown(column.type, _reference(column))


def _reference(column: Column) -> exp.Column:
    node = exp.column(exp.to_identifier(column.name, quoted=True))
    mark(node, column.type)
    return node


def _shown(dataset: str, column: Column, mask: str | None, columns: tuple[Column, ...], salt: str) -> Shown:
    if mask is None:
        return _plain(column)
    if mask.strip().upper() == "NULL":
        return Shown(column.type, exp.cast(exp.Null(), type_node(column.type)))
    if mask.strip() == "hash":
        if column.type.name not in _HASHABLE:
            takes = ", ".join(sorted(_HASHABLE))
            raise GrantProblem(f"mask: {column.name!r} is a {column.type}; hash takes {takes}.", "Use NULL.")
        return Shown(TEXT, _hashed(_reference(column), salt))
    first = _FIRST.match(mask.strip())
    if first:
        if column.type != TEXT:
            raise GrantProblem(f"mask: {column.name!r} is a {column.type}; first(n) takes text.", "Use NULL or hash.")
        places = [exp.Literal.number(1), exp.Literal.number(first[1])]
        return Shown(TEXT, exp.Anonymous(this="substr", expressions=[_reference(column), *places]))
    return _expression_mask(dataset, column.name, mask, with_system(columns))


def _hashed(column: exp.Expr, salt: str) -> exp.Expr:
    """lower(to_hex(sha256(to_utf8(salt || column)))); NULL stays NULL."""
    text = exp.cast(column, type_node(TEXT))
    salted: exp.Expr = exp.DPipe(this=exp.Literal.string(salt), expression=text, safe=False)
    for name in ("to_utf8", "sha256", "to_hex", "lower"):
        salted = exp.Anonymous(this=name, expressions=[salted])
    return salted


def type_node(kind: DataType) -> exp.DataType:
    """The type in Athena's words.

    >>> type_node(DataType("decimal", 12, 2)).sql("trino"), type_node(DataType("string")).sql("trino")
    ('DECIMAL(12, 2)', 'VARCHAR')
    """
    return exp.DataType.build(_TYPE_NAMES.get(kind.name, str(kind)), dialect="trino")


@lru_cache(maxsize=1024)
def _rows(dataset: str, text: str, columns: tuple[Column, ...]) -> exp.Expr:
    known = with_system(columns)
    tree = _own_sql("rows", f'SELECT 1 FROM "{dataset}" WHERE {text}', known, {"expressions", "from_", "where"})
    condition: exp.Expr = tree.args["where"].this
    judged = judge(condition)
    if judged.type != FLAG:
        raise GrantProblem(f"rows: {text!r} is no condition.", "Compare columns with literals of their own type.")
    if judged.may_fail:
        raise GrantProblem(
            f"rows: {text!r} may fail on some row.",
            "Compare columns with literals of their own type; use TRY_CAST for CAST, and no arithmetic.",
        )
    return condition


@lru_cache(maxsize=1024)
def _expression_mask(dataset: str, name: str, text: str, known: tuple[Column, ...]) -> Shown:
    tree = _own_sql("mask", f'SELECT {text} FROM "{dataset}"', known, {"expressions", "from_"})
    if len(tree.expressions) != 1 or isinstance(tree.expressions[0], exp.Alias):
        raise GrantProblem(f"mask: {text!r} is no single expression.", "Use NULL, hash, first(n) or an expression.")
    judged = judge(tree.expressions[0])
    if judged.type is None or judged.type.name in ("null", "interval"):
        raise GrantProblem(f"mask: the type of {text!r} is not known.", f"Write CAST({text} AS …).")
    # In brackets, so that no other column passes for the plain one.
    return Shown(judged.type, exp.Paren(this=tree.expressions[0]), judged.may_fail)


def _own_sql(key: str, sql: str, known: tuple[Column, ...], parts: set[str]) -> exp.Select:
    """An owner's SQL over the columns of one dataset: literals and scalar functions only."""
    try:
        statement = parse(sql)
    except Refused as error:
        raise GrantProblem(f"{key}: {error.message}", "Write Athena SQL over the dataset's own columns.") from error
    tree = statement.tree
    filled = {part for part, value in tree.args.items() if value not in (None, [], False)}
    foreign = (exp.Query, exp.Window, exp.Placeholder, exp.Star, exp.CurrentDate)
    inside = [node for node in tree.walk() if node is not tree and (isinstance(node, foreign) or is_aggregate(node))]
    if not isinstance(tree, exp.Select) or filled - parts or inside or statement.volatile:
        raise GrantProblem(
            f"{key}: more than one row is needed to answer {sql!r}.", "Use columns, literals and functions."
        )
    types = {each.name: each.type for each in known}
    for node in tree.find_all(exp.Column):
        if node.table or node.name.lower() not in types:
            raise GrantProblem(f"{key}: there is no column {write(node)}.", f"Columns: {', '.join(types)}.")
        node.set("this", exp.to_identifier(node.name.lower(), quoted=True))
        mark(node, types[node.name.lower()])
    return tree


def _digest(grant: DatasetGrant) -> str:
    content = [grant.rows, sorted(set(grant.columns)), sorted(grant.mask.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
