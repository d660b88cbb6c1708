"""One thread beside the caller's, for work that lets go of the interpreter: hashing, encoding."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec

_P = ParamSpec("_P")


class Beside:
    """Does one task at a time, in the order given. What a task raises is raised by the call that comes next.

    >>> done: list[int] = []
    >>> beside = Beside()
    >>> beside.do(done.append, 1)
    >>> beside.do(done.append, 2)
    >>> beside.wait()
    >>> beside.close()
    >>> done
    [1, 2]
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._running: Future[object] | None = None

    def do(self, task: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Begin a task once the one before is done, so that no more than one holds memory."""
        self.wait()
        self._running = self._thread.submit(task, *args, **kwargs)

    def wait(self) -> None:
        """Until the task is done."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def close(self) -> None:
        """End the thread, after the task that it is at; what that raises is told to nobody."""
        self._thread.shutdown()
