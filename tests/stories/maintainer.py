"""A process that maintains: `python -m tests.stories.maintainer HOME [STEP]`.

At STEP it kills itself as the kernel would. Without one it goes on until its input ends, and then says how many data
files it has made fewer.
"""

import os
import select
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from athena.errors import Failed
from etl.maintain import maintain
from tests.home import intake_at

GRACE_SECONDS = 15


def main(home: str, die_at: str = "") -> int:
    """The exit code."""

    def die(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    intake = replace(intake_at(Path(home)), step=die)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    compacted = 0
    # As short as may be, so that a file too many would be seen: alone not at all, beside others longer than a commit
    # takes, whose metadata nobody names until it is done.
    grace = timedelta(seconds=0 if die_at else GRACE_SECONDS)
    while True:
        try:
            compacted += sum(one.compacted.before for one in maintain(intake, grace=grace))
        except Failed as error:
            if error.code != "commit-conflict":
                raise
        if die_at or select.select([sys.stdin], [], [], 0.05)[0]:
            break
    sys.stdout.write(f"{compacted}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
