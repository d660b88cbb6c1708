"""What one statement may cost before it runs is bounded by the clock as well as by its size."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from athena.ask import ask
from athena.entitlement import entitle
from athena.errors import SqlRefused
from athena.lake import Lake
from athena.question import OWNER, Question
from athena.settings import HOME_FILE
from athena.sql.effort import effort, spend
from athena.statement import Statement, parse
from lakegate.home import init_home
from tests.athena.granted import HEADS


def looks(work: Callable[[], object]) -> int:
    """How often the clock is looked at while `work` goes on."""
    count = 0

    def clock() -> float:
        nonlocal count
        count += 1
        return 0.0

    with effort(1, clock=clock):
        work()
    return count


def nested(levels: int) -> str:
    sql = "SELECT 1 AS x"
    for _ in range(levels):
        sql = f"SELECT x + 1 AS x FROM ({sql})"
    return sql


def entitled(statement: Statement) -> object:
    return entitle(statement, None, HEADS, lake="lake", parameters=(), today=date(2026, 1, 1), salt="")


def test_every_part_of_a_statement_looks_at_the_clock() -> None:
    small, big = parse(nested(5)), parse(nested(10))
    assert looks(lambda: entitled(big)) - looks(lambda: entitled(small)) >= 10
    assert looks(lambda: parse(nested(5))) >= 4


@pytest.mark.parametrize("work", [lambda: parse(nested(3)), lambda: entitled(parse(nested(3)))])
def test_wherever_the_time_is_up_the_statement_is_refused(work: Callable[[], object]) -> None:
    for late in range(1, looks(work)):
        instants = iter([0.0] * late + [2.0] * 1000)
        with pytest.raises(SqlRefused) as refused, effort(1, clock=instants.__next__):
            work()
        assert refused.value.code == "sql-too-costly"


def test_outside_nothing_is_bounded() -> None:
    with effort(1, clock=iter([0.0, 0.5]).__next__):
        pass
    spend()


def test_a_question_beyond_the_setting_is_refused(tmp_path: Path) -> None:
    init_home(tmp_path)
    with (tmp_path / HOME_FILE).open("a") as settings:
        settings.write("\nstatement_seconds = 0.001\n")
    with Lake.embedded(tmp_path) as lake, pytest.raises(SqlRefused) as refused:
        ask(lake, Question(OWNER, f"SELECT {' + '.join(['x'] * 2_000)} FROM (VALUES 1) AS t(x)"))
    assert refused.value.code == "sql-too-costly"
