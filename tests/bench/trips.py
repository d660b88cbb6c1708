"""What the benchmarks ask about: five million seeded rows, a table of a thousand, two questions, one partner."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from api.callers.credentials import Credentials, Issued
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.heads.sqlite import SqliteHeads
from lakegate.home import init_home
from lakegate.listening import Listening
from tests.bench.floor import HOST
from tests.lakegate.server import Client
from tests.tables import Tables

ROWS = {"trips": 5_000_000, "few": 1_000}
CARRIERS = 10
_AGGREGATE = "SELECT {by}, count(*) AS n, avg(delay) AS mean FROM {{table}}{{where}} GROUP BY {by} ORDER BY {by}"
# By the number of rows in the answer.
ANSWERS = {10: _AGGREGATE.format(by="carrier"), 1000: _AGGREGATE.format(by="bucket")}
PARTNER = "bench"


def furnished(home: Path, rows: int = ROWS["trips"]) -> str:
    """A home with its tables and one partner; the partner's client as `id:secret`."""
    settings = init_home(home)
    tables, heads = Tables(home), SqliteHeads(settings.state)
    for name, count in {**ROWS, "trips": rows}.items():
        heads.publish(tables.append(name, trips(count)))
    tables.close()
    everything = {name: DatasetGrant() for name in ROWS}
    # Limits are on, and too high to be met.
    most = Limits(concurrent_queries=10_000, queries_per_minute=100_000_000)
    write_grant(settings.partners, Grant(PARTNER, "", everything, most, ""))
    issued = Credentials.embedded(settings).add_client(PARTNER)
    return f"{issued.client_id}:{issued.secret}"


def trips(rows: int) -> pa.Table:
    """Seeded rows: 10 carriers, 1,000 buckets, a delay and a fare."""
    random = np.random.default_rng(20260101)
    return pa.table(
        {
            "carrier": pa.array([f"C{at}" for at in range(CARRIERS)]).take(random.integers(0, CARRIERS, rows)),
            "bucket": random.integers(0, 1000, rows).astype("int32"),
            "delay": random.normal(10, 30, rows),
            "fare": random.gamma(2, 8, rows),
        }
    )


@contextmanager
def server(home: Path, *, workers: int = 1) -> Iterator[Listening]:
    """The home's server with the floor's route, in processes of its own."""
    with ExitStack() as started:
        port = started.enter_context(_worker(home))
        for index in range(1, workers):
            started.enter_context(_worker(home, str(port), str(index)))
        yield Listening(HOST, port)


@contextmanager
def _worker(home: Path, *place: str) -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.floor", str(home), *place], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait(30)


def bearer(at: Listening, credentials: str) -> str:
    """A token."""
    client_id, _, secret = credentials.partition(":")
    anonymous = Client(at)
    try:
        return anonymous.token(Issued(client_id, secret))
    finally:
        anonymous.close()
