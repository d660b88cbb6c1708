"""Which names an expression can see, and of what type they are. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp

from athena.trino.function import Value
from athena.trino.refusal import mistyped
from athena.trino.types import Type


class Field(NamedTuple):
    """A column of a relation: the name that SQL knows it by (None: none), the name it has on DuckDB, its type.

    `merged` is what a column of JOIN … USING stands for.
    """

    name: str | None
    physical: str
    type: Type
    merged: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """What FROM offers under one alias."""

    alias: str
    fields: tuple[Field, ...]


@dataclass(slots=True)
class Scope:
    """The relations of one SELECT, the lambda parameters around an expression, and the SELECT outside of it."""

    relations: list[Relation] = field(default_factory=list)
    outer: "Scope | None" = None
    variables: dict[str, Value] = field(default_factory=dict)
    # columns that USING has merged: name → what it stands for, and the (alias, name) pairs that it hides
    merged: dict[str, Field] = field(default_factory=dict)
    hidden: set[tuple[str, str]] = field(default_factory=set)

    def column(self, name: str, alias: str | None) -> Value | None:
        """The column of that name here or further out; None when there is none. Ambiguity is `Refused`."""
        if alias is None and name in self.variables:
            known = self.variables[name]
            return Value(known.node.copy(), known.type)
        found = self._here(name, alias)
        if found is None and self.outer is not None:
            return self.outer.column(name, alias)
        return found

    def _here(self, name: str, alias: str | None) -> Value | None:
        if alias is None and name in self.merged:
            merged = self.merged[name]
            assert merged.merged is not None
            return Value(merged.merged.copy(), merged.type)
        found: Value | None = None
        for relation in self.relations:
            if alias is not None and relation.alias != alias:
                continue
            for candidate in relation.fields:
                if candidate.name == name and (alias is not None or (relation.alias, name) not in self.hidden):
                    if found is not None:
                        raise mistyped(f"Column {name!r} is ambiguous.", "Write the table's alias before it.")
                    found = reference(relation.alias, candidate)
        return found


def reference(alias: str, candidate: Field) -> Value:
    """A column as DuckDB is told it: always with its relation's alias, so that no output name can capture it."""
    node = exp.Column(
        this=exp.Identifier(this=candidate.physical, quoted=True), table=exp.Identifier(this=alias, quoted=True)
    )
    return Value(node, candidate.type)
