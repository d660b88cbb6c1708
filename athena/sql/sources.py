"""What a FROM clause brings into sight: sources, their fields, and the look-up of a name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from athena.dataset import DataType
from athena.errors import SqlRefused
from athena.sql.kinds import mark

_REMEDY = "Ask with one SELECT over your datasets; docs/sql.md lists what it may hold."


def unsupported(what: str) -> SqlRefused:
    """The refusal of a statement for what it means rather than for a word in it."""
    return SqlRefused(f"{what}.", _REMEDY)


@dataclass(slots=True)
class Leaf:
    """One place where a statement reads a dataset.

    `types` are the columns to be seen there; `used` those that are (in order of use, as a dict's keys); `filters` the
    caller's own conditions on single columns of it, which may stand beside the grant's.
    """

    table: exp.Table
    dataset: str
    alias: str
    types: dict[str, DataType | None]
    used: dict[str, None] = field(default_factory=dict)
    filters: list[exp.Expr] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Origin:
    """The dataset's column that a field passes on unchanged. `shared`: the WITH items that it came through."""

    leaf: Leaf
    column: str
    shared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a source: the name that the caller knows (None: it has none), and how the source calls it."""

    name: str | None
    column: str
    type: DataType | None
    origin: Origin | None = None

    def through(self, item: int) -> "Field":
        """The field as seen through a WITH item, known by its id."""
        if self.origin is None:
            return self
        origin = Origin(self.origin.leaf, self.origin.column, (*self.origin.shared, item))
        return Field(self.name, self.column, self.type, origin)


def renamed(fields: list[Field], columns: Sequence[exp.Expr]) -> list[Field]:
    """The fields under the names of an alias `AS t(a, b)`; as they are when it lists none."""
    if not columns:
        return fields
    if len(columns) != len(fields):
        raise unsupported(f"An alias with {len(columns)} names for {len(fields)} columns is not supported")
    return [
        Field(column.name.lower(), each.column, each.type, each.origin)
        for column, each in zip(columns, fields, strict=True)
    ]


@dataclass(slots=True)
class Source:
    """One item of FROM. `name` is the caller's, `alias` ours, unique in the statement.

    `optional`: an outer join may fill its fields with NULL. `is_dataset`: `lake.flights.carrier` may name it.
    """

    name: str
    alias: str
    fields: list[Field]
    optional: bool = False
    is_dataset: bool = False

    def column(self, found: Field) -> exp.Column:
        """A reference to a field; what it reads of a dataset is noted."""
        if found.origin is not None and found.origin.leaf.alias == self.alias:
            found.origin.leaf.used[found.column] = None
        reference = exp.column(exp.to_identifier(found.column, quoted=True), exp.to_identifier(self.alias, quoted=True))
        mark(reference, found.type)
        return reference


@dataclass(frozen=True, slots=True)
class Found:
    """What a name means: the expression to put in its place, and the field behind it where there is one."""

    node: exp.Expr
    name: str
    type: DataType | None
    origin: Origin | None = None


@dataclass(slots=True)
class Scope:
    """The sources of one SELECT, within those of the queries around it. `merged` are the columns of USING."""

    outer: "Scope | None" = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Found] = field(default_factory=dict)

    def find(self, name: str, source: str = "", *, in_lake: bool = False) -> Found | None:
        """What `name` (or `source.name`) means here, None when nothing of that name is in sight.

        Raises `SqlRefused` when it means two things at once.
        """
        scope: Scope | None = self
        while scope is not None:
            found = scope._here(name, source, in_lake=in_lake)
            if len(found) > 1:
                raise unsupported(f"{name!r} is ambiguous: write which table it belongs to")
            if found:
                return found[0]
            scope = None if source and scope._named(source, in_lake) else scope.outer
        return None

    def stars(self, source: str = "", *, in_lake: bool = False) -> list[Found] | None:
        """All columns of `source`, or of every one (those of USING first); None for a source that is not there."""
        chosen = self._named(source, in_lake) if source else self.sources
        if not chosen:
            return None
        rest = [
            _of(each, item) for each in chosen for item in each.fields if source or (item.name or "") not in self.merged
        ]
        return rest if source else [*map(_again, self.merged.values()), *rest]

    def width(self, source: str = "", *, in_lake: bool = False) -> int:
        """How many nodes `stars` would make."""
        chosen = self._named(source, in_lake) if source else self.sources
        merged = [] if source else self.merged.values()
        return sum(len(each.fields) for each in chosen) + sum(size(each.node) for each in merged)

    def name_of(self, column: exp.Column) -> str | None:
        """The caller's name of a resolved column of these sources; None for one of the queries around."""
        for each in self.sources:
            if each.alias == column.table:
                return next((item.name or item.column for item in each.fields if item.column == column.name), None)
        return None

    def _here(self, name: str, source: str, *, in_lake: bool) -> list[Found]:
        if not source and name in self.merged:
            return [_again(self.merged[name])]
        return [
            _of(each, item)
            for each in (self._named(source, in_lake) if source else self.sources)
            for item in each.fields
            if item.name == name
        ]

    def _named(self, source: str, in_lake: bool) -> list[Source]:
        return [each for each in self.sources if each.name == source and (each.is_dataset or not in_lake)]


def size(node: exp.Expr) -> int:
    """How many nodes an expression has."""
    return sum(1 for _ in node.walk())


def _of(source: Source, item: Field) -> Found:
    origin = None if source.optional else item.origin
    return Found(source.column(item), item.name or "", item.type, origin)


def _again(found: Found) -> Found:
    return Found(found.node.copy(), found.name, found.type, found.origin)
