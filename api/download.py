"""The whole of an answer as a file: a link that expires, and in the embedded home what it leads to.

A link of our own carries everything in its path, signed: whose answer, which one, in which form, and until when.
Who follows it needs no token, but the partner's grant is compared once more.
"""

import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from api.edge import Entered
from api.forms import CONTENT_TYPES
from api.problem import Pairs
from api.request import one_each, wrong
from api.response import JSON_TYPE, POLL_SECONDS, Reply, instant
from athena import ask
from athena.errors import Gone, NotFound
from athena.forms import Form
from athena.handles import bytes_of, text_of
from athena.lake import Lake
from athena.question import Caller
from athena.results.parts import PartStore
from athena.unload import unload

LINK_SECONDS = 60
FORMATS = {"csv": Form.CSV, "parquet": Form.PARQUET, "arrow": Form.ARROW}
SUFFIXES = {Form.CSV: "csv", Form.GUARDED_CSV: "csv", Form.PARQUET: "parquet", Form.ARROW: "arrows"}
FIELDS = ("format", "guard")
_FORMS = tuple(Form)
_HEAD = struct.Struct(">QBB")  # expiry in seconds, form, length of the partner's name
_SIGNATURE_BYTES = 16
_UNKEPT: Pairs = (("Content-Type", JSON_TYPE), ("Cache-Control", "no-store"))


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link of our own says."""

    caller: Caller
    answer_id: str
    form: Form
    expires_at: datetime


def read_form(entered: Entered) -> Form:
    """The wanted form; raises `WrongRequest`."""
    given = one_each(entered.incoming, *FIELDS)
    form = FORMATS.get(given.get("format", "csv"))
    if form is None:
        raise wrong("format is none that is written.", f"Use {', '.join(FORMATS)}.", "format")
    guard = given.get("guard")
    if guard is not None and (guard != "formulas" or form is not Form.CSV):
        raise wrong("guard is not formulas, or the format is not csv.", "Use guard=formulas with csv.", "guard")
    return form if guard is None else Form.GUARDED_CSV


def redirect(entered: Entered, answer_id: str, form: Form) -> Reply:
    """303 to where the whole answer can be fetched for `LINK_SECONDS`. On AWS Parquet is written first: 202 until it
    is, and 200 with a link to each file when there are several."""
    lake = entered.visit.parts.lake
    if form is Form.PARQUET and lake.parts is not None:
        return _unloaded(entered, lake.parts, answer_id)
    expires_at = lake.clock() + timedelta(seconds=LINK_SECONDS)
    name = _file_name(answer_id, form)
    url = ask.link(lake, entered.caller, answer_id, form=form, seconds=LINK_SECONDS, filename=name)
    if url is None:
        url = "/v1/downloads/" + signed(Ticket(entered.caller, answer_id, form, expires_at), secret=lake.secret)
    return _leading_to(url, expires_at)


def _leading_to(url: str, expires_at: datetime) -> Reply:
    body = orjson.dumps({"url": url, "expires_at": instant(expires_at)})
    return Reply(303, (("Location", url), *_UNKEPT), body)


def _unloaded(entered: Entered, store: PartStore, answer_id: str) -> Reply:
    lake = entered.visit.parts.lake
    parts = unload(lake, entered.caller, answer_id, seconds=entered.visit.linger_seconds)
    if parts is None:
        again = f"/v1/queries/{answer_id}/download?format=parquet"
        headers = (*_UNKEPT, ("Location", again), ("Retry-After", str(POLL_SECONDS)))
        return Reply(202, headers, b'{"state":"RUNNING"}')
    expires_at = lake.clock() + timedelta(seconds=LINK_SECONDS)
    names = [f"{answer_id[:14]}.{at}.parquet" for at in range(1, len(parts.files) + 1)]
    urls = [
        store.link(part, seconds=LINK_SECONDS, filename=name) for part, name in zip(parts.files, names, strict=True)
    ]
    if len(urls) == 1:
        return _leading_to(urls[0], expires_at)
    files = [
        {"url": url, "size_bytes": part.size_bytes, "rows": part.rows}
        for url, part in zip(urls, parts.files, strict=True)
    ]
    told = {"parts": files, "row_count": parts.rows, "expires_at": instant(expires_at)}
    return Reply(200, _UNKEPT, orjson.dumps(told))


def download(lake: Lake, ticket: str) -> Reply:
    """The file that a link leads to; raises `NotFound` for a forged one, `Gone` (`link-expired`) for an old one."""
    read = read_ticket(ticket, secret=lake.secret)
    if lake.clock() >= read.expires_at:
        raise Gone(
            f"This link was good for {LINK_SECONDS} seconds.",
            "Ask for a new one at GET /v1/queries/{id}/download.",
            code="link-expired",
        )
    flow = ask.stream(lake, read.caller, read.answer_id, form=read.form)
    if flow is None:
        raise no_such_link()
    headers: Pairs = (
        ("Content-Type", CONTENT_TYPES[read.form]),
        ("Cache-Control", "private, no-store"),
        ("Content-Disposition", f'attachment; filename="{_file_name(read.answer_id, read.form)}"'),
        ("Lakegate-Row-Count", str(flow.receipt.row_count)),
        ("Lakegate-Truncated", "true" if flow.receipt.truncated else "false"),
    )
    if read.form is Form.PARQUET:
        headers += (("Content-Length", str(flow.receipt.size_bytes)),)
    return Reply(200, headers, chunks=flow.chunks)


def signed(ticket: Ticket, *, secret: bytes) -> str:
    """The ticket as a word that nobody else can make."""
    partner = (ticket.caller.partner or "").encode()
    head = _HEAD.pack(int(ticket.expires_at.timestamp()), _FORMS.index(ticket.form), len(partner))
    body = head + partner + ticket.answer_id.encode()
    return text_of(body + _signature(body, secret))


def read_ticket(text: str, *, secret: bytes) -> Ticket:
    """What `signed` wrote; raises `NotFound` for anything else."""
    raw = bytes_of(text)
    body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    if len(body) < _HEAD.size or not hmac.compare_digest(signature, _signature(body, secret)):
        raise no_such_link()
    expires, form, length = _HEAD.unpack_from(body)
    partner = body[_HEAD.size : _HEAD.size + length].decode()
    answer_id = body[_HEAD.size + length :].decode()
    return Ticket(Caller(partner or None), answer_id, _FORMS[form], datetime.fromtimestamp(expires, UTC))


def no_such_link() -> NotFound:
    """The one text for forged and mistyped links."""
    return NotFound("There is no such link.", "Ask for a new one at GET /v1/queries/{id}/download.")


def _signature(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"download\0" + body, "sha256")[:_SIGNATURE_BYTES]


def _file_name(answer_id: str, form: Form) -> str:
    return f"{answer_id[:14]}.{SUFFIXES[form]}"
