"""The read story from question to answer: asked once, computed once, and only for who may see it."""

import os
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from athena import ask as story
from athena.ask import ask, cancel, look, on_done, page, result_file, wait
from athena.engines import Broken
from athena.errors import Gone, LakegateError, NotFound, Refused
from athena.failures import explained
from athena.forms import Form
from athena.lake import Lake
from athena.question import OWNER, Answer, Caller, Question, State
from tests.lakes import FLIGHTS, CountingEngine, Home, eventually, question, rows

COUNT = "SELECT count(*) AS n FROM flights"
UA = '[datasets.flights]\nrows = "carrier = \'UA\'"\ncolumns = ["*", "!origin"]'


def csv(lake: Lake, answer_id: str) -> bytes:
    """The owner's whole answer."""
    flow = story.stream(lake, OWNER, answer_id, form=Form.CSV)
    assert flow is not None
    return b"".join(flow.chunks)


def done(lake: Lake, asked: Question) -> Answer:
    answer = ask(lake, asked)
    return wait(lake, asked.caller, answer.id, seconds=120)


def test_a_question_ends_in_rows(lake: Lake) -> None:
    answer = done(lake, question("SELECT carrier, dep_delay FROM flights WHERE dep_delay > 0 ORDER BY dep_delay"))
    assert (answer.state, answer.cache, rows(answer)) == (State.SUCCEEDED, "miss", [["UA", 5], ["AA", 7]])
    assert answer.snapshots["flights"].snapshot_id
    assert answer.receipt is not None
    assert answer.expires_at > answer.submitted_at


def test_the_same_question_twice_is_computed_once(lake: Lake, engine: CountingEngine) -> None:
    first = done(lake, question(COUNT))
    second = ask(lake, question(COUNT))
    assert (second.state, second.cache, rows(second)) == (State.SUCCEEDED, "hit", [["3"]])
    assert second.fingerprint == first.fingerprint
    assert second.id != first.id
    assert second.snapshots == first.snapshots
    assert len(engine.started) == 1


def test_new_rows_are_a_new_question_at_once(home: Home, lake: Lake, engine: CountingEngine) -> None:
    first = done(lake, question(COUNT))
    home.publish(lake, home.tables.append("flights", FLIGHTS))
    second = done(lake, question(COUNT))
    assert (second.cache, rows(second)) == ("miss", [["6"]])
    assert second.fingerprint != first.fingerprint
    assert rows(look(lake, OWNER, first.id)) == [["3"]]


def test_compaction_does_not_empty_the_cache(home: Home, lake: Lake, engine: CountingEngine) -> None:
    done(lake, question(COUNT))
    head = lake.heads.get("flights")
    assert head is not None
    home.publish(lake, replace(head, snapshot_id="12345", metadata_location=head.metadata_location))
    assert ask(lake, question(COUNT)).cache == "hit"
    assert len(engine.started) == 1


def test_refresh_computes_anew_and_becomes_the_answer(lake: Lake, engine: CountingEngine) -> None:
    done(lake, question(COUNT))
    anew = done(lake, replace(question(COUNT), cache="refresh"))
    assert anew.cache == "miss"
    assert ask(lake, question(COUNT)).cache == "hit"
    assert len(engine.started) == 2


def test_a_volatile_question_is_never_shared(lake: Lake, engine: CountingEngine) -> None:
    asked = question("SELECT random() AS x FROM flights")
    answers = [done(lake, asked), done(lake, asked)]
    assert [answer.cache for answer in answers] == ["bypass", "bypass"]
    assert answers[0].fingerprint != answers[1].fingerprint
    assert len(engine.started) == 2


def test_a_failure_is_told_as_a_code_and_not_cached(lake: Lake, engine: CountingEngine) -> None:
    asked = question("SELECT CAST(carrier AS integer) AS n FROM flights")
    for _ in range(2):
        answer = done(lake, asked)
        assert (answer.state, answer.error_code, answer.page) == (State.FAILED, "cast-failed", None)
    assert len(engine.started) == 2
    with pytest.raises(Refused) as caught:
        page(lake, OWNER, answer.id)
    assert caught.value.code == "cast-failed"
    assert explained(answer.error_code).remedy == caught.value.remedy


def test_a_lost_snapshot_is_pinned_anew_once(lake: Lake, engine: CountingEngine) -> None:
    engine.scripted = [Broken("snapshot-gone")]
    answer = done(lake, question(COUNT))
    assert rows(answer) == [["3"]]
    assert len({job.token for job in engine.started}) == 2
    engine.scripted = [Broken("snapshot-gone"), Broken("snapshot-gone")]
    assert done(lake, replace(question(COUNT), cache="refresh")).error_code == "snapshot-gone"


