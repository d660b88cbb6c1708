"""`make bench-ask`: hits and misses over HTTP beside their floor and beside others, misses beside bare DuckDB, and what
the size of the table does to a hit. Ratios are medians over interleaved rounds; docs/performance.md gets the figures.

`python -m tests.bench.ask ROWS ROUNDS SECONDS` is a short form that is only printed.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from math import nan
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError

import duckdb

from athena.ask import ask, wait
from athena.lake import Lake
from athena.question import OWNER, Question
from athena.sqlite import Database
from lakegate.listening import Listening
from tests.bench.floor import BODIES, SCHEMA
from tests.bench.page import write
from tests.bench.peers import Peer, datasette, roapi
from tests.bench.rounds import in_turn, ratio
from tests.bench.trips import ANSWERS, ROWS, bearer, furnished, server, trips
from tests.bench.wire import NUMBER, Load, loaded, own_cost
from tests.lakegate.server import Client

ROUNDS, FEW_ROUNDS = 9, 3
SECONDS = 0.8
HIT_CONNECTIONS = (1, 8, 16, 64)
MISS_CONNECTIONS = (1, 8, 16, 64)
# datasette takes seconds for one answer: with 64 clients each round would take minutes.
PEER_CONNECTIONS = (1, 8)
_HEAD = "| | p50 ms | p99 ms | requests/s | p50 / floor | requests/s / floor |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Aim:
    """Requests of one kind, and where they go."""

    at: Listening
    request: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked: a home's server, another of it with two workers, and the peers."""

    home: Path
    at: Listening
    two: Listening
    token: str
    peers: list[Peer]


def main(rows: int = ROWS["trips"], rounds: int = ROUNDS, seconds: float = SECONDS) -> str:
    """Print the figures; gives them back as Markdown."""
    lines = list[str]()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        credentials = furnished(home, rows)
        with server(home) as at, server(home, workers=2) as two, others(Path(folder), rows) as peers:
            lines.append(told(described(peers, rows)))
            asked = Asked(home, at, two, bearer(at, credentials), peers)
            lines += map(told, over_http(asked, seconds=seconds, rounds=rounds))
        with Lake.embedded(home) as lake:
            lines += map(told, in_process(lake, rounds=rounds))
    return "\n".join(lines)


@contextmanager
def others(folder: Path, count: int) -> Iterator[list[Peer]]:
    """The peers that are installed."""
    rows = trips(count)
    with roapi(folder, rows) as one, datasette(folder, rows) as two:
        del rows
        yield [peer for peer in (one, two) if peer is not None]


def over_http(asked: Asked, *, seconds: float, rounds: int) -> Iterator[str]:
    """The tables: for each size of answer and number of clients, floor, hits, misses and peers."""
    at, token = asked.at, asked.token
    for size, sql in ANSWERS.items():
        hit, few = (sql.format(table=name, where="") for name in ("trips", "few"))
        fresh = sql.format(table="trips", where=f" WHERE delay < {NUMBER.decode()}")
        length = stored(at, asked.home, token, size, (hit, few))
        floor = Aim(at, post(f"/floor/{size}", token, {}))
        again = post("/v1/queries", token, {"sql": hit})
        hits = {
            "hit": Aim(at, again),
            "hit, table of 1,000 rows": Aim(at, post("/v1/queries", token, {"sql": few})),
            "hit, text never seen before": Aim(at, post("/v1/queries", token, {"sql": f"{hit} -- {NUMBER.decode()}"})),
        }
        misses = {"miss": Aim(at, post("/v1/queries", token, {"sql": fresh, "wait_seconds": 25}))}
        peers = {f"{peer.name} (recomputes)": Aim(peer.at, peer.request(fresh)) for peer in asked.peers}
        yield f"\n### Answers of {size:,} rows ({length:,} bytes)"
        for connections in HIT_CONNECTIONS:
            # One connection reaches one process.
            more = {"hit, workers = 2": Aim(asked.two, again)} if connections > 1 else {}
            aims = {"floor": floor, **hits, **more}
            yield from compared(aims, connections=connections, seconds=seconds, rounds=rounds)
        for connections in MISS_CONNECTIONS:
            aims = {"floor": floor, **misses, **(peers if connections in PEER_CONNECTIONS else {})}
            yield from compared(aims, connections=connections, seconds=seconds, rounds=min(rounds, FEW_ROUNDS))


