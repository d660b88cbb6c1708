"""A large answer over the wire, while its table is being loaded: complete, in order, each row once, memory flat."""

import io
import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.callers.credentials import Credentials
from athena.settings import HOME_FILE
from lakegate.serve import Listening
from tests.lakegate.server import Client, client, serving
from tests.lakes import Home

SQL = "SELECT n, word, half FROM numbers ORDER BY n"
MEBIBYTE = 1024 * 1024


def numbers(start: int, count: int) -> pa.Table:
    """Rows that say which they are, in an order of their own."""
    given = [(at * 7919) % count + start for at in range(count)]
    return pa.table(
        {"n": pa.array(given, pa.int64()), "word": [f"w{n}" for n in given], "half": [n / 2 for n in given]}
    )


@contextmanager
def served(folder: Path, count: int) -> Iterator[tuple[Home, Listening, Client]]:
    """A server over `count` numbers, with a partner who may have them all."""
    (folder / HOME_FILE).write_text("version = 1\n")
    home = Home(folder)
    with home.opened() as (lake, _):
        home.publish(lake, home.tables.append("numbers", numbers(0, count)))
        home.grant("united", "[datasets.numbers]", f"[limits]\nresult_rows = {10 * count}")
        issued = Credentials.embedded(home.settings).add_client("united")
    with serving(folder) as at, client(at, issued) as http:
        yield home, at, http
    home.tables.close()


@contextmanager
def loading(home: Home, count: int) -> Iterator[None]:
    """Loads more numbers all the time."""
    stop = threading.Event()

    def load() -> None:
        start = count
        with home.opened() as (lake, _):
            while not stop.wait(0.05):
                home.publish(lake, home.tables.append("numbers", numbers(start, 100)))
                start += 100

    loader = threading.Thread(target=load)
    loader.start()
    try:
        yield
    finally:
        stop.set()
        loader.join()


def most_memory() -> int:
    """The most that the server's process had resident, in bytes."""
    (server,) = [child for child in multiprocessing.active_children() if child.name == "lakegate-serve"]
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def final(http: Client, sql: str) -> dict[str, object]:
    """The answer, once it is there."""
    answer: dict[str, object] = http.ask(sql, wait_seconds=25).json()
    while answer["state"] in ("QUEUED", "RUNNING"):
        time.sleep(0.2)
        answer = http.get(f"/v1/queries/{answer['id']}").json()
    assert answer["state"] == "SUCCEEDED", answer
    return answer


def read_pages(http: Client, answer: dict[str, object], limit: int) -> Iterator[list[list[object]]]:
    """The rows of each page."""
    path = f"/v1/queries/{answer['id']}/rows?limit={limit}"
    token: object = ""
    while token is not None:
        page = http.get(path + (f"&page={token}" if token else "")).json()
        assert page["row_count"] == answer["row_count"]
        yield page["rows"]
        token = page["next"]


def complete(tmp_path: Path, *, count: int, limit: int) -> None:
    with served(tmp_path, count) as (home, at, http):
        answer = final(http, SQL)
        assert (answer["row_count"], answer["truncated"]) == (count, False)
        expected, most = 0, 0
        with loading(home, count):
            for rows in read_pages(http, answer, limit):
                assert rows == [[str(n), f"w{n}", n / 2] for n in range(expected, expected + len(rows))]
                expected += len(rows)
                # By now each thread has served some pages and holds what it needs for one.
                most = most or (most_memory() if expected >= count // 4 else 0)
            assert expected == count
            grown_by_pages = most_memory() - most
            streamed(at, http, answer, count)
            grown = most_memory() - most
        more = final(http, "SELECT count(*) AS n FROM numbers")
        assert int(str(more["rows"][0][0])) > count  # type: ignore[index]
        sys.stdout.write(
            f"{count} rows: {most // MEBIBYTE} MiB, "
            f"+{grown_by_pages // MEBIBYTE} by pages, +{grown // MEBIBYTE} in all\n"
        )
        assert grown_by_pages < 48 * MEBIBYTE
        assert grown < 128 * MEBIBYTE


def streamed(at: Listening, http: Client, answer: dict[str, object], count: int) -> None:
    """The whole in one go, as CSV by a reader that takes its time, and as a file behind a link."""
    link = http.get(f"/v1/queries/{answer['id']}/download?format=csv")
    connection = HTTPConnection(at.host, at.port, timeout=120)
    connection.request("GET", link.headers["location"])
    response = connection.getresponse()
    lines, pause = 0, 50
    while chunk := response.read(MEBIBYTE):
        lines += chunk.count(b"\n")
        pause -= 1
        time.sleep(0.02 if pause > 0 else 0)
    connection.close()
    assert lines == count + 1
    link = http.get(f"/v1/queries/{answer['id']}/download?format=parquet")
    table = pq.read_table(io.BytesIO(http.get(link.headers["location"]).body))
    assert table.num_rows == count
    assert table["n"].to_pylist()[:: count // 10] == list(range(0, count, count // 10))


def test_pages_of_a_large_answer_under_loads(tmp_path: Path) -> None:
    complete(tmp_path, count=120_000, limit=10_000)


@pytest.mark.long
def test_pages_of_five_million_rows_under_loads(tmp_path: Path) -> None:
    complete(tmp_path, count=5_000_000, limit=50_000)


def test_who_goes_away_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    with served(tmp_path, 120_000) as (_, at, http):
        answer = final(http, SQL)
        for _ in range(8):
            link = http.get(f"/v1/queries/{answer['id']}/download?format=csv").headers["location"]
            connection = HTTPConnection(at.host, at.port, timeout=30)
            connection.request("GET", link)
            assert connection.getresponse().read(1000)
            connection.close()
        assert json.loads(http.get("/healthz").body) == {"status": "ok"}
        assert http.send("HEAD", http.get(f"/v1/queries/{answer['id']}/download").headers["location"]).body == b""
