"""What a table costs as it grows: `python -m tests.bench.growth [COMMITS] [FILES]`.

CPU of the last commits of many, beside that of the 20th; planning over data files that were written one by one and
maintained on the way, as `lakegate up` does, and then once more, beside a tenth of them. Ratios of medians, CPU time of
this process.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from athena.engines.duckdb.files import table_files
from etl.ingest import ingest
from etl.intake import Intake
from etl.maintain import maintain, tend
from tests.home import drop, intake_at

TEND_EVERY = 50
ROUNDS = 15


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def content(number: int, rows: int = 20) -> str:
    """A file that no other has."""
    return "n,name,day\n" + "".join(f"{number},v{number}-{row},2026-05-01\n" for row in range(rows))


def commits(folder: Path, count: int) -> list[float]:
    """CPU seconds of each of so many loads into one table, maintained on the way."""
    intake, found = intake_at(folder), []
    for number in range(count):
        key = drop(intake, f"t/f{number}.csv", content(number))
        found.append(cpu_seconds(lambda key=key: ingest(intake, key)))  # type: ignore[misc]
        if number % TEND_EVERY == TEND_EVERY - 1:
            tend(intake, "t")
    return found


def planning(intake: Intake) -> float:
    """CPU seconds of finding the files of the current snapshot, nothing remembered: the median."""
    head = intake.heads.get("t")
    assert head is not None

    def plan() -> None:
        table_files.cache_clear()
        table_files(head.metadata_location, head.snapshot_id)

    return statistics.median(cpu_seconds(plan) for _ in range(ROUNDS))


def say(line: str) -> None:
    """A line of figures, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(count: int = 1000, files: int = 5000) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = commits(Path(folder) / "commits", count)
        early, late = statistics.median(found[14:26]), statistics.median(found[-12:])
        say(f"commit 20: {early * 1000:.0f} ms CPU, commit {count}: {late * 1000:.0f} ms, ratio {late / early:.2f}")
        few, many = Path(folder) / "few", Path(folder) / "many"
        commits(few, files // 10)
        commits(many, files)
        _beside("maintained on the way", files, planning(intake_at(few)), planning(intake_at(many)))
        for home in (few, many):
            maintain(intake_at(home))
        _beside("after maintenance", files, planning(intake_at(few)), planning(intake_at(many)))


def _beside(when: str, files: int, few: float, many: float) -> None:
    figures = f"{many * 1000:.1f} ms beside {few * 1000:.1f} ms, ratio {many / few:.2f}"
    say(f"planning over {files} files beside {files // 10}, {when}: {figures}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
