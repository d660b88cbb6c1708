"""Values of a contract, each checked to be of its kind. Pure."""

import json
from collections.abc import Sequence
from typing import TypeVar

from etl.toml_place import Document, nearest

Place = tuple[str, ...]
T = TypeVar("T")


def value_at(document: Document, place: Place, kind: type[T], default: T) -> T:
    """The value of that kind at `place`, `default` when there is none. As all here: raises `Refused`
    ("contract-invalid") with the line and how it is to be written."""
    found = document.subtable(place[:-1]).get(place[-1], default)
    if type(found) is not kind:
        expected = {"str": "a text in quotes", "bool": "true or false", "list": "a list"}[kind.__name__]
        document.refuse(place, f"is {found!r}, expected {expected}", _spelled(place[-1], found, kind))
    return found


def _spelled(key: str, found: object, kind: type[object]) -> str:
    """How the value is to be written."""
    if kind is bool:
        return f"Write {key} = true or {key} = false, without quotes."
    told = found if isinstance(found, str) else json.dumps(found, default=str)
    if kind is list:
        return f"Write {key} = {json.dumps([told], ensure_ascii=False)}."
    return f"Write {key} = {json.dumps(told, ensure_ascii=False)}."


def text_at(document: Document, place: Place) -> str:
    """A text, empty when there is none."""
    return value_at(document, place, str, "")


def truth_at(document: Document, place: Place) -> bool:
    """A truth value, false when there is none."""
    return value_at(document, place, bool, False)


def texts_at(document: Document, place: Place) -> tuple[str, ...]:
    """A list of texts, empty when there is none."""
    found = value_at(document, place, list, [])
    if not all(isinstance(item, str) for item in found):
        texts = [one if isinstance(one, str) else json.dumps(one, default=str) for one in found]
        remedy = f"Write {json.dumps(texts, ensure_ascii=False)}."
        document.refuse(place, f"is {found!r}, expected a list of texts", remedy)
    return tuple(found)


def number_at(document: Document, place: Place, value: object) -> float:
    """The value as a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        document.refuse(place, f"is {value!r}, expected a number", "Write for example 0.1.")
    return float(value)


def check_column(document: Document, place: Place, name: str, names: Sequence[str]) -> None:
    """Raises for a name that is none of these; of none at all nothing is known."""
    if names and name not in names:
        document.refuse(place, f"names {name!r}, which is no column", nearest(name, names))
