"""A lake behind a server: a partner's client of the HTTP interface.

Tokens are fetched and renewed, what is worth a retry is repeated with growing pauses, rows come as one Arrow stream
where the server has one and by pages otherwise.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin

import urllib3

from athena.catalogue import Listing
from athena.errors import Busy, Failed, Gone, LakegateError, LimitExceeded, NotFound, Refused, Unauthenticated
from lakegate.client import PastState, Query, Standing
from lakegate.client.arrow import arrow_schema, fitted, from_json
from lakegate.client.told import listing_told, standing_told

if TYPE_CHECKING:
    import pyarrow as pa

ARROW_TYPE = "application/vnd.apache.arrow.stream"
# A question is put with a short wait: until its id is known, it cannot be cancelled.
ASK_SECONDS = 0.3
POLL_SECONDS = (0.05, 1.0)
PAGE_ROWS = 10_000
TRIES = 6
MOST_PAUSE_SECONDS = 10.0
RENEW_BEFORE_SECONDS = 60.0
TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
# What a server says that has pages only: one on Lambda, or an older one.
_NO_STREAM = frozenset(["not-acceptable", "not-found", "format-unavailable"])
_WORTH_A_RETRY = frozenset([429, 502, 503, 504])

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, and where a token is to be had for it."""

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str = ""


