"""Limits, audit and counts, as questions meet them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from athena.accounting import usage
from athena.ask import ask, at_once, cancel, look, wait
from athena.errors import LakegateError, LimitExceeded, NotFound, Refused
from athena.flights import Flight
from athena.flights.memory import MemoryFlights
from athena.lake import Lake
from athena.question import OWNER, Answer, Caller, Question, State
from tests.athena.test_ask import COUNT, UA
from tests.clock import SetClock
from tests.lakes import FLIGHTS, CountingEngine, Home, eventually, question

PARTNER = Caller("united")
ALL = "[datasets.flights]"
ANOTHER = "SELECT carrier FROM flights"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no minute and no day ends while a test counts what was asked in it."""
    made = Home(tmp_path, SetClock())
    yield made
    made.tables.close()


def done(lake: Lake, asked: Question) -> Answer:
    return wait(lake, asked.caller, ask(lake, asked).id, seconds=120)


def asked(sql: str, partner: str = "united") -> Question:
    return question(sql, partner=partner)


def audited(lake: Lake) -> list[dict[str, object]]:
    lake.clerk.write()
    return [orjson.loads(line) for line in (lake.settings.audit / "audit.jsonl").read_bytes().splitlines()]


def refused(lake: Lake, sql: str, partner: str = "united") -> LakegateError:
    with pytest.raises(LakegateError) as caught:
        ask(lake, asked(sql, partner))
    return caught.value


def test_hits_count_for_the_rate(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "queries_per_minute = 3")
    done(lake, asked(COUNT))
    answers = [ask(lake, asked(COUNT)) for _ in range(2)]
    assert [answer.cache for answer in answers] == ["hit", "hit"]
    assert answers[1].rate is not None and (answers[1].rate.most, answers[1].rate.left) == (3, 0)
    assert refused(lake, COUNT).code == "rate-limit"
    assert at_once(lake, asked(COUNT), most_page_bytes=9999) is None


def test_what_cannot_be_parsed_counts_for_the_rate(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "queries_per_minute = 2")
    assert [refused(lake, "SELEC").code for _ in range(3)] == ["sql-syntax", "sql-syntax", "rate-limit"]


def test_one_partners_limit_is_not_anothers(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "queries_per_minute = 0")
    home.grant("delta", ALL, "[limits]", "queries_per_minute = 1")
    assert refused(lake, COUNT).code == "rate-limit"
    assert done(lake, asked(COUNT, "delta")).state is State.SUCCEEDED
    rate = ask(lake, question(COUNT)).rate
    assert rate is not None and rate.most is None


def test_runs_beyond_the_slots_are_refused_and_hits_and_joins_are_not(
    home: Home, lake: Lake, engine: CountingEngine
) -> None:
    home.grant("united", ALL, "[limits]", "concurrent_queries = 1")
    done(lake, asked(COUNT))
    engine.hold()
    running = ask(lake, asked(ANOTHER))
    error = refused(lake, "SELECT origin FROM flights")
    assert isinstance(error, LimitExceeded) and error.code == "too-many-running"
    assert ask(lake, asked(COUNT)).cache == "hit"
    assert ask(lake, asked(ANOTHER)).cache == "joined"
    engine.let_go()
    wait(lake, PARTNER, running.id, seconds=120)
    assert done(lake, asked("SELECT origin FROM flights")).state is State.SUCCEEDED


class EndsWhenSeen(MemoryFlights):
    """Whatever is under way ends right after it was looked at."""

    def get(self, fingerprint: str, attempt: int | None = None) -> Flight | None:
        known = super().get(fingerprint, attempt)
        if known is not None and known.state is State.RUNNING:
            self.fail(known, "engine-lost")
        return known


