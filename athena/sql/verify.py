"""The last look at a rewritten statement: read again, every leaf compared with what is expected. Pure."""

from collections import Counter
from collections.abc import Iterable

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from athena.errors import SqlRefused
from athena.sql.effort import spend
from athena.sql.functions import FUNCTIONS
from athena.sql.grammar import NODES
from athena.sql.scopes import cte_of
from athena.trino.text import DIALECT, tree_of


def verified(tree: exp.Query, *, lake: str, datasets: Iterable[str]) -> str:
    """The text of `tree`; `SqlRefused` unless it reads back as itself with exactly these tables in it.

    `datasets` are the tables expected, as often as they are read.
    """
    try:
        sql = _text(tree)
        spend()
        again = tree_of(DIALECT.tokenize(sql), sql)
        if again is None or _text(again) != sql:
            raise _unstable()
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _unstable() from error
    found = Counter(_qualified(table) for table in again.find_all(exp.Table) if cte_of(table) is None)
    if found != Counter((lake, dataset) for dataset in datasets) or not all(map(_is_allowed, again.walk())):
        raise _unstable()
    return sql


def _text(tree: exp.Expr) -> str:
    return tree.sql(DIALECT, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)


def _qualified(table: exp.Table) -> tuple[str, str] | None:
    plain = not table.args.get("catalog") and isinstance(table.this, exp.Identifier)
    return (table.db, table.name) if plain else None


def _is_allowed(node: exp.Expr) -> bool:
    return type(node) in NODES and (not isinstance(node, exp.Anonymous) or node.name in FUNCTIONS)


def _unstable() -> SqlRefused:
    return SqlRefused("This statement cannot be rewritten safely.", "Write it in another, plainer way.")
