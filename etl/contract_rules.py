"""The rules of a contract's sources, each checked by itself and with the others. Pure."""

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from athena.dataset import COLUMN_NAME, Column
from etl.contract import SourceRules
from etl.contract_checks import check_rules
from etl.contract_keys import RULES, key_hint
from etl.contract_values import Place, check_column, number_at, text_at, texts_at, truth_at
from etl.mistakes import Mistakes
from etl.toml_place import Document


def rules_of(mistakes: Mistakes, names: Sequence[str], columns: Sequence[Column]) -> dict[str, SourceRules]:
    """The rules of all sources, by their names. `names` are all columns (none: they are not known yet), `columns` those
    without a mistake."""
    there: dict[str, Any] = mistakes.tried(("sources",), lambda: mistakes.document.subtable(("sources",)), {})
    return {name: _rules(mistakes, ("sources", name), names, columns) for name in there}


def _rules(mistakes: Mistakes, place: Place, names: Sequence[str], columns: Sequence[Column]) -> SourceRules:
    document = mistakes.document
    if place[-1] in RULES and not isinstance(document.subtable(place[:-1])[place[-1]], dict):
        mistakes.tried(place, lambda: document.refuse(place, "is no source", key_hint(place[-1], "top") or ""), None)
        return SourceRules()
    if not place[-1] or "/" in place[-1] or not place[-1].isprintable():
        mistakes.tried(place, lambda: document.refuse(place, "can be no source", "It is the name of a folder."), None)
    values: dict[str, Any] = {}
    for key in mistakes.known_keys(place, RULES, hint=partial(key_hint, where="sources")):
        values[key] = mistakes.tried((*place, key), partial(_READERS[key], document, (*place, key)), None)
    rules = SourceRules(**{key: value for key, value in values.items() if value is not None})
    for key in ("formats", "values", "scale"):
        for name in getattr(rules, key):
            at = (*place, key, name)
            mistakes.tried(at, partial(check_column, document, at, name, names), None)
    mistakes.tried((*place, "rename"), lambda: _check_rename(document, (*place, "rename"), rules.rename, names), None)
    mistakes.tried(place, lambda: check_rules(document, place, rules, {one.name: one for one in columns}), None)
    return rules


def _check_rename(document: Document, place: Place, rename: Mapping[str, str], names: Sequence[str]) -> None:
    for heading, name in rename.items():
        if not COLUMN_NAME.match(name):
            remedy = (
                f'Write it the other way round: "{name}" = "{heading}" (heading = column).'
                if heading in names
                else "Use [a-z0-9_] only: heading = column."
            )
            document.refuse(place, f"gives {name!r}, which is no column name", remedy)
        check_column(document, place, name, names)


def _character(document: Document, place: Place) -> str:
    text = text_at(document, place)
    if len(text) != 1 or text in "\r\n\0":
        spelled = {"tab": '"\\t"', "\\t": '"\\t"', "none": '"", which says that there is none'}.get(text.lower())
        remedy = f"Write {spelled}." if spelled else 'Write for example ";" or "\\t".'
        document.refuse(place, f"is {text!r}, expected one character", remedy)
    return text


def _character_or_none(document: Document, place: Place) -> str:
    return text_at(document, place) and _character(document, place)  # "" says: there is none


def _encoding(document: Document, place: Place) -> str:
    """An encoding of text in which lines and digits are found: its ASCII is ASCII, or it is made of wide characters."""
    text = text_at(document, place)
    try:
        plain = "a,1\n".encode(text).replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf")
        b"\xff".decode(text, "replace")
    except (LookupError, ValueError):
        plain = b""
    if plain != b"a,1\n":
        document.refuse(place, f"is {text!r}, which is no encoding of CSV", 'Write for example "utf-8" or "cp1252".')
    return text


def _zone(document: Document, place: Place) -> str:
    text = text_at(document, place)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        document.refuse(place, f"is {text!r}, which is no time zone", 'Write for example "Europe/Berlin".')
    return text


def _texts(document: Document, place: Place) -> dict[str, str]:
    return {name: text_at(document, (*place, name)) for name in document.subtable(place)}


def _replacements(document: Document, place: Place) -> dict[str, dict[str, str]]:
    return {name: _texts(document, (*place, name)) for name in document.subtable(place)}


def _factors(document: Document, place: Place) -> dict[str, float]:
    factors = {name: number_at(document, (*place, name), value) for name, value in document.subtable(place).items()}
    for name, factor in factors.items():
        if factor == 0:
            document.refuse((*place, name), "is 0", "A factor of 0 would erase every value.")
    return factors


_READERS: dict[str, Callable[[Document, Place], Any]] = {
    "delimiter": _character,
    "quote": _character_or_none,
    "escape": _character_or_none,
    "encoding": _encoding,
    "header": truth_at,
    "decimal": _character,
    "thousands": _character_or_none,
    "null": texts_at,
    "formats": _texts,
    "rename": _texts,
    "values": _replacements,
    "scale": _factors,
    "zone": _zone,
    "sheet": text_at,
}
