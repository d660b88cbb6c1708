"""What may be answered without a thread: only what is remembered, and only as it is granted and loaded now."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from athena.ask import ask, at_once, page, wait
from athena.errors import NotFound
from athena.lake import Lake
from athena.question import Answer, Caller, Question
from tests.lakes import FLIGHTS, CountingEngine, Home, question, rows

UNITED = "united"
COUNT = "SELECT count(*) AS n FROM flights"
UA = "[datasets.flights]\nrows = \"carrier = 'UA'\""
AA = "[datasets.flights]\nrows = \"carrier = 'AA'\""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    made.grant(UNITED, UA)
    yield made
    made.tables.close()


def asked(lake: Lake, what: Question) -> Answer:
    return wait(lake, what.caller, ask(lake, what).id, seconds=120)


def test_it_is_the_answer_that_asking_gives(lake: Lake) -> None:
    first = asked(lake, question(COUNT, partner=UNITED))
    known, again = at_once(lake, question(COUNT, partner=UNITED)), ask(lake, question(COUNT, partner=UNITED))
    assert known is not None
    assert known.cache == again.cache == "hit"
    assert known.id not in (first.id, again.id)
    same = {"id": "", "submitted_at": first.submitted_at}
    assert replace(known, **same) == replace(again, **same)  # type: ignore[arg-type]
    assert rows(known) == [["1"]]
    assert page(lake, Caller(UNITED), known.id).page == known.page


def test_what_was_never_asked_here_is_not_begun(opened: tuple[Lake, CountingEngine]) -> None:
    lake, engine = opened
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    assert engine.started == []
    asked(lake, question(COUNT, partner=UNITED))
    assert at_once(lake, question(COUNT)) is None, "another caller, another plan"
    assert len(engine.started) == 1


def test_another_process_knows_the_answer_once_it_has_made_the_plan(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    with home.opened() as (other, engine):
        assert at_once(other, question(COUNT, partner=UNITED)) is None
        assert ask(other, question(COUNT, partner=UNITED)).cache == "hit"
        known = at_once(other, question(COUNT, partner=UNITED))
        assert known is not None
        assert rows(known) == [["1"]]
        assert engine.started == []


def test_a_revoked_grant_gets_nothing_and_an_edited_one_its_own(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    home.grant(UNITED, AA.replace("'AA'", "'AA' OR carrier = 'UA'"))
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    assert rows(asked(lake, question(COUNT, partner=UNITED))) == [["2"]]
    home.revoke(UNITED)
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    with pytest.raises(NotFound):
        ask(lake, question(COUNT, partner=UNITED))


def test_new_rows_and_half_done_commits_are_left_to_asking(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    lake.heads.intend("flights", "a-commit")
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    lake.heads.abandon("flights", "a-commit")
    assert at_once(lake, question(COUNT, partner=UNITED)) is not None
    home.publish(lake, home.tables.append("flights", FLIGHTS))
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    assert rows(asked(lake, question(COUNT, partner=UNITED))) == [["2"]]


def test_a_head_with_other_columns_is_another_plan_though_its_snapshot_is_the_same(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    head = lake.heads.get("flights")
    assert head is not None
    hidden = tuple(replace(column, sensitive=True) for column in head.columns)
    home.publish(lake, replace(head, columns=hidden))
    assert at_once(lake, question(COUNT, partner=UNITED)) is None


def test_a_result_that_is_gone_is_left_to_asking(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    for file in home.settings.results.glob("??/*.parquet"):
        file.unlink()
    assert at_once(lake, question(COUNT, partner=UNITED)) is None
    assert asked(lake, question(COUNT, partner=UNITED)).cache == "miss"


def test_an_emptied_cache_is_no_answer_from_memory(home: Home, lake: Lake) -> None:
    asked(lake, question(COUNT, partner=UNITED))
    assert at_once(lake, question(COUNT, partner=UNITED)) is not None
    connection = sqlite3.connect(home.settings.cache)
    with connection:
        connection.execute("DELETE FROM flights")
    connection.close()
    assert at_once(lake, question(COUNT, partner=UNITED)) is None


@pytest.mark.parametrize("sql", ["SELECT random() AS x FROM flights", "SELECT now() AS x FROM flights"])
def test_what_must_be_computed_each_time_is_left_to_asking(lake: Lake, sql: str) -> None:
    asked(lake, question(sql, partner=UNITED))
    assert at_once(lake, question(sql, partner=UNITED)) is None


def test_refresh_and_other_values_are_left_to_asking(lake: Lake) -> None:
    count = f"{COUNT} WHERE dep_delay > ?"
    asked(lake, question(count, partner=UNITED, parameters=(1,)))
    known = question(count, partner=UNITED, parameters=(1,))
    assert at_once(lake, known) is not None
    for other in (True, 1.0, "1", 2):
        assert at_once(lake, replace(known, parameters=(other,))) is None, other
    assert at_once(lake, replace(known, cache="refresh")) is None
    assert at_once(lake, replace(known, limit=1)) is None
