"""Where the server listens, found out and held before it starts."""

import errno
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from athena.errors import Refused


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server answers; `port` is the chosen one when 0 was asked for."""

    host: str
    port: int
    secure: bool = False

    @property
    def url(self) -> str:
        """The address without a trailing slash.

        >>> Listening("127.0.0.1", 8787).url
        'http://127.0.0.1:8787'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


@contextmanager
def reserved(host: str, port: int) -> Iterator[Listening]:
    """An address that nobody else listens at, held as long as the block lasts; raises `Refused` when there is none.

    Granian binds with SO_REUSEPORT, so that two servers would share one port without a word: a socket without it
    asks first whether the port is free, and one with it keeps the port (Linux; elsewhere the first alone must do).
    """
    allow_many_files()
    listening = _free(host, port)
    with _socket(host) as holder:
        if sys.platform == "linux":
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((host, listening.port))
        yield listening


def _free(host: str, port: int) -> Listening:
    with _socket(host) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _refused(host, port, error) from error
        except OverflowError as error:
            raise Refused(f"{port} is no port.", "Use 0 to 65535.", code="address-invalid") from error
        return Listening(host, probe.getsockname()[1])


def _refused(host: str, port: int, error: OSError) -> Refused:
    if error.errno == errno.EADDRINUSE:
        return Refused(
            f"Port {port} on {host} is in use.",
            "Stop the other program, or choose another port with --port (0 finds a free one).",
            code="port-in-use",
        )
    if error.errno == errno.EACCES:
        return Refused(f"Port {port} is not yours to use.", "Choose one above 1023.", code="port-in-use")
    return Refused(
        f"{host} is no address of this machine: {error.strerror or error}.",
        "Use 127.0.0.1 for this machine alone, 0.0.0.0 for all of its addresses.",
        code="address-invalid",
    )


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)


def allow_many_files() -> None:
    """Let this process open as many files as it may."""
    # Each connection is an open file; the soft limit is often 1024.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
