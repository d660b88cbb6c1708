"""What goes out: replies as values, and an answer's envelope spliced around finished bytes. Pure.

The rows of a page are JSON already when they come from the result store; no row is decoded or encoded here.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import orjson

from api.problem import PROBLEM_TYPE, Pairs, Problem
from athena.accounting import Account, Counts
from athena.catalogue import Listing
from athena.dataset import Column
from athena.failures import explained
from athena.forms import Form
from athena.question import Answer, Caller, Receipt, SnapshotRef, State

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv; charset=utf-8"
ARROW_TYPE = "application/vnd.apache.arrow.stream"
PARQUET_TYPE = "application/vnd.apache.parquet"
POLL_SECONDS = 1
# A browser may keep it and must ask each time: a grant can change with any request.
PRIVATE = "private, no-cache"
PUBLIC = "public, max-age=300"
EXPOSED_HEADERS = (
    "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id, "
    "Content-Disposition, Deprecation, Sunset, "
    "Lakegate-Answer, Lakegate-Cache, Lakegate-Row-Count, Lakegate-Truncated"
)
ALLOWED_HEADERS = "Authorization, Cache-Control, Content-Type, If-None-Match, X-Request-Id"
PREFLIGHT_SECONDS = 600
VARY = ("Vary", "Accept, Accept-Encoding")
VARY_BY_ORIGIN = ("Vary", "Accept, Accept-Encoding, Origin")


@dataclass(frozen=True, slots=True)
class Park:
    """An answer that is not there yet, whose it is, and for how long its asker is ready to wait."""

    caller: Caller
    answer_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response. With `park`, whoever can may wait without a thread and then ask the route again; with
    `chunks` the body is these, to be sent while they are made."""

    status: int
    headers: Pairs = ()
    body: bytes = b""
    park: Park | None = None
    chunks: Iterator[bytes] | None = None

    def with_headers(self, headers: Pairs) -> "Reply":
        """The same with more headers."""
        if not headers:
            return self
        return Reply(self.status, (*self.headers, *headers), self.body, self.park, self.chunks)


# Never sent: the route cannot be answered at once, and is to be asked again by a thread.
LATER = Reply(0)


@dataclass(frozen=True, slots=True)
class Tagged:
    """An `ETag` as headers; none where two runs of one question may differ, or nothing was computed yet."""

    headers: Pairs

    def matches(self, if_none_match: str | None) -> bool:
        """Whether the asker has it already."""
        return bool(self.headers) and _matches(if_none_match, self.headers[0][1])


def answered(answer: Answer, *, if_none_match: str | None = None, variant: str = "") -> Reply:
    """An answer with its first page when it is there; 304 when the asker has the same one already."""
    tags = entity_tag(answer, variant)
    if tags and answer.state is State.SUCCEEDED and _matches(if_none_match, tags[0][1]):
        return Reply(304, tags)
    retry = () if answer.state.final else (("Retry-After", str(POLL_SECONDS)),)
    return Reply(200, (("Content-Type", JSON_TYPE), ("Cache-Control", PRIVATE), *tags, *retry), envelope(answer))


def pending(answer: Answer, *, park: Park | None = None) -> Reply:
    """202: where to look for an answer that is not there yet."""
    reply = answered(answer)
    return replace(reply, status=202, headers=(*reply.headers, ("Location", f"/v1/queries/{answer.id}")), park=park)


def entity_tag(answer: Answer, variant: str = "") -> Pairs:
    """The fingerprint as `ETag`; none where two runs of one question may differ, or nothing was computed yet."""
    if answer.cache == "bypass" or answer.state is not State.SUCCEEDED:
        return ()
    return (("ETag", f'"{answer.fingerprint}-{variant}"' if variant else f'"{answer.fingerprint}"'),)


def tagged(answer: Answer, form: Form) -> Tagged:
    """The tag of an answer in a form of its own."""
    return Tagged(entity_tag(answer, form.value))


def envelope(answer: Answer) -> bytes:
    """The JSON of an answer, the finished bytes of its page in the middle."""
    head = b'{"id":%b,"state":"%b","cache":"%b"' % (_json(answer.id), answer.state.encode(), answer.cache.encode())
    tail: dict[str, object] = {}
    page = b""
    if answer.page is not None and answer.receipt is not None:
        page = b"," + answer.page.fragment
        tail["row_count"] = answer.receipt.row_count
        tail["truncated"] = answer.receipt.truncated
        tail["next"] = answer.next
    tail["snapshots"] = {name: _snapshot(ref) for name, ref in answer.snapshots.items()}
    tail["submitted_at"] = instant(answer.submitted_at)
    tail["expires_at"] = instant(answer.expires_at)
    if answer.warnings:
        tail["warnings"] = answer.warnings
    if answer.state is State.FAILED:
        tail["error"] = _failure(answer.error_code)
    return b"".join((head, page, b",", _json(tail)[1:]))