def test_an_answer_computed_on_other_rows_than_its_key_says_is_not_used(
    home: Home, lake: Lake, engine: CountingEngine
) -> None:
    """The table moved on while a lost snapshot was pinned anew."""
    before = lake.heads.get("flights")
    assert before is not None
    engine.hold()
    first = ask(lake, question(COUNT))
    after = home.publish(lake, home.tables.append("flights", FLIGHTS))
    engine.scripted = [Broken("snapshot-gone")]
    engine.let_go()
    moved = wait(lake, OWNER, first.id, seconds=120)
    assert (rows(moved), moved.snapshots["flights"].snapshot_id) == ([["6"]], after.snapshot_id)
    home.publish(lake, before)
    again = done(lake, question(COUNT))
    assert (again.fingerprint, again.cache, rows(again)) == (first.fingerprint, "miss", [["3"]])


def test_a_result_that_was_deleted_is_a_miss_that_heals(lake: Lake, engine: CountingEngine) -> None:
    first = done(lake, question(COUNT))
    assert first.receipt is not None
    lake.results.path(first.receipt).unlink()
    with pytest.raises(Gone):
        result_file(lake, OWNER, first.id)
    again = done(lake, question(COUNT))
    assert (again.cache, rows(again)) == ("miss", [["3"]])
    assert ask(lake, question(COUNT)).cache == "hit"
    assert len(engine.started) == 2


def test_a_damaged_result_is_a_miss_that_heals(lake: Lake) -> None:
    asked = question("SELECT carrier FROM flights")
    first = done(lake, asked)
    assert first.receipt is not None
    path = lake.results.path(first.receipt)
    path.chmod(0o600)
    path.write_bytes(b"x" * first.receipt.size_bytes)
    with pytest.raises(Gone) as caught:
        page(lake, OWNER, first.id, token=first.next)
    assert caught.value.code == "result-gone"
    again = done(lake, asked)
    assert again.cache == "miss"
    assert page(lake, OWNER, again.id, token=again.next).page.row_count == 1


def test_pages_in_sequence_make_the_whole(lake: Lake) -> None:
    answer = done(lake, question("SELECT carrier, origin FROM flights ORDER BY origin"))
    assert (answer.page and answer.page.row_count) == 2
    assert answer.next is not None
    last = page(lake, OWNER, answer.id, token=answer.next)
    assert last.next is None
    assert orjson.loads(b"{" + last.page.fragment + b"}")["rows"] == [["AA", "LGA"]]
    first = page(lake, OWNER, answer.id, limit=2, form=Form.CSV)
    rest = page(lake, OWNER, answer.id, token=first.next, limit=2, form=Form.CSV)
    assert first.page.fragment + rest.page.fragment == b"carrier,origin\r\n,EWR\r\nUA,JFK\r\nAA,LGA\r\n"
    assert csv(lake, answer.id) == first.page.fragment + rest.page.fragment
    small = page(lake, OWNER, answer.id, limit=1)
    assert (small.page.row_count, small.next is None) == (1, False)


def test_a_token_of_another_answer_is_no_page(lake: Lake) -> None:
    asked = question("SELECT carrier FROM flights")
    first, second = done(lake, asked), ask(lake, asked)
    with pytest.raises(NotFound):
        page(lake, OWNER, second.id, token=first.next)


def test_the_limit_is_told_and_part_of_the_key(lake: Lake, engine: CountingEngine) -> None:
    short = done(lake, Question(OWNER, "SELECT carrier FROM flights", limit=1))
    assert short.receipt is not None
    assert (short.receipt.row_count, short.receipt.truncated) == (1, True)
    assert done(lake, question("SELECT carrier FROM flights")).cache == "miss"
    with pytest.raises(Refused) as caught:
        ask(lake, Question(OWNER, COUNT, limit=0))
    assert caught.value.code == "limit-invalid"


def test_parameters_are_part_of_the_key(lake: Lake, engine: CountingEngine) -> None:
    sql = "SELECT carrier FROM flights WHERE dep_delay > ?"
    assert rows(done(lake, question(sql, parameters=(6,)))) == [["AA"]]
    assert len(rows(done(lake, question(sql, parameters=(0,))))) == 2
    assert len(engine.started) == 2


def test_partners_see_their_rows_and_columns_alone(home: Home, lake: Lake) -> None:
    home.grant("united", UA)
    assert rows(done(lake, question(COUNT, partner="united"))) == [["1"]]
    assert rows(done(lake, question(COUNT))) == [["3"]]
    for hidden in ("SELECT origin FROM flights", "SELECT 1 AS x FROM nothing", "SELECT nothing FROM flights"):
        with pytest.raises(NotFound):
            ask(lake, question(hidden, partner="united"))


def test_equal_grants_share_an_answer_and_unequal_ones_never(home: Home, lake: Lake, engine: CountingEngine) -> None:
    home.grant("united", UA)
    home.grant("twin", UA)
    home.grant("delta", UA.replace("UA", "DL"))
    assert done(lake, question(COUNT, partner="united")).cache == "miss"
    assert ask(lake, question(COUNT, partner="twin")).cache == "hit"
    assert rows(done(lake, question(COUNT, partner="delta"))) == [["0"]]
    assert len(engine.started) == 2


