"""One background thread that writes what requests have left behind."""

import threading
from collections.abc import Callable

WRITE_SECONDS = 1.0


class Clerk:
    """Calls `flush` a second after the first `nudge`, again and again; starts with the first, ends with `close`.

    What was noted in the last second is lost when the process is killed.
    """

    def __init__(self, *flush: Callable[[], None], seconds: float = WRITE_SECONDS) -> None:
        self._flush = flush
        self._seconds = seconds
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._something = False
        self._changed = threading.Event()
        self._closed = threading.Event()

    def nudge(self) -> None:
        """There is something to write."""
        if self._something:
            return
        self._something = True
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="clerk", daemon=True)
                self._thread.start()
        self._changed.set()

    def write(self) -> None:
        """Write everything now."""
        with self._writing:
            self._something = False
            for flush in self._flush:
                flush()

    def close(self) -> None:
        """Write everything and end."""
        self._closed.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()
        self.write()

    def _write(self) -> None:
        while not self._closed.is_set():
            self._changed.wait()
            self._changed.clear()
            self._closed.wait(self._seconds)
            self.write()
