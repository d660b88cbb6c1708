"""A parsed TOML document → a contract, every key and value checked. Pure."""

import zoneinfo
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from athena.dataset import COLUMN_NAME, SYSTEM_NAMES, Column, check_dataset_name, parse_type
from athena.errors import Refused
from etl.contract import Contract, Layout, SourceRules
from etl.contract_checks import check_allowed, check_partition, check_rules
from etl.partition import parse_partition
from etl.toml_place import Document, nearest

Place = tuple[str, ...]
T = TypeVar("T")
_TOP = ("description", "inferred", "same_content", "new_columns", "max_rejected", "columns", "layout", "sources")
_COLUMN = ("type", "required", "unit", "description", "sensitive", "allowed")


def contract_of(document: Document, dataset: str) -> Contract:
    """The contract; raises `Refused` ("contract-invalid") with path, line, key and remedy."""
    top = document.table((), _TOP)
    columns = tuple(_column(document, name) for name in document.subtable(("columns",)))
    inferred = _value(document, ("inferred",), bool, not columns)
    if not columns and not inferred:
        document.refuse(("columns",), "is empty", "List the columns, or write inferred = true to have them found out.")
    sources = document.subtable(("sources",))
    return Contract(
        dataset=check_dataset_name(dataset),
        columns=columns,
        description=_value(document, ("description",), str, ""),
        inferred=inferred,
        same_content=_choice(document, ("same_content",), ("skip", "load")),
        new_columns=_choice(document, ("new_columns",), ("add", "ignore", "reject")),
        max_rejected=_share(document, top.get("max_rejected", 0.1)),
        layout=_layout(document, columns),
        sources={name: _rules(document, ("sources", name), columns, complete=not inferred) for name in sources},
    )


def _column(document: Document, name: str) -> Column:
    place = ("columns", name)
    if not COLUMN_NAME.match(name) or name in SYSTEM_NAMES:
        document.refuse(
            place,
            "is no column name",
            "Use lower-case letters, digits and _; _file, _line, _content and _loaded_at are taken.",
        )
    given = document.table(place, _COLUMN)
    if "type" not in given:
        document.refuse(place, "has no type", f'Write {name} = {{ type = "string" }}, or another type.')
    try:
        found = parse_type(_value(document, (*place, "type"), str, ""))
    except Refused as error:
        document.refuse((*place, "type"), f"is {given['type']!r}, which is no column type", error.remedy)
    allowed = _strings(document, (*place, "allowed")) if "allowed" in given else None
    column = Column(
        name,
        found,
        required=_value(document, (*place, "required"), bool, False),
        unit=_value(document, (*place, "unit"), str, "") or None,
        description=_value(document, (*place, "description"), str, "") or None,
        sensitive=_value(document, (*place, "sensitive"), bool, False),
        allowed=allowed,
    )
    check_allowed(document, place, column)
    return column


def _layout(document: Document, columns: tuple[Column, ...]) -> Layout:
    names = [column.name for column in columns] or None
    document.table(("layout",), ("partition", "sort"))
    partition = _strings(document, ("layout", "partition"))
    sort = _strings(document, ("layout", "sort"))
    for text in partition:
        try:
            found = parse_partition(text)
        except Refused as error:
            document.refuse(("layout", "partition"), f"has {text!r}, which is no partition", error.remedy)
        _known_column(document, ("layout", "partition"), found.column, names)
        check_partition(document, ("layout", "partition"), found, {column.name: column for column in columns})
    for name in sort:
        _known_column(document, ("layout", "sort"), name, names)
    return Layout(partition, sort)


def _known_column(document: Document, place: Place, name: str, names: list[str] | None) -> None:
    if names is not None and name not in names:
        document.refuse(place, f"names {name!r}, which is no column", nearest(name, names))


