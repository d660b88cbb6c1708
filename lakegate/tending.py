"""A process beside this one: started again when it dies, ended with the block, in its own good time."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

log = logging.getLogger("lakegate.tending")

AGAIN_SECONDS = 1.0
STOP_SECONDS = 60.0


@contextmanager
def tended(name: str, module: str, arguments: Sequence[str]) -> Iterator[Callable[[], int]]:
    """`python -m MODULE ARGUMENTS…` as long as the block lasts; at its end the process gets SIGTERM and a minute.
    The block gets a function that tells the process's id."""
    tended = _Tended(name, [sys.executable, "-P", "-m", module, *arguments])
    thread = threading.Thread(target=tended.tend, name=name)
    thread.start()
    try:
        yield lambda: tended.process.pid
    finally:
        tended.stopping.set()
        thread.join()


class _Tended:
    def __init__(self, name: str, command: list[str]) -> None:
        self._name = name
        self._command = command
        self.stopping = threading.Event()
        self.process = self._start()

    def tend(self) -> None:
        """Until `stopping`: start it again when it ended; then end it."""
        while not self.stopping.wait(0.2):
            if self.process.poll() is None:
                continue
            log.error("The %s ended with code %s; it is started again.", self._name, self.process.returncode)
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
        # A session of its own: a terminal sends Ctrl-C to all in its own, and this one is to finish what it does.
        return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 our own words