def test_without_a_grant_there_is_nothing(home: Home, lake: Lake) -> None:
    with pytest.raises(NotFound):
        ask(lake, question(COUNT, partner="nobody"))


def test_an_answer_exists_for_its_asker_alone(home: Home, lake: Lake) -> None:
    home.grant("united", UA)
    home.grant("twin", UA)
    answer = done(lake, question(COUNT, partner="united"))
    for caller in (Caller("twin"), OWNER):
        for attempt in (look, cancel, page, result_file):
            with pytest.raises(NotFound):
                attempt(lake, caller, answer.id)
        with pytest.raises(NotFound):
            on_done(lake, caller, answer.id, lambda: None)


def test_an_edited_or_revoked_grant_ends_older_answers(home: Home, lake: Lake) -> None:
    home.grant("united", UA)
    united = Caller("united")
    answer = done(lake, question(COUNT, partner="united"))
    home.grant("united", UA.replace("origin", "dep_delay"))
    for attempt in (look, page, cancel, result_file):
        with pytest.raises(Gone) as caught:
            attempt(lake, united, answer.id)
        assert caught.value.code == "grant-changed"
    home.revoke("united")
    with pytest.raises(Gone):
        look(lake, united, answer.id)


def test_who_asks_while_it_runs_joins(lake: Lake, engine: CountingEngine) -> None:
    engine.hold()
    first, second = ask(lake, question(COUNT)), ask(lake, question(COUNT))
    assert (first.cache, second.cache) == ("miss", "joined")
    assert not second.state.final
    with pytest.raises(Refused) as caught:
        page(lake, OWNER, second.id)
    assert caught.value.code == "answer-not-ready"
    engine.let_go()
    assert [rows(wait(lake, OWNER, answer.id, seconds=120)) for answer in (first, second)] == [[["3"]], [["3"]]]
    assert len(engine.started) == 1


def test_the_engine_stops_only_when_nobody_is_left(lake: Lake, engine: CountingEngine) -> None:
    engine.hold()
    first, second = ask(lake, question(COUNT)), ask(lake, question(COUNT))
    assert cancel(lake, OWNER, first.id).state is State.CANCELLED
    assert not look(lake, OWNER, second.id).state.final
    assert engine.stopped == []
    assert cancel(lake, OWNER, second.id).state is State.CANCELLED
    assert wait(lake, OWNER, second.id, seconds=120).state is State.CANCELLED
    eventually(lambda: len(engine.stopped) == 1)
    engine.let_go()
    assert done(lake, question(COUNT)).state is State.SUCCEEDED


def test_a_final_answer_cannot_be_cancelled(lake: Lake) -> None:
    first = done(lake, question(COUNT))
    hit = ask(lake, question(COUNT))
    assert [cancel(lake, OWNER, answer.id).state for answer in (first, hit)] == [State.SUCCEEDED] * 2


def test_waiting_is_bounded_in_time(lake: Lake, engine: CountingEngine) -> None:
    engine.hold()
    answer = ask(lake, question(COUNT))
    began = time.monotonic()
    assert not wait(lake, OWNER, answer.id, seconds=0.05).state.final
    assert time.monotonic() - began < 120


def test_without_the_store_the_question_runs_alone(home: Home, lake: Lake, engine: CountingEngine) -> None:
    home.settings.cache.write_bytes(os.urandom(4096))
    answers = [done(lake, question(COUNT)), done(lake, question(COUNT))]
    assert [(answer.cache, rows(answer)) for answer in answers] == [("bypass", [["3"]])] * 2
    assert csv(lake, answers[0].id) == b"n\r\n3\r\n"


def test_memory_of_plans_is_keyed_by_the_grant(home: Home, lake: Lake) -> None:
    home.grant("united", UA)
    assert rows(done(lake, question(COUNT, partner="united"))) == [["1"]]
    home.grant("united", UA.replace("UA", "AA"))
    assert rows(done(lake, question("SELECT max(dep_delay) AS m FROM flights", partner="united"))) == [[7]]
    home.grant("united", UA)
    assert rows(done(lake, question("SELECT max(dep_delay) AS m FROM flights", partner="united"))) == [[5]]


def test_a_refusal_says_what_to_do(lake: Lake) -> None:
    with pytest.raises(LakegateError) as caught:
        ask(lake, question("DROP TABLE flights"))
    assert caught.value.code in ("sql-syntax", "sql-unsupported")
    assert caught.value.remedy


def test_the_story_is_one_short_function() -> None:
    source = Path(story.__file__).read_text()
    body = source.split("def ask(")[1].split("\n\n\n")[0]
    assert len(body.splitlines()) <= 30
