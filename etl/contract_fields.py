"""A parsed TOML document → a contract, every key and value checked. Pure."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from athena.dataset import COLUMN_NAME, SYSTEM_NAMES, Column, DataType, check_dataset_name, parse_type
from athena.errors import Refused
from etl._names import clean_name
from etl.contract import Contract, Layout
from etl.contract_checks import check_allowed, check_partition
from etl.contract_keys import COLUMN, LAYOUT, TOP, key_hint
from etl.contract_rules import rules_of
from etl.contract_values import Place, check_column, number_at, texts_at, value_at
from etl.mistakes import Mistakes
from etl.partition import parse_partition
from etl.toml_place import Document, nearest

# As other tools call the types.
_TYPES = {
    **dict.fromkeys(("text", "str", "varchar", "char", "object", "uuid", "json"), "string"),
    **dict.fromkeys(("bool", "bit"), "boolean"),
    **dict.fromkeys(("integer", "int32", "smallint", "tinyint", "short"), "int"),
    **dict.fromkeys(("bigint", "int64", "number"), "long"),
    **dict.fromkeys(("real", "float32"), "float"),
    **dict.fromkeys(("float64",), "double"),
    **dict.fromkeys(("decimal", "numeric", "money"), "decimal(12,2)"),
    **dict.fromkeys(("datetime",), "timestamp"),
}


def contract_of(document: Document, dataset: str) -> Contract:
    """The contract; raises `Refused` ("contract-invalid") with path, line, key and remedy of all mistakes."""
    mistakes = Mistakes(document)
    mistakes.known_keys((), TOP, hint=partial(key_hint, where="top"))
    nothing: tuple[str, ...] = ()
    names = mistakes.tried(("columns",), lambda: tuple(document.subtable(("columns",))), nothing)
    found = [mistakes.tried(("columns", name), partial(_column, document, name), None) for name in names]
    columns = tuple(column for column in found if column is not None)
    inferred = mistakes.tried(("inferred",), lambda: value_at(document, ("inferred",), bool, not names), False)
    if not names and not inferred:
        mistakes.tried(("columns",), lambda: _refuse_no_columns(document), None)
    contract = Contract(
        dataset=check_dataset_name(dataset),
        columns=columns,
        description=mistakes.tried(("description",), lambda: value_at(document, ("description",), str, ""), ""),
        inferred=inferred,
        same_content=_choice(mistakes, "same_content", ("skip", "load")),
        new_columns=_choice(mistakes, "new_columns", ("add", "ignore", "reject")),
        max_rejected=mistakes.tried(("max_rejected",), lambda: _share(document), 0.1),
        layout=_layout(mistakes, names, columns),
        sources=rules_of(mistakes, names if not inferred else (), columns),
    )
    mistakes.check()
    return contract


def _refuse_no_columns(document: Document) -> None:
    document.refuse(("columns",), "is empty", "List the columns, or write inferred = true to have them found out.")


def _column(document: Document, name: str) -> Column:
    place = ("columns", name)
    if not COLUMN_NAME.match(name) or name in SYSTEM_NAMES:
        clean = clean_name(name)
        document.refuse(
            place,
            "is no column name",
            f"Call it {clean}: a heading {name!r} is found by that. Names have lower-case letters, digits and _; "
            "_file, _line, _content and _loaded_at are taken."
            if clean
            else "Use lower-case letters, digits and _.",
        )
    given = _column_table(document, place)
    if "type" not in given:
        document.refuse(place, "has no type", f'Write {name} = {{ type = "string" }}, or another type.')
    allowed = texts_at(document, (*place, "allowed")) if "allowed" in given else None
    column = Column(
        name,
        _type(document, (*place, "type")),
        required=value_at(document, (*place, "required"), bool, False),
        unit=value_at(document, (*place, "unit"), str, "") or None,
        description=value_at(document, (*place, "description"), str, "") or None,
        sensitive=value_at(document, (*place, "sensitive"), bool, False),
        allowed=allowed,
    )
    check_allowed(document, place, column)
    return column


def _column_table(document: Document, place: Place) -> dict[str, Any]:
    given = document.subtable(place[:-1])[place[-1]]
    if not isinstance(given, dict):
        name = place[-1]
        meant = given if isinstance(given, str) else "string"
        hint = None if isinstance(given, str) else key_hint(name, "columns")
        document.refuse(place, f"is {given!r}, expected a table", hint or f'Write {name} = {{ type = "{meant}" }}.')
    for key in given:
        if key not in COLUMN:
            document.refuse((*place, key), "is not known", key_hint(key, "columns") or nearest(key, COLUMN))
    return given


def _type(document: Document, place: Place) -> DataType:
    given = value_at(document, place, str, "")
    try:
        return parse_type(given)
    except Refused as error:
        meant = _TYPES.get(re.sub(r"\(.*", "", given).strip().lower())
        remedy = f"Did you mean {meant!r}? {error.remedy}" if meant else error.remedy
        document.refuse(place, f"is {given!r}, which is no column type", remedy)


def _layout(mistakes: Mistakes, names: Sequence[str], columns: tuple[Column, ...]) -> Layout:
    document = mistakes.document
    mistakes.known_keys(("layout",), LAYOUT, hint=partial(key_hint, where="layout"))
    nothing: tuple[str, ...] = ()
    partition = mistakes.tried(("layout", "partition"), lambda: _partition(document, names, columns), nothing)
    return Layout(partition, mistakes.tried(("layout", "sort"), lambda: _sort(document, names), nothing))


def _partition(document: Document, names: Sequence[str], columns: tuple[Column, ...]) -> tuple[str, ...]:
    place = ("layout", "partition")
    texts, met = texts_at(document, place), set[str]()
    for text in texts:
        try:
            found = parse_partition(text)
        except Refused as error:
            document.refuse(place, f"has {text!r}, which is no partition", error.remedy)
        check_column(document, place, found.column, names)
        check_partition(document, place, found, {column.name: column for column in columns})
        if found.name in met or found.name in names:
            what = "stands there twice" if found.name in met else f"is called {found.name} in the table, as a column is"
            document.refuse(place, f"has {text!r}, which {what}", "Take it out, or partition by another column.")
        met.add(found.name)
    return texts


def _sort(document: Document, names: Sequence[str]) -> tuple[str, ...]:
    found = texts_at(document, ("layout", "sort"))
    for name in found:
        if re.fullmatch(r"\S+\s+(asc|desc)", name, re.IGNORECASE):
            document.refuse(("layout", "sort"), f"has {name!r}", "Write columns alone: files are sorted upwards.")
        check_column(document, ("layout", "sort"), name, names)
    return found


def _choice(mistakes: Mistakes, key: str, choices: tuple[str, ...]) -> Any:
    document = mistakes.document

    def read() -> str:
        found = value_at(document, (key,), str, choices[0])
        if found not in choices:
            document.refuse((key,), f"is {found!r}", nearest(found, choices))
        return found

    return mistakes.tried((key,), read, choices[0])


def _share(document: Document) -> float:
    share = number_at(document, ("max_rejected",), document.given.get("max_rejected", 0.1))
    if not 0 <= share <= 1:
        meant = f"{share / 100:g} for {share:g} percent" if 1 < share <= 100 else "0.1 for one record in ten"
        document.refuse(("max_rejected",), f"is {share!r}", f"Write a share from 0 to 1: {meant}.")
    return share
