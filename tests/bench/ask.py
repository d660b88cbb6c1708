"""`make bench-ask`: what a hit costs beside its floor, what a miss costs beside bare DuckDB, and what the size of the
table does to a hit. Ratios are medians over interleaved rounds.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pyarrow as pa

from api.callers.credentials import Credentials, Issued
from athena.ask import ask, wait
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.heads.sqlite import SqliteHeads
from athena.lake import Lake
from athena.question import OWNER, Question
from athena.sqlite import Database
from lakegate.home import init_home
from lakegate.listening import Listening
from tests.bench.floor import BODIES, SCHEMA
from tests.bench.rounds import in_turn, ratio
from tests.bench.wire import Load, loaded
from tests.lakegate.server import Client
from tests.tables import Tables

ROUNDS = 9
SECONDS = 1.5
ROWS = {"trips": 5_000_000, "few": 1_000}
CARRIERS = 10
ANSWERS = {
    10: "SELECT carrier, count(*) AS n, avg(delay) AS mean FROM {table} GROUP BY carrier ORDER BY carrier",
    1000: "SELECT bucket, count(*) AS n, avg(delay) AS mean FROM {table} GROUP BY bucket ORDER BY bucket",
}
PARTNER = "bench"


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        token = furnished(home)
        with server(home) as at:
            hits(at, home, token)
        with Lake.embedded(home) as lake:
            misses(lake)


def furnished(home: Path) -> str:
    """A home with its tables, one partner and a stored body for each answer; the partner's client as `id:secret`."""
    settings = init_home(home)
    tables, heads = Tables(home), SqliteHeads(settings.state)
    for name, rows in ROWS.items():
        heads.publish(tables.append(name, trips(rows)))
    tables.close()
    everything = {name: DatasetGrant() for name in ROWS}
    write_grant(settings.partners, Grant(PARTNER, "", everything, Limits(), ""))
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
def server(home: Path) -> Iterator[Listening]:
    """The home's server with the floor's route, in a process of its own."""
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.floor", str(home)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield Listening("127.0.0.1", int(child.stdout.readline()))
    finally:
        child.terminate()
        child.wait(30)


def hits(at: Listening, home: Path, credentials: str) -> None:
    """A hit beside its floor, at 1 and 16 connections, for small and large answers, on a large and a small table."""
    token = bearer(at, credentials)
    bodies = Database(home / BODIES, SCHEMA)
    for size, sql in ANSWERS.items():
        client = Client(at, token)  # the server lets go of those that have been idle for long
        asked = {name: sql.format(table=name) for name in ROWS}
        for text in asked.values():
            assert client.ask(text, wait_seconds=25).status == 200
        stored = client.ask(asked["trips"])
        client.close()
        assert stored.json()["cache"] == "hit"
        with bodies.write() as connection:
            connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (str(size), stored.body))
        requests = {
            "floor": post(f"/floor/{size}", token, {}),
            "hit": post("/v1/queries", token, {"sql": asked["trips"]}),
            "hit, 1,000-row table": post("/v1/queries", token, {"sql": asked["few"]}),
        }
        for connections in (1, 16):
            compared(at, requests, connections=connections, title=f"{size} rows ({len(stored.body)} bytes)")


def compared(at: Listening, requests: dict[str, bytes], *, connections: int, title: str) -> None:
    """Print p50, p99 and requests per second of each request as ratios to the floor's."""
    seen: dict[str, list[Load]] = {name: [] for name in requests}

    def measure(name: str) -> Callable[[], float]:
        def run() -> float:
            seen[name].append(loaded(at.host, at.port, requests[name], connections=connections, seconds=SECONDS))
            return seen[name][-1].p50_us

        return run

    p50 = in_turn({name: measure(name) for name in requests}, rounds=ROUNDS)
    told(f"\n{title}, {connections} connection(s)")
    for name, values in p50.items():
        loads = seen[name][1:]
        told(
            f"  {name:22} p50 {median(values):8.0f} µs  p99 {median(x.p99_us for x in loads):8.0f} µs"
            f"  {median(x.per_second for x in loads):7.0f}/s   p50 / floor {ratio(values, p50['floor']):5.2f}"
        )


def misses(lake: Lake) -> None:
    """An uncached question beside the same SQL in bare DuckDB over the same files; a hit beside recomputing."""
    files = [str(path) for path in lake.settings.home.glob("lake/trips/data/**/*.parquet")]
    connection = duckdb.connect(config={"threads": lake.settings.engine_threads})
    connection.execute(f"CREATE VIEW trips AS SELECT * FROM read_parquet({files})")
    lake.warm()
    for size, sql in ANSWERS.items():
        text = sql.format(table="trips")

        def bare(text: str = text) -> float:
            began = time.perf_counter()
            connection.sql(text).to_arrow_table()
            return (time.perf_counter() - began) * 1000

        def asked(text: str = text, *, refresh: bool = True) -> float:
            began = time.perf_counter()
            answer = ask(lake, Question(OWNER, text, cache="refresh" if refresh else "use"))
            answer = wait(lake, OWNER, answer.id, seconds=60)
            assert answer.page is not None
            return (time.perf_counter() - began) * 1000

        found = in_turn({"bare": bare, "miss": asked, "hit": lambda: asked(refresh=False)}, rounds=ROUNDS)
        over = median(ours - 1.3 * theirs for ours, theirs in zip(found["miss"], found["bare"], strict=True))
        told(
            f"\n{size} rows in process: bare DuckDB {median(found['bare']):.1f} ms, miss {median(found['miss']):.1f} ms"
            f" (1.3 x bare {over:+.1f} ms), hit {median(found['hit']):.2f} ms"
            f" ({ratio(found['bare'], found['hit']):.0f} x faster than recomputing)"
        )


def bearer(at: Listening, credentials: str) -> str:
    """A token."""
    client_id, _, secret = credentials.partition(":")
    anonymous = Client(at)
    try:
        return anonymous.token(Issued(client_id, secret))
    finally:
        anonymous.close()


def post(path: str, token: str, body: dict[str, object]) -> bytes:
    """The bytes of one request."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def told(line: str) -> None:
    """One line of the figures."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
