"""What stands between Granian and the app: bodies are read and waits are parked here, without holding a thread.

wire → bounds → body → asked before: its answer
                     → a thread of the crew runs the route → reply
                            └─ no answer yet → parked until done, time up, client gone or stop → the route again
"""

import asyncio
import contextlib
from collections.abc import Iterator
from enum import Enum

from api.edge import App
from api.gateway import refuse, respond
from api.parts import Parts
from api.response import LATER, Park, Reply
from athena.ask import on_done
from athena.errors import Busy, LakegateError
from lakegate.call import CLIENT_GONE, Call, Protocol, ProtocolClosed, Scope, begun, received
from lakegate.crew import Crew
from lakegate.metrics import Metrics
from lakegate.room import Room
from lakegate.streaming import Streams

THREADS, MAX_QUEUED = 8, 2048
TOKEN_THREADS, MAX_QUEUED_TOKENS = 1, 256
# Longer texts take their time already to be read as JSON.
ASK_ROUTE, MAX_AT_ONCE_BYTES = "/v1/queries", 16 * 1024
TOKEN_ROUTE = "/oauth2/token"  # noqa: S105 a path


class End(Enum):
    """Why a wait ended."""

    DONE = 1
    TIME_UP = 2
    GONE = 3
    STOPPED = 4


Wait = asyncio.Future[End]


class Front:
    """The RSGI application of one process; `stop` it, let the server end, then `close` it."""

    def __init__(self, app: App, parts: Parts, *, room: Room, metrics: Metrics) -> None:
        self._app = app
        self._parts = parts
        self._room = room
        self._metrics = metrics
        self._waits: set[Wait] = set()
        self._stopped = False
        self._streams = Streams()
        self._crew = Crew("http", threads=THREADS, max_queued=MAX_QUEUED)
        # Secrets are slow to check on purpose: with a crew of their own they cannot hold up the others.
        self._token_crew = Crew("token", threads=TOKEN_THREADS, max_queued=MAX_QUEUED_TOKENS)

    def stop(self) -> None:
        """Tell all who wait, now and from now on, where to look later."""
        self._stopped = True
        for wait in list(self._waits):
            _end(wait, End.STOPPED)

    def close(self) -> None:
        """Return when every request that was begun has its reply."""
        self._crew.close()
        self._token_crew.close()
        self._streams.close()

    def gauges(self) -> dict[str, float]:
        """What stands at this moment, for `/metrics`."""
        return {
            "lakegate_requests_queued": float(self._crew.queued + self._token_crew.queued),
            "lakegate_requests_parked": float(len(self._waits)),
            "lakegate_questions_running": float(len(self._parts.lake.tower.led())),
            "lakegate_body_bytes": float(self._room.body_bytes),
        }

    async def __rsgi__(self, scope: Scope, protocol: Protocol) -> None:
        """One request."""
        call = begun(scope, protocol, self._parts, self._metrics)
        try:
            with self._room.held() as held:
                self._room.check()
                call = await received(call, held)
                reply = self._at_once(call) or await self._routed(call)
                if reply.park is not None:
                    reply = await self._parked(call, reply, reply.park)
            if reply.chunks is not None:
                await self._streams.send(call, reply, reply.chunks)
        except ProtocolClosed:
            call.reply(CLIENT_GONE)
        except LakegateError as error:
            call.reply(refuse(error, call.arrival, call.visit))

    def _at_once(self, call: Call) -> Reply | None:
        """The reply to a question that was asked before: a few look-ups by key, cheaper than the way to a thread."""
        arrival = call.arrival
        if arrival.path != ASK_ROUTE or arrival.method != "POST" or len(arrival.body) > MAX_AT_ONCE_BYTES:
            return None
        call.visit.at_once = True
        reply = respond(self._app, arrival, call.visit)
        call.visit.at_once = False
        if reply.status == LATER.status:
            return None
        call.reply(reply)
        return reply

    async def _routed(self, call: Call) -> Reply:
        """The reply of the route; the thread that made it has sent it, unless there is more to do than that."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Reply] = loop.create_future()

        def task() -> None:
            try:
                reply = respond(self._app, call.arrival, call.visit)
                if reply.park is None and reply.chunks is None:
                    call.reply(reply)
            except Exception as error:  # noqa: BLE001 a thread of the crew has nobody else to tell
                loop.call_soon_threadsafe(made.set_exception, error)
            else:
                loop.call_soon_threadsafe(made.set_result, reply)

        crew = self._token_crew if call.arrival.path == TOKEN_ROUTE else self._crew
        crew.give(task)
        return await made

    async def _parked(self, call: Call, reply: Reply, park: Park) -> Reply:
        """Waits for the answer, then asks the route again, which looks at caller and grant anew."""
        try:
            end = await self._waited(call.protocol, park)
        except Busy:
            end = End.STOPPED
        if end is End.GONE:
            reply = CLIENT_GONE
        elif end is not End.STOPPED:
            call.visit.resume = park.answer_id
            return await self._routed(call)
        call.reply(reply)
        return reply

    async def _waited(self, protocol: Protocol, park: Park) -> End:
        if self._stopped:
            return End.STOPPED
        loop = asyncio.get_running_loop()
        wait: Wait = loop.create_future()
        with self._listed(wait), _told(self._parts, park, wait), _watched(protocol, wait):
            try:
                return await asyncio.wait_for(wait, park.seconds)
            except TimeoutError:
                return End.TIME_UP

    @contextlib.contextmanager
    def _listed(self, wait: Wait) -> Iterator[None]:
        self._waits.add(wait)
        try:
            yield
        finally:
            self._waits.discard(wait)


@contextlib.contextmanager
def _told(parts: Parts, park: Park, wait: Wait) -> Iterator[None]:
    """Ends the wait when the answer is there; raises `Busy` when too many wait."""
    loop = wait.get_loop()

    def landed() -> None:
        loop.call_soon_threadsafe(_end, wait, End.DONE)

    leave = on_done(parts.lake, park.caller, park.answer_id, landed)
    try:
        yield
    finally:
        leave()


@contextlib.contextmanager
def _watched(protocol: Protocol, wait: Wait) -> Iterator[None]:
    """Ends the wait when the client goes away."""
    gone = asyncio.ensure_future(protocol.client_disconnect())
    gone.add_done_callback(lambda _: _end(wait, End.GONE))
    try:
        yield
    finally:
        gone.cancel()


def _end(wait: Wait, end: End) -> None:
    if not wait.done():
        wait.set_result(end)
