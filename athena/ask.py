"""The read story, one function: question → answer.

caller → grant → parse → entitle → pin → fingerprint → hit | join | lead → page
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from athena.lake import Lake
from athena.question import Answer, Caller, Page, Question


@dataclass(frozen=True, slots=True)
class JsonPage:
    """Rows as finished JSON; `next` is the token of the following page, None on the last one."""

    page: Page
    next: str | None


@dataclass(frozen=True, slots=True)
class CsvPage:
    """Rows as CSV, with a header on the first page only, so that pages in sequence make one file."""

    content: bytes
    next: str | None


def ask(lake: Lake, question: Question) -> Answer:
    """The answer when there is one, else where its run stands; never waits for the engine.

    Raises `Refused` (syntax, limits, parameters), `NotFound` (denied, absent, hidden), `Busy`.
    """
    raise NotImplementedError


def look(lake: Lake, caller: Caller, answer_id: str) -> Answer:
    """Where an answer stands, with its first page when it is there.

    Raises `NotFound` for anybody but its asker, `Gone` (`grant-changed`, `answer-expired`).
    """
    raise NotImplementedError


def wait(lake: Lake, caller: Caller, answer_id: str, *, seconds: float) -> Answer:
    """The same as `look` once it is final, at the latest after `seconds`. Holds a thread: see `on_done`."""
    raise NotImplementedError


def on_done(lake: Lake, answer: Answer, callback: Callable[[], None]) -> Callable[[], None]:
    """Calls `callback` once, from another thread, when a running answer is final, whichever process runs it
    (at once when it is final already); gives back what takes the callback off again.

    For servers that park a request without holding a thread: subscribe, wait with a timeout of their own,
    then `look`. Raises `Busy` when `max_parked` are parked.
    """
    raise NotImplementedError


def page(lake: Lake, caller: Caller, answer_id: str, *, token: str | None = None, limit: int | None = None) -> JsonPage:
    """Rows from `token` on (the first page without one), at most `limit` (`page_rows` unless told) of them.

    Raises `NotFound` for a foreign answer or a token of another answer, `Gone` for an older grant's or an
    expired answer, `Refused` (`answer-not-ready`) while there are no rows.
    """
    raise NotImplementedError


def csv(lake: Lake, caller: Caller, answer_id: str, *, token: str | None = None, limit: int | None = None) -> CsvPage:
    """The same as CSV: NULL is an empty field, an empty string is `""`. Without `limit` all rows from there on."""
    raise NotImplementedError


def result_file(lake: Lake, caller: Caller, answer_id: str) -> Path:
    """The whole result as one local Parquet file (embedded home)."""
    raise NotImplementedError


def cancel(lake: Lake, caller: Caller, answer_id: str) -> Answer:
    """The asker leaves; the engine stops only when nobody else waits. A final answer stays as it is."""
    raise NotImplementedError
