"""The HTTP server of a home: Granian in front of the Chalice app of `api/`, with the landing watcher beside it.

One process answers HTTP, or as many as `workers` says; one loads what lands, and the engine has processes of its own.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from athena.errors import Failed, LakegateError
from athena.lake import Lake
from athena.notices.notifier import Notifier, notifying
from athena.notices.sqlite import SqliteNotices
from lakegate.certificates import Certificate
from lakegate.listening import Listening, reserved
from lakegate.logs import log_to_stderr
from lakegate.served import until_signal
from lakegate.tending import tended
from lakegate.watcher import watching

__all__ = ["Listening", "running", "serve"]

START_SECONDS, STOP_SECONDS = 120.0, 20.0
LOG_FILE = "server.log"


def serve(
    home: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    watch: bool = True,
    ready: Callable[[Listening], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop cleanly; calls `ready` once requests are answered.

    With `watch` a process of its own loads what lands. One line of JSON per request goes to stderr. Raises
    `Refused` (`no-home`, `port-in-use`, `address-invalid`, `tls-invalid`). Belongs in the main thread.
    """
    log_to_stderr()
    with Lake.embedded(home) as lake, ExitStack() as beside:
        secure = Certificate.of(lake.settings) is not None
        listening = replace(beside.enter_context(reserved(host, port)), secure=secure)
        if watch:
            beside.enter_context(watching(home))
        for index in range(1, lake.settings.workers):
            arguments = (str(home), listening.host, str(listening.port), str(index))
            beside.enter_context(tended(f"worker {index}", "lakegate.served", arguments))
        beside.enter_context(notifying(Notifier.embedded(lake, SqliteNotices(lake.settings.state))))
        asyncio.run(until_signal(lake, listening, ready=ready or (lambda _: None)))


@contextmanager
def running(home: Path, *, host: str = "127.0.0.1", port: int = 0, watch: bool = True) -> Iterator[Listening]:
    """A server in a child process, answering when the block begins and gone when it ends; its log is `server.log`
    in the home. Raises what `serve` raises. The child ends with its parent, however that ends."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve_for, args=(theirs, home, host, port, watch), name="lakegate-serve")
    child.start()
    theirs.close()
    try:
        yield _told(mine)
    finally:
        child.terminate()
        child.join(STOP_SECONDS)
        if child.is_alive():
            child.kill()
            child.join()
        mine.close()


def _serve_for(teller: Connection, home: Path, host: str, port: int, watch: bool) -> None:
    """The child's side of `running`."""
    log = os.open(home / LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if home.is_dir() else None
    if log is not None:
        os.dup2(log, sys.stderr.fileno())
    _end_with_parent()
    try:
        serve(home, host=host, port=port, watch=watch, ready=teller.send)
    except LakegateError as error:
        teller.send((error.message, error.remedy, error.code))


def _told(pipe: Connection) -> Listening:
    try:
        told = pipe.recv() if pipe.poll(START_SECONDS) else None
    except EOFError:
        told = None
    if isinstance(told, Listening):
        return told
    if isinstance(told, tuple):
        message, remedy, code = told
        raise Failed(message, remedy, code=code)
    raise Failed("The server did not start.", f"Look into {LOG_FILE} in the home.")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch_parent(sentinel: int) -> None:
        wait([sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch_parent, args=(parent.sentinel,), daemon=True).start()
