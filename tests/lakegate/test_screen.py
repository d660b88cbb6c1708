"""What is shown is what is there: NULL told from text, nothing cut in a pipe, no control characters."""

import json

import pytest

from athena.errors import Refused
from lakegate.screen import Label, cell_text, print_error, print_json, print_table, progress_bar, visible


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
