"""What comes after asking: where an answer stands, waiting for it, its pages, leaving it.

Every function takes the caller and compares the grant of now with that of the asking.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from athena.errors import Gone, NotFound, Refused
from athena.failures import explained
from athena.flight import abandon, landed, take_over
from athena.flights import Flight, Flights
from athena.forms import Form
from athena.handles import Handle, read_handle, read_offset, short_digest, sign_handle, sign_offset
from athena.lake import Lake
from athena.planning import standing_of
from athena.question import Answer, Caller, Page, Rate, Receipt, SnapshotRef, State
from athena.tower import Run


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows as finished bytes; `next` is the token of the following page, None on the last one."""

    page: Page
    next: str | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Flow:
    """Rows as bytes that are made while they are read."""

    chunks: Iterator[bytes]
    receipt: Receipt


def look(lake: Lake, caller: Caller, answer_id: str) -> Answer:
    """Where an answer stands, with its first page when it is there.

    Raises `NotFound` for anybody but its asker, `Gone` (`grant-changed`, `answer-expired`).
    """
    handle, flights, flight = _found(lake, caller, answer_id)
    if flight.state is State.RUNNING and flight.lease_expires_at <= lake.clock():
        take_over(lake, flights, _run_of(handle))
    left = handle.cache != "hit" and flights.has_left(handle.fingerprint, handle.attempt, handle.asker)
    return answered(lake, caller, handle, flight, left=left)


def wait(lake: Lake, caller: Caller, answer_id: str, *, seconds: float) -> Answer:
    """The same as `look` once it is final, at the latest after `seconds`. Holds a thread: see `on_done`."""
    answer = look(lake, caller, answer_id)
    if answer.state.final or seconds <= 0:
        return answer
    done = threading.Event()
    take_off = on_done(lake, caller, answer_id, done.set)
    try:
        done.wait(seconds)
    finally:
        take_off()
    return look(lake, caller, answer_id)


def on_done(lake: Lake, caller: Caller, answer_id: str, callback: Callable[[], None]) -> Callable[[], None]:
    """Calls `callback` once, from another thread, when a running answer is final, whichever process runs it;
    gives back what takes the callback off again.

    For servers that park a request without holding a thread: subscribe, wait with a timeout of their own, then
    `look`. Raises `Busy` when `max_parked` are parked already.
    """
    run = _run_of(read_handle(answer_id, caller, secret=lake.secret))
    return lake.tower.park(run, callback, lambda runs: landed(lake, runs))


def page(
    lake: Lake,
    caller: Caller,
    answer_id: str,
    *,
    token: str | None = None,
    limit: int | None = None,
    form: Form = Form.JSON,
) -> Sheet:
    """Rows from `token` on (the first page without one), at most `limit` (`page_rows` unless told) of them.

    CSV has its header on the first page alone, so that pages in sequence make one file. Raises `NotFound` for a
    foreign answer or a token of another answer, `Gone` for an older grant's or an expired answer, `Refused`
    (`answer-not-ready`) while there are no rows, and why it failed when it did.
    """
    receipt, first = _result(lake, caller, answer_id)
    offset = _offset(lake, answer_id, token)
    wanted = lake.settings.page_rows if limit is None else _checked(limit)
    if form is Form.JSON and offset == 0 and first is not None and _serves(first, wanted, lake.settings.page_rows):
        found = first
    else:
        with _lost_when_gone(lake, caller, answer_id):
            found = lake.results.page(receipt, offset=offset, limit=wanted, form=form)
    return Sheet(found, _next(lake, answer_id, found), receipt)


def stream(lake: Lake, caller: Caller, answer_id: str, *, form: Form, token: str | None = None) -> Flow | None:
    """All rows from `token` on, a few at a time, in CSV, Arrow or Parquet; None where only pages and links are
    given (on AWS). Raises like `page`."""
    receipt, _ = _result(lake, caller, answer_id)
    with _lost_when_gone(lake, caller, answer_id):
        chunks = lake.results.stream(receipt, offset=_offset(lake, answer_id, token), form=form)
    return None if chunks is None else Flow(chunks, receipt)


def link(lake: Lake, caller: Caller, answer_id: str, *, form: Form, seconds: int, filename: str) -> str | None:
    """An address of the store from which anybody may fetch the whole for so long; None where `stream` gives it.
    Raises like `page`."""
    receipt, _ = _result(lake, caller, answer_id)
    with _lost_when_gone(lake, caller, answer_id):
        return lake.results.link(receipt, form=form, seconds=seconds, filename=filename)


def result_of(lake: Lake, caller: Caller, answer_id: str) -> tuple[Handle, Receipt]:
    """What the id says and what its run left. Raises like `page`."""
    receipt, _ = _result(lake, caller, answer_id)
    return read_handle(answer_id, caller, secret=lake.secret), receipt


