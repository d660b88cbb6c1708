"""Athena as an engine: started once, watched with patience, never believed about what is gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from athena.engines import Broken, Engine, Finished, Running
from athena.engines.athena.engine import AthenaEngine
from athena.engines.athena.reason import _CODES, _TEXTS
from athena.engines.athena.workgroup import Limits, Workgroup
from athena.errors import Busy, Failed
from athena.failures import CODES
from athena.heads import Head
from athena.lake import utc_now
from athena.results.s3 import S3Results
from lakegate.emulate.stack import create_workgroup
from tests.cloud import AT_ONCE, Cloud, Fault, Faults, answer_lost, refused, request_lost, server_error, throttled
from tests.contracts.test_engines import finished, job, rows_of
from tests.tables import Tables

ROWS = pa.table({"carrier": ["UA", "AA", None], "delay": pa.array([5, None, -2], pa.int32())})
COUNT = 'SELECT count(*) AS n FROM "lake"."flights"'


@pytest.fixture(scope="module")
def tables(cloud: Cloud) -> Tables:
    return cloud.tables()


@pytest.fixture(scope="module")
def head(tables: Tables) -> Head:
    return tables.append("flights", ROWS)


class Place:
    """An engine with its own work group, bucket and clients, and what was started in it."""

    def __init__(self, cloud: Cloud, **limits: int) -> None:
        self.cloud = cloud
        self.client: Any = cloud.client("athena")
        self.bucket = cloud.bucket()
        self.name = f"group-{self.bucket.name}"
        create_workgroup(self.client, self.name, f"s3://{self.bucket.name}/{self.bucket.prefix}")
        self.results = S3Results(self.bucket)
        workgroup = Workgroup(self.name, "lake")
        self.engine = AthenaEngine(
            self.client, self.results, workgroup, utc_now, limits=Limits(**limits), patience=AT_ONCE
        )

    def fault(self, operation: str, *faults: Fault) -> Faults:
        return Faults.on(self.client, operation, *faults)

    @property
    def started(self) -> int:
        group = [one for one in self.cloud.emulator.athena.executions.values() if one.request["WorkGroup"] == self.name]
        return len(group)


@pytest.fixture
def place(cloud: Cloud) -> Iterator[Place]:
    yield Place(cloud)
    cloud.emulator.athena.seconds = 0.0


def wait(engine: Engine, execution: str) -> Any:
    return engine.wait(execution, seconds=120)


@pytest.mark.parametrize("fault", [throttled, server_error, refused, request_lost, answer_lost])
def test_a_query_is_started_once_whatever_the_line_does(place: Place, head: Head, fault: Fault) -> None:
    place.fault("StartQueryExecution", fault, fault)
    assert rows_of(finished(place.engine, job(COUNT, "n", pin=head))) == [["3"]]
    assert place.started == 1


def test_a_throttled_start_is_busy_in_the_end(place: Place, head: Head) -> None:
    place.fault("StartQueryExecution", *[throttled] * AT_ONCE.tries)
    with pytest.raises(Busy):
        place.engine.start(job(COUNT, "n", pin=head))
    assert place.started == 0


def test_a_start_of_unknown_outcome_is_adopted_by_the_next(place: Place, head: Head) -> None:
    wanted = job(COUNT, "n", pin=head)
    place.fault("StartQueryExecution", *[answer_lost] * AT_ONCE.tries)
    with pytest.raises(Failed):
        place.engine.start(wanted)
    finished(place.engine, wanted)
    assert place.started == 1


def test_a_poll_that_fails_says_nothing_about_the_query(place: Place, head: Head) -> None:
    execution = place.engine.start(job(COUNT, "n", pin=head))
    faults = place.fault("GetQueryExecution", *[server_error] * 2 * AT_ONCE.tries)
    assert isinstance(place.engine.wait(execution, seconds=0), Running)
    assert isinstance(wait(place.engine, execution), Finished)
    assert faults.calls > 2 * AT_ONCE.tries


def test_a_later_pin_of_the_same_question_is_another_statement_and_no_conflict(
    place: Place, tables: Tables, head: Head
) -> None:
    wanted = job(COUNT, "n", pin=head)
    later = tables.append("others", ROWS)
    moved = replace(wanted, pins={"flights": replace(head, snapshot_id=later.snapshot_id)})
    first = place.engine.start(wanted)
    second = place.engine.start(moved)
    assert first != second
    assert wait(place.engine, second) == Broken("snapshot-gone")


def test_an_execution_whose_object_is_gone_is_lost_and_a_new_token_runs_anew(place: Place, head: Head) -> None:
    wanted = job(COUNT, "n", pin=head)
    found = finished(place.engine, wanted)
    place.results.discard(found.receipt)
    assert place.engine.wait(place.engine.start(wanted), seconds=120) == Broken("engine-lost")
    assert rows_of(finished(place.engine, replace(wanted, token="ef" * 32))) == [["3"]]
    assert place.started == 2


def test_a_query_beyond_its_time_is_stopped(place: Place, head: Head) -> None:
    place.cloud.emulator.athena.seconds = 30.0
    execution = place.engine.start(replace(job(COUNT, "n", pin=head), timeout_seconds=0.05))
    assert wait(place.engine, execution) == Broken("query-timeout")
    last = list(place.cloud.emulator.athena.executions.values())[-1]
    assert last.state == "CANCELLED"


def test_a_query_that_is_seen_to_read_too_much_is_stopped(place: Place, head: Head) -> None:
    place.cloud.emulator.athena.seconds = 30.0
    execution = place.engine.start(replace(job(COUNT, "n", pin=head), most_scanned_bytes=10))
    last = list(place.cloud.emulator.athena.executions.values())[-1]
    last.bytes_scanned = 11
    assert wait(place.engine, execution) == Broken("scan-limit")
    assert last.state == "CANCELLED"


def test_a_query_with_a_limit_runs_where_athena_itself_stops_it(place: Place, head: Head) -> None:
    create_workgroup(place.client, "one-gigabyte", f"s3://{place.results.bucket.name}/{place.results.bucket.prefix}")
    groups = Workgroup(place.name, "lake", cutoffs=((10**9, "one-gigabyte"),))
    engine = AthenaEngine(place.client, place.results, groups, utc_now)
    engine.start(replace(job(COUNT, "n", pin=head), most_scanned_bytes=2 * 10**9))
    assert list(place.cloud.emulator.athena.executions.values())[-1].request["WorkGroup"] == "one-gigabyte"


def test_waiting_ends_when_told_and_polls_less_and_less(place: Place, head: Head) -> None:
    place.cloud.emulator.athena.seconds = 30.0
    execution = place.engine.start(job(COUNT, "n", pin=head))
    pauses: list[float] = []
    moment = [utc_now()]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        moment[0] += timedelta(seconds=seconds)

    patience = replace(AT_ONCE, sleep=sleep, random=lambda: 0.5)
    watching = AthenaEngine(
        place.client, place.results, Workgroup(place.name, "lake"), lambda: moment[0], patience=patience
    )
    assert isinstance(watching.wait(execution, seconds=15), Running)
    assert sum(pauses) == pytest.approx(15)
    assert pauses[:-1] == sorted(pauses[:-1])
    assert pauses[0] == pytest.approx(0.1)
    assert max(pauses) == pytest.approx(2.5, abs=0.6)
    place.engine.stop(execution)
    assert wait(place.engine, execution) == Broken("cancelled")


def test_a_result_larger_than_allowed_is_not_read_to_the_end(cloud: Cloud, head: Head) -> None:
    small = Place(cloud, result_bytes=10)
    execution = small.engine.start(job('SELECT carrier AS carrier FROM "lake"."flights"', "carrier", pin=head))
    assert wait(small.engine, execution) == Broken("result-too-large")


def test_a_failure_leaves_its_values_behind(place: Place, head: Head, caplog: pytest.LogCaptureFixture) -> None:
    sql = 'SELECT CAST(carrier AS integer) AS x FROM "lake"."flights" WHERE carrier = \'UA\''
    caplog.set_level("DEBUG", logger="athena")
    assert wait(place.engine, place.engine.start(job(sql, "x", pin=head))) == Broken("cast-failed")
    last = list(place.cloud.emulator.athena.executions.values())[-1]
    assert "UA" in last.reason
    assert "UA" not in caplog.text


def test_every_reason_has_a_code_of_ours() -> None:
    assert {*_CODES.values(), *(code for _, code in _TEXTS)} <= CODES
