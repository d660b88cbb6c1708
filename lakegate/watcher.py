"""The process that loads what lands, beside the server: started with it, started again when it dies, ended with it."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.response import instant
from lakegate.logs import LOADS, log_to_stderr
from lakegate.tending import tended

if TYPE_CHECKING:
    from etl.ingest import Reconciled

loads_log = logging.getLogger(LOADS)


def watching(home: Path) -> AbstractContextManager[Callable[[], int]]:
    """A process that loads what lands in `home` as long as the block lasts; a load under way is finished first.
    The block gets a function that tells the process's id."""
    return tended("watcher", "lakegate.watcher", [str(home)])


def _watch(home: Path) -> None:
    """What the process does: watch until it is told to end, or its parent is gone."""
    from athena.lake import Lake
    from etl.intake import Intake
    from etl.upkeep import upkeep
    from etl.watch import watch

    parent = os.getppid()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    log_to_stderr()

    def stop() -> bool:
        return ended.is_set() or os.getppid() != parent

    with Lake.embedded(home) as lake:
        # A thread and a catalog of its own: what lands is loaded while files are compacted.
        tending = threading.Thread(target=upkeep, args=(Intake.embedded(lake),), kwargs={"stop": stop}, name="upkeep")
        tending.start()
        try:
            watch(Intake.embedded(lake), stop=stop, told=_log_loads)
        finally:
            # Or the thread would keep alive a process that loads nothing any more, and nobody would start another.
            ended.set()
            tending.join()


def _log_loads(done: "Reconciled") -> None:
    for report in done.reports:
        found = report.as_json()
        line = {name: found[name] for name in ("status", "dataset", "file", "rows_loaded", "rows_rejected", "seconds")}
        loads_log.info("%s", json.dumps({"at": instant(datetime.now(UTC)), **line, "error": found["error"]}))


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
