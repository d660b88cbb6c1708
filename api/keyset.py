"""Paging by the values of the last row, so that page 1,000 costs what page 1 did. Pure.

The order is made total by all other columns of the answer, so that rows which stay equal are equal in everything that
is shown. A token holds the last row's values in the columns of the order and how many rows with just these values have
been given: the next page begins at these values and leaves out so many.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from api.filters import Browsing, Ordering, quoted
from api.request import wrong
from api.values import Sql, literal
from athena.dataset import DataType
from athena.errors import NotFound
from athena.handles import bytes_of, text_of
from athena.question import Caller, Scalar

# A token must fit into a URL beside all else.
MAX_TOKEN_LENGTH = 4096
FLOATING = ("float", "double")
_SIGNATURE_BYTES = 16

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: at the first row with these values in the order's columns, `skip` rows further on."""

    values: Key | None = None
    skip: int = 0


START = Place()


def statement(asked: Browsing, place: Place) -> tuple[str, tuple[Scalar, ...]]:
    """The SELECT with its parameters."""
    conditions = [*asked.conditions, *([_from(asked.order, place.values)] if place.values is not None else [])]
    named = "*" if asked.all_columns else ", ".join(quoted(column.name) for column in asked.columns)
    sql = f"SELECT {named} FROM {asked.dataset}"
    if conditions:
        sql += " WHERE " + " AND ".join(text for text, _ in conditions)
    sql += " ORDER BY " + ", ".join(_total(asked))
    if place.skip:
        sql += f" OFFSET {place.skip}"
    return f"{sql} LIMIT {asked.limit}", tuple(value for _, values in conditions for value in values)


def following(asked: Browsing, place: Place, keys: Sequence[Key]) -> Place:
    """Where the page behind rows with these keys begins."""
    if not keys:
        return place
    last, given = keys[-1], 0
    for key in reversed(keys):
        if key != last:
            break
        given += 1
    before = place.skip if given == len(keys) and last == (place.values or ()) else 0
    return Place(last if asked.order else None, before + given)


def sign_place(place: Place, asked: Browsing, caller: Caller, *, secret: bytes) -> str:
    """The token of a page, good for this partner and this question; raises `WrongRequest` when it gets too long."""
    body = orjson.dumps([place.skip, place.values])
    token = text_of(_signature(body, asked, caller, secret) + body)
    if len(token) > MAX_TOKEN_LENGTH:
        raise wrong("The values of order are too long to page by.", "Order by a shorter column.", "order")
    return token


def read_place(asked: Browsing, caller: Caller, *, secret: bytes) -> Place:
    """Where `asked.page` begins; raises `NotFound` for a token of another partner or another question."""
    if asked.page is None:
        return START
    raw = bytes_of(asked.page)
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, asked, caller, secret)):
        raise _no_such_page()
    skip, values = orjson.loads(body)
    return Place(None if values is None else tuple(values), skip)


def _from(order: Sequence[Ordering], values: Key) -> Sql:
    """Rows at or behind these values.

    >>> from athena.dataset import Column
    >>> _from([Ordering(Column("n", DataType("int")), descending=True)], ("7",))
    ('((("n" < 7 OR "n" IS NULL)) OR ("n" = 7))', ())
    """
    cases: list[str] = []
    parameters: list[Scalar] = []
    equal: list[Sql] = []
    for one, value in zip(order, values, strict=True):
        text, given = _behind(one, value)
        cases.append("(" + " AND ".join([*(sql for sql, _ in equal), f"({text})"]) + ")")
        parameters += [each for _, some in equal for each in some] + list(given)
        equal.append(_equal(one, value))
    cases.append("(" + " AND ".join(sql for sql, _ in equal) + ")")
    parameters += [each for _, some in equal for each in some]
    return "(" + " OR ".join(cases) + ")", tuple(parameters)


def _behind(one: Ordering, value: str | None) -> Sql:
    name, floating = quoted(one.column.name), one.column.type.name in FLOATING
    if value is None:
        return "false", ()
    if value == "NaN":  # the greatest number of all
        return (f"NOT is_nan({name}) OR {name} IS NULL" if one.descending else f"{name} IS NULL"), ()
    text, given = _literal(one.column.type, value)
    nan = f" OR is_nan({name})" if floating and not one.descending else ""
    return f"{name} {'<' if one.descending else '>'} {text}{nan} OR {name} IS NULL", given


def _equal(one: Ordering, value: str | None) -> Sql:
    name = quoted(one.column.name)
    if value is None:
        return f"{name} IS NULL", ()
    if value == "NaN" and one.column.type.name in FLOATING:
        return f"is_nan({name})", ()
    text, given = _literal(one.column.type, value)
    return f"{name} = {text}", given


def _literal(kind: DataType, value: str) -> Sql:
    if kind.name in FLOATING and value in ("Infinity", "-Infinity"):
        return value.replace("Infinity", "infinity()"), ()
    if kind.name == "float":
        return f"CAST({literal(kind, value)[0]} AS real)", ()
    return literal(kind, value)


def _total(asked: Browsing) -> list[str]:
    first = {one.column.name: " DESC" if one.descending else "" for one in asked.order}
    rest = {column.name: "" for column in asked.columns if column.name not in first}
    return [quoted(name) + direction for name, direction in {**first, **rest}.items()]


def _signature(body: bytes, asked: Browsing, caller: Caller, secret: bytes) -> bytes:
    order = [[one.column.name, one.descending] for one in asked.order]
    columns = [column.name for column in asked.columns]
    question = orjson.dumps([caller.partner, asked.dataset, columns, asked.conditions, order])
    return hmac.digest(secret, b"keyset\0" + len(body).to_bytes(4, "big") + body + question, "sha256")[
        :_SIGNATURE_BYTES
    ]


def _no_such_page() -> NotFound:
    return NotFound("There is no such page of these rows.", "Follow `next` from the first page on.")