class HttpLink:
    """A server's interface at `url`. Safe to share between threads."""

    def __init__(self, url: str, credentials: Credentials, *, sleep: Sleep = time.sleep) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._sleep = sleep
        self._pool = urllib3.PoolManager(maxsize=8, timeout=TIMEOUT, retries=False)
        self._lock = threading.Lock()
        self._token: tuple[str, float] | None = None

    @property
    def where(self) -> str:
        """The server's URL."""
        return self._url

    def listings(self) -> tuple[Listing, ...]:
        """Every dataset that the asker may see."""
        return tuple(listing_told(one) for one in self._json("GET", "/v1/datasets")["datasets"])

    def listing(self, name: str) -> Listing:
        """One of them; raises `NotFound`."""
        return listing_told(self._json("GET", f"/v1/datasets/{quote(name)}"))

    def ask(self, query: Query) -> Standing:
        """Put a question; comes back within half a second, answered or not."""
        if query.as_of is not None:
            raise Refused(
                "A server answers on the state of now.",
                "Connect to the home or the stage to use as_of.",
                code="as-of-invalid",
            )
        given: dict[str, object] = {"sql": query.sql, "wait_seconds": ASK_SECONDS}
        if query.parameters:
            given["parameters"] = query.parameters if isinstance(query.parameters, Mapping) else list(query.parameters)
        if query.limit is not None:
            given["limit"] = query.limit
        if query.refresh:
            given["cache"] = "refresh"
        return standing_told(self._json("POST", "/v1/queries", given))

    def look(self, standing: Standing, *, seconds: float) -> Standing:
        """The same question, as soon as it is final, at the latest after `seconds`."""
        until = time.monotonic() + seconds
        pause = POLL_SECONDS[0]
        while True:
            found = standing_told(self._json("GET", f"/v1/queries/{standing.id}"))
            left = until - time.monotonic()
            if found.state.final or left <= 0:
                return found
            self._sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_SECONDS[1])

    def cancel(self, standing: Standing) -> None:
        """Leave it: the engine stops unless others wait for the same answer."""
        self._json("DELETE", f"/v1/queries/{standing.id}")

    def batches(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        """The rows: the page that came with the answer when that is all, else a stream of Arrow batches."""
        if standing.is_whole and not standing.warnings:
            return iter([from_json(standing.page, standing.columns)])
        return self._stream(standing)

    def history(self, dataset: str) -> tuple[PastState, ...]:
        """Not over HTTP."""
        raise Refused("A server shows no older states.", "Connect to the home or the stage.", code="as-of-invalid")

    def load(self, file: Path, *, dataset: str, source: str) -> Mapping[str, object]:
        """Not over HTTP."""
        raise Refused(
            "A server takes no files over HTTP.",
            "Drop the file into its landing folder or bucket, or connect to the home itself.",
            code="load-unavailable",
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _stream(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        path = f"/v1/queries/{standing.id}/download?format=arrow"
        try:
            response = self._send("GET", path, accept=ARROW_TYPE, stream=True)
        except Refused as error:
            if error.code not in _NO_STREAM:
                raise
            yield from self._pages(standing)
            return
        schema = arrow_schema(standing.columns)
        try:
            file: Any = response
            file.auto_close = False
            with pa.ipc.open_stream(pa.PythonFile(file, mode="r")) as reader:
                for batch in reader:
                    yield fitted(batch, schema)
        except (urllib3.exceptions.HTTPError, pa.ArrowInvalid, OSError) as error:
            raise Failed(
                f"The rows from {self._url} broke off.", "Read them again.", code="server-unreachable"
            ) from error
        finally:
            response.close()

    def _pages(self, standing: Standing) -> "Iterator[pa.RecordBatch]":
        token = ""
        while True:
            told = self._json("GET", f"/v1/queries/{standing.id}/rows?limit={PAGE_ROWS}{token}")
            yield from_json(told["rows"], standing.columns)
            if told["next"] is None:
                return
            token = f"&page={quote(told['next'])}"

    def _json(self, method: str, path: str, given: object = None) -> Any:
        response = self._send(method, path, body=None if given is None else json.dumps(given).encode())
        try:
            return json.loads(response.data)
        except ValueError as error:
            raise _not_ours(self._url) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        accept: str = "application/json",
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """The response of a request that went well. Every request here may be sent twice: a question joins itself."""
        renewed = False
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                response = self._once(method, path, body, accept, stream)
            except urllib3.exceptions.HTTPError as error:
                if last:
                    raise _unreachable(self._url) from error
                self._sleep(_pause(attempt, None))
                continue
            if response.status < 300:
                return response
            if response.status == 401 and not renewed:
                renewed, self._token = True, None
            elif response.status not in _WORTH_A_RETRY or last:
                raise _problem(response)
            else:
                self._sleep(_pause(attempt, response.headers.get("Retry-After")))
        raise _unreachable(self._url)

    def _once(self, method: str, path: str, body: bytes | None, accept: str, stream: bool) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self._bearer()}", "Accept": accept, "Content-Type": "application/json"}
        url = f"{self._url}{path}"
        response = self._pool.request(
            method, url, body=body, headers=headers, preload_content=not stream, redirect=False
        )
        if response.status != 303:
            return response
        response.drain_conn()
        # The link needs no token, and must not be sent one: it may lead to another host.
        link = urljoin(self._url, response.headers["Location"])
        return self._pool.request("GET", link, preload_content=not stream, redirect=False)

    def _bearer(self) -> str:
        with self._lock:
            if self._token is None or self._token[1] <= time.monotonic():
                self._token = self._fetched()
            return self._token[0]

    def _fetched(self) -> tuple[str, float]:
        given = self._credentials
        headers = urllib3.make_headers(basic_auth=f"{quote(given.client_id, '')}:{quote(given.client_secret, '')}")
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        form = urlencode({"grant_type": "client_credentials"})
        for attempt in range(TRIES):
            try:
                response = self._pool.request("POST", given.token_url, body=form, headers=headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                if attempt == TRIES - 1:
                    raise _unreachable(given.token_url) from error
                self._sleep(_pause(attempt, None))
                continue
            if response.status == 200:
                return _token(response, given.token_url)
            if response.status not in _WORTH_A_RETRY:
                break
            self._sleep(_pause(attempt, response.headers.get("Retry-After")))
        raise Unauthenticated(
            f"{given.token_url} gives no token to {given.client_id}.",
            "Check client id and secret; `lakegate partner add NAME` makes new ones.",
        )


def _token(response: urllib3.BaseHTTPResponse, url: str) -> tuple[str, float]:
    try:
        told = json.loads(response.data)
        lifetime = float(told.get("expires_in", 3600))
        return str(told["access_token"]), time.monotonic() + max(1.0, lifetime - RENEW_BEFORE_SECONDS)
    except (ValueError, KeyError, AttributeError) as error:
        raise _not_ours(url) from error


def _pause(attempt: int, told: str | None) -> float:
    """How long to wait before the next try: as long as the server says, else twice as long each time.

    >>> _pause(0, None), _pause(3, None), _pause(0, "7"), _pause(0, "900")
    (0.2, 1.6, 7.0, 10.0)
    """
    wanted = float(told) if told is not None and told.isdigit() else 0.2 * 2**attempt
    return min(wanted, MOST_PAUSE_SECONDS)


def _problem(response: urllib3.BaseHTTPResponse) -> LakegateError:
    """The server's problem document as the error that it was there."""
    try:
        told = json.loads(response.data or response.read())
        message, code = str(told.get("detail") or told["title"]), str(told.get("code", "failed"))
        remedy = str(told.get("remedy", ""))
    except (ValueError, KeyError, AttributeError):
        message, remedy, code = f"The server answered {response.status}.", "Try again later.", "failed"
    kinds: dict[int, type[LakegateError]] = {401: Unauthenticated, 404: NotFound, 410: Gone, 503: Busy}
    if response.status == 429:
        told_seconds = response.headers.get("Retry-After", "1")
        seconds = int(told_seconds) if told_seconds.isdigit() else 1
        return LimitExceeded(message, remedy, code=code, retry_after_seconds=seconds)
    kind = kinds.get(response.status, Refused if response.status < 500 else Failed)
    return kind(message, remedy, code=code)


def _unreachable(url: str) -> Failed:
    return Failed(
        f"{url} cannot be reached.", "Check the address, and that the server runs.", code="server-unreachable"
    )


def _not_ours(url: str) -> Failed:
    return Failed(f"{url} answers, but not as a Lakegate server.", "Check the address.", code="server-unreachable")