def result_file(lake: Lake, caller: Caller, answer_id: str) -> Path:
    """The whole result as one local Parquet file (embedded home). Raises like `page`."""
    receipt, _ = _result(lake, caller, answer_id)
    return lake.results.path(receipt)


def cancel(lake: Lake, caller: Caller, answer_id: str) -> Answer:
    """The asker leaves; the engine stops only when nobody else waits. A final answer stays as it is."""
    handle, flights, flight = _found(lake, caller, answer_id)
    if not flight.state.final and flights.leave(handle.fingerprint, handle.attempt, handle.asker) == 0:
        abandon(lake, flights, flight)
    return look(lake, caller, answer_id)


def answered(
    lake: Lake, caller: Caller, handle: Handle, flight: Flight, *, left: bool = False, rate: Rate | None = None
) -> Answer:
    """The answer that a handle and its flight's record make."""
    answer_id = sign_handle(handle, caller, secret=lake.secret)
    state = State.CANCELLED if left else _state(flight)
    done = flight if state is State.SUCCEEDED else None
    receipt = done.receipt if done is not None else None
    return Answer(
        id=answer_id,
        state=state,
        cache=handle.cache,
        fingerprint=handle.fingerprint,
        snapshots=_snapshots(handle, receipt) if receipt is not None else {},
        submitted_at=handle.submitted_at,
        expires_at=(done.expires_at if done is not None else None)
        or handle.submitted_at + timedelta(days=lake.settings.result_days),
        receipt=receipt,
        page=done.page if done is not None else None,
        next=_next(lake, answer_id, done.page) if done is not None and done.page is not None else None,
        error_code=_error_code(handle, flight) if state is State.FAILED else None,
        warnings=receipt.warnings if receipt is not None else (),
        rate=rate,
    )


def _snapshots(handle: Handle, receipt: Receipt) -> dict[str, SnapshotRef]:
    """What the answer was computed on, or what it was known to equal when it was asked for."""
    if not handle.snapshots or receipt.pinned_anew:
        return receipt.snapshots
    return dict(zip(sorted(receipt.snapshots), handle.snapshots, strict=True))


def _found(lake: Lake, caller: Caller, answer_id: str) -> tuple[Handle, Flights, Flight]:
    handle = read_handle(answer_id, caller, secret=lake.secret)
    try:
        digest = standing_of(lake, caller).digest
    except NotFound:
        digest = ""
    if short_digest(digest) != handle.grant_digest:
        raise Gone("What you may see has changed since this question was asked.", "Ask it again.", code="grant-changed")
    flights = lake.tower.alone if handle.alone else lake.flights
    flight = flights.get(handle.fingerprint, handle.attempt)
    if flight is None:
        raise Gone("This answer is no longer kept.", "Ask the question again.", code="answer-expired")
    return handle, flights, flight


def _result(lake: Lake, caller: Caller, answer_id: str) -> tuple[Receipt, Page | None]:
    answer = look(lake, caller, answer_id)
    if answer.state is State.FAILED:
        raise explained(answer.error_code)
    if answer.receipt is None:
        raise Refused(
            f"The answer is {answer.state.value}: it has no rows.",
            "Ask for its state until it is SUCCEEDED." if not answer.state.final else "Ask the question again.",
            code="answer-not-ready",
        )
    return answer.receipt, answer.page


@contextmanager
def _lost_when_gone(lake: Lake, caller: Caller, answer_id: str) -> Iterator[None]:
    """Whoever finds that the rows are gone says so: who asks next has them computed anew."""
    try:
        yield
    except Gone as error:
        if error.code == "result-gone":
            handle = read_handle(answer_id, caller, secret=lake.secret)
            flights = lake.tower.alone if handle.alone else lake.flights
            flights.lose(handle.fingerprint, handle.attempt)
        raise


def _error_code(handle: Handle, flight: Flight) -> str | None:
    """Why it failed, for this asker: the limit that ended a run is its leader's, and not that of those who joined."""
    ended = handle.cache == "joined" and flight.error_code == "scan-limit"
    return "joined-run-ended" if ended else flight.error_code


def _state(flight: Flight) -> State:
    return State.QUEUED if flight.state is State.RUNNING and flight.execution is None else flight.state


def _run_of(handle: Handle) -> Run:
    return Run(handle.fingerprint, handle.attempt, handle.alone)


def _next(lake: Lake, answer_id: str, found: Page) -> str | None:
    return None if found.next_offset is None else sign_offset(found.next_offset, answer_id, secret=lake.secret)


def _serves(first: Page, wanted: int, page_rows: int) -> bool:
    return wanted == page_rows or (first.next_offset is None and wanted >= first.row_count)


def _offset(lake: Lake, answer_id: str, token: str | None) -> int:
    return 0 if token is None else read_offset(token, answer_id, secret=lake.secret)


def _checked(limit: int) -> int:
    if limit < 1:
        raise Refused(f"limit is {limit}.", "Ask for at least one row.", code="limit-invalid")
    return limit
