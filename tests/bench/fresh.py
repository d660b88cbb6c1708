"""`make bench-fresh`: a year of daily loads, and after each of them a dashboard of 20 questions over the last closed
months: how many of its answers were there already, and what it costs to find that out.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from athena.ask import ask, wait
from athena.changes import last_change, read_changes
from athena.lake import Lake
from athena.planning import remembered, standing_of
from athena.question import OWNER, Question
from etl.ingest import ingest
from etl.intake import Intake
from lakegate.home import init_home
from tests.bench.rounds import ratio
from tests.home import drop

FIRST = date(2023, 9, 1)  # four months are there before the first daily load
DAILY = date(2024, 1, 1)
KINDS = (
    "SELECT carrier, count(*) AS n, sum(seats) AS seats FROM flights WHERE {month} GROUP BY carrier ORDER BY carrier",
    "SELECT day, max(delay) AS worst FROM flights WHERE {month} GROUP BY day ORDER BY day",
    "SELECT count(*) AS n FROM flights WHERE {month} AND delay > 20",
    "SELECT sum(seats) AS seats FROM flights WHERE {month} AND carrier IN ('UA', 'DL')",
    "WITH m AS (SELECT carrier, delay FROM flights WHERE {month}) SELECT count(DISTINCT carrier) FROM m WHERE delay<0",
)
MONTHS = 4
CONTRACT = """
inferred = false
[columns]
day = { type = "date" }
carrier = { type = "string" }
seats = { type = "int" }
delay = { type = "double" }
[layout]
partition = ["month(day)"]
"""


@dataclass
class Year:
    """What was seen. `same_version`: hits that a key by data version would have had. Times in seconds."""

    asked: int = 0
    hits: int = 0
    same_version: int = 0
    decisions: list[float] = field(default_factory=list)  # a day's median each
    cold: list[float] = field(default_factory=list)


def lived(home: Path, days: int) -> Year:
    """So many daily loads into a new home, the dashboard asked after each of them."""
    seen, versions = Year(), dict[str, str]()
    settings = init_home(home)
    (settings.contracts / "flights.toml").write_text(CONTRACT)
    with Lake.embedded(settings.home) as lake:
        lake.warm()
        intake = Intake.embedded(lake)
        load(intake, [FIRST + timedelta(days=at) for at in range((DAILY - FIRST).days)])
        for at in range(days):
            today = DAILY + timedelta(days=at)
            load(intake, [today])
            look_at(lake, list(questions(today)), seen, versions)
    return seen


def load(intake: Intake, days: list[date]) -> None:
    """One file with the flights of these days."""
    lines = [
        f"{day},{carrier},{100 + day.day},{(day.toordinal() * 7 + place) % 40 - 5}"
        for day in days
        for place, carrier in enumerate(("UA", "AA", "DL", "B6"))
    ]
    key = drop(intake, f"flights/{days[0]}.csv", "day,carrier,seats,delay\n" + "\n".join(lines) + "\n")
    assert [report.status for report in ingest(intake, key)] == ["loaded"]


def questions(today: date) -> Iterator[str]:
    """The dashboard: five kinds of questions, each about the last four closed months."""
    first = today.replace(day=1)
    for _ in range(MONTHS):
        after, first = first, (first - timedelta(days=1)).replace(day=1)
        for kind in KINDS:
            yield kind.format(month=f"day >= DATE '{first}' AND day < DATE '{after}'")


def look_at(lake: Lake, dashboard: list[str], seen: Year, versions: dict[str, str]) -> None:
    """Ask them all, and time what decides whether their answers are fresh."""
    head = lake.head("flights")
    assert head is not None
    fields = {column.name: column.field_id for column in head.columns if column.field_id is not None}
    text = lake.heads.changes("flights")
    took = []
    for sql in dashboard:
        answer = wait(lake, OWNER, ask(lake, Question(OWNER, sql)).id, seconds=60)
        assert answer.page is not None
        seen.asked += 1
        seen.hits += answer.cache == "hit"
        seen.same_version += versions.get(sql) == head.data_version
        versions[sql] = head.data_version
    for sql in dashboard:
        plan = remembered(lake, Question(OWNER, sql), standing_of(lake, OWNER), today=lake.clock().date())
        if plan is not None:
            began = time.perf_counter()
            last_change(lake.changes(head), plan.entitled.readings, fields)
            took.append(time.perf_counter() - began)
    began = time.perf_counter()
    read_changes.__wrapped__(text, head.data_version)
    seen.cold.append(time.perf_counter() - began)
    seen.decisions.append(median(took))


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        year = lived(Path(folder) / "home", 365)
    early, late = year.decisions[10:40], year.decisions[-30:]
    told = (
        f"{year.asked} answers after 365 daily loads: {year.hits / year.asked:.1%} hits;"
        f" by data version {year.same_version / year.asked:.1%}\n"
        f"the decision: {median(late) * 1e6:.0f} µs a question in the last month,"
        f" {ratio(late, early):.2f} times that of the second; reading the regions once per commit:"
        f" {median(year.cold[-30:]) * 1e6:.0f} µs\n"
    )
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
