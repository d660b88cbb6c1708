"""The query fields of `GET /v1/datasets/{name}/rows` → columns, conditions and order, checked. Pure.

`?select=a,b&carrier=UA&dep_delay=gt.10&order=-day&limit=100`: a field that is none of ours is a column's; its value is
`<operator>.<value>`, and without an operator it is compared for equality. Only what the partner may see can be named:
what is hidden is refused with the words for what is absent.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.problem import WrongRequest
from api.request import Incoming, check_limit, shown, wrong
from api.values import EXPECTED, Sql, literal
from athena.dataset import Column
from athena.question import Scalar

RESERVED = ("select", "order", "limit", "page", "shape", "guard")
# Before a column's name, for one that is called like a field of ours.
ESCAPE = "col."
DEFAULT_LIMIT, MOST_ROWS = 100, 10_000
MAX_FILTERS = 50
COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATORS = (*COMPARISONS, "in", "like", "is")
_TESTS = {"null": "IS NULL", "not_null": "IS NOT NULL", "true": "= true", "false": "= false"}


@dataclass(frozen=True, slots=True)
class Ordering:
    """One column that rows are ordered by; NULLs come last in both directions."""

    column: Column
    descending: bool


@dataclass(frozen=True, slots=True)
class Browsing:
    """What is asked of one dataset. `columns` are those of the answer; `conditions` all hold."""

    dataset: str
    columns: tuple[Column, ...]
    all_columns: bool
    conditions: tuple[Sql, ...]
    order: tuple[Ordering, ...]
    limit: int
    page: str | None


def read_browsing(incoming: Incoming, dataset: str, visible: tuple[Column, ...]) -> Browsing:
    """The fields of a request, checked; raises `WrongRequest` that points to the field."""
    known = {column.name: column for column in visible}
    given = {name: _single(name, incoming.query[name]) for name in RESERVED if name in incoming.query}
    columns = _selected(given["select"], known) if "select" in given else visible
    return Browsing(
        dataset=dataset,
        columns=columns,
        all_columns="select" not in given,
        conditions=_conditions(incoming.query, known),
        order=_ordered(given.get("order", ""), {column.name: column for column in columns}, known),
        limit=_limit(given.get("limit")),
        page=given.get("page"),
    )


def quoted(name: str) -> str:
    """A column as it is written in SQL."""
    return f'"{name}"'


def _single(name: str, values: tuple[str, ...]) -> str:
    if len(values) != 1:
        raise wrong(f"{name} stands there {len(values)} times.", "Give it once.", name)
    return values[0]


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    limit = check_limit(int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0)
    if limit > MOST_ROWS:
        remedy = f"Ask for at most {MOST_ROWS}, and follow next; or ask in SQL for everything."
        raise wrong(f"limit is {limit}.", remedy, "limit")
    return limit


def _selected(text: str, known: Mapping[str, Column]) -> tuple[Column, ...]:
    names = text.split(",")
    columns = tuple(_column(name, known, "select") for name in names)
    if len(set(names)) != len(names):
        raise wrong("select names a column twice.", "Name each once.", "select")
    return columns


def _ordered(text: str, selected: Mapping[str, Column], known: Mapping[str, Column]) -> tuple[Ordering, ...]:
    found: list[Ordering] = []
    for word in text.split(",") if text else ():
        # A + that was not percent-encoded arrives as a blank.
        name = word[1:] if word[:1] in ("-", "+", " ") else word
        column = _column(name, known, "order")
        if name not in selected:
            raise wrong(f"order names {shown(name)}, which select leaves out.", "Add it to select.", "order")
        found.append(Ordering(column, descending=word[:1] == "-"))
    if len({one.column.name for one in found}) != len(found):
        raise wrong("order names a column twice.", "Name each once.", "order")
    return tuple(found)


def _conditions(query: Mapping[str, tuple[str, ...]], known: Mapping[str, Column]) -> tuple[Sql, ...]:
    found: list[Sql] = []
    for field, values in sorted(query.items()):
        if field in RESERVED:
            continue
        column = _column(field.removeprefix(ESCAPE), known, field)
        found.extend(_condition(column, value, field) for value in values)
    if len(found) > MAX_FILTERS:
        raise WrongRequest(f"There are {len(found)} filters.", f"At most {MAX_FILTERS} are taken; ask in SQL.")
    return tuple(found)


def _column(name: str, known: Mapping[str, Column], field: str) -> Column:
    column = known.get(name)
    if column is None:
        remedy = "GET /v1/datasets/{name} lists your columns; a column called like a field of ours is written col.NAME."
        raise wrong(f"{shown(name)} is no column that you may see.", remedy, field)
    return column


def _condition(column: Column, value: str, field: str) -> Sql:
    operator, dot, rest = value.partition(".")
    if not dot or operator not in OPERATORS:
        operator, rest = "eq", value
    return _WRITERS.get(operator, _compared)(column, operator, rest, field)


def _compared(column: Column, operator: str, text: str, field: str) -> Sql:
    sql, values = _value(column, text, field)
    return f"{quoted(column.name)} {COMPARISONS[operator]} {sql}", values


def _among(column: Column, _: str, text: str, field: str) -> Sql:
    try:
        texts = next(csv.reader([text], strict=True), [""])
    except csv.Error as error:
        raise wrong(
            f"{shown(field)} holds a quote that is not closed.", 'Write in.a,b or in."a,b",c.', field
        ) from error
    each = [_value(column, one, field) for one in texts]
    values: tuple[Scalar, ...] = tuple(value for _, some in each for value in some)
    return f"{quoted(column.name)} IN ({', '.join(sql for sql, _ in each)})", values


def _like(column: Column, _: str, text: str, field: str) -> Sql:
    if column.type.name != "string":
        raise wrong(f"{shown(column.name)} is {column.type}, and like is for text.", "Compare it instead.", field)
    sql, values = _value(column, text, field)
    return f"{quoted(column.name)} LIKE {sql}", values


def _tested(column: Column, _: str, text: str, field: str) -> Sql:
    test = _TESTS.get(text)
    if test is None or (text in ("true", "false") and column.type.name != "boolean"):
        remedy = "Use is.null or is.not_null; for a boolean column also is.true or is.false."
        raise wrong(f"{shown(field)} cannot be {shown(text)}.", remedy, field)
    return f"{quoted(column.name)} {test}", ()


def _value(column: Column, text: str, field: str) -> Sql:
    try:
        return literal(column.type, text)
    except ValueError as error:
        expected = EXPECTED[column.type.name]
        raise wrong(f"{shown(text)} is no value of {column.name}.", f"Give {expected}.", field) from error


_WRITERS: dict[str, Callable[[Column, str, str, str], Sql]] = {"in": _among, "like": _like, "is": _tested}
