"""Maintenance by itself: when a table changed, sparingly, and never in the way of anybody."""

from dataclasses import replace
from pathlib import Path

import pytest

from etl.commit import load_table
from etl.files import Folder
from etl.ingest import reconcile
from etl.intake import Intake
from etl.rebuild import stored_files
from etl.upkeep import Tending, upkeep
from tests.home import drop, intake_at, reports_of


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    intake = intake_at(tmp_path / "home")
    for number in range(9):  # a commit each: what comes together shares a file
        drop(intake, f"t/f{number}.csv", f"n\n{number}\n")
        reports_of(reconcile(intake))
    assert files(intake) == 9
    return intake


def files(intake: Intake) -> int:
    table = load_table(intake.catalog, "t")
    assert table is not None
    return len(list(stored_files(table)))


def test_a_look_compacts_what_has_many_small_files(intake: Intake) -> None:
    Tending(intake, lambda: False).look()
    assert files(intake) == 1


def test_a_table_without_a_new_commit_is_not_looked_into_again(intake: Intake) -> None:
    tending = Tending(intake, lambda: False)
    tending.look()
    steps: list[str] = []
    tending = Tending(replace(intake, step=steps.append), lambda: False, monotonic=lambda: 0.0)
    tending.look()
    assert "noted" in steps
    steps.clear()
    tending.look()
    assert steps == []


def test_a_table_in_trouble_is_told_and_the_others_are_tended(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    drop(intake, "a/x.csv", "n\n1\n")
    reports_of(reconcile(intake))
    intake.contract_path("a").write_text("nonsense = [")
    Tending(intake, lambda: False).look()
    assert "a could not be maintained: " in caplog.text
    assert files(intake) == 1


def test_a_fault_of_ours_holds_up_no_other_table(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        drop(intake, f"a/f{number}.csv", f"n\n{number}\n")
        reports_of(reconcile(intake, "a"))

    def folder(table: str) -> Folder:
        if table == "a":
            raise RuntimeError("nobody thought of this")
        return intake.folder(table)

    Tending(replace(intake, folder=folder), lambda: False).look()
    assert "nobody thought of this" in caplog.text
    assert files(intake) == 1


def test_upkeep_ends_when_it_is_told_to(intake: Intake) -> None:
    rounds: list[int] = []

    def stop() -> bool:
        rounds.append(1)
        return len(rounds) > 20

    upkeep(replace(intake, settings=replace(intake.settings, maintenance_seconds=0.1)), stop=stop)
    assert files(intake) == 1


def test_upkeep_may_be_switched_off(intake: Intake) -> None:
    upkeep(replace(intake, settings=replace(intake.settings, maintenance_seconds=0)), stop=lambda: False)
    assert files(intake) == 9
