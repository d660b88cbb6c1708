"""What is shown is what is there: NULL told from text, nothing cut in a pipe, no control characters."""

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout

import pytest

from athena.errors import Refused
from lakegate.bar import progress_bar
from lakegate.screen import Label, cell_text, print_error, print_json, print_table, visible


def test_a_pipe_gets_whole_cells_on_one_line_each(capfd: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "n"), [("x" * 500, 1), ("y", 22)], right=(False, True))
    head, rule, long, short = capfd.readouterr().out.splitlines()
    assert head.split() == ["name", "n"]
    assert set(rule.strip()) == {"─"}
    assert long.split() == ["x" * 500, "1"]
    assert short.endswith(" 22")
    assert short.startswith("y")


def test_null_the_empty_text_and_the_text_null_are_three_things() -> None:
    assert len({cell_text(value) for value in (None, "", "NULL", Label(""), "null")}) == 5


def test_data_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202eevil\r"
    print_table((hostile,), [(hostile,)])
    print_error(Refused(hostile, "Do not."))
    shown = capfd.readouterr()
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(shown.out + shown.err)


def test_markup_in_data_is_text(capfd: pytest.CaptureFixture[str]) -> None:
    print_table(("[bold]a[/bold]",), [("[red]b[/red] :smile: https://example.org",)])
    out = capfd.readouterr().out
    assert "[bold]a[/bold]" in out
    assert "[red]b[/red] :smile: https://example.org" in out


def test_json_is_one_document_in_plain_unicode(capfd: pytest.CaptureFixture[str]) -> None:
    print_json({"city": "Zürich", "n": None})
    out = capfd.readouterr().out
    assert "Zürich" in out
    assert json.loads(out) == {"city": "Zürich", "n": None}


def test_there_is_no_progress_bar_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as told:
        assert told is None
    assert capfd.readouterr() == ("", "")


def test_what_is_printable_stays() -> None:
    assert visible("Łódź ✈ 東京\n") == "Łódź ✈ 東京\n"


class Terminal(io.StringIO):
    """A screen of 60 columns."""

    def isatty(self) -> bool:
        return True


def on_terminal(
    monkeypatch: pytest.MonkeyPatch, names: list[str], rows: list[list[object]], right: list[bool] | None = None
) -> str:
    """What a table looks like there, styles left out."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    with redirect_stdout(Terminal()) as terminal:
        print_table(names, rows, right=right)
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())


def test_a_long_text_is_folded_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_terminal(monkeypatch, ["n", "raw"], [[1, "x" * 100]], [True, False])
    assert max(len(line) for line in shown.splitlines()) <= 60
    assert shown.count("x") == 100


def test_more_columns_than_a_terminal_holds_become_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"column_{number}" for number in range(20)]
    lines = on_terminal(monkeypatch, names, [list(range(20)), [None, *range(1, 20)]]).splitlines()
    assert len(lines) == 2 * 21
    assert lines[0].startswith("── 1 ─")
    assert lines[1].split() == ["column_0", "0"]
    assert lines[21 + 1].split() == ["column_0", "NULL"]


def test_the_progress_bar_tells_rows_speed_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    with redirect_stderr(screen), progress_bar() as told:
        assert told is not None
        told("t/a.csv", 0, 20_000_000, 0)
        told("t/a.csv", 10_000_000, 20_000_000, 123_456)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    last = shown.split("t/a.csv")[-1]
    assert "123,456 rows" in last
    assert "5.0/10.0 MB" in last  # of two passes over ten
    assert re.search(r"MB/s|GB/s|\?", last)
    assert re.search(r"\d:\d\d:\d\d|-:--:--", last)


def test_the_progress_of_many_files_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    with redirect_stderr(screen), progress_bar(expected_bytes=300_000_000) as told:
        assert told is not None
        for number in range(200):
            told(f"t/{number}.csv", 2_000_000, 2_000_000, 10)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "t/199.csv (200 files)" in shown
    assert "2,000 rows" in shown
    assert "200.0/300.0 MB" in shown
    assert screen.getvalue().count("\n") < 100
