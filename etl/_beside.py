"""One thread beside the caller's, for work that lets go of the interpreter: hashing, encoding."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec

_P = ParamSpec("_P")


class Beside:
    """Does one task at a time, in the order given, with at most `waiting` others not yet done when one is given, since
    each holds memory. What a task raises is raised by a call that comes later.

    >>> done: list[int] = []
    >>> beside = Beside()
    >>> beside.do(done.append, 1)
    >>> beside.do(done.append, 2)
    >>> beside.wait()
    >>> beside.close()
    >>> done
    [1, 2]
    """

    def __init__(self, waiting: int = 0) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._given: deque[Future[object]] = deque()
        self._waiting = waiting

    def do(self, task: Callable[_P, object], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Have a task done once those before are."""
        while len(self._given) > self._waiting:
            self._given.popleft().result()
        self._given.append(self._thread.submit(task, *args, **kwargs))

    def wait(self) -> None:
        """Until all tasks are done."""
        while self._given:
            self._given.popleft().result()

    def close(self) -> None:
        """End the thread, after the tasks that it has; what they raise is told to nobody."""
        self._thread.shutdown()
