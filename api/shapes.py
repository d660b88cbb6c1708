"""What a JSON body may be, said once: each shape reads a value or refuses it, and says so as JSON Schema. Pure.

The description at `/openapi.json` and the check of what arrives are made of the same values, so that neither can say
more than the other. JSON Schema cannot tell a whole number from one with an exponent, nor half a surrogate pair: these
two are refused by `Scalar` and `Text` alone.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from api.request import shortened, shown, wrong
from athena.question import Scalar as Value

Schema = dict[str, Any]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Anything but white space of JSON: the same in Python's expressions and in JavaScript's, which JSON Schema means.
NOT_BLANK = "[^ \\t\\n\\r]"


class Shape(Protocol):
    """One kind of value."""

    def schema(self) -> Schema:
        """What is taken, as JSON Schema."""
        ...

    def read(self, value: object, *path: str) -> Any:
        """The value, when it is one; raises `WrongRequest` that points to `path`."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `pattern`, written as JavaScript has it, is found somewhere in it."""

    least: int = 0
    most: int | None = None
    pattern: str = ""
    remedy: str = "Send a text."

    def schema(self) -> Schema:
        """
        >>> Text(least=1).schema()
        {'type': 'string', 'minLength': 1}
        """
        bounds = {"minLength": self.least or None, "maxLength": self.most, "pattern": self.pattern or None}
        return {"type": "string", **{name: bound for name, bound in bounds.items() if bound is not None}}

    def read(self, value: object, *path: str) -> str:
        """The text itself."""
        if not isinstance(value, str):
            raise wrong(f"{named(path)} is missing or no text.", self.remedy, *path)
        if len(value) < self.least or not _expression(self.pattern).search(value):
            raise wrong(f"{named(path)} is no such text.", self.remedy, *path)
        if self.most is not None and len(value) > self.most:
            raise wrong(f"{named(path)} is longer than {self.most}.", self.remedy, *path)
        return whole(value, *path)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; 3.0 is one, as JSON Schema has it."""

    least: int
    most: int
    remedy: str = ""

    def schema(self) -> Schema:
        """
        >>> Whole(1, 9).schema()
        {'type': 'integer', 'minimum': 1, 'maximum': 9}
        """
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, value: object, *path: str) -> int:
        """The number as an int."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            remedy = self.remedy or f"Send {self.least} to {self.most}, or leave it out."
            raise wrong(f"{named(path)} is no whole number of at least {self.least}.", remedy, *path)
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    least: float
    most: float
    remedy: str

    def schema(self) -> Schema:
        """
        >>> Number(0, 25, "").schema()
        {'type': 'number', 'minimum': 0, 'maximum': 25}
        """
        return {"type": "number", "minimum": self.least, "maximum": self.most}

    def read(self, value: object, *path: str) -> float:
        """The number as a float."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise wrong(f"{named(path)} is no number in its range.", self.remedy, *path)
        return float(value)


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]

    def schema(self) -> Schema:
        """
        >>> Word(("use", "refresh")).schema()
        {'enum': ['use', 'refresh']}
        """
        return {"enum": list(self.words)}

    def read(self, value: object, *path: str) -> str:
        """The word."""
        if not isinstance(value, str) or value not in self.words:
            choice = " or ".join(f'"{word}"' for word in self.words)
            raise wrong(f"{named(path)} is none of {', '.join(self.words)}.", f"Send {choice}.", *path)
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def schema(self) -> Schema:
        """
        >>> Flag().schema()
        {'type': 'boolean'}
        """
        return {"type": "boolean"}

    def read(self, value: object, *path: str) -> bool:
        """The same."""
        if not isinstance(value, bool):
            raise wrong(f"{named(path)} is neither true nor false.", "Leave it out, or send true.", *path)
        return value


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value for a statement: text, number, true, false or null. A whole number has 64 bits."""

    def schema(self) -> Schema:
        """
        >>> Scalar().schema()["type"]
        ['string', 'number', 'boolean', 'null']
        """
        return {
            "type": ["string", "number", "boolean", "null"],
            "description": "A number that is written as a whole one has 64 bits; longer ones are sent as text.",
        }

    def read(self, value: object, *path: str) -> Value:
        """The same value."""
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, str):
            return whole(value, *path)
        if not isinstance(value, int):
            remedy = "Send text, a number, true, false or null."
            raise wrong(f"Parameter {shown(path[-1])} is a list or an object.", remedy, *path)
        if not INT64_MIN <= value <= INT64_MAX:
            remedy = "Send it as text and CAST it to a decimal."
            raise wrong(f"Parameter {shown(path[-1])} is beyond 64 bits.", remedy, *path)
        return value


def whole(text: str, *path: str) -> str:
    """`text` when it can be sent and stored; `WrongRequest` otherwise."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise wrong(f"{shortened(path[0])} holds half a surrogate pair.", "Send whole characters.", *path) from error
    return text


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """The pattern for Python, where `$` would also stand before a last line feed.

    >>> _expression("^[a-z]+$").pattern[-2:]
    '\\\\Z'
    """
    return re.compile(pattern.removesuffix("$") + "\\Z" if pattern.endswith("$") else pattern)


def named(path: tuple[str, ...]) -> str:
    """What to call the field at a path."""
    return shortened(path[-1])
