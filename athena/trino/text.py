"""Athena's SQL text ↔ a tree that loses nothing of it. Pure.

sqlglot's own reading folds many functions into one node (`left`, `substr`), shifts subscripts by one and drops the
scale of `decimal '1.50'`. Here every call keeps the name that the caller wrote (an `Anonymous` node), subscripts stay
as they are, and a decimal literal becomes the number that it is. So reading, writing and reading again gives an equal
tree. Only the forms with a syntax of their own (CAST, EXTRACT, TRIM, IF, LISTAGG …) have nodes of their own.
"""

import re
from collections.abc import Callable

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from athena.errors import Refused
from athena.trino.refusal import unsupported

# Marks a function's name between tokens and tree; cannot occur in an unquoted name.
_MARK = "\x01"

# Forms whose arguments have a syntax that only their own parser knows.
_SYNTAX = frozenset(
    [
        "CAST",
        "TRY_CAST",
        "EXTRACT",
        "TRIM",
        "POSITION",
        "SUBSTRING",
        "NORMALIZE",
        "LISTAGG",
        "IF",
        "JSON_OBJECT",
        "JSON_ARRAY",
        "JSON_QUERY",
        "JSON_VALUE",
        "JSON_EXISTS",
        "JSON_TABLE",
        "UNNEST",
        "EXISTS",
        "ANY",
        "ALL",
        "SOME",
        "CASE",
        "MAP",
        "ARRAY",
        "ROW",
        "STRUCT",
        "FILTER",
        "AND",
        "OR",
        "XOR",
        "NOT",
        "IN",
    ]
)
_GLUED = re.compile(r"(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+(?=[+-])")
_ROUNDS = 8  # of a chain of such numbers every other one shows at once
_KEYWORDS_THAT_CALL = frozenset([TokenType.DATE, TokenType.FORMAT, TokenType.REPLACE, TokenType.TRUNCATE])
_COMPARED = frozenset(
    [TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE],
)
_ALSO_CALL = frozenset(["SEQUENCE", "UUID"])


class Lake(Trino):
    """Athena's dialect with subscripts left as they are written."""

    INDEX_OFFSET = 0


DIALECT = Lake()
_KNOWN = frozenset(
    set(Trino.parser_class.FUNCTIONS)
    | set(Trino.parser_class.FUNCTION_PARSERS)
    | set(Trino.parser_class.NO_PAREN_FUNCTION_PARSERS)
)


def read(sql: str) -> exp.Query:
    """The one query in `sql`; raises `Refused` with code `sql-syntax` when it cannot be read.

    >>> read("SELECT substr(a, decimal '1.50')").sql("duckdb")
    'SELECT SUBSTR(a, 1.50)'
    """
    try:
        sql = spaced(sql)
        tree = tree_of(DIALECT.tokenize(sql), sql)
    except (ParseError, TokenError, ValueError) as error:
        raise Refused(
            "The statement cannot be read.", "Check its syntax: it must be one SELECT.", code="sql-syntax"
        ) from error
    if isinstance(tree, exp.Values):
        tree = exp.Select(expressions=[exp.Star()], from_=exp.From(this=tree))
    if not isinstance(tree, exp.Query):
        raise Refused("The text is not one query.", "Send exactly one SELECT statement.", code="sql-unsupported")
    return tree


def tree_of(tokens: list[Token], sql: str) -> exp.Expr | None:
    """The one statement that `tokens` (of `sql`; they are changed) make, None when they make several or none.

    Raises sqlglot's `ParseError`, and `ValueError` for a literal that is none.
    """
    trees = DIALECT.parser().parse(_marked(tokens), sql)
    if len(trees) != 1 or trees[0] is None:
        return None
    for node in list(trees[0].walk()):
        mend = _MENDS.get(type(node))
        if mend is not None:
            mend(node)
    return trees[0]


def spaced(sql: str) -> str:
    """`sql` with a space before a sign that follows an exponent: sqlglot takes `1e0+2` for one number.

    >>> spaced("SELECT 1e0+2, '1e0+2', 4E5+1")
    "SELECT 1e0 +2, '1e0+2', 4E5 +1"
    """
    for _ in range(_ROUNDS if _GLUED.search(sql) else 0):
        ends = [
            token.start + found.end()
            for token in DIALECT.tokenize(sql)
            if token.token_type == TokenType.NUMBER and (found := _GLUED.match(token.text))
        ]
        if not ends:
            break
        sql = " ".join(sql[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True))
    return sql


def write(tree: exp.Expr) -> str:
    """`tree` (made by `read`) as Athena SQL; `read` gives an equal tree back.

    >>> write(read("select a[1], left(b, 2) from t"))
    'SELECT a[1], LEFT(b, 2) FROM t'
    """
    return tree.sql(DIALECT)


