"""The HTTP server of a home: Granian in front of the Chalice app of `api/`, with the landing watcher beside it.

One process answers HTTP, one loads what lands, and the engine has processes of its own.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from athena.errors import Failed, LakegateError
from athena.lake import Lake
from lakegate.listening import Listening, reserved
from lakegate.logs import log_to_stderr
from lakegate.watcher import watching

__all__ = ["Listening", "running", "serve"]

# From the last answer to the next whole header: idle connections end with it as well as slow ones.
HEADER_MS = 30_000
MAX_HEADER_BYTES = 64 * 1024
# A parked request keeps its connection, and one that waits for its next request as well.
MAX_CONNECTIONS = 16_384
START_SECONDS, STOP_SECONDS = 60.0, 20.0
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
    `Refused` (`no-home`, `port-in-use`, `address-invalid`). Belongs in the main thread.
    """
    log_to_stderr()
    with Lake.embedded(home) as lake, reserved(host, port) as listening, watching(home) if watch else nullcontext():
        asyncio.run(_until_signal(lake, listening, ready or (lambda _: None)))


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


async def _until_signal(lake: Lake, listening: Listening, ready: Callable[[Listening], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stopping() -> None:
        stop.set()
        for number in numbers:  # the second signal ends the process as it stands
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, stopping)
    await served(lake, listening, stop=stop, ready=ready)


async def served(lake: Lake, listening: Listening, *, stop: asyncio.Event, ready: Callable[[Listening], None]) -> None:
    """Answers until `stop`: the part of `serve` that has no signals and no other processes."""
    from api.embedded import app
    from api.parts import Parts
    from lakegate.front import Front

    front = Front(app, Parts.embedded(lake))
    server = _granian(front, listening)
    serving = asyncio.create_task(server.serve())
    try:
        await _answering(listening, serving)
        asyncio.get_running_loop().run_in_executor(None, lake.warm)
        ready(listening)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
    finally:
        front.stop()
        server.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(serving, STOP_SECONDS)
        await asyncio.get_running_loop().run_in_executor(None, front.close)


def _granian(front: Any, listening: Listening) -> Any:
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    return Server(
        front,
        address=listening.host,
        port=listening.port,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS, max_buffer_size=MAX_HEADER_BYTES),
        websockets=False,
        backlog=1024,
        backpressure=MAX_CONNECTIONS,
        log_enabled=False,
    )


async def _answering(listening: Listening, serving: "asyncio.Task[None]") -> None:
    """Returns when a connection is taken; raises what kept the server from listening."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(listening.host, listening.port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return
    await serving
    raise Failed(f"The server ended before it listened at {listening.url}.", "Look into its log.")


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
