"""A text as tokens, within bounds that keep the parser safe; and what to say about a place in it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from athena.errors import SqlRefused
from athena.sql.grammar import (
    FIRST_WORDS,
    MAX_BOOLEAN_TERMS,
    MAX_DOTS,
    MAX_NESTING,
    MAX_RUN,
    MAX_SOURCES,
    MAX_TOKENS,
    SYMBOLS,
)

MAX_BYTES = 64 * 1024

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\s+[A-Za-z_]+)*\Z")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# The statement kinds that people try; their first word is named, others are syntax errors.
_OTHER_STATEMENTS = frozenset(
    """
    ALTER ANALYZE ATTACH CALL COMMENT COMMIT COPY CREATE DEALLOCATE DELETE DENY DESC DESCRIBE DETACH DROP EXECUTE
    EXPLAIN EXPORT FROM GRANT IMPORT INSERT INSTALL LOAD MERGE MSCK OPTIMIZE PIVOT PRAGMA PREPARE REFRESH REPLACE RESET
    REVOKE ROLLBACK SET SHOW START SUMMARIZE TABLE TRUNCATE UNLOAD UNPIVOT UPDATE USE USING VACUUM
    """.split()  # noqa: SIM905 - fifty quoted words would hide the list
)
_REMEDY_SYNTAX = "Mend the statement there; Lakegate reads Athena's SQL."
_REMEDY_UNSUPPORTED = "Ask with one SELECT over your datasets; docs/sql.md lists what it may hold."
_SHOWN = 60

_QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.UNICODE_STRING})
_OPENING = frozenset({"(", "[", "CASE"})
_CLOSING = frozenset({")", "]", "END"})
_TERMS = frozenset({"AND", "OR"})
_SOURCES = frozenset({"SELECT", "JOIN", "UNION", "INTERSECT", "EXCEPT", "UNNEST", "VALUES", "TABLE", "FROM"})
_SIGNS = frozenset({"NOT", "-", "+", "~", "PRIOR", "INTERVAL", "DISTINCT"})


@dataclass(frozen=True, slots=True)
class Text:
    """The caller's text with its tokens, comments left out."""

    sql: str
    tokens: tuple[Token, ...]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, 1-based."""
        before = self.sql[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def syntax(self, found: Mapping[str, Any]) -> SqlRefused:
        """The refusal for what the parser stumbled on; `found` is an entry of its list of errors."""
        word = str(found.get("highlight") or "")
        token = self._token(word, line=found.get("line"), end=found.get("col"))
        if token is None:
            return _refused("The statement is no SQL that can be read.", _REMEDY_SYNTAX, "sql-syntax", None)
        return self.refused_at(f"Syntax error near {_shown(token.text)}", token.start)

    def refused_at(self, what: str, offset: int) -> SqlRefused:
        """A syntax error with its place: `what` without a full stop."""
        line, column = self.at(offset)
        return _refused(f"{what} (line {line}, column {column}).", _REMEDY_SYNTAX, "sql-syntax", (line, column))

    def unsupported(self, word: str, *, token: Token | None = None, offset: int | None = None) -> SqlRefused:
        """The refusal of something that is not answered, by the caller's own word for it."""
        token = token or self._token(word)
        start = offset if offset is not None else token.start if token else None
        place = self.at(start) if start is not None else None
        where = f" (line {place[0]}, column {place[1]})" if place else ""
        return _refused(f"{_shown(word)} is not supported{where}.", _REMEDY_UNSUPPORTED, "sql-unsupported", place)

    def too_much(self, what: str, token: Token) -> SqlRefused:
        """The refusal of a statement beyond a bound; `what` names the bound."""
        line, column = self.at(token.start)
        return _refused(
            f"{what} is not supported (line {line}, column {column}).",
            "Ask in several smaller questions, or join a dataset instead of listing its values.",
            "sql-unsupported",
            (line, column),
        )

    def has(self, word: str) -> bool:
        """Whether the caller wrote this word, in any case."""
        return self._token(word) is not None

    def before(self, offset: int) -> str | None:
        """The last word before a place, an operator for one."""
        words = [token.text for token in self.tokens if token.end < offset and token.text != "("]
        return words[-1] if words else None

    def _token(self, word: str, *, line: int | None = None, end: int | None = None) -> Token | None:
        for token in self.tokens:
            same_place = line is None or (token.line == line and token.col == end)
            if same_place and (line is not None or token.text.upper() == word.upper()):
                return token
        return None