def page_body(answer_id: str, fragment: bytes, receipt: Receipt, next_token: str | None) -> bytes:
    """The JSON of a further page."""
    whole = {"row_count": receipt.row_count, "truncated": receipt.truncated, "next": next_token}
    return b"".join((b'{"id":', _json(answer_id), b",", fragment, b",", _json(whole)[1:]))


def in_objects(fragment: bytes) -> bytes:
    """A page with each row as an object by column name.

    >>> in_objects(b'"columns":[{"name":"a","type":"int"}],"rows":[[1],[null]]')
    b'"columns":[{"name":"a","type":"int"}],"rows":[{"a":1},{"a":null}]'
    """
    page = orjson.loads(b"{%b}" % fragment)
    names = [column["name"] for column in page["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in page["rows"]]
    return _json({"columns": page["columns"], "rows": rows})[1:-1]


def listing_body(listings: tuple[Listing, ...]) -> bytes:
    """The JSON of what a caller may ask about."""
    return _json({"datasets": [_listing(listing) for listing in listings]})


def dataset_body(listing: Listing) -> bytes:
    """The JSON of one dataset."""
    return _json(_listing(listing))


def usage_body(account: Account) -> bytes:
    """The JSON of what a caller has asked."""
    minute = {"used": account.minute_used, "ends_at": instant(account.minute_ends_at)}
    all_days = {"days": account.kept_days, **_counts(account.all_days)}
    limits = None if account.limits is None else asdict(account.limits)
    return _json({"today": _counts(account.today), "all": all_days, "minute": minute, "limits": limits})


def json_reply(body: bytes, *, cache_control: str = PRIVATE) -> Reply:
    """200 with JSON."""
    return Reply(200, (("Content-Type", JSON_TYPE), ("Cache-Control", cache_control)), body)


def problem_reply(problem: Problem) -> Reply:
    """A problem as a response."""
    headers = (("Content-Type", PROBLEM_TYPE), ("Cache-Control", "no-store"), *problem.headers)
    return Reply(int(problem.status), headers, problem.body())


def preflight(allowed_methods: str) -> Reply:
    """204 for what browsers ask before they send (the origin itself is judged in `finished`)."""
    return Reply(
        204,
        (
            ("Allow", allowed_methods),
            ("Access-Control-Allow-Methods", allowed_methods),
            ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
            ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
        ),
    )


def finished(reply: Reply, *, request_id: str, origin: str | None, origins: tuple[str, ...]) -> Reply:
    """The reply with what every one carries: request id, and CORS headers for the configured origins."""
    headers = (*reply.headers, ("X-Request-Id", request_id), ("X-Content-Type-Options", "nosniff"))
    headers += (VARY_BY_ORIGIN if origins else VARY,)
    if origin is not None and (origin in origins or "*" in origins):
        headers += (("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED_HEADERS))
    return Reply(reply.status, headers, reply.body, reply.park, reply.chunks)


def instant(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond.

    >>> instant(datetime(2026, 11, 21, 3, 0, tzinfo=UTC))
    '2026-11-21T03:00:00.000Z'
    """
    shown = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="milliseconds")
    return shown.removesuffix("+00:00") + "Z"


def _matches(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    given = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return tag in given or "*" in given


def _counts(counts: Counts) -> dict[str, object]:
    return {name: value for name, value in asdict(counts).items() if name != "scanned_bytes" or value is not None}


def _snapshot(ref: SnapshotRef) -> dict[str, str]:
    return {"id": ref.snapshot_id, "committed_at": instant(ref.committed_at)}


def _failure(code: str | None) -> dict[str, str]:
    error = explained(code)
    return {"code": error.code, "detail": error.message, "remedy": error.remedy}


def _listing(listing: Listing) -> dict[str, object]:
    described: dict[str, object] = {
        "name": listing.name,
        "description": listing.description,
        "columns": [_column(column) for column in listing.columns],
        "snapshot": {"id": listing.snapshot_id, "committed_at": instant(listing.committed_at)},
    }
    if listing.rows is not None:
        described["rows"] = listing.rows
    return described


def _column(column: Column) -> dict[str, object]:
    described: dict[str, object] = {"name": column.name, "type": str(column.type), "required": column.required}
    if column.unit is not None:
        described["unit"] = column.unit
    if column.description is not None:
        described["description"] = column.description
    return described


def _json(value: object) -> bytes:
    return orjson.dumps(value)
