"""JSON bodies put together from `api/shapes.py`: objects with fields, values by name, and what may be null. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.request import shown, wrong
from api.shapes import Scalar, Schema, Shape, named, whole
from athena.question import Scalar as Value


@dataclass(frozen=True, slots=True)
class Nullable:
    """A shape, or null."""

    shape: Shape

    def schema(self) -> Schema:
        """
        >>> from api.shapes import Flag
        >>> Nullable(Flag()).schema()
        {'type': ['boolean', 'null']}
        """
        inner = self.shape.schema()
        return {**inner, "type": [inner["type"], "null"]}

    def read(self, value: object, *path: str) -> Any:
        """The value, or None."""
        return None if value is None else self.shape.read(value, *path)


@dataclass(frozen=True, slots=True)
class ByName:
    """Values by names of the caller's own."""

    shape: Shape
    most: int
    remedy: str

    def schema(self) -> Schema:
        """
        >>> from api.shapes import Flag
        >>> ByName(Flag(), 5, "").schema()
        {'type': 'object', 'additionalProperties': {'type': 'boolean'}, 'maxProperties': 5}
        """
        return {"type": "object", "additionalProperties": self.shape.schema(), "maxProperties": self.most}

    def read(self, value: object, *path: str) -> dict[str, Any]:
        """Each value by its name."""
        if not isinstance(value, dict):
            raise wrong(f"{named(path)} is no object.", self.remedy, *path)
        if len(value) > self.most:
            raise wrong(f"There are {len(value)} {named(path)}.", f"At most {self.most} are taken.", *path)
        return {whole(name, *path): self.shape.read(item, *path, name) for name, item in value.items()}


@dataclass(frozen=True, slots=True)
class Values:
    """Values for a statement: a list for `?` in their order, an object by name, or null for none."""

    most: int

    def schema(self) -> Schema:
        """
        >>> [one["type"] for one in Values(9).schema()["oneOf"]]
        ['array', 'object', 'null']
        """
        listed = {"type": "array", "items": Scalar().schema(), "maxItems": self.most}
        return {"oneOf": [listed, ByName(Scalar(), self.most, "").schema(), {"type": "null"}]}

    def read(self, value: object, *path: str) -> tuple[Value, ...] | Mapping[str, Value]:
        """The values; none are an empty list."""
        if value is None:
            return ()
        if not isinstance(value, list):
            return ByName(Scalar(), self.most, "Send a list, or an object by name.").read(value, *path)
        if len(value) > self.most:
            raise wrong(f"There are {len(value)} {named(path)}.", f"At most {self.most} are taken.", *path)
        return tuple(Scalar().read(item, *path, str(at)) for at, item in enumerate(value))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object; without it `default` is what is read."""

    shape: Shape
    description: str = ""
    default: object = None
    required: bool = False

    def schema(self) -> Schema:
        """The shape's own, with what is said of the field."""
        said = {} if self.default is None else {"default": self.default}
        return {**self.shape.schema(), **said, **({"description": self.description} if self.description else {})}


@dataclass(frozen=True, slots=True)
class Object:
    """An object with just these fields, of which exactly one of `one_of` is there. `what` names it in refusals."""

    what: str
    fields: Mapping[str, Field]
    one_of: tuple[str, ...] = field(default=())

    def schema(self) -> Schema:
        """
        >>> from api.shapes import Flag
        >>> Object("a switch", {"on": Field(Flag(), required=True)}).schema()["required"]
        ['on']
        """
        one = {"oneOf": [{"required": [name]} for name in self.one_of]} if self.one_of else {}
        return {
            "type": "object",
            "properties": {name: known.schema() for name, known in self.fields.items()},
            "required": [name for name, known in self.fields.items() if known.required],
            "additionalProperties": False,
            **one,
        }

    def read(self, value: object, *path: str) -> dict[str, Any]:
        """Every field by its name, with the defaults of those that are not there."""
        if not isinstance(value, dict):
            named = f"{shown(path[-1])} is not described as {self.what} is." if path else "The body is no JSON object."
            raise wrong(named, f"Send an object with {', '.join(self.fields)}.", *path)
        for name in value:
            if name not in self.fields:
                raise wrong(f"{shown(name)} is no field of {self.what}.", f"Use {', '.join(self.fields)}.", *path, name)
        if self.one_of and len([name for name in self.one_of if name in value]) != 1:
            one = " and ".join(self.one_of)
            raise wrong(f"Of {one} exactly one says what to watch.", "Send one of them, a name.", *path)
        return {name: self._field(name, known, value, path) for name, known in self.fields.items()}

    def _field(self, name: str, known: Field, given: dict[str, Any], path: tuple[str, ...]) -> Any:
        if name in given or known.required:
            return known.shape.read(given.get(name), *path, name)
        return known.default
