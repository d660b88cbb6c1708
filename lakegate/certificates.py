"""The certificate of a server that runs: new files are taken up without a restart.

Granian reads certificate and key when a worker of its starts. A worker with the new ones begins to listen before the
old one stops, which finishes what it has begun; whoever connects in between meets either.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from athena.errors import Refused
from athena.settings import Settings

LOOK_SECONDS = 5.0
log = logging.getLogger("lakegate.tls")

# What tells one state of the files from another.
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a certificate with its chain and its key lie."""

    chain: Path
    key: Path

    @classmethod
    def of(cls, settings: Settings) -> "Certificate | None":
        """That of a home; None when it has none. Raises `Refused` when it is not to be used."""
        if not settings.tls_certificate and not settings.tls_key:
            return None
        found = cls(settings.home / settings.tls_certificate, settings.home / settings.tls_key)
        found.check()
        return found

    def check(self) -> None:
        """Raises `Refused` (`tls-invalid`) when the files are no certificate with its key."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key)
        except (OSError, ValueError) as error:
            raise Refused(
                f"{self.chain} and {self.key} are no certificate with its key: "
                f"{getattr(error, 'strerror', None) or error}.",
                "Set `tls_certificate` (PEM, with its chain) and `tls_key` (PEM, without a password), both readable.",
                code="tls-invalid",
            ) from error

    def stamp(self) -> Stamp | None:
        """The state of the files, links followed; None while one of them is not there."""
        try:
            found = [path.stat() for path in (self.chain, self.key)]
        except OSError:
            return None
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)


class Renewal:
    """Decides when files are to be taken up: once they have changed, have stayed as they are from one look to the next
    (two files are not written at one instant), and belong together."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._known = self._seen = certificate.stamp()

    def due(self) -> bool:
        """Whether there is something new to take up; true once for each change. What does not fit together is logged
        once, and the old certificate stays."""
        before, self._seen = self._seen, self._certificate.stamp()
        if self._seen is None or self._seen != before or self._seen == self._known:
            return False
        self._known = self._seen
        try:
            self._certificate.check()
        except Refused as error:
            log.error("The old certificate stays: %s %s", error.message, error.remedy)
            return False
        return True


@asynccontextmanager
async def renewed(certificate: Certificate | None, take: Callable[[Certificate], None]) -> AsyncIterator[None]:
    """Calls `take` for each new certificate as long as the block lasts."""
    if certificate is None:
        yield
        return
    renewal = Renewal(certificate)

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if renewal.due():
                take(certificate)
                log.warning("A new certificate is used from now on.")

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
