"""A process that loads: `python -m tests.stories.loader HOME [STEP]`; at STEP it kills itself as the kernel would."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from etl.ingest import reconcile
from tests.home import intake_at


def main(home: str, die_at: str = "") -> None:
    """Reconcile the home; at the step `die_at`, die."""

    def die(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    reconcile(replace(intake_at(Path(home)), step=die))


if __name__ == "__main__":
    main(*sys.argv[1:])
