"""The engine's child process: one errand after the other, each in a fresh database.

Started as `python -m athena.engines.duckdb.child`, never forked. Reads errands from standard input and dies with
its parent (end of input); replies on what was standard output when it began. It imports nothing that opens files,
sockets or processes beyond DuckDB and PyArrow, and its environment holds no secrets.
"""

import os
import resource
import sys
from queue import SimpleQueue
from threading import Thread

import duckdb
import pyarrow as pa

from athena.engines.duckdb.errand import Done, Errand
from athena.engines.duckdb.export import export
from athena.engines.duckdb.fault import code_of, log_of
from athena.engines.duckdb.sandbox import lock_in, open_database
from athena.records import decode, encode

# What Python, PyArrow and DuckDB map beside the query's own memory: threads, arenas, the files being read.
_HEADROOM_BYTES = 1024**3


def main() -> None:
    """Serve until the input ends. Arguments: memory of one query in bytes, size limit of any one file in bytes."""
    memory_bytes, file_bytes = int(sys.argv[1]), int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    pa.set_cpu_count(1)
    _limit(memory_bytes, file_bytes)
    errands: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(errands,), daemon=True).start()
    replies.write(b"ready\n")
    while True:
        with open_database() as connection:
            done, page = _run(connection, decode(Errand, errands.get()))
            _write_all(replies.fileno(), encode(done) + b"\n" + page)


def _listen(errands: "SimpleQueue[bytes]") -> None:
    for line in sys.stdin.buffer:
        errands.put(line)
    # The parent is gone or wants no more: whatever is running is nobody's.
    os._exit(0)


def _limit(memory_bytes: int, file_bytes: int) -> None:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib would be one import more
        mapped = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in (
        (resource.RLIMIT_AS, mapped + memory_bytes + _HEADROOM_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
    ):
        resource.setrlimit(kind, (most, most))


def _run(connection: duckdb.DuckDBPyConnection, errand: Errand) -> tuple[Done, bytes]:
    try:
        lock_in(connection, errand)
        return export(connection, errand)
    except Exception as error:  # noqa: BLE001 - an entry point: told as a code, the child lives on
        return Done(error_code=code_of(error), log=log_of(error)), b""


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


if __name__ == "__main__":
    main()