def stored(at: Listening, home: Path, token: str, size: int, questions: tuple[str, ...]) -> int:
    """Makes the answers hits, and gives the floor a body of the same length, which is the result."""
    client = Client(at, token)
    answers = [client.ask(text, wait_seconds=25) for text in questions]
    again = client.ask(questions[0])
    client.close()
    assert [one.status for one in answers] == [200, 200]
    assert again.json()["cache"] == "hit"
    with Database(home / BODIES, SCHEMA).write() as connection:
        connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (str(size), again.body))
    return len(again.body)


def compared(aims: dict[str, Aim], *, connections: int, seconds: float, rounds: int) -> Iterator[str]:
    """A table: each kind of request beside the floor, in turn with it."""
    seen: dict[str, list[Load]] = {name: [] for name in aims}
    failed: set[str] = set()

    def measure(name: str, aim: Aim) -> Callable[[], float]:
        def run() -> float:
            if name in failed:
                return nan
            try:
                load = loaded(aim.at.host, aim.at.port, aim.request, connections=connections, seconds=seconds)
            except CalledProcessError:
                failed.add(name)
                return nan
            seen[name].append(load)
            return load.p50_us

        return run

    p50 = in_turn({name: measure(name, aim) for name, aim in aims.items()}, rounds=rounds)
    rates = {name: [load.per_second for load in loads[1:]] for name, loads in seen.items()}
    yield f"\n{connections} client{'s' if connections > 1 else ''}, median of {rounds} rounds:\n\n{_HEAD}"
    for name, values in p50.items():
        if failed & {name, "floor"}:
            # On a machine that is too busy a question may take longer than any request waits; the others count.
            yield f"| {name} | no answer in time | | | | |"
            continue
        p99 = median(load.p99_us for load in seen[name][1:])
        yield (
            f"| {name} | {median(values) / 1000:.2f} | {p99 / 1000:.2f} | {median(rates[name]):,.0f}"
            f" | {ratio(values, p50['floor']):.2f} | {ratio(rates[name], rates['floor']):.2f} |"
        )


def in_process(lake: Lake, *, rounds: int) -> Iterator[str]:
    """An uncached question beside the same SQL in bare DuckDB over the same files; a hit beside recomputing."""
    files = [str(path) for path in lake.settings.home.glob("lake/trips/data/**/*.parquet")]
    connection = duckdb.connect(config={"threads": lake.settings.engine_threads})
    connection.execute(f"CREATE VIEW trips AS SELECT * FROM read_parquet({files})")
    lake.warm()
    yield "\n### Beside bare DuckDB over the same files, in process\n"
    yield "| rows of the answer | bare DuckDB ms | miss ms | miss - 1.3 x bare, ms | hit ms | bare / hit |"
    yield "|---|---|---|---|---|---|"
    for size, sql in ANSWERS.items():
        text = sql.format(table="trips", where="")

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

        found = in_turn({"bare": bare, "miss": asked, "hit": lambda: asked(refresh=False)}, rounds=rounds)
        over = median(ours - 1.3 * theirs for ours, theirs in zip(found["miss"], found["bare"], strict=True))
        yield (
            f"| {size:,} | {median(found['bare']):.1f} | {median(found['miss']):.1f} | {over:+.1f}"
            f" | {median(found['hit']):.2f} | {ratio(found['bare'], found['hit']):.0f} |"
        )


def described(peers: list[Peer], rows: int) -> str:
    """What was measured, and with what."""
    names = {peer.name for peer in peers}
    missing = [name for name in ("ROAPI", "datasette") if name not in names]
    versions = ", ".join(f"{name} {_version(name)}" for name in ("duckdb", "granian", "roapi", "datasette"))
    left_out = f" Not there and so left out: {', '.join(missing)}." if missing else ""
    return f"""## Asking

Written by `make bench-ask` on {os.cpu_count()} cores shared by server, client and peers; {versions}.{left_out}
Two aggregates over {rows:,} rows, asked over HTTP with a bearer token by a partner who has limits.
Grant, client and heads are read anew for each request; lines of the access log are not written.

- **floor**: a Chalice route on the same server that verifies a token, makes one SQLite look-up by key and sends a
  stored body of the same size. Every line is measured in turn with it. **workers = 2**: two processes at one port.
- **hit**: the question was asked before. **text never seen before**: the same question in a text of its own each time,
  which is parsed and rewritten before it is found. **miss**: a question that nobody has asked, computed by DuckDB.
- ROAPI and datasette recompute every question, a repeated one too; neither checks a token or hides a row.
- The client ({own_cost():.0f} µs a request against a server that only echoes) shares the cores with the server."""


def post(path: str, token: str, body: dict[str, object]) -> bytes:
    """The bytes of one request."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def told(line: str) -> str:
    """The line, printed as well."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return line


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
    else:
        write(main())
