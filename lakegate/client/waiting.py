"""Waiting for an answer: it shows its progress, and Ctrl-C ends the run as well."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from athena.errors import Failed
from athena.failures import explained
from athena.question import State
from lakegate.client import Link, Query, Standing
from lakegate.client.progress import QUIET_SECONDS, Progress, shown

LOOK_SECONDS = 0.3


class Stands(Protocol):
    """Whatever tells where a question stands."""

    @property
    def state(self) -> State:
        """Where it stands."""
        ...


Seen = TypeVar("Seen", bound=Stands)


def final(link: Link, query: Query, *, progress: bool = True) -> Standing:
    """The question once it SUCCEEDED; raises what it failed with. Ctrl-C cancels it before it raises."""
    standing = ended(
        lambda: link.ask(query),
        lambda seen: link.look(seen, seconds=LOOK_SECONDS),
        link.cancel,
        where=link.where,
        progress=progress,
    )
    if standing.error is not None:
        raise standing.error
    if standing.state is not State.SUCCEEDED:
        raise explained("cancelled") if standing.state is State.CANCELLED else _odd(standing)
    return standing


def ended(
    begin: Callable[[], Seen],
    look: Callable[[Seen], Seen],
    cancel: Callable[[Seen], object],
    *,
    where: str,
    progress: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> Seen:
    """What `begin` began once its state is final; Ctrl-C cancels it before it raises. `look` waits a short while."""
    began = clock()
    with _interrupts() as interrupted, shown(wanted=progress) as show:
        seen = begin()
        while not seen.state.final:
            if interrupted():
                cancel(seen)
                raise KeyboardInterrupt
            seen = look(seen)
            seconds = clock() - began
            if seconds >= QUIET_SECONDS and not seen.state.final:
                show(Progress(f"{seen.state.value.lower()} on {where}", seconds))
        if interrupted():
            raise KeyboardInterrupt
    return seen


def _odd(standing: Standing) -> Failed:
    return Failed(f"The question ended as {standing.state.value}.", "Ask it again.", code="engine-lost")


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Notes Ctrl-C instead of raising in the middle of a request, which could leave a lock held; the second one
    raises at once. Only the main thread is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    noted: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, _: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)
