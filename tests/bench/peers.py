"""Others that answer SQL over HTTP, on the same rows: ROAPI (DataFusion) and datasette (SQLite). Both recompute every
question. They come with the extra `bench`; one that is not installed or does not start is left out, and said to be.
"""

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq

from lakegate.listening import Listening

START_SECONDS = 60.0
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Peer:
    """A running one: where, and how a statement is sent to it."""

    name: str
    at: Listening

    def request(self, sql: str) -> bytes:
        """The bytes of one request."""
        if self.name == "datasette":
            target = "/trips.json?" + urlencode({"sql": sql, "_shape": "array"}, safe="@")
            return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        content = sql.encode()
        head = f"POST /api/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        return head.encode() + content


@contextmanager
def roapi(folder: Path, rows: pa.Table) -> Iterator[Peer | None]:
    """ROAPI over one Parquet file, which it keeps in memory."""
    file = folder / "trips.parquet"
    pq.write_table(rows, file)
    port = _free_port()
    with _running("roapi", ["-t", f"trips={file},format=parquet", "--addr-http", f"{_HOST}:{port}"], port) as running:
        yield Peer("ROAPI", Listening(_HOST, port)) if running else None


@contextmanager
def datasette(folder: Path, rows: pa.Table) -> Iterator[Peer | None]:
    """datasette over one SQLite table; its limits of time and rows are lifted as far as it needs."""
    file = folder / "trips.db"
    if _program("datasette") is not None:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE trips (carrier TEXT, bucket INTEGER, delay REAL, fare REAL)")
            for batch in rows.to_batches(max_chunksize=100_000):
                values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                connection.executemany("INSERT INTO trips VALUES (?, ?, ?, ?)", values)
    port = _free_port()
    settings = ["--setting", "sql_time_limit_ms", "600000", "--setting", "max_returned_rows", "2000"]
    with _running("datasette", ["serve", str(file), "--port", str(port), *settings], port) as running:
        yield Peer("datasette", Listening(_HOST, port)) if running else None


def _program(name: str) -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


@contextmanager
def _running(name: str, arguments: list[str], port: int) -> Iterator[bool]:
    program = _program(name)
    if program is None:
        yield False
        return
    child = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _answers(port, child)
    finally:
        child.terminate()
        child.wait(30)


def _answers(port: int, child: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and child.poll() is None:
        with suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