def test_who_would_join_a_run_that_ends_in_that_instant_needs_a_slot_to_lead(
    home: Home, lake: Lake, engine: CountingEngine
) -> None:
    home.grant("united", ALL, "[limits]", "concurrent_queries = 1")
    racing = replace(lake, flights=EndsWhenSeen(lake.clock))
    engine.hold()
    ask(racing, asked(ANOTHER))
    eventually(lambda: bool(engine.started))
    assert refused(racing, ANOTHER).code == "too-many-running"
    home.grant("united", ALL, "[limits]", "concurrent_queries = 2")
    again = ask(racing, asked(ANOTHER))
    assert again.cache == "miss"
    assert refused(racing, "SELECT origin FROM flights").code == "too-many-running"
    engine.let_go()


def test_the_leaders_byte_limit_is_not_told_to_who_joined(lake: Lake, engine: CountingEngine) -> None:
    engine.hold()
    first, second = ask(lake, question(COUNT)), ask(lake, question(COUNT))
    flight = lake.flights.get(first.fingerprint)
    assert flight is not None and lake.flights.fail(flight, "scan-limit")
    assert look(lake, OWNER, first.id).error_code == "scan-limit"
    assert look(lake, OWNER, second.id).error_code == "joined-run-ended"
    engine.let_go()


def test_a_cancelled_run_frees_its_slot(home: Home, lake: Lake, engine: CountingEngine) -> None:
    home.grant("united", ALL, "[limits]", "concurrent_queries = 1")
    engine.hold()
    running = ask(lake, asked(ANOTHER))
    eventually(lambda: bool(engine.started))
    cancel(lake, PARTNER, running.id)
    engine.let_go()

    def free() -> bool:
        try:
            ask(lake, asked(COUNT))
        except LimitExceeded:
            return False
        return True

    eventually(free)


def test_a_question_that_would_read_too_much_is_not_begun(home: Home, lake: Lake, engine: CountingEngine) -> None:
    home.grant("united", ALL, "[limits]", "bytes_scanned_per_query = 1")
    error = refused(lake, ANOTHER)
    assert isinstance(error, Refused) and error.code == "scan-limit"
    assert not engine.started
    home.grant("united", ALL, "[limits]", "bytes_scanned_per_query = 100000")
    assert done(lake, asked(ANOTHER)).state is State.SUCCEEDED


def test_fewer_columns_are_fewer_bytes(home: Home, lake: Lake, engine: CountingEngine) -> None:
    done(lake, question("SELECT carrier FROM flights"))
    done(lake, question("SELECT carrier, origin FROM flights"))
    few, many = (engine.estimate(job, {}) for job in engine.started)
    assert few is not None and many is not None and 0 < few < many


def test_the_estimate_over_hidden_rows_does_not_depend_on_the_question(
    home: Home, lake: Lake, engine: CountingEngine
) -> None:
    home.publish(lake, home.tables.append("flights", FLIGHTS))
    near, far = "SELECT carrier FROM flights WHERE dep_delay > 0", "SELECT carrier FROM flights WHERE dep_delay > 9999"
    for sql in (near, far):
        done(lake, question(sql))
    open_to_all = [engine.estimate(job, {}) for job in engine.started]
    filtered = [engine.estimate(job, {"flights": "carrier = 'UA'"}) for job in engine.started]
    assert open_to_all[1] == 0 and open_to_all[0] != 0
    assert filtered[0] == filtered[1] != 0


def test_the_days_bytes_end_and_what_is_cached_stays_to_be_had(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "bytes_scanned_per_day = 15000000")
    done(lake, asked(COUNT))
    error = refused(lake, ANOTHER)
    assert isinstance(error, LimitExceeded) and error.code == "daily-bytes"
    assert 0 < error.retry_after_seconds <= 86_400
    assert ask(lake, asked(COUNT)).cache == "hit"


def test_joining_costs_no_bytes(home: Home, lake: Lake, engine: CountingEngine) -> None:
    home.grant("united", ALL, "[limits]", "bytes_scanned_per_day = 10000000")
    engine.hold()
    first = ask(lake, asked(ANOTHER))
    assert ask(lake, asked(ANOTHER)).cache == "joined"
    engine.let_go()
    assert wait(lake, PARTNER, first.id, seconds=120).state is State.SUCCEEDED


