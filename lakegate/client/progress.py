"""How far a question is, while it takes long: a bar in place, on a terminal and in a notebook; nothing in a pipe.

While the engine runs nobody knows how much is left: the bar moves to and fro beside state and time. While rows are
fetched their number is known: the bar fills.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# What is over within this time shows no progress.
QUIET_SECONDS = 0.8
TELL_SECONDS = 0.3
BAR_WIDTH, MOVING_WIDTH = 24, 6


@dataclass(frozen=True, slots=True)
class Progress:
    """What is going on, for how long; of rows, how many are there of how many (`total` 0: nobody knows)."""

    what: str
    seconds: float
    rows: int = 0
    total: int = 0


Show = Callable[[Progress], None]


@contextmanager
def shown(*, wanted: bool = True) -> Iterator[Show]:
    """Shows what it is told in place of what it was told before; nothing is left of it in the end."""
    display = _notebook()
    if not wanted or (display is None and not sys.stderr.isatty()):
        yield lambda _: None
    elif display is None:
        yield from _on_terminal()
    else:
        yield from in_notebook(display)


def fetched(
    batches: "Iterable[pa.RecordBatch]", total: int, *, show: Show, clock: Callable[[], float] = time.monotonic
) -> "Iterator[pa.RecordBatch]":
    """The batches, and every little while how many of the `total` rows have come."""
    began, rows = clock(), 0
    tell_at = began + QUIET_SECONDS
    for batch in batches:
        rows += batch.num_rows
        now = clock()
        if now >= tell_at:
            show(Progress("fetching rows", now - began, rows, total))
            tell_at = now + TELL_SECONDS
        yield batch


def sentence(progress: Progress) -> str:
    """In words.

    >>> sentence(Progress("running on the home h", 12.3))
    'running on the home h for 12 s'
    >>> sentence(Progress("fetching rows", 10.0, 250_000, 1_000_000))
    'fetching rows: 250,000 of 1,000,000 (25 %), 25,000/s, 30 s left'
    """
    if not progress.total:
        return f"{progress.what} for {progress.seconds:.0f} s"
    done = progress.rows / progress.total
    left = progress.seconds * (1 - done) / done if done else 0.0
    rate = progress.rows / progress.seconds if progress.seconds else 0.0
    return (
        f"{progress.what}: {progress.rows:,} of {progress.total:,} ({done:.0%}), {rate:,.0f}/s, {left:.0f} s left"
    ).replace("%)", " %)")


def bar(progress: Progress) -> str:
    """In characters: filled as far as it is known, else a piece that moves a step each `TELL_SECONDS`.

    >>> bar(Progress("fetching rows", 1.0, 1, 2))
    '━━━━━━━━━━━━────────────'
    >>> bar(Progress("running", 0.9))
    '───━━━━━━───────────────'
    """
    if progress.total:
        full = BAR_WIDTH * progress.rows // progress.total
        return "━" * full + "─" * (BAR_WIDTH - full)
    most = BAR_WIDTH - MOVING_WIDTH
    step = round(progress.seconds / TELL_SECONDS) % (2 * most)
    before = min(step, 2 * most - step)
    return "─" * before + "━" * MOVING_WIDTH + "─" * (most - before)


def html(progress: Progress) -> str:
    """In a notebook: the browser's own bar, which moves by itself while nobody knows how much is left.

    >>> html(Progress("running on <h>", 2.0))
    '<progress></progress> running on &lt;h&gt; for 2 s'
    """
    known = f' value="{progress.rows}" max="{progress.total}"' if progress.total else ""
    return f"<progress{known}></progress> {escape(sentence(progress))}"


def _on_terminal() -> Iterator[Show]:
    def show(progress: Progress) -> None:
        from lakegate.screen import visible

        line = visible(f"{bar(progress)}  {sentence(progress)} - Ctrl-C cancels")
        # A line that wraps could not be taken back.
        sys.stderr.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def in_notebook(display: Any) -> Iterator[Show]:
    """The same by IPython's `display`."""
    shown: list[Any] = []

    def show(progress: Progress) -> None:
        content = {"text/html": html(progress), "text/plain": sentence(progress)}
        if shown:
            shown[0].update(content, raw=True)
        else:
            shown.append(display(content, raw=True, display_id=True))

    try:
        yield show
    finally:
        for one in shown:
            one.update({"text/html": "", "text/plain": ""}, raw=True)


def _notebook() -> Any | None:
    """IPython's display function when a notebook's kernel runs this."""
    main = sys.modules.get("IPython")
    shell = main.get_ipython() if main is not None else None
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display

    return display
