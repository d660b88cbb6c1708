"""A process that loads: `python -m tests.stories.loader HOME [STEP] [BYTES]`.

At STEP it kills itself as the kernel would. No file may grow beyond BYTES: what a full disk does, for one process.
"""

import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from athena.errors import LakegateError
from etl.ingest import reconcile
from tests.home import intake_at

REFUSED = 3


def main(home: str, die_at: str = "", most_bytes: str = "") -> int:
    """Reconcile the home; the exit code is `REFUSED` for an error that Lakegate raises on purpose."""

    def die(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), resource.RLIM_INFINITY))
    try:
        done = reconcile(replace(intake_at(Path(home)), step=die))
        for error in done.unread:
            raise error
    except LakegateError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
