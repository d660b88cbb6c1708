"""Processes that load, replace and retract, and one that compacts and sweeps beside them: no row lost, none twice."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from etl.doctor import examine
from etl.ingest import reconcile
from etl.intake import Intake
from etl.maintain import maintain
from tests.home import drop, intake_at, reports_of, rows_of
from tests.stories.test_kill import check, text
from tests.stories.test_union_machine import STEPS as LOAD_STEPS

PATIENCE_SECONDS = 240
STEPS = (*LOAD_STEPS, "noted", "collected")


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def started(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that has come as far as its own code."""
    command = [sys.executable, "-m", f"tests.stories.{module}", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("step", STEPS)
def test_maintenance_that_dies_at_a_step_is_recovered_from(intake: Intake, step: str) -> None:
    for number in range(3):
        drop(intake, f"t/f{number}.csv", text(1000 * number, bad=number))
        reports_of(reconcile(intake))
    with started("maintainer", str(intake.settings.home), step) as process:
        assert process.wait(PATIENCE_SECONDS) == -9
    reports_of(reconcile(intake))
    check(intake)
    maintain(intake)
    check(intake)


def test_expiry_that_dies_before_its_head_is_published_is_recovered_from(intake: Intake) -> None:
    for number in range(23):
        drop(intake, "t/f.csv", text(1000 * number))
        reports_of(reconcile(intake))
    with started("maintainer", str(intake.settings.home), "expired") as process:
        assert process.wait(PATIENCE_SECONDS) == -9
    drop(intake, "t/g.csv", text(77_000))
    reports_of(reconcile(intake))
    check(intake)


def load_beside_compaction(intake: Intake, *, loaders: int, rounds: int) -> int:
    """How many data files were compacted meanwhile; everybody finished, and the table is the union of the files."""
    home = str(intake.settings.home)
    maintainer = started("maintainer", home)
    running = [started("dropper", home, str(name), str(rounds)) for name in range(loaders)]
    for process in running:
        with process:
            assert process.wait(PATIENCE_SECONDS) == 0
    told, _ = maintainer.communicate("", timeout=PATIENCE_SECONDS)
    assert maintainer.returncode == 0
    files = [path for path in (intake.settings.landing / "t").rglob("*.csv") if path.is_file()]
    wanted = Counter(
        (int(line.split(",")[0]), line.split(",")[1])
        for path in files
        for line in path.read_text().splitlines()[1:]
        if line != "broken"
    )
    table = rows_of(intake, "t")
    assert Counter(zip(table["n"].to_pylist(), table["name"].to_pylist(), strict=True)) == wanted
    assert [one for one in examine(intake.settings.home) if one.level == "error"] == []
    assert reports_of(reconcile(intake)) == ()
    return int(told)


def test_two_loaders_and_compaction_lose_and_double_nothing(intake: Intake) -> None:
    assert load_beside_compaction(intake, loaders=2, rounds=6) > 0


@pytest.mark.long
@pytest.mark.parametrize("loaders", [2, 4])
def test_many_loads_and_compaction_lose_and_double_nothing(intake: Intake, loaders: int) -> None:
    assert load_beside_compaction(intake, loaders=loaders, rounds=40) > 0
