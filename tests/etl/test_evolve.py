"""Schemas change by Iceberg's rules alone."""

from collections.abc import Sequence

import pytest

from athena.dataset import SYSTEM_COLUMNS, Column, DataType
from athena.errors import Refused
from etl._study import drift
from etl.contract import Contract, Layout
from etl.evolve import Evolution, evolve
from etl.iceberg import check_layout
from etl.trial import differences


def column(name: str, kind: str, **more: object) -> Column:
    return Column(name, DataType(kind), **more)  # type: ignore[arg-type]


FIRST = evolve("t", (), [column("day", "date"), column("n", "int", unit="min")], last_id=0)


def shape(evolution: Evolution) -> list[tuple[str, str, int | None]]:
    return [(one.name, str(one.type), one.field_id) for one in evolution.own]


def test_a_new_table_has_its_columns_and_then_the_systems() -> None:
    assert shape(FIRST) == [("day", "date", 1), ("n", "int", 2)]
    assert [(one.name, one.field_id) for one in FIRST.columns[2:]] == [
        (one.name, number) for number, one in enumerate(SYSTEM_COLUMNS, 3)
    ]
    assert (len(FIRST.added), FIRST.promoted, FIRST.changes) == (6, (), True)


def test_the_same_columns_change_nothing() -> None:
    again = evolve("t", FIRST.columns, FIRST.own, last_id=6)
    assert (again.columns, again.changes) == (FIRST.columns, False)


def test_new_columns_get_new_ids_and_stand_before_the_systems() -> None:
    more = evolve("t", FIRST.columns, [column("x", "string", field_id=2), column("n", "int")], last_id=6)
    assert shape(more) == [("day", "date", 1), ("n", "int", 2), ("x", "string", 7)]
    assert [one.name for one in more.added] == ["x"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DataType("int"), DataType("long")),
        (DataType("float"), DataType("double")),
        (DataType("decimal", 9, 2), DataType("decimal", 12, 2)),
    ],
)
def test_legal_promotions_keep_the_id_and_are_not_undone(old: DataType, new: DataType) -> None:
    table = evolve("t", (), [Column("n", old)], last_id=0)
    wider = evolve("t", table.columns, [Column("n", new)], last_id=5)
    assert [(one.name, one.type, one.field_id) for one in wider.promoted] == [("n", new, 1)]
    back = evolve("t", wider.columns, [Column("n", old)], last_id=5)
    assert (back.columns, back.changes) == (wider.columns, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DataType("int"), DataType("double")),
        (DataType("string"), DataType("date")),
        (DataType("decimal", 9, 2), DataType("decimal", 9, 3)),
        (DataType("timestamp"), DataType("timestamptz")),
    ],
)
def test_everything_else_is_refused_with_the_remedy(old: DataType, new: DataType) -> None:
    table = evolve("t", (), [Column("n", old)], last_id=0)
    with pytest.raises(Refused, match="cannot become") as refusal:
        evolve("t", table.columns, [Column("n", new)], last_id=5)
    assert refusal.value.code == "schema-conflict"
    assert str(old) in refusal.value.remedy


def test_with_leave_a_column_gets_another_type_and_another_id_in_the_same_place() -> None:
    again = evolve("t", FIRST.columns, [column("day", "string"), column("n", "int")], last_id=6, retype=True)
    assert shape(again) == [("day", "string", 7), ("n", "int", 2)]
    assert [one.name for one in again.retyped] == ["day"]
    assert (again.added, again.promoted, again.changes) == ((), (), True)


def test_a_contract_is_compared_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the whole table took 8 s for 4,000 columns."""
    columns = tuple(column(f"c{i}", "int") for i in range(300))
    table = evolve("t", (), columns, last_id=0).columns
    seen: list[int] = []

    def evolving(dataset: str, there: Sequence[Column], wanted: Sequence[Column], *, last_id: int) -> Evolution:
        seen.append(len(there))
        return evolve(dataset, there, wanted, last_id=last_id)

    monkeypatch.setattr("etl.trial.evolve", evolving)
    wider = (*columns[:-1], column("c299", "long"), column("new", "date"))
    told = differences(Contract("t", columns=wider), table, path="t.toml", text="")
    assert [(one.what, one.column) for one in told] == [("adds", "new"), ("widens", "c299")]
    assert sum(seen) <= 3 * len(table)
    with pytest.raises(Refused, match=r"t.toml, line 2: t: column 'c1' is int in the table and cannot become string"):
        differences(Contract("t", columns=(column("c1", "string"),)), table, path="t.toml", text="[columns]\nc1 = 1\n")


def test_names_of_the_system_are_taken() -> None:
    with pytest.raises(Refused, match="'_line' is taken") as refusal:
        evolve("t", (), [column("_line", "long")], last_id=0)
    assert "rename" in refusal.value.remedy


def test_words_follow_the_contract_and_columns_without_one_keep_theirs() -> None:
    said = evolve("t", FIRST.columns, [column("day", "date", description="of departure")], last_id=6)
    assert [one.description for one in said.own] == ["of departure", None]
    assert [one.unit for one in said.own] == [None, "min"]
    assert not said.changes


def test_a_heading_that_seems_renamed_is_told_with_the_rename_to_write() -> None:
    (told,) = drift(["day", "carrier"], ["day", "airline"])
    assert "airline is new and carrier is missing" in told
    assert 'rename = { "airline" = "carrier" }' in told
    assert drift(["day", "a", "b"], ["day", "xx", "yy"]) == []


def test_a_column_cannot_have_the_name_that_a_partition_has_in_the_table() -> None:
    columns = [Column("day", DataType("date"), field_id=1), Column("day_month", DataType("string"), field_id=2)]
    check_layout(Layout(("month(day)",)), columns[:1])
    with pytest.raises(Refused) as refused:
        check_layout(Layout(("month(day)",)), columns)
    assert refused.value.code == "contract-invalid"
    assert 'rename = { "day_month"' in refused.value.remedy
