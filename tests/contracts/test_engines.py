"""What every engine promises."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pytest

from athena.engines import Broken, Engine, Finished, Job
from athena.engines.duckdb.engine import DuckDBEngine
from athena.failures import CODES
from athena.heads import Head
from athena.results.local import LocalResults
from athena.settings import Settings
from tests.clock import SetClock
from tests.cloud import Cloud
from tests.tables import Tables

ROWS = pa.table({"carrier": ["UA", "AA", None], "delay": pa.array([5, None, -2], pa.int32())})


@dataclass(frozen=True)
class Place:
    """An engine beside the tables that it reads."""

    engine: Engine
    tables: Tables


@pytest.fixture(scope="module", params=["duckdb", "athena"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "athena":
        cloud: Cloud = request.getfixturevalue("cloud")
        yield Place(cloud.engine(page_rows=2), cloud.tables())
        return
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, engine_workers=1, engine_threads=1, page_rows=2)
    made = DuckDBEngine(settings, LocalResults(settings.results, kept_seconds=1000), SetClock())
    tables = Tables(home / "tables")
    yield Place(made, tables)
    tables.close()
    made.close()


@pytest.fixture(scope="module")
def flights(place: Place) -> tuple[Head, Head]:
    """A table after its first and after its second append."""
    return place.tables.append("flights", ROWS), place.tables.append("flights", ROWS.slice(0, 1))


@pytest.fixture(scope="module")
def engine(place: Place) -> Engine:
    return place.engine


def job(sql: str, *output: str, pin: Head | None = None, row_limit: int = 100, token: str | None = None) -> Job:
    return Job(
        sql=sql,
        output=output,
        pins={} if pin is None else {pin.dataset: pin},
        guarded=False,
        row_limit=row_limit,
        token=token or secrets.token_hex(32),
        timeout_seconds=200,
    )


def finished(engine: Engine, wanted: Job) -> Finished:
    progress = engine.wait(engine.start(wanted), seconds=120)
    assert isinstance(progress, Finished), progress
    return progress


def rows_of(progress: Finished) -> list[list[object]]:
    rows: list[list[object]] = orjson.loads(b"{" + progress.page.fragment + b"}")["rows"]
    return rows


def test_a_job_ends_with_its_receipt_and_first_page(engine: Engine, flights: tuple[Head, Head]) -> None:
    pin = flights[0]
    sql = 'SELECT carrier AS carrier, delay AS delay FROM "lake"."flights" ORDER BY delay'
    found = finished(engine, job(sql, "carrier", "delay", pin=pin))
    assert rows_of(found) == [[None, -2], ["UA", 5]]
    assert [(column.name, str(column.type)) for column in found.receipt.columns] == [
        ("carrier", "string"),
        ("delay", "int"),
    ]
    assert (found.receipt.row_count, found.receipt.truncated, found.page.row_count) == (3, False, 2)
    assert found.page.next_offset is not None
    assert found.receipt.snapshots["flights"].snapshot_id == pin.snapshot_id
    assert found.receipt.bytes_scanned > 0


def test_the_pinned_snapshot_is_read_whatever_came_later(engine: Engine, flights: tuple[Head, Head]) -> None:
    sql = 'SELECT count(*) AS n FROM "lake"."flights"'
    assert [rows_of(finished(engine, job(sql, "n", pin=pin))) for pin in flights] == [[["3"]], [["4"]]]


def test_more_rows_than_the_limit_are_told_and_not_kept(engine: Engine, flights: tuple[Head, Head]) -> None:
    sql = 'SELECT carrier AS carrier FROM "lake"."flights"'
    assert finished(engine, job(sql, "carrier", pin=flights[0], row_limit=2)).receipt.truncated
    whole = finished(engine, job(sql, "carrier", pin=flights[0], row_limit=3)).receipt
    assert (whole.row_count, whole.truncated) == (3, False)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ('SELECT CAST(carrier AS integer) AS x FROM "lake"."flights" WHERE carrier = \'UA\'', "cast-failed"),
        ('SELECT delay / (delay - delay) AS x FROM "lake"."flights"', "division-by-zero"),
        ('SELECT delay + 2147483647 AS x FROM "lake"."flights"', "out-of-range"),
        ('SELECT (SELECT delay FROM "lake"."flights") AS x FROM "lake"."flights"', "subquery-rows"),
        ('SELECT ARRAY[delay] AS x FROM "lake"."flights"', "result-type-unsupported"),
    ],
)
def test_a_failure_is_a_code_of_ours(engine: Engine, flights: tuple[Head, Head], sql: str, code: str) -> None:
    progress = engine.wait(engine.start(job(sql, "x", pin=flights[0])), seconds=120)
    assert progress == Broken(code)
    assert code in CODES


def test_the_same_token_is_the_same_execution(engine: Engine, flights: tuple[Head, Head]) -> None:
    wanted = job('SELECT count(*) AS n FROM "lake"."flights"', "n", pin=flights[0])
    first = engine.start(wanted)
    assert engine.start(wanted) == first
    assert isinstance(engine.wait(first, seconds=120), Finished)
    assert engine.start(wanted) == first


def test_an_unknown_execution_is_lost(engine: Engine) -> None:
    assert engine.wait("nobody knows it", seconds=0) == Broken("engine-lost")


def test_what_was_stopped_is_cancelled(engine: Engine, flights: tuple[Head, Head]) -> None:
    sql = (
        'SELECT count(*) AS n FROM "lake"."flights" CROSS JOIN UNNEST(sequence(1, 10000)) AS a (i)'
        " CROSS JOIN UNNEST(sequence(1, 10000)) AS b (j) CROSS JOIN UNNEST(sequence(1, 10000)) AS c (k)"
    )
    running, queued = engine.start(job(sql, "n", pin=flights[0])), engine.start(job(sql, "n", pin=flights[0]))
    for execution in (queued, running):
        engine.stop(execution)
        assert engine.wait(execution, seconds=120) == Broken("cancelled")


def test_the_version_says_which_engine(engine: Engine) -> None:
    assert engine.version
    assert engine.version == engine.version