def _unmark(node: exp.Expr) -> None:
    name = node.this.name if isinstance(node.this, exp.Identifier) else node.this
    if name[:1] == _MARK:
        node.set("this", name[1:].lower())
    elif isinstance(node, exp.Anonymous):
        node.set("this", name.lower())


def _call(name: str, *arguments: str) -> Callable[[exp.Expr], None]:
    """Makes a node that sqlglot writes as a function into the call of that function."""

    def mend(node: exp.Expr) -> None:
        given = [node.args[key] for key in arguments if node.args.get(key) is not None]
        if not given:
            return
        node.replace(exp.Anonymous(this=name, expressions=given))

    return mend


def _is(node: exp.Expr) -> None:
    if not isinstance(node.expression, exp.Null):
        raise unsupported(f"IS {node.expression.sql().upper()}", "Write x = true, or coalesce(x, false).")


def _arrow(node: exp.Expr) -> None:
    if not node.args.get("json_query"):
        raise unsupported("The operator ->", "Use json_extract(json, path).")


def _trim(node: exp.Expr) -> None:
    """TRIM(LEADING FROM x): sqlglot would write it without the side."""
    side = str(node.args.get("position") or "").upper()
    if node.args.get("expression") is None and side in ("LEADING", "TRAILING", "BOTH"):
        name = {"LEADING": "ltrim", "TRAILING": "rtrim", "BOTH": "trim"}[side]
        node.replace(exp.Anonymous(this=name, expressions=[node.this]))


def _listagg(node: exp.Expr) -> None:
    """Without a separator Trino joins by nothing; sqlglot would write a comma."""
    if node.args.get("separator") is None:
        node.set("separator", exp.Literal.string(""))


def _frame(node: exp.Expr) -> None:
    """`ROWS 1 PRECEDING` ends at the current row; sqlglot writes that end."""
    if node.args.get("end") is None:
        node.set("end", "CURRENT ROW")


_MENDS: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Anonymous: _unmark,
    exp.Identifier: _unmark,
    exp.AtTimeZone: _call("at_timezone", "this", "zone"),
    exp.Substring: _call("substr", "this", "start", "length"),
    exp.StrPosition: _call("strpos", "this", "substr"),
    exp.ParseJSON: _call("json_parse", "this"),
    exp.CurrentTimestamp: _call("current_timestamp", "this"),
    exp.Localtimestamp: _call("localtimestamp", "this"),
    exp.Left: _call("left", "this", "expression"),
    exp.Right: _call("right", "this", "expression"),
    exp.GroupConcat: _listagg,
    exp.WindowSpec: _frame,
    exp.Is: _is,
    exp.Trim: _trim,
    exp.JSONExtract: _arrow,
    exp.JSONExtractScalar: _arrow,
}


def _marked(tokens: list[Token]) -> list[Token]:
    marked = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        before = tokens[index - 1].token_type if index else None
        if token.token_type == TokenType.TABLE_SAMPLE:  # sqlglot forgets it behind VALUES
            raise unsupported("TABLESAMPLE", "Name the table alone.")
        if following == TokenType.L_PAREN and token.text.upper() == "SOME" and before in _COMPARED:
            token.text, token.token_type = "ANY", TokenType.ANY
        elif following == TokenType.L_PAREN and _calls(token, before):
            token.text = _MARK + token.text
            token.token_type = TokenType.VAR
        elif following == TokenType.STRING and token.token_type == TokenType.DECIMAL:
            continue
        elif token.token_type == TokenType.STRING and index and tokens[index - 1].token_type == TokenType.DECIMAL:
            marked += _decimal(token)
            continue
        marked.append(token)
    return marked


def _calls(token: Token, before: TokenType | None) -> bool:
    upper = token.text.upper()
    if token.token_type == TokenType.FILTER:  # a function, unless an aggregate stands before it
        return before != TokenType.R_PAREN
    if token.token_type in _KEYWORDS_THAT_CALL or upper in _ALSO_CALL:
        return True
    return token.token_type in (TokenType.VAR, TokenType.IDENTIFIER) and upper in _KNOWN and upper not in _SYNTAX


def _decimal(token: Token) -> list[Token]:
    """`decimal '-1.50'` as the number -1.50; a whole number keeps a point, so that it stays a decimal."""
    text = token.text.strip()
    sign = text[:1] if text[:1] in ("-", "+") else ""
    digits = text[len(sign) :]
    if not digits.replace(".", "", 1).isdigit():
        raise ValueError(f"no decimal: {text!r}")
    whole, _, fraction = digits.partition(".")
    token.text = f"{whole or '0'}.{fraction}"
    token.token_type = TokenType.NUMBER
    if sign != "-":
        return [token]
    return [Token(TokenType.DASH, "-", token.line, token.col, token.start, token.end, []), token]
