"""The corpus once more, through the whole read story: real tables, grants as files, the engine in its child."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from athena.ask import ask, wait
from athena.entitlement import not_found
from athena.errors import LakegateError
from athena.grants.files import write_grant
from athena.lake import Lake
from athena.question import Answer, State
from tests.athena.cases import Case, cases
from tests.athena.granted import GRANTS, HEADS, ROWS, hidden_marks, store
from tests.lakes import Home, question

# Every kind of failure that hidden rows could cause, and some of everything else.
_ALL = cases("hostile")
CASES = [case for case in _ALL if case.id.startswith("errors:")][::4] + _ALL[::17]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder: Path = tmp_path_factory.mktemp("asked")
    files = store(folder / "files", ROWS, HEADS)
    home = Home(folder / "home")
    for grant in GRANTS.values():
        write_grant(home.settings.partners, grant)
    with home.opened() as (opened, _):
        for name in HEADS:
            head = home.tables.append(name, pq.read_table(files / f"{name}.parquet"))
            pairs = zip(head.columns, HEADS[name].columns, strict=True)
            columns = tuple(replace(each, sensitive=promised.sensitive) for each, promised in pairs)
            home.publish(opened, replace(head, columns=columns))
        yield opened
    home.tables.close()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in {case.id: case for case in CASES}.values()]
)
def test_nothing_hidden_comes_back_from_the_whole_story(lake: Lake, case: Case) -> None:
    for partner in GRANTS:
        kind, _ = case.expected.get(partner) or case.expected["*"]
        text, answer = _asked(lake, partner, case.sql)
        assert not [mark for mark in hidden_marks(partner) if mark in text]
        if kind == "not-found":
            assert text == str(not_found())
        elif kind in ("refused", "syntax", "refused-parameters"):
            assert answer is None
        elif kind == "fails":
            assert answer is not None
            assert answer.state == State.FAILED
        else:
            assert answer is not None
            assert answer.state == State.SUCCEEDED or answer.error_code in _OF_THE_QUESTION


_OF_THE_QUESTION = {"cast-failed", "division-by-zero", "out-of-range", "bad-argument", "subquery-rows"}


def _asked(lake: Lake, partner: str, sql: str) -> tuple[str, Answer | None]:
    asked = question(sql, partner=partner)
    try:
        answer = wait(lake, asked.caller, ask(lake, asked).id, seconds=120)
    except LakegateError as error:
        return str(error), None
    page = answer.page.fragment.decode() if answer.page is not None else ""
    return f"{page} {answer.error_code} {answer.warnings}", answer