def test_an_answer_that_is_too_old_for_the_asker_is_made_anew(lake: Lake, engine: CountingEngine) -> None:
    done(lake, question(COUNT))
    fresh = Question(OWNER, COUNT, max_age_seconds=3600)
    assert ask(lake, fresh).cache == "hit"
    old = Question(OWNER, COUNT, max_age_seconds=-1)
    assert at_once(lake, old, most_page_bytes=9999) is None
    assert done(lake, old).cache == "miss"
    assert len(engine.started) == 2


def test_every_question_leaves_one_line_without_its_literals(home: Home, lake: Lake) -> None:
    home.grant("united", UA)
    secret = "SELECT carrier FROM flights WHERE carrier <> 'hush-hush'"
    answer = done(lake, Question(PARTNER, secret, request_id="r1"))
    ask(lake, Question(PARTNER, secret, request_id="r2"))
    assert at_once(lake, Question(PARTNER, secret, request_id="r3"), most_page_bytes=9999) is not None
    refused(lake, "SELECT 'hush-hush' FROM weather")
    with pytest.raises(NotFound):
        ask(lake, asked(COUNT, "stranger"))
    eventually(lambda: any(line["event"] == "run" for line in audited(lake)))
    lines = audited(lake)
    questions = [line for line in lines if line["event"] == "question"]
    assert [line["request_id"] for line in questions] == ["r1", "r2", "r3", "", ""]
    assert [line["cache"] for line in questions] == ["miss", "hit", "hit", None, None]
    assert [line["outcome"] for line in questions][-3:] == ["answered", "not-found", "not-found"]
    assert [line["partner"] for line in questions][-2:] == ["united", "stranger"]
    assert questions[0]["tables"] == ["flights"] and questions[0]["fingerprint"] == answer.fingerprint
    (run,) = [line for line in lines if line["event"] == "run"]
    assert (run["fingerprint"], run["outcome"], run["partner"]) == (answer.fingerprint, "succeeded", "united")
    assert isinstance(run["scanned_bytes"], int) and run["scanned_bytes"] > 0
    assert b"hush" not in (lake.settings.audit / "audit.jsonl").read_bytes()


def test_usage_tells_a_partner_their_own_counts(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "queries_per_minute = 100")
    home.grant("delta", UA)
    done(lake, asked(COUNT))
    ask(lake, asked(COUNT))
    ask(lake, asked(COUNT))
    refused(lake, "SELEC")
    done(lake, asked(COUNT, "delta"))
    eventually(lambda: usage(lake, PARTNER).today.scanned_bytes == 10_000_000)
    mine = usage(lake, PARTNER)
    assert (mine.today.questions, mine.today.hit, mine.today.miss, mine.today.refused) == (4, 2, 1, 1)
    assert mine.today.hit_rate == 0.6667
    assert mine.all_days == mine.today
    assert mine.minute_used >= 4
    assert mine.limits is not None and mine.limits.queries_per_minute == 100
    assert usage(lake, Caller("delta")).today.questions == 1
    assert usage(lake, OWNER).today.questions == 0


def test_no_bytes_are_told_to_whom_rows_are_hidden(home: Home, lake: Lake) -> None:
    home.grant("delta", UA)
    done(lake, asked(COUNT, "delta"))
    assert usage(lake, Caller("delta")).today.scanned_bytes is None


def test_another_process_counts_into_the_same_account(home: Home, lake: Lake) -> None:
    home.grant("united", ALL, "[limits]", "queries_per_minute = 2")
    done(lake, asked(COUNT))
    with home.opened() as (other, _):
        assert ask(other, asked(COUNT)).cache == "hit"
        assert refused(other, COUNT).code == "rate-limit"
    assert refused(lake, COUNT).code == "rate-limit"
    assert usage(lake, PARTNER).today.hit == 1
    assert look(lake, OWNER, done(lake, question(COUNT)).id).rate is None
