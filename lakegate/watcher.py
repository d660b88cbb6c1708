"""The process that loads what lands, beside the server: started with it, started again when it dies, ended with it."""

import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.context import SpawnProcess
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
def watching(home: Path) -> Iterator[None]:
    """A process that loads what lands in `home` as long as the block lasts; a load under way is finished first."""
    stopping = threading.Event()
    thread = threading.Thread(target=_tend, args=(home, stopping), name="watcher")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _tend(home: Path, stopping: threading.Event) -> None:
    process = _started(home)
    while not stopping.wait(0.2):
        if not process.is_alive():
            log.error("The watcher ended with code %s; it is started again.", process.exitcode)
            if stopping.wait(AGAIN_SECONDS):
                break
            process = _started(home)
    process.terminate()
    process.join(STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _started(home: Path) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=_watch, args=(home,), name="lakegate-watch")
    process.start()
    return process


def _watch(home: Path) -> None:
    """The child: watches until it is told to end, or its parent is gone."""
    from athena.lake import Lake
    from etl.intake import Intake
    from etl.watch import watch

    ended = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    log_to_stderr()
    parent = os.getppid()
    with Lake.embedded(home) as lake:
        watch(Intake.embedded(lake), stop=lambda: ended.is_set() or os.getppid() != parent, told=_log_loads)


def _log_loads(round_: "Reconciled") -> None:
    for report in round_.reports:
        found = report.as_json()
        line = {name: found[name] for name in ("status", "dataset", "file", "rows_loaded", "rows_rejected", "seconds")}
        loads_log.info("%s", json.dumps({"at": instant(datetime.now(UTC)), **line, "error": found["error"]}))
