"""A table's columns + the columns a load wants → the columns the table gets, or why it may not. Pure.

Only what Iceberg allows without touching data: https://iceberg.apache.org/spec/#schema-evolution
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from athena.dataset import SYSTEM_COLUMNS, SYSTEM_NAMES, Column, promotes
from athena.errors import Refused


@dataclass(frozen=True, slots=True)
class Evolution:
    """`columns` is the whole table afterwards, with field ids, the owner's columns first; the rest is what changes."""

    columns: tuple[Column, ...]
    added: tuple[Column, ...]
    promoted: tuple[Column, ...]

    @property
    def changes(self) -> bool:
        """Whether the schema itself changes."""
        return bool(self.added or self.promoted)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns that come from files."""
        return tuple(column for column in self.columns if column.name not in SYSTEM_NAMES)


def evolve(dataset: str, table: Sequence[Column], wanted: Sequence[Column], *, last_id: int) -> Evolution:
    """What becomes of `table` (empty when there is none yet) so that rows of `wanted` fit.

    New columns are added with the field ids after `last_id`, types are promoted, descriptions follow `wanted`; columns
    that are no longer wanted stay. Raises `Refused` ("schema-conflict") for anything else.
    """
    by_name = {column.name: column for column in table}
    taken = [column.name for column in wanted if column.name in SYSTEM_NAMES]
    if taken:
        raise Refused(
            f"{dataset}: the column name {taken[0]!r} is taken by Lakegate itself.",
            f'Rename it in the contract: [sources.<source>] rename = {{ "{taken[0]}" = "…" }}.',
            code="schema-conflict",
        )
    merged = [_merged(dataset, by_name[column.name], column) if column.name in by_name else column for column in wanted]
    wanted_names = {column.name for column in wanted}
    kept = [column for column in table if column.name not in wanted_names and column.name not in SYSTEM_NAMES]
    in_table_order = [column for column in table if column.name not in SYSTEM_NAMES]
    now = {column.name: column for column in (*kept, *merged)}
    fresh = [replace(column, field_id=None) for column in merged if column.name not in by_name]
    own = [*(now[column.name] for column in in_table_order), *fresh]
    system = [by_name.get(column.name, column) for column in SYSTEM_COLUMNS]
    columns = _numbered([*own, *system], last_id)
    return Evolution(
        columns,
        added=tuple(column for column in columns if column.name not in by_name),
        promoted=tuple(c for c in columns if c.name in by_name and c.type != by_name[c.name].type),
    )


def _merged(dataset: str, old: Column, new: Column) -> Column:
    if promotes(old.type, new.type):
        kind = new.type
    elif promotes(new.type, old.type):
        kind = old.type  # the contract is narrower than the table: the table's type holds it as well
    else:
        raise Refused(
            f"{dataset}: column {old.name!r} is {old.type} in the table and cannot become {new.type}.",
            f'Put its type back to "{old.type}" in the contract, or load into a new dataset. '
            "Legal are int → long, float → double and a higher precision of decimal.",
            code="schema-conflict",
        )
    return replace(new, type=kind, field_id=old.field_id)


def _numbered(columns: Sequence[Column], last_id: int) -> tuple[Column, ...]:
    numbered: list[Column] = []
    for column in columns:
        if column.field_id is None:
            last_id += 1
        numbered.append(column if column.field_id is not None else replace(column, field_id=last_id))
    return tuple(numbered)
