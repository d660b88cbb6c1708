"""A reply whose body is sent while it is made: one chunk in memory, however slowly the client reads."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from api.response import Reply
from athena.errors import LakegateError
from lakegate.call import CLIENT_GONE, Call, ProtocolClosed

THREADS = 2
log = logging.getLogger("lakegate.api")


class Streams:
    """Sends bodies chunk by chunk; each is made on a thread, and no thread waits for a client."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stream")

    async def send(self, call: Call, reply: Reply, chunks: Iterator[bytes]) -> None:
        """The whole body, or as much as the client takes."""
        loop, sent = asyncio.get_running_loop(), 0
        transport = call.protocol.response_stream(reply.status, list(reply.headers))
        try:
            if call.arrival.method != "HEAD":
                while (chunk := await loop.run_in_executor(self._threads, next, chunks, None)) is not None:
                    await transport.send_bytes(chunk)
                    sent += len(chunk)
        except ProtocolClosed:
            reply = CLIENT_GONE
        except LakegateError as error:
            log.error("%s: %s: %s", call.visit.request_id, error.code, error.message)
            raise
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                loop.run_in_executor(self._threads, close)
            call.told(reply, sent)

    def close(self) -> None:
        """Return when nothing is being made any more."""
        self._threads.shutdown()
