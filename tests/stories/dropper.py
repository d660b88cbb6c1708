"""A process that drops and loads: `python -m tests.stories.dropper HOME NAME ROUNDS`.

Every round brings a new file and corrects an older one of its own; now and then it takes one back.
"""

import sys
from contextlib import suppress
from pathlib import Path

from athena.errors import NotFound
from etl.ingest import ingest, retract
from tests.home import drop, intake_at


def content(name: int, number: int, version: int) -> str:
    """A file that no other has."""
    first = name * 1_000_000 + number * 1_000 + version * 100
    lines = [f"{first + at},v{first + at}" for at in range(40)]
    return "n,name\n" + "\n".join([*lines[:20], "broken", *lines[20:]]) + "\n"


def main(home: str, name: str, rounds: str) -> int:
    """The exit code."""
    intake = intake_at(Path(home))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in range(int(rounds)):
        ingest(intake, drop(intake, f"t/s{name}/f{number}.csv", content(int(name), number, 0)))
        if number % 2:
            ingest(intake, drop(intake, f"t/s{name}/f{number // 2}.csv", content(int(name), number // 2, 1)))
        if number % 5 == 4:
            key = f"t/s{name}/f{number - 1}.csv"
            (intake.settings.landing / key).unlink()
            with suppress(NotFound):
                retract(intake, key)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
