"""A file that writes numbers or dates otherwise than those before it is read as it is, and shuts no later file out."""

from pathlib import Path

import pytest

from etl.ingest import reconcile, reload
from etl.intake import Intake
from tests.home import contract_of, drop, intake_at, reports_of, values_of

POINTS = "day,name,amount\n2026-04-13,x,1.5\n2026-04-14,y,2.25\n"
COMMAS = "day;name;amount\n13.05.2026;z;3,5\n14.05.2026;w;4,25\n"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def load(intake: Intake, **files: str) -> list[str]:
    """What became of the files."""
    for name, text in files.items():
        drop(intake, f"t/{name}.csv", text)
    return [one.status for one in reports_of(reconcile(intake))]


def test_a_file_of_the_other_way_shuts_no_later_file_out(intake: Intake) -> None:
    assert load(intake, a=POINTS) == ["loaded"]
    assert load(intake, b=COMMAS) == ["loaded"]
    assert contract_of(intake, "t").sources == {}
    assert load(intake, c=POINTS.replace("x", "c"), d=COMMAS.replace("z", "d")) == ["loaded", "loaded"]
    assert load(intake, a=POINTS.replace("1.5", "1.75")) == ["replaced"]
    assert values_of(intake, "t", "amount") == [1.5, 1.75, 2.25, 2.25, 3.5, 3.5, 4.25, 4.25]
    assert {str(one)[:7] for one in values_of(intake, "t", "day")} == {"2026-04", "2026-05"}
    reports = reload(intake, "t").reports
    assert [one.error for one in reports] == [None] * len(reports)


def test_so_it_is_for_files_that_come_together(intake: Intake) -> None:
    assert load(intake, a=POINTS, b=COMMAS, c=POINTS.replace("x", "c")) == ["loaded"] * 3
    assert values_of(intake, "t", "amount") == [1.5, 1.5, 2.25, 2.25, 3.5, 4.25]


def test_the_first_file_of_a_source_says_how_the_source_writes(intake: Intake) -> None:
    assert load(intake, a=POINTS) == ["loaded"]
    drop(intake, "t/south/a.csv", COMMAS)
    assert [one.status for one in reports_of(reconcile(intake))] == ["loaded"]
    rules = contract_of(intake, "t").sources["south"]
    assert (rules.decimal, rules.formats) == (",", {"day": "%d.%m.%Y"})
    drop(intake, "t/south/b.csv", "day;name;amount\n03.04.2026;v;7\n")
    assert [one.status for one in reports_of(reconcile(intake))] == ["loaded"]
    assert [str(one) for one in values_of(intake, "t", "day")][:3] == ["2026-04-03", "2026-04-13", "2026-04-14"]


def test_a_later_files_new_columns_say_how_they_are_written(intake: Intake) -> None:
    assert load(intake, a=POINTS) == ["loaded"]
    assert load(intake, b="day,name,amount,due\n2026-04-15,q,5.5,31.12.2026\n") == ["loaded"]
    assert contract_of(intake, "t").sources["default"].formats == {"due": "%d.%m.%Y"}