def _rules(document: Document, place: Place, columns: tuple[Column, ...], *, complete: bool) -> SourceRules:
    names = [column.name for column in columns] if complete else None
    given = document.table(place, [field.name for field in fields(SourceRules)])
    values = {key: _RULES[key](document, (*place, key)) for key in given}
    for key in ("formats", "values", "scale"):
        for name in values.get(key, {}):
            _known_column(document, (*place, key, name), name, names)
    for name in values.get("rename", {}).values():
        if not COLUMN_NAME.match(name):
            document.refuse((*place, "rename"), f"gives {name!r}, which is no column name", "Use [a-z0-9_] only.")
        _known_column(document, (*place, "rename"), name, names)
    rules = SourceRules(**values)
    check_rules(document, place, rules, {column.name: column for column in columns})
    return rules


def _text(document: Document, place: Place) -> str:
    return _value(document, place, str, "")


def _truth(document: Document, place: Place) -> bool:
    return _value(document, place, bool, False)


def _character(document: Document, place: Place) -> str:
    text = _text(document, place)
    if len(text) != 1 or text in "\r\n":
        document.refuse(place, f"is {text!r}, expected one character", 'Write for example ";" or "\\t".')
    return text


def _character_or_none(document: Document, place: Place) -> str:
    return _text(document, place) and _character(document, place)  # "" says: there is none


def _encoding(document: Document, place: Place) -> str:
    text = _text(document, place)
    try:
        "a".encode(text)
    except (LookupError, ValueError):
        document.refuse(place, f"is {text!r}, which is no encoding", 'Write for example "utf-8" or "cp1252".')
    return text


def _zone(document: Document, place: Place) -> str:
    text = _text(document, place)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        document.refuse(place, f"is {text!r}, which is no time zone", 'Write for example "Europe/Berlin".')
    return text


def _strings(document: Document, place: Place) -> tuple[str, ...]:
    found = _value(document, place, list, [])
    if not all(isinstance(item, str) for item in found):
        document.refuse(place, f"is {found!r}, expected a list of texts", 'Write for example ["a", "b"].')
    return tuple(found)


def _texts(document: Document, place: Place) -> dict[str, str]:
    return {name: _text(document, (*place, name)) for name in document.subtable(place)}


def _replacements(document: Document, place: Place) -> dict[str, dict[str, str]]:
    return {name: _texts(document, (*place, name)) for name in document.subtable(place)}


def _factors(document: Document, place: Place) -> dict[str, float]:
    factors = {name: _number(document, (*place, name), value) for name, value in document.subtable(place).items()}
    for name, factor in factors.items():
        if factor == 0:
            document.refuse((*place, name), "is 0", "A factor of 0 would erase every value.")
    return factors


_RULES: dict[str, Callable[[Document, Place], Any]] = {
    "delimiter": _character,
    "quote": _character_or_none,
    "escape": _character_or_none,
    "encoding": _encoding,
    "header": _truth,
    "decimal": _character,
    "thousands": _character_or_none,
    "null": _strings,
    "formats": _texts,
    "rename": _texts,
    "values": _replacements,
    "scale": _factors,
    "zone": _zone,
    "sheet": _text,
}


def _choice(document: Document, place: Place, choices: tuple[str, ...]) -> Any:
    found = _value(document, place, str, choices[0])
    if found not in choices:
        document.refuse(place, f"is {found!r}", nearest(found, list(choices)))
    return found


def _share(document: Document, value: object) -> float:
    share = _number(document, ("max_rejected",), value)
    if not 0 <= share <= 1:
        document.refuse(("max_rejected",), f"is {share!r}", "Write a share from 0 to 1: 0.1 is one record in ten.")
    return share


def _number(document: Document, place: Place, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        document.refuse(place, f"is {value!r}, expected a number", "Write for example 0.1.")
    return float(value)


def _value(document: Document, place: Place, kind: type[T], default: T) -> T:
    found = document.subtable(place[:-1]).get(place[-1], default)
    if type(found) is not kind:
        expected = {"str": "a text in quotes", "bool": "true or false", "list": "a list"}[kind.__name__]
        document.refuse(place, f"is {found!r}, expected {expected}", f"The default is {default!r}.")
    return found
