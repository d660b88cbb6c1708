"""One run for all who ask the same, across processes, whatever happens to the one that leads."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from athena.ask import ask, cancel, look, on_done, wait
from athena.errors import Busy
from athena.lake import Lake
from athena.question import OWNER, Answer, State
from athena.tower import Tower
from tests.lakes import FLIGHTS, CountingEngine, Home, eventually, question, rows

COUNT = "SELECT count(*) AS n FROM flights"
ROOT = Path(__file__).parents[2]

# Another process of the same home. It says how often it started the engine.
ASKER = """
import sys, threading
from pathlib import Path
from tests.lakes import Home, question, rows
from athena.ask import ask, wait
from athena.question import OWNER
home = Home(Path(sys.argv[1]), lease_seconds=float(sys.argv[2]))
with home.opened() as (lake, engine):
    if sys.argv[3] == "hold":
        engine.hold()
        print(ask(lake, question(sys.argv[4])).cache, flush=True)
        threading.Event().wait()
    print("ready", flush=True)
    sys.stdin.readline()
    answers = []
    def one():
        answer = ask(lake, question(sys.argv[4]))
        answers.append(rows(wait(lake, OWNER, answer.id, seconds=120)))
    threads = [threading.Thread(target=one) for _ in range(int(sys.argv[3]))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert answers == [answers[0]] * len(threads), answers
    print(len(engine.started), flush=True)
home.tables.close()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    with made.opened() as (lake, _):
        made.publish(lake, made.tables.append("flights", FLIGHTS))
    yield made
    made.tables.close()


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Whatever was started is gone afterwards."""
    with ExitStack() as started:
        yield started


def start(processes: ExitStack, home: Home, lease_seconds: float, mode: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", ASKER, str(home.folder), str(lease_seconds), mode, COUNT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    processes.enter_context(process)
    processes.callback(process.kill)
    return process


def says(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end_lease(lake: Lake, answer: Answer) -> None:
    """As if its leader had not been heard of for as long as the lease lasts."""
    flight = lake.flights.get(answer.fingerprint)
    assert flight is not None and lake.flights.beat(flight, lease_seconds=0)


@pytest.mark.parametrize(("count", "each"), [(3, 8), pytest.param(4, 50, marks=pytest.mark.long)])
def test_many_processes_that_ask_the_same_start_the_engine_once(
    home: Home, processes: ExitStack, count: int, each: int
) -> None:
    askers = [start(processes, home, 10, str(each)) for _ in range(count)]
    assert [says(asker) for asker in askers] == ["ready"] * count
    for asker in askers:
        assert asker.stdin is not None
        asker.stdin.write("go\n")
        asker.stdin.flush()
    assert sum(int(says(asker)) for asker in askers) == 1


def test_a_leader_that_is_killed_is_followed_by_exactly_one(home: Home, processes: ExitStack) -> None:
    leader = start(processes, home, 60, "hold")
    assert says(leader) == "miss"
    with home.opened() as (one, first), home.opened() as (other, second):
        joined = [ask(lake, question(COUNT)) for lake in (one, other)]
        assert [answer.cache for answer in joined] == ["joined", "joined"]
        leader.kill()
        leader.wait()
        end_lease(one, joined[0])
        answers = [wait(lake, OWNER, answer.id, seconds=120) for lake, answer in zip((one, other), joined, strict=True)]
        assert [rows(answer) for answer in answers] == [[["3"]], [["3"]]]
        assert len(first.started) + len(second.started) == 1


def test_whoever_looks_after_the_leaders_death_takes_over(home: Home, processes: ExitStack) -> None:
    """An id is enough: the question itself is not needed again."""
    home.lease_seconds = 600
    with home.opened() as (dying, engine):
        engine.hold()
        answer = ask(dying, question(COUNT))
        eventually(lambda: engine.waits > 0)
        with home.opened() as (lake, counting):
            end_lease(lake, answer)
            look(lake, OWNER, answer.id)
            assert rows(wait(lake, OWNER, answer.id, seconds=120)) == [["3"]]
            assert len(counting.started) == 1


def test_a_process_that_lost_its_lease_may_lead_again(home: Home) -> None:
    home.lease_seconds = 600
    with home.opened() as (lake, engine):
        engine.hold()
        first = ask(lake, question(COUNT))
        eventually(lambda: engine.waits > 0)
        end_lease(lake, first)
        second = ask(lake, question(COUNT))
        assert second.cache == "miss"
        engine.let_go()
        answers = [wait(lake, OWNER, answer.id, seconds=120) for answer in (first, second)]
        assert [rows(answer) for answer in answers] == [[["3"]], [["3"]]]
        assert ask(lake, question(COUNT)).cache == "hit"


def test_a_process_that_stops_hands_over_at_once(home: Home) -> None:
    home.lease_seconds = 600  # nobody could wait for its end
    with home.opened() as (lake, engine):
        with home.opened() as (stopping, held):
            held.hold()
            led = ask(stopping, question(COUNT))
            joined = ask(lake, question(COUNT))
            assert (led.cache, joined.cache) == ("miss", "joined")
        assert rows(wait(lake, OWNER, joined.id, seconds=120)) == [["3"]]
        assert rows(look(lake, OWNER, led.id)) == [["3"]]
        assert len(engine.started) == 1


def test_who_waits_in_another_process_hears_of_the_landing(home: Home) -> None:
    with home.opened() as (leading, engine), home.opened() as (lake, other):
        engine.hold()
        ask(leading, question(COUNT))
        joined = ask(lake, question(COUNT))
        landed = threading.Event()
        on_done(lake, OWNER, joined.id, landed.set)
        assert not landed.wait(0.05)
        engine.let_go()
        assert landed.wait(120)
        assert look(lake, OWNER, joined.id).state is State.SUCCEEDED
        assert other.started == []


def test_a_question_cancelled_by_all_askers_of_all_processes_stops_its_engine(home: Home) -> None:
    home.lease_seconds = 3
    with home.opened() as (leading, engine), home.opened() as (lake, _):
        engine.hold()
        led, joined = ask(leading, question(COUNT)), ask(lake, question(COUNT))
        cancel(leading, OWNER, led.id)
        assert not look(lake, OWNER, joined.id).state.final
        cancel(lake, OWNER, joined.id)
        assert wait(leading, OWNER, led.id, seconds=120).state is State.CANCELLED
        assert wait(lake, OWNER, joined.id, seconds=120).state is State.CANCELLED
        again = ask(lake, question(COUNT))
        assert again.cache == "miss"
        assert rows(wait(lake, OWNER, again.id, seconds=120)) == [["3"]]


def test_a_callback_is_called_once_and_can_be_taken_off(home: Home) -> None:
    with home.opened() as (lake, engine):
        engine.hold()
        answer = ask(lake, question(COUNT))
        called: list[str] = []
        on_done(lake, OWNER, answer.id, lambda: called.append("kept"))
        take_off = on_done(lake, OWNER, answer.id, lambda: called.append("taken off"))
        take_off()
        take_off()
        engine.let_go()
        wait(lake, OWNER, answer.id, seconds=120)
    assert called == ["kept"]


def test_waiters_are_bounded(home: Home) -> None:
    with home.opened() as (whole, engine):
        small = Tower("small", whole.tower.alone, most_led=1, most_parked=1)
        lake: Lake = replace(whole, tower=small)
        engine.hold()
        answer = ask(lake, question(COUNT))
        take_off = on_done(lake, OWNER, answer.id, lambda: None)
        with pytest.raises(Busy):
            on_done(lake, OWNER, answer.id, lambda: None)
        take_off()
        on_done(lake, OWNER, answer.id, lambda: None)()
        with pytest.raises(Busy) as caught:
            ask(lake, question("SELECT max(dep_delay) AS m FROM flights"))
        assert caught.value.retry_after_seconds > 0
        engine.let_go()
        assert rows(wait(lake, OWNER, answer.id, seconds=120)) == [["3"]]
        small.close()


def test_a_lost_engine_fails_the_question_and_the_next_one_works(home: Home) -> None:
    with home.opened() as (lake, engine):
        engine.hold()
        first = ask(lake, question(COUNT))
        _lose(engine)
        assert wait(lake, OWNER, first.id, seconds=120).error_code == "engine-lost"
        engine.let_go()
        assert rows(wait(lake, OWNER, ask(lake, question(COUNT)).id, seconds=120)) == [["3"]]


def _lose(engine: CountingEngine) -> None:
    """The engine knows nothing of what it was asked."""
    with engine.changed:
        engine.changed.wait_for(lambda: bool(engine.pending), 20)
        engine.pending.clear()
        engine.changed.notify_all()
