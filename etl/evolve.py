"""A table's columns + the columns a load wants → the columns the table gets, or why it may not. Pure.

Only what Iceberg allows without touching data: https://iceberg.apache.org/spec/#schema-evolution
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from athena.dataset import SYSTEM_COLUMNS, SYSTEM_NAMES, Column, promotes
from athena.errors import Refused


@dataclass(frozen=True, slots=True)
class Evolution:
    """`columns` is the whole table afterwards, with field ids, the owner's columns first; the rest is what changes.

    A column in `retyped` takes the place of one of its name and another type: rows of before have NULL there, so that
    all of them have to go in the same commit.
    """

    columns: tuple[Column, ...]
    added: tuple[Column, ...] = ()
    promoted: tuple[Column, ...] = ()
    retyped: tuple[Column, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the schema itself changes."""
        return bool(self.added or self.promoted or self.retyped)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns that come from files."""
        return tuple(column for column in self.columns if column.name not in SYSTEM_NAMES)


def evolve(
    dataset: str, table: Sequence[Column], wanted: Sequence[Column], *, last_id: int, retype: bool = False
) -> Evolution:
    """What becomes of `table` (empty when there is none yet) so that rows of `wanted` fit.

    New columns are added with the field ids after `last_id`, types are promoted, descriptions follow `wanted`; columns
    that are no longer wanted stay. Any other change of a type is made with `retype` alone. Raises `Refused`
    ("schema-conflict").
    """
    _check_names(dataset, wanted)
    by_name = {column.name: column for column in table}
    wanted_names = {column.name for column in wanted}
    merged = [_merged(dataset, by_name.get(column.name), column, retype=retype) for column in wanted]
    kept = [column for column in table if column.name not in wanted_names and column.name not in SYSTEM_NAMES]
    now = {column.name: column for column in (*kept, *merged)}
    in_table_order = [now[column.name] for column in table if column.name not in SYSTEM_NAMES]
    fresh = [column for column in merged if column.name not in by_name]
    system = [by_name.get(column.name, column) for column in SYSTEM_COLUMNS]
    columns = _numbered([*in_table_order, *fresh, *system], last_id)
    changed = [(by_name.get(column.name), column) for column in columns]
    return Evolution(
        columns,
        added=tuple(new for old, new in changed if old is None),
        promoted=tuple(n for old, n in changed if old and old.field_id == n.field_id and old.type != n.type),
        retyped=tuple(new for old, new in changed if old and old.field_id != new.field_id),
    )


def _check_names(dataset: str, wanted: Sequence[Column]) -> None:
    for column in wanted:
        if column.name in SYSTEM_NAMES:
            raise Refused(
                f"{dataset}: the column name {column.name!r} is taken by Lakegate itself.",
                f'Rename it in the contract: [sources.<source>] rename = {{ "{column.name}" = "…" }}.',
                code="schema-conflict",
            )


def _merged(dataset: str, old: Column | None, new: Column, *, retype: bool) -> Column:
    if old is None:
        return replace(new, field_id=None)
    if promotes(old.type, new.type):
        return replace(new, field_id=old.field_id)
    if promotes(new.type, old.type):
        # The contract is narrower than the table: the table's type holds it as well.
        return replace(new, type=old.type, field_id=old.field_id)
    if retype:
        return replace(new, field_id=None)
    raise Refused(
        f"{dataset}: column {old.name!r} is {old.type} in the table and cannot become {new.type} for new files alone.",
        f'Run `lakegate reload {dataset}`, which reads every file again, or put the type back to "{old.type}" in the '
        "contract. Legal at any time are int → long, float → double and a higher precision of decimal.",
        code="schema-conflict",
    )


def _numbered(columns: Sequence[Column], last_id: int) -> tuple[Column, ...]:
    numbered: list[Column] = []
    for column in columns:
        if column.field_id is None:
            last_id += 1
        numbered.append(column if column.field_id is not None else replace(column, field_id=last_id))
    return tuple(numbered)
