"""How much work one statement may be to us before it runs.

Bounds on its size keep the parser safe, but what a few words can mean grows faster than their number. So the stages
of reading and rewriting look at the clock of their own thread, which stands still while others have the processor:
a busy machine refuses nothing that an idle one answers.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from athena.errors import SqlRefused

_END: ContextVar[tuple[float, Callable[[], float]] | None] = ContextVar("_END", default=None)


@contextmanager
def effort(most_seconds: float, *, clock: Callable[[], float] = time.thread_time) -> Iterator[None]:
    """Inside, `spend` raises once this thread has worked for more than `most_seconds` (of processor time)."""
    before = _END.set((clock() + most_seconds, clock))
    try:
        yield
        spend()
    finally:
        _END.reset(before)


def spend() -> None:
    """Nothing, or `SqlRefused` (`sql-too-costly`) when the effort that is allowed here is used up.

    >>> spend()
    >>> with effort(1, clock=iter([0.0, 1.0, 1.1]).__next__):
    ...     spend()
    Traceback (most recent call last):
    athena.errors.SqlRefused: Reading this statement takes too long. Ask with fewer parts, or in several statements.
    """
    end = _END.get()
    if end is not None and end[1]() > end[0]:
        raise SqlRefused(
            "Reading this statement takes too long.",
            "Ask with fewer parts, or in several statements.",
            code="sql-too-costly",
        )
