"""A few threads and a bounded line in front of them."""

import queue
import threading
from collections.abc import Callable

from athena.errors import Busy

Task = Callable[[], None]


class Crew:
    """Runs tasks on `threads` threads; a task must not raise. Beyond `max_queued` waiting ones, `Busy`.

    The threads of `concurrent.futures` hand results back through the event loop; here a task replies itself, from
    its own thread, which saves a third of the time of a short request.
    """

    def __init__(self, name: str, *, threads: int, max_queued: int) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._max_queued = max_queued
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{at}", daemon=True) for at in range(threads)]
        for thread in self._threads:
            thread.start()

    def give(self, task: Task) -> None:
        """Run the task soon; raises `Busy` when the line is full."""
        if self._tasks.qsize() >= self._max_queued:
            raise Busy("Too many requests are waiting.", "Come again in a second.")
        self._tasks.put(task)

    @property
    def queued(self) -> int:
        """How many tasks wait for a thread."""
        return self._tasks.qsize()

    def close(self) -> None:
        """Return when everything that was given has run."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
