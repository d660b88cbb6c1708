"""Waiting for an answer: it tells the time on a terminal and in a notebook, and Ctrl-C ends the run as well."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from athena.errors import Failed
from athena.failures import explained
from athena.question import State
from lakegate.client import Link, Query, Standing

# What is answered within this time shows no progress.
QUIET_SECONDS = 0.8
LOOK_SECONDS = 0.3

Tell = Callable[[str], None]


class Stands(Protocol):
    """Whatever tells where a question stands."""

    @property
    def state(self) -> State:
        """Where it stands."""
        ...


Seen = TypeVar("Seen", bound=Stands)


def final(link: Link, query: Query) -> Standing:
    """The question once it SUCCEEDED; raises what it failed with. Ctrl-C cancels it before it raises."""
    standing = ended(
        lambda: link.ask(query), lambda seen: link.look(seen, seconds=LOOK_SECONDS), link.cancel, where=link.where
    )
    if standing.error is not None:
        raise standing.error
    if standing.state is not State.SUCCEEDED:
        raise explained("cancelled") if standing.state is State.CANCELLED else _odd(standing)
    return standing


def ended(
    begin: Callable[[], Seen], look: Callable[[Seen], Seen], cancel: Callable[[Seen], object], *, where: str
) -> Seen:
    """What `begin` began once its state is final; Ctrl-C cancels it before it raises. `look` waits a short while."""
    began = time.monotonic()
    with _interrupts() as interrupted, _progress() as tell:
        seen = begin()
        while not seen.state.final:
            if interrupted():
                cancel(seen)
                raise KeyboardInterrupt
            seen = look(seen)
            seconds = time.monotonic() - began
            if seconds >= QUIET_SECONDS and not seen.state.final:
                tell(f"{seen.state.value.lower()} for {seconds:.0f} s on {where} - interrupt to cancel")
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


@contextmanager
def _progress() -> Iterator[Tell]:
    """Says where it stands, in place; nothing is left of it in the end, and nothing is said in a pipe."""
    shell = _notebook()
    if shell is not None:
        yield from _in_notebook(shell)
    elif sys.stderr.isatty():
        yield _on_terminal
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
    else:
        yield lambda _: None


def _on_terminal(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def _notebook() -> Any | None:
    """IPython's display function when a notebook's kernel runs this."""
    main = sys.modules.get("IPython")
    shell = main.get_ipython() if main is not None else None
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display

    return display


def _in_notebook(display: Any) -> Iterator[Tell]:
    shown: list[Any] = []

    def tell(text: str) -> None:
        content = {"text/plain": text}
        if shown:
            shown[0].update(content, raw=True)
        else:
            shown.append(display(content, raw=True, display_id=True))

    yield tell
    for one in shown:
        one.update({"text/plain": ""}, raw=True)
