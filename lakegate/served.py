"""One process of the server: Granian in front of the app, until it is told to stop.

Also a module to run: a further worker, `python -m lakegate.served HOME HOST PORT INDEX`, at a port that another holds.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from athena.errors import Failed
from athena.lake import Lake
from lakegate.certificates import Certificate, renewed
from lakegate.listening import Listening, allow_many_files
from lakegate.logs import log_to_stderr
from lakegate.metrics import Metrics, told
from lakegate.room import Room

# From the last answer to the next whole header: idle connections end with it as well as slow ones.
HEADER_MS = 30_000
MAX_HEADER_BYTES = 64 * 1024
# A parked request keeps its connection, and one that waits for its next request as well.
MAX_CONNECTIONS = 16_384
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.25

Ready = Callable[[Listening], None]


async def until_signal(lake: Lake, listening: Listening, *, ready: Ready, index: int = 0) -> None:
    """`served` until SIGTERM or SIGINT. Belongs in the main thread."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stopping() -> None:
        stop.set()
        for number in numbers:  # the second signal ends the process as it stands
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, stopping)
    async with _orphaned(stop, index):
        await served(lake, listening, stop=stop, ready=ready, index=index)


async def served(lake: Lake, listening: Listening, *, stop: asyncio.Event, ready: Ready, index: int = 0) -> None:
    """Answers until `stop`: the part of a server that has no signals and no other processes. `index` tells several
    workers apart."""
    from api.embedded import app
    from api.parts import Parts
    from lakegate.front import Front

    room, metrics = Room(lake.settings.least_memory_bytes), Metrics()
    front = Front(app, Parts.embedded(lake), room=room, metrics=metrics)
    certificate = Certificate.of(lake.settings)
    server = _granian(front, listening, certificate)
    serving = asyncio.create_task(server.serve())
    port = lake.settings.metrics_port
    try:
        async with (
            told(port and port + index, lambda: metrics.text(front.gauges())),
            _looking(room),
            renewed(certificate, lambda found: _take_up(server, found)),
        ):
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


def _granian(front: Any, listening: Listening, certificate: Certificate | None) -> Any:
    from granian.constants import HTTPModes, SSLProtocols
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
        ssl_cert=certificate.chain if certificate else None,
        ssl_key=certificate.key if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def _take_up(server: Any, certificate: Certificate) -> None:
    from granian.constants import SSLProtocols

    server.build_ssl_context(certificate.chain, certificate.key, None, SSLProtocols.tls12, None, [], False)
    server.reload()


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


@asynccontextmanager
async def _looking(room: Room) -> AsyncIterator[None]:
    """Looks after the memory as long as the block lasts."""

    async def look() -> None:
        while True:
            room.look()
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


@asynccontextmanager
async def _orphaned(stop: asyncio.Event, index: int) -> AsyncIterator[None]:
    """Stops a further worker when the first one is gone."""
    parent = os.getppid()

    async def look() -> None:
        while index and os.getppid() == parent:
            await asyncio.sleep(LOOK_SECONDS)
        if index:
            stop.set()

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


def _work(home: Path, host: str, port: int, index: int) -> None:
    log_to_stderr()
    allow_many_files()
    with Lake.embedded(home) as lake:
        listening = Listening(host, port, secure=Certificate.of(lake.settings) is not None)
        asyncio.run(until_signal(lake, listening, ready=lambda _: None, index=index))


if __name__ == "__main__":
    _work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
