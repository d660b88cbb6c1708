"""Ten million rows through `.batches()` over HTTP, beside DuckDB reading the same Parquet here.

`python -m tests.bench.stream [ROWS]`; the client is a process of its own, so that its memory can be told.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from api.callers.credentials import Credentials
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.heads.sqlite import SqliteHeads
from lakegate.home import init_home
from tests.bench.page import write
from tests.bench.trips import trips
from tests.lakegate.server import serving
from tests.tables import Tables

ROWS = 10_000_000
ROUNDS = 5
SQL = "SELECT carrier, bucket, delay, fare FROM trips"

CLIENT = """
import resource, sys, time
import pyarrow
from lakegate import connect
lake = connect(sys.argv[1], client_id=sys.argv[2], client_secret=sys.argv[3])
answer = lake.sql(sys.argv[4]).run()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
rows = sum(batch.num_rows for batch in answer.batches())
print(rows, time.perf_counter() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
LOCAL = """
import sys, time
import duckdb
began = time.perf_counter()
reader = duckdb.connect().sql(f"SELECT carrier, bucket, delay, fare FROM '{sys.argv[1]}'").to_arrow_reader(65536)
print(sum(batch.num_rows for batch in reader), time.perf_counter() - began)
"""


def main(rows: int) -> str:
    """The figures, as lines of Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = init_home(home)
        tables = Tables(home)
        SqliteHeads(settings.state).publish(tables.append("trips", trips(rows)))
        tables.close()
        limits = Limits(result_rows=2 * rows, queries_per_minute=10**6)
        write_grant(settings.partners, Grant("bench", "", {"trips": DatasetGrant()}, limits, ""))
        issued = Credentials.embedded(settings).add_client("bench")
        remote, local, grown = [], [], []
        with serving(home) as at:
            for _ in range(ROUNDS):
                told = _run(CLIENT, at.url, issued.client_id, issued.secret, SQL)
                results = sorted((home / "results").rglob("*.parquet"), key=lambda path: path.stat().st_size)
                here = _run(LOCAL, str(results[-1]))
                assert int(told[0]) == int(here[0]) == rows, (told, here)
                remote.append(float(told[1]))
                grown.append(int(told[2]))
                local.append(float(here[1]))
    rates = [mine / theirs for theirs, mine in zip(remote, local, strict=True)]
    return (
        f"{rows:,} rows of four columns, medians of {ROUNDS} interleaved rounds: over HTTP {median(remote):.2f} s, "
        f"DuckDB reading the same Parquet {median(local):.2f} s; the rate is {median(rates):.0%} of DuckDB's. "
        f"The client's memory grew by {max(grown)} MB while it read."
    )


def _run(code: str, *arguments: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout.split()


if __name__ == "__main__":
    figures = main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    sys.stdout.write(figures + "\n")
    write(f"## Whole answers to a client\n\n{figures}", "bench-stream")