def scan(sql: str, dialect: Dialect) -> Text:
    """The tokens of `sql`; `SqlRefused` when it is too long, too deep, no single SELECT, or not tokens at all."""
    _check_bytes(sql)
    try:
        tokens = tuple(dialect.tokenize(sql))
    except (SqlglotError, ValueError) as error:
        raise _refused(
            "The statement ends inside of a text, a quoted name or a comment.", _REMEDY_SYNTAX, "sql-syntax", None
        ) from error
    end = next((place for place in range(len(tokens), 0, -1) if tokens[place - 1].token_type != TokenType.SEMICOLON), 0)
    tokens = tokens[:end]
    text = Text(sql, tokens)
    if not tokens:
        raise _refused("There is no statement.", "Send one SELECT.", "sql-syntax", None)
    _check_first(text)
    for before, token in zip((None, *tokens), tokens, strict=False):
        _check_token(text, before, token)
    _check_counts(text)
    return text


def _check_bytes(sql: str) -> None:
    try:
        size_bytes = len(sql.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise _refused("The statement is no valid Unicode.", _REMEDY_SYNTAX, "sql-syntax", None) from error
    if size_bytes > MAX_BYTES:
        raise _refused(
            f"The statement has {size_bytes} bytes; {MAX_BYTES} is the limit.",
            "Shorten it; put long lists into a dataset and join it.",
            "sql-unsupported",
            None,
        )
    if _CONTROL.search(sql):
        raise _refused("The statement holds a control character.", "Take it out.", "sql-syntax", None)


def _check_first(text: Text) -> None:
    first = text.tokens[0]
    if first.text.upper() in FIRST_WORDS:
        return
    if first.text.upper() in _OTHER_STATEMENTS or first.token_type == TokenType.COMMAND:
        raise text.unsupported(first.text, token=first)
    raise text.refused_at(f"Statements begin with SELECT, WITH or VALUES, not with {_shown(first.text)}", first.start)


def _check_token(text: Text, before: Token | None, token: Token) -> None:
    kind = token.token_type
    if kind == TokenType.SEMICOLON:
        raise text.unsupported(";", token=token)
    if kind in _QUOTED:
        return
    if kind == TokenType.HEX_STRING and text.sql[token.start] == "0":
        raise text.refused_at(f"{_shown('0x' + token.text)} is no number", token.start)
    if kind == TokenType.NUMBER:
        if not _NUMBER.match(token.text) or len(token.text) > _SHOWN:
            raise text.refused_at(f"{_shown(token.text)} is no number", token.start)
        return
    if kind == TokenType.HEX_STRING:
        return
    if token.text in SYMBOLS:
        if token.text == "[" and not _takes_bracket(before):
            raise text.refused_at("'[' begins no list: write ARRAY[…]", token.start)
        return
    if before is not None and before.token_type == TokenType.NUMBER and before.end + 1 == token.start:
        raise text.refused_at(f"{_shown(before.text + token.text)} is no number", before.start)
    if not _WORD.match(token.text):
        raise text.unsupported(token.text, token=token)


def _takes_bracket(before: Token | None) -> bool:
    if before is None:
        return False
    return before.text.upper() in ("ARRAY", "]", ")") or before.token_type in (TokenType.VAR, TokenType.IDENTIFIER)


def _check_counts(text: Text) -> None:
    if len(text.tokens) > MAX_TOKENS:
        raise text.too_much(f"A number of words above {MAX_TOKENS}", text.tokens[MAX_TOKENS])
    nesting = terms = sources = run = dots = 0
    previous = ""
    for token in text.tokens:
        word = "" if token.token_type in _QUOTED else token.text.upper()
        if word in _OPENING:
            nesting += 1
        elif word in _CLOSING:
            nesting -= 1
        terms += word in _TERMS
        sources += word in _SOURCES
        run = run + 1 if word in _SIGNS else 0
        dots = dots + 1 if word == "." else dots if previous == "." else 0
        previous = word
        if nesting > MAX_NESTING or terms > MAX_BOOLEAN_TERMS or sources > MAX_SOURCES or run > MAX_RUN:
            break
        if dots > MAX_DOTS:
            break
    else:
        return
    raise _over_bounds(text, token, nesting=nesting, terms=terms, sources=sources, run=run)


def _over_bounds(text: Text, token: Token, *, nesting: int, terms: int, sources: int, run: int) -> SqlRefused:
    for count, most, what in (
        (nesting, MAX_NESTING, "Nesting brackets and CASE deeper than"),
        (terms, MAX_BOOLEAN_TERMS, "A number of ANDs and ORs above"),
        (sources, MAX_SOURCES, "A number of SELECTs and JOINs above"),
        (run, MAX_RUN, "A number of signs and NOTs in a row above"),
    ):
        if count > most:
            return text.too_much(f"{what} {most}", token)
    return text.too_much(f"A name with more dots than {MAX_DOTS}", token)


def _shown(word: str) -> str:
    return repr(word if len(word) <= _SHOWN else word[:_SHOWN] + "…")


def _refused(message: str, remedy: str, code: str, place: tuple[int, int] | None) -> SqlRefused:
    line, column = place or (None, None)
    return SqlRefused(message, remedy, code=code, line=line, column=column)
