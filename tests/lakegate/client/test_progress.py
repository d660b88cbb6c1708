"""What is seen of a question that takes long: a bar on a terminal and in a notebook, nothing in a pipe."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field, replace
from itertools import count

import pyarrow as pa
import pytest

from athena.question import State
from lakegate.client.progress import Progress, bar, fetched, in_notebook, sentence, shown
from lakegate.client.waiting import ended


@dataclass(frozen=True)
class Seen:
    state: State


class Terminal(io.StringIO):
    """A terminal of a hundred columns, with all that it was sent."""

    def isatty(self) -> bool:
        return True

    def told(self) -> list[str]:
        """What stood there, one after another."""
        return self.getvalue().split("\r\x1b[K")[1:]


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 100) -> Iterator[Terminal]:
    """Stderr as a terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    with redirect_stderr(Terminal()) as mine:
        yield mine


def rows(sizes: list[int]) -> Iterator[pa.RecordBatch]:
    return (pa.record_batch({"n": [1] * size}) for size in sizes)


def test_a_bar_stands_on_a_terminal_and_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as seen, shown() as show:
        show(Progress("running on the home h", 3.0))
        show(Progress("fetching rows", 2.0, 1, 4))
    running, fetching, end = seen.told()
    assert "━━━━━━" in running
    assert running.endswith("running on the home h for 3 s - Ctrl-C cancels")
    assert fetching.startswith("━━━━━━──────────────────  fetching rows: 1 of 4 (25 %)")
    assert end == ""


def test_a_line_never_wraps_and_never_steers_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, columns=40) as seen, shown() as show:
        show(Progress("running on \x1b[2J" + "x" * 200, 3.0))
    line = seen.told()[0]
    assert len(line) == 39
    assert "\x1b" not in line


@pytest.mark.parametrize("wanted", [True, False])
def test_a_pipe_gets_nothing(capsys: pytest.CaptureFixture[str], wanted: bool) -> None:
    with shown(wanted=wanted) as show:
        show(Progress("running", 3.0))
    assert capsys.readouterr() == ("", "")


def test_who_wants_none_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as seen, shown(wanted=False) as show:
        show(Progress("running", 3.0))
    assert seen.getvalue() == ""


@dataclass
class Displayed:
    """IPython's handle: what stands there now."""

    content: dict[str, str]
    before: list[dict[str, str]] = field(default_factory=list)

    def update(self, content: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.before.append(self.content)
        self.content = content


def test_a_notebook_shows_one_bar_that_ends_empty() -> None:
    displays: list[Displayed] = []

    def display(content: dict[str, str], *, raw: bool, display_id: bool) -> Displayed:
        assert raw
        assert display_id
        displays.append(Displayed(content))
        return displays[-1]

    def interrupted() -> None:
        with contextmanager(in_notebook)(display) as show:
            show(Progress("running on <h>", 1.0))
            show(Progress("fetching rows", 1.0, 5, 10))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (one,) = displays
    assert one.before[0]["text/html"] == "<progress></progress> running on &lt;h&gt; for 1 s"
    assert one.before[1]["text/html"].startswith('<progress value="5" max="10"></progress> fetching rows: 5 of 10')
    assert one.content == {"text/html": "", "text/plain": ""}


def test_rows_are_told_every_little_while_and_all_come() -> None:
    told: list[Progress] = []
    ticks = count()
    batches = list(fetched(rows([2, 3, 5]), 10, show=told.append, clock=lambda: float(next(ticks))))
    assert [batch.num_rows for batch in batches] == [2, 3, 5]
    assert [(one.rows, one.total, one.seconds) for one in told] == [(2, 10, 1.0), (5, 10, 2.0), (10, 10, 3.0)]
    # What is over soon says nothing.
    told.clear()
    assert len(list(fetched(rows([2, 3, 5]), 10, show=told.append, clock=lambda: 0.0))) == 3
    assert told == []


def test_waiting_tells_state_and_time_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([State.QUEUED, State.RUNNING, State.RUNNING, State.SUCCEEDED])
    ticks = count()

    def look(seen: Seen) -> Seen:
        return replace(seen, state=next(states))

    with terminal(monkeypatch) as seen:
        found = ended(lambda: Seen(State.QUEUED), look, print, where="this home", clock=lambda: float(next(ticks)))
    assert found.state is State.SUCCEEDED
    told = seen.told()
    assert [one[one.find("  ") + 2 :] for one in told[:-1]] == [
        "queued on this home for 1 s - Ctrl-C cancels",
        "running on this home for 2 s - Ctrl-C cancels",
        "running on this home for 3 s - Ctrl-C cancels",
    ]
    assert told[-1] == ""


def test_a_moving_bar_moves_and_a_full_one_is_full() -> None:
    moving = {bar(Progress("running", seconds / 10)) for seconds in range(200)}
    assert len(moving) == 19
    assert {len(one) for one in moving} == {24}
    assert bar(Progress("fetching rows", 1.0, 7, 7)) == "━" * 24
    assert bar(Progress("fetching rows", 1.0, 0, 7)) == "─" * 24
    assert sentence(Progress("fetching rows", 0.0, 0, 7)) == "fetching rows: 0 of 7 (0 %), 0/s, 0 s left"
