"""Tells partners' webhooks what has changed: events become notices, notices are sent, what fails is tried again.

Runs beside the first worker of a server, and in a function on AWS. A notice is claimed before it is sent, so that of
several only one sends it.
"""

import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_network
from urllib.parse import urlsplit

from athena.catalogue import dataset as visible
from athena.errors import LakegateError, Refused
from athena.events import DatasetUpdated
from athena.lake import Lake
from athena.notices import RETRY_SECONDS, Notice, Notices, Webhook
from athena.notices.reach import allowed, reachable
from athena.notices.sign import headers, notice_of
from athena.planning import parsed
from athena.question import Caller

SENDERS, IDLE_SECONDS = 4, 1.0
# All of it, from the name's look-up on: an address that answers byte by byte holds a sender no longer.
SEND_SECONDS, CONNECT_SECONDS = 15.0, 5.0
CLAIM_SECONDS = 120.0
MAX_STATUS_OK = 299
log = logging.getLogger("athena.notices.notifier")


class Unsent(Exception):
    """The notice was not taken; why, in words that its partner may read."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """The parts. `resolve` gives the addresses of a host, `jitter` a factor on each pause."""

    lake: Lake
    notices: Notices
    resolve: Callable[[str, int], list[str]]
    jitter: Callable[[], float]

    @classmethod
    def embedded(cls, lake: Lake, notices: Notices) -> "Notifier":
        """The notifier of a home; raises `Refused` when `webhook_networks` holds what is no network."""
        for network in lake.settings.webhook_networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise Refused(
                    f"webhook_networks: {error}.", 'Write networks as "10.0.0.0/8".', code="settings-invalid"
                ) from error
        return cls.of(lake, notices)

    @classmethod
    def of(cls, lake: Lake, notices: Notices) -> "Notifier":
        """The notifier of a lake."""
        return cls(lake, notices, addresses, lambda: random.uniform(0.8, 1.2))  # noqa: S311 no secret

    def spread(self) -> None:
        """Make notices of what was heard."""
        for event in self.notices.events():
            now = self.lake.clock()
            told = tuple(notice_of(hook, event, now) for hook in self.notices.webhooks() if self._wants(hook, event))
            self.notices.spread(event, told)

    def send_one(self) -> bool:
        """Send one notice that is due; False when there is none."""
        now = self.lake.clock()
        notice = self.notices.claim(now, now + timedelta(seconds=CLAIM_SECONDS))
        if notice is None:
            return False
        hooks = [hook for hook in self.notices.webhooks() if hook.id == notice.webhook_id]
        if not hooks or not self._may_see(hooks[0].partner, notice.dataset):
            self.notices.done(notice)  # nobody is there any more who may know
            return True
        try:
            self._send(hooks[0], notice)
        except Unsent as error:
            self.notices.settle(self._later(notice, str(error)))
            log.warning("notice %s to webhook %s: %s", notice.id, notice.webhook_id, error)
        else:
            self.notices.done(notice)
        return True

    def send_due(self, go_on: Callable[[], bool]) -> int:
        """Send by several threads until nothing is due, or `go_on` says no; how many were tried. A try that has begun
        takes up to `SEND_SECONDS`."""

        def send() -> int:
            count = 0
            while go_on() and self.send_one():
                count += 1
            return count

        with ThreadPoolExecutor(SENDERS, thread_name_prefix="notifier") as threads:
            return sum(sent.result() for sent in [threads.submit(send) for _ in range(SENDERS)])

    def _wants(self, hook: Webhook, event: DatasetUpdated) -> bool:
        if hook.dataset is not None:
            return hook.dataset == event.dataset and self._may_see(hook.partner, event.dataset)
        saved = self.lake.saved.get(hook.partner, hook.saved or "")
        if saved is None:
            return False
        try:
            tables = parsed(self.lake, saved.latest.sql).tables
        except LakegateError:
            return False
        return event.dataset in tables and self._may_see(hook.partner, event.dataset)

    def _may_see(self, partner: str, dataset: str) -> bool:
        try:
            visible(self.lake, Caller(partner), dataset)
        except LakegateError:
            return False
        return True

    def _later(self, notice: Notice, error: str) -> Notice:
        tried = replace(notice, attempts=notice.attempts + 1, error=error)
        if notice.attempts >= len(RETRY_SECONDS):
            return replace(tried, dead=True)
        pause = RETRY_SECONDS[notice.attempts] * self.jitter()
        return replace(tried, due_at=self.lake.clock() + timedelta(seconds=pause))

    def _send(self, hook: Webhook, notice: Notice) -> None:
        to = urlsplit(hook.url)
        secure, host = to.scheme == "https", to.hostname or ""
        port = to.port or (443 if secure else 80)
        address = self._address(host, port, secure)
        named = {**headers(notice, hook.secret, self.lake.clock()), "host": to.netloc}
        target = (to.path or "/") + (f"?{to.query}" if to.query else "")
        try:
            with _connected(address, port, host if secure else None) as connection:
                connection.request("POST", target, notice.body.encode(), named)
                status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            raise Unsent(f"{host} could not be reached, or did not answer in time.") from error
        if status > MAX_STATUS_OK:
            raise Unsent(f"{host} answered {status}; only 200 to 299 counts, and redirects are not followed.")

    def _address(self, host: str, port: int, secure: bool) -> str:
        networks = self.lake.settings.webhook_networks
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unsent(f"{host} has no address.") from error
        for address in found:
            if allowed(address, networks) if not secure else reachable(address, networks):
                return address
        raise Unsent(f"{host} is no public address that may be told with {'https' if secure else 'http'}.")


def addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order in which to try them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@contextmanager
def notifying(notifier: Notifier) -> Iterator[None]:
    """Threads that spread and send as long as the block lasts."""
    stop = threading.Event()

    def keep(step: Callable[[], bool]) -> None:
        while not stop.is_set():
            try:
                busy = step()
            except LakegateError as error:
                log.error("%s: %s", error.code, error.message)
                busy = False
            if not busy:
                stop.wait(IDLE_SECONDS)

    def spread() -> bool:
        notifier.spread()
        return False

    steps = (spread, *[notifier.send_one] * SENDERS)
    threads = [threading.Thread(target=keep, args=(step,), name="notifier", daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            # One that waits for somebody else is left: what it claimed is sent again.
            thread.join(1.0)


@contextmanager
def _connected(address: str, port: int, name: str | None) -> Iterator[HTTPConnection]:
    """A connection to just this address, cut off when its time is up; with `name`, TLS with a certificate for it."""
    plain = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    timer = threading.Timer(SEND_SECONDS, _cut, (plain,))
    timer.start()
    try:
        used = plain if name is None else ssl.create_default_context().wrap_socket(plain, server_hostname=name)
        with used:
            connection = HTTPConnection(address, port)
            connection.sock = used
            yield connection
    finally:
        timer.cancel()
        plain.close()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
