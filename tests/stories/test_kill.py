"""A loading process is killed, then `reconcile`: every table is the union of its files, no row twice, none missing."""

import csv
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from athena.events import DatasetUpdated, Event
from etl.doctor import examine
from etl.ingest import reconcile
from etl.intake import Intake
from tests.home import drop, intake_at, reports_of, rows_of
from tests.stories.steps import COMMIT

STEPS = ("read", *COMMIT, "closed", "delivered")
PATIENCE_SECONDS = 240


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def text(first: int, *, rows: int = 60, bad: int = 0) -> str:
    """A file of numbers that no other file has, with some short records in it."""
    lines = [f"{first + number},v{first + number}" for number in range(rows)]
    lines[5:5] = ["broken"] * bad
    return "n,name\n" + "\n".join(lines) + "\n"


def started(intake: Intake, step: str = "") -> subprocess.Popen[str]:
    """A loader of this home that has come as far as its own code."""
    command = [sys.executable, "-m", "tests.stories.loader", str(intake.settings.home), step]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def expected(intake: Intake, dataset: str) -> Counter[tuple[int, str]]:
    """The rows of the distinct files, read by Python's own csv module."""
    found: Counter[tuple[int, str]] = Counter()
    for content in {path.read_bytes() for path in (intake.settings.landing / dataset).iterdir()}:
        records = csv.reader(content.decode().splitlines()[1:])
        found.update((int(record[0]), record[1]) for record in records if len(record) == 2)
    return found


def check(intake: Intake) -> None:
    """The table is what the files say, and the doctor says so too."""
    table = rows_of(intake, "t")
    stored = Counter(zip(table["n"].to_pylist(), table["name"].to_pylist(), strict=True))
    assert stored == expected(intake, "t")
    assert [one for one in examine(intake.settings.home) if one.level != "ok" and one.check != "folders"] == []
    assert reports_of(reconcile(intake)) == ()


@pytest.mark.parametrize("step", STEPS)
def test_a_loader_that_dies_at_a_step_is_recovered_from(intake: Intake, step: str) -> None:
    drop(intake, "t/a.csv", text(0, bad=2))
    drop(intake, "t/b.csv", text(1000))
    reports_of(reconcile(intake))
    drop(intake, "t/a.csv", text(2000, bad=1))
    drop(intake, "t/c.csv", text(3000, bad=3))
    with started(intake, step) as loader:
        assert loader.wait(PATIENCE_SECONDS) == -9
    reports_of(reconcile(intake))
    check(intake)


@pytest.mark.parametrize("step", ["told", "published", "closed", "delivered"])
def test_the_event_of_a_loader_that_was_killed_behind_its_commit_is_told(intake: Intake, step: str) -> None:
    drop(intake, "t/a.csv", text(0))
    with started(intake, step) as loader:
        assert loader.wait(PATIENCE_SECONDS) == -9
    told: list[Event] = []
    reports_of(reconcile(replace(intake, deliver=told.append)))
    (event,) = told
    assert isinstance(event, DatasetUpdated)
    assert (event.dataset, event.rows_added) == ("t", 60)
    assert intake.events.undelivered() == ()


@pytest.mark.parametrize("step", ["planned", "committed", "contract"])
def test_a_loader_that_dies_in_the_first_load_of_all_is_recovered_from(intake: Intake, step: str) -> None:
    drop(intake, "t/a.csv", text(0, bad=2))
    with started(intake, step) as loader:
        assert loader.wait(PATIENCE_SECONDS) == -9
    reports_of(reconcile(intake))
    check(intake)


def kill_at_random(intake: Intake, *, times: int, seed: int) -> None:
    """Drop, replace and duplicate files, kill the loader somewhere, go on; check after every reconcile."""
    chance = random.Random(seed)
    whole_seconds = 0.5
    for number in range(times):
        drop(intake, f"t/f{chance.randrange(4)}.csv", text(1000 * number, bad=chance.randrange(3)))
        if chance.random() < 0.3:
            drop(intake, f"t/same{chance.randrange(2)}.csv", text(1000 * number))
        with started(intake) as loader:
            began = time.monotonic()
            try:
                loader.wait(chance.uniform(0, whole_seconds))
                whole_seconds = 0.5 * whole_seconds + 0.7 * (time.monotonic() - began)
            except subprocess.TimeoutExpired:
                loader.kill()
                whole_seconds *= 1.1
        if number % 3 == 2 or number == times - 1:
            reports_of(reconcile(intake))
            check(intake)


def test_a_loader_killed_at_random_instants_loses_and_doubles_nothing(intake: Intake) -> None:
    kill_at_random(intake, times=12, seed=7)


@pytest.mark.long
def test_fifty_kills_at_random_instants_lose_and_double_nothing(intake: Intake) -> None:
    kill_at_random(intake, times=50, seed=11)


def test_two_loaders_at_once_lose_and_double_nothing(intake: Intake) -> None:
    for number in range(12):
        drop(intake, f"t/f{number}.csv", text(1000 * number, bad=number % 3))
    with started(intake) as one, started(intake) as other:
        for number in range(4):
            drop(intake, f"t/f{number}.csv", text(50_000 + 1000 * number))
        assert [loader.wait(PATIENCE_SECONDS) for loader in (one, other)] == [0, 0]
    reports_of(reconcile(intake))
    check(intake)
