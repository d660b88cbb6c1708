"""The read story on AWS: computed once, healed when it is lost, and only for who may see it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from athena.ask import ask, cancel, look, page, wait
from athena.dynamodb import Table
from athena.errors import Gone, NotFound
from athena.flights.dynamodb import DynamoFlights
from athena.forms import Form
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.lake import Lake
from athena.question import OWNER, Answer, Caller, Question, State
from athena.results.s3 import S3Results
from athena.settings_aws import AwsSettings
from lakegate.emulate.service import Execution
from tests.cloud import AT_ONCE, Cloud, Faults, request_lost
from tests.lakes import FLIGHTS, question, rows
from tests.tables import Tables

COUNT = "SELECT count(*) AS n FROM flights"
ALL = "SELECT carrier, dep_delay FROM flights ORDER BY dep_delay"


@dataclass
class Place:
    """A lake on the emulated AWS with one table."""

    cloud: Cloud
    settings: AwsSettings
    lake: Lake
    tables: Tables

    def done(self, asked: Question) -> Answer:
        answer = ask(self.lake, asked)
        return wait(self.lake, asked.caller, answer.id, seconds=120)

    @property
    def started(self) -> list[Execution]:
        return self.cloud.started(self.settings)

    def grant(self, partner: str, rows_: str | None, *columns: str) -> None:
        assert isinstance(self.lake.grants, DynamoGrants)
        self.lake.grants.put(Grant(partner, "", {"flights": DatasetGrant(rows_, columns or ("*",))}, Limits(), ""))


@pytest.fixture
def place(cloud: Cloud) -> Iterator[Place]:
    settings = cloud.settings()
    with cloud.lake(settings) as lake:
        made = Place(cloud, settings, lake, cloud.tables())
        lake.heads.publish(made.tables.append("flights", FLIGHTS))
        yield made
    cloud.emulator.athena.seconds = 0.0


def eventually(holds: Callable[[], bool]) -> None:
    """Waits for what another thread is about to do."""
    ends = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_the_first_question_is_one_execution_and_the_second_none(place: Place) -> None:
    first = place.done(question(COUNT))
    assert (first.state, first.cache, rows(first)) == (State.SUCCEEDED, "miss", [["3"]])
    second = ask(place.lake, question(COUNT))
    assert (second.state, second.cache, rows(second)) == (State.SUCCEEDED, "hit", [["3"]])
    assert second.fingerprint == first.fingerprint
    assert len(place.started) == 1


def test_another_process_hits_what_this_one_asked(place: Place) -> None:
    place.done(question(COUNT))
    with place.cloud.lake(place.settings) as other:
        assert ask(other, question(COUNT)).cache == "hit"
    assert len(place.started) == 1


def test_new_rows_are_another_answer(place: Place) -> None:
    place.done(question(COUNT))
    place.lake.heads.publish(place.tables.append("flights", FLIGHTS))
    again = place.done(question(COUNT))
    assert (again.cache, rows(again)) == ("miss", [["6"]])
    assert "FOR VERSION AS OF" in place.started[-1].request["QueryString"]


def test_while_a_commit_is_open_the_catalog_says_where_the_table_stands(place: Place) -> None:
    place.done(question(COUNT))
    place.lake.heads.intend("flights", "c2")
    committed = place.tables.append("flights", FLIGHTS)
    found = place.lake.head("flights")
    assert found is not None
    assert found.snapshot_id == committed.snapshot_id
    assert rows(place.done(question(COUNT))) == [["6"]]


def test_a_deleted_result_heals_itself_with_a_new_execution(place: Place) -> None:
    first = place.done(question(ALL))
    assert first.receipt is not None
    place.lake.results.discard(first.receipt)
    with pytest.raises(Gone):
        page(place.lake, OWNER, first.id, token=first.next)
    again = place.done(question(ALL))
    assert (again.cache, again.state, rows(again)) == ("miss", State.SUCCEEDED, rows(first))
    old, new = place.started
    assert old.request["QueryString"] == new.request["QueryString"]
    assert old.request["ClientRequestToken"] != new.request["ClientRequestToken"]
    assert ask(place.lake, question(ALL)).cache == "hit"


def test_a_result_that_was_written_over_heals_itself(place: Place) -> None:
    first = place.done(question(ALL))
    assert first.receipt is not None
    assert isinstance(place.lake.results, S3Results)
    place.lake.results.bucket.put(first.receipt.result_id.partition(":")[0], b'"carrier","dep_delay"\n"XX","0"\n')
    known = ask(place.lake, question(ALL))
    assert (known.cache, rows(known)) == ("hit", rows(first)), "what lies in the item is still right"
    with pytest.raises(Gone):
        page(place.lake, OWNER, known.id, token=known.next)
    again = place.done(question(ALL))
    assert (again.cache, rows(again)) == ("miss", rows(first))


def test_a_failed_execution_is_not_served_again(place: Place) -> None:
    broken = question("SELECT 1 / (dep_delay - dep_delay) AS x FROM flights")
    first, second = place.done(broken), place.done(broken)
    assert {first.state, second.state} == {State.FAILED}
    assert first.error_code == second.error_code == "division-by-zero"
    assert len({one.request["ClientRequestToken"] for one in place.started}) == 2


def test_a_question_whose_record_was_forgotten_long_ago_is_run_again(place: Place) -> None:
    """DynamoDB forgets by its own clock, S3 by its lifecycle; Athena goes on knowing the token of the first attempt."""
    before = place.lake.clock() - timedelta(hours=30)
    with replace(place.cloud.lake(place.settings), clock=lambda: before) as lake:
        first = wait(lake, OWNER, ask(lake, question(ALL)).id, seconds=120)
        assert first.receipt is not None
        lake.results.discard(first.receipt)
    cache = place.settings.cache_table
    for item in place.cloud.items(cache):
        key = {name: item[name] for name in ("pk", "sk")}
        place.cloud.client("dynamodb").delete_item(TableName=cache, Key=key)
    again = place.done(question(ALL))
    assert (again.state, rows(again)) == (State.SUCCEEDED, rows(first))
    assert len(place.started) == 2


def test_pages_follow_each_other_and_csv_keeps_null_apart(place: Place) -> None:
    answer = place.done(question(ALL))
    assert rows(answer) == [[None, -2], ["UA", 5]]
    last = page(place.lake, OWNER, answer.id, token=answer.next)
    assert (last.page.fragment[-len(b'"rows":[["AA",7]]') :], last.next) == (b'"rows":[["AA",7]]', None)
    whole = page(place.lake, OWNER, answer.id, limit=1000, form=Form.CSV)
    assert whole.page.fragment == b"carrier,dep_delay\r\n,-2\r\nUA,5\r\nAA,7\r\n"


def test_partners_see_their_own_rows_and_share_only_equal_grants(place: Place) -> None:
    place.grant("united", "carrier = 'UA'")
    place.grant("also-united", "carrier = 'UA'")
    place.grant("american", "carrier = 'AA'", "carrier")
    found = {name: place.done(question(COUNT, partner=name)) for name in ("united", "also-united", "american")}
    assert [rows(answer) for answer in found.values()] == [[["1"]], [["1"]], [["1"]]]
    assert [answer.cache for answer in found.values()] == ["miss", "hit", "miss"]
    with pytest.raises(NotFound):
        ask(place.lake, question("SELECT dep_delay FROM flights", partner="american"))
    with pytest.raises(NotFound):
        ask(place.lake, question(COUNT, partner="nobody"))


def test_a_revoked_partner_reads_no_page_of_what_he_asked(place: Place) -> None:
    place.grant("united", None)
    answer = place.done(question(ALL, partner="united"))
    assert isinstance(place.lake.grants, DynamoGrants)
    place.lake.grants.remove("united")
    with pytest.raises(Gone):
        page(place.lake, Caller("united"), answer.id, token=answer.next)


def test_the_last_who_leaves_stops_the_execution(place: Place) -> None:
    place.cloud.emulator.athena.seconds = 30.0
    first, second = ask(place.lake, question(COUNT)), ask(place.lake, question(COUNT))
    assert (first.cache, second.cache) == ("miss", "joined")
    eventually(lambda: look(place.lake, OWNER, second.id).state is State.RUNNING)
    assert cancel(place.lake, OWNER, first.id).state is State.CANCELLED
    assert [one.state for one in place.started] != ["CANCELLED"]
    assert cancel(place.lake, OWNER, second.id).state is State.CANCELLED
    eventually(lambda: [one.state for one in place.started] == ["CANCELLED"])


def test_when_the_cache_is_away_the_question_runs_alone(place: Place) -> None:
    broken = place.cloud.client("dynamodb")
    Faults.on(broken, "Query", *[request_lost] * AT_ONCE.tries)
    table = Table(broken, place.settings.cache_table, AT_ONCE)
    lake = replace(place.lake, flights=DynamoFlights(table, place.cloud.bucket(), place.lake.clock))
    answer = ask(lake, question(COUNT))
    assert answer.cache == "bypass"
    assert rows(wait(lake, OWNER, answer.id, seconds=120)) == [["3"]]


def test_a_hit_calls_neither_athena_nor_glue_nor_s3(place: Place) -> None:
    place.done(question(COUNT))
    place.grant("united", "carrier = 'UA'")
    place.done(question(COUNT, partner="united"))
    with place.cloud.lake(place.settings) as lake:
        # A new process also reads which part of the table was last changed when, as a row filter stands on it.
        for calls in (4, 3):
            before = Counter(place.cloud.emulator.calls)
            assert ask(lake, question(COUNT, partner="united")).cache == "hit"
            assert place.cloud.emulator.calls - before == {"dynamodb": calls}


def test_while_a_question_runs_nobody_expires_what_it_reads(cloud: Cloud) -> None:
    settings = cloud.writing()
    intake = cloud.intake(settings)
    with cloud.lake(settings) as lake:
        head = cloud.tables().append("flights", FLIGHTS)
        lake.heads.publish(head)
        cloud.emulator.athena.seconds = 60.0
        try:
            asked = ask(lake, question(COUNT))
            eventually(lambda: bool(cloud.started(settings)))
            assert intake.pinned() == {head.snapshot_id}
            cancel(lake, OWNER, asked.id)
            eventually(lambda: intake.pinned() == frozenset())
        finally:
            cloud.emulator.athena.seconds = 0.0
        wait(lake, OWNER, ask(lake, question(COUNT)).id, seconds=60)
        eventually(lambda: intake.pinned() == frozenset())
