"""The parent's end of one child: send an errand, await the reply until a deadline, kill."""

import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from athena.engines.duckdb.errand import Done, Errand
from athena.records import decode, encode

_ROOT = str(Path(__file__).resolve().parents[3])
_START_SECONDS = 60.0


class ChildLost(Exception):
    """The child ended before it replied."""


class DeadlinePassed(Exception):
    """The child did not reply in time."""


class Child:
    """A process of its own, started clean (exec, never a bare fork) with an environment of its own."""

    def __init__(self, *, memory_bytes: int, file_bytes: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "athena.engines.duckdb.child", str(memory_bytes), str(file_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )
        self._input, self._output = _piped(self._process)
        self._buffer = bytearray()
        self._ready = False
        self.errands = 0

    @property
    def alive(self) -> bool:
        """Still running."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def run(self, errand: Errand, *, deadline: float) -> tuple[Done, bytes]:
        """The child's reply and the first page; `deadline` is on the monotonic clock.

        Raises `ChildLost` and `DeadlinePassed`; after either the child is of no more use: `kill` it.
        """
        if not self._ready:
            self._line(time.monotonic() + _START_SECONDS)
            self._ready = True
        self.errands += 1
        try:
            self._input.write(encode(errand) + b"\n")
            self._input.flush()
        except (OSError, ValueError) as error:
            raise ChildLost from error
        done = decode(Done, self._line(deadline))
        return done, self._exactly(done.page_bytes, deadline)

    def kill(self) -> None:
        """End it now, whatever it does, and reap it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and release the pipes. Only for the thread that talks to it."""
        self.kill()
        for pipe in (self._input, self._output):
            with suppress(OSError):  # a half-written errand has nowhere to go
                pipe.close()

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._read(deadline)
        return self._cut(end + 1)[:-1]

    def _exactly(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._read(deadline)
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def _read(self, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise DeadlinePassed
        chunk = os.read(self._output.fileno(), 1 << 20)
        if not chunk:
            raise ChildLost
        self._buffer += chunk


def _piped(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ChildLost
    return process.stdin, process.stdout


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": _ROOT, "TZ": "UTC", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
