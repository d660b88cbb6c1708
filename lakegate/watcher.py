"""The process that loads what lands, beside the server: started with it, started again when it dies, ended with it."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.response import instant
from lakegate.logs import LOADS, log_to_stderr

if TYPE_CHECKING:
    from etl.ingest import Reconciled

log = logging.getLogger("lakegate.watcher")
loads_log = logging.getLogger(LOADS)

AGAIN_SECONDS = 1.0
STOP_SECONDS = 60.0


@contextmanager
def watching(home: Path) -> Iterator[Callable[[], int]]:
    """A process that loads what lands in `home` as long as the block lasts; a load under way is finished first.
    The block gets a function that tells the process's id."""
    watcher = _Watcher(home)
    thread = threading.Thread(target=watcher.tend, name="watcher")
    thread.start()
    try:
        yield lambda: watcher.process.pid
    finally:
        watcher.stopping.set()
        thread.join()


class _Watcher:
    def __init__(self, home: Path) -> None:
        self._home = home
        self.stopping = threading.Event()
        self.process = self._start()

    def tend(self) -> None:
        """Until `stopping`: start it again when it ended; then end it."""
        while not self.stopping.wait(0.2):
            if self.process.poll() is None:
                continue
            log.error("The watcher ended with code %s; it is started again.", self.process.returncode)
            if self.stopping.wait(AGAIN_SECONDS):
                break
            self.process = self._start()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        # A session of its own: a terminal sends Ctrl-C to all in its own, and this one is to finish its load.
        command = [sys.executable, "-P", "-m", "lakegate.watcher", str(self._home)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 our own words


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
        watch(Intake.embedded(lake), stop=stop, told=_log_loads)
        tending.join()


def _log_loads(done: "Reconciled") -> None:
    for report in done.reports:
        found = report.as_json()
        line = {name: found[name] for name in ("status", "dataset", "file", "rows_loaded", "rows_rejected", "seconds")}
        loads_log.info("%s", json.dumps({"at": instant(datetime.now(UTC)), **line, "error": found["error"]}))


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
