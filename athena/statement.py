"""A caller's text → one SELECT that is built of nothing but what is listed. Pure.

Whatever the lists of `athena/sql/grammar.py` and `athena/sql/functions.py` do not name is refused. The stages: the
tokens (`athena/sql/tokens.py`: bounds that keep the parser safe), the parser, every node, the names of the tables.
"""

from dataclasses import dataclass
from itertools import count

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from athena.errors import Refused, SqlRefused
from athena.sql.effort import spend
from athena.sql.functions import FUNCTIONS
from athena.sql.nodes import check_nodes
from athena.sql.scopes import cte_of
from athena.sql.tokens import MAX_BYTES, Text, scan
from athena.trino.text import DIALECT, spaced, tree_of

__all__ = ["MAX_BYTES", "Statement", "parse"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT whose every node is allowed. Do not change `tree`: it may be shared by a memo.

    `tables` are the base tables that it names (`flights`, never `lake.flights`), sorted, whether they exist or
    not; `volatile` says that it calls now(), random(), uuid() or the like, so that its answer must not be kept;
    `placeholders` are the names of its parameters, `?0`, `?1` … for those written as `?`.
    """

    text: str
    tree: exp.Query
    tables: tuple[str, ...]
    volatile: bool
    placeholders: tuple[str, ...] = ()


def parse(text: str, *, lake: str = "lake") -> Statement:
    """The statement in `text`, in Athena's dialect; `lake` is the database that it may name its tables by.

    Raises `SqlRefused` with code `sql-syntax` or `sql-unsupported` (names the caller's own token), both derived
    from `text` alone, with line and column.

    >>> parse("SELECT carrier, count(*) FROM lake.flights GROUP BY 1").tables
    ('flights',)
    """
    tokens = scan(_spaced(text), DIALECT)
    spend()
    tree = _tree(tokens)
    spend()
    check_nodes(tree, tokens, lake=lake)
    return Statement(
        text=text,
        tree=tree,
        tables=tuple(sorted({table.name.lower() for table in tree.find_all(exp.Table) if cte_of(table) is None})),
        volatile=any(_is_volatile(node) for node in tree.walk()),
        placeholders=_placeholders(tree, tokens),
    )


def _spaced(text: str) -> str:
    try:
        return spaced(text) if len(text) <= MAX_BYTES else text
    except SqlglotError:
        return text  # no tokens: `scan` says so


def _tree(text: Text) -> exp.Query:
    try:
        tree = tree_of(_numbered(text.tokens), text.sql)
    except Refused as error:
        word = error.message.removeprefix("The operator ").partition(" ")[0]
        if error.message.endswith(f"{word} is not supported.") and text.has(word):
            raise text.unsupported(word) from error
        raise SqlRefused(error.message, error.remedy, code=error.code) from error
    except ParseError as error:
        raise text.syntax(error.errors[0] if error.errors else {}) from error
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
        # The parser's own slips on texts that nobody writes are the caller's syntax errors.
        raise text.syntax({}) from error
    if isinstance(tree, exp.Subquery) and isinstance(tree.this, exp.Values):
        tree = tree.this
    if isinstance(tree, exp.Values):
        return exp.select("*").from_(tree)
    if not isinstance(tree, exp.Query):
        word = tree.key.upper() if tree is not None else ""
        raise text.unsupported(word if text.has(word) else text.tokens[0].text)
    return tree


def _numbered(tokens: tuple[Token, ...]) -> list[Token]:
    """The tokens with `?` turned into `:?0`, `:?1` …: the tree does not keep the order of the text."""
    result: list[Token] = []
    numbers = count()
    for token in tokens:
        place = (token.line, token.col, token.start, token.end)
        if token.token_type == TokenType.PLACEHOLDER:
            result += [Token(TokenType.COLON, ":", *place), Token(TokenType.VAR, f"?{next(numbers)}", *place)]
        else:
            # A copy: reading changes tokens, and errors are told by them.
            result.append(Token(token.token_type, token.text, *place, token.comments))
    return result


def _placeholders(tree: exp.Query, text: Text) -> tuple[str, ...]:
    names = {node.name for node in tree.find_all(exp.Placeholder)}
    numbered = [name for name in names if name.startswith("?")]
    if numbered and len(numbered) != len(names):
        raise text.unsupported("?")
    return tuple(sorted(names, key=lambda name: (len(name), name) if numbered else (0, name)))


def _is_volatile(node: exp.Expr) -> bool:
    if isinstance(node, exp.CurrentTimestamp | exp.Localtimestamp):
        return True
    return isinstance(node, exp.Anonymous) and FUNCTIONS[node.name].volatile
