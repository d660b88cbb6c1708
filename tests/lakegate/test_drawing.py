"""Answers drawn in the terminal."""

from pathlib import Path

import pytest

from athena.errors import Refused
from lakegate.drawing import drawing
from tests.lakegate.conftest import Command


def test_few_values_are_bars_and_many_are_a_chart() -> None:
    few = drawing(["name", "n"], [["a", 4], ["b", -2], [None, None]], [False, True], width=30)
    assert few.splitlines() == ["n by name", "a        4 " + "█" * 19, "b       -2 " + "▒" * 10, "NULL  NULL"]
    many = drawing(["day", "n"], [[str(at), at] for at in range(100)], [False, True], width=60).splitlines()
    assert len(many) == 14 and all(len(line) <= 61 for line in many)
    assert many[1].startswith("99 │") and many[-2].startswith(" 0 │") and many[-1].split() == ["0", "99"]


def test_values_that_are_not_finite_do_not_break_the_picture() -> None:
    shown = drawing(["x", "n"], [["a", None], ["b", "1e400"], ["c", 1]], [False, True], width=40)
    assert "NULL" in shown and "inf" in shown


def test_without_numbers_there_is_nothing_to_draw() -> None:
    for rows in ([], [["a", "b"]]):
        with pytest.raises(Refused, match="nothing to draw"):
            drawing(["a", "b"], rows, [False, False], width=40)


def test_the_command_draws_and_profiles(lakegate: Command, stays_home: Path) -> None:
    asked = "SELECT hotel, sum(guests) AS guests FROM stays GROUP BY 1 ORDER BY 1"
    done = lakegate("query", asked, "--plot", "--home", stays_home)
    assert done.code == 0 and done.out.splitlines()[0] == "guests by hotel" and "█" in done.out
    assert lakegate("query", asked, "--plot", "--format", "csv", "--home", stays_home).code == 2
    done = lakegate("describe", "stays", "--profile", "--home", stays_home)
    assert done.code == 0 and "guests" in done.out and "█" in done.out
    told = lakegate("describe", "stays", "--profile", "--json", "--home", stays_home)
    assert '"histogram"' in told.out and told.err == ""
