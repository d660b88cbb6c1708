"""Answer ids and page tokens: signed, so that nothing has to be stored to know them again. Pure.

An id `q_…` carries what `look` needs and is signed together with its partner's name, which is not inside: for
anybody else the signature does not hold, and the answer does not exist. The caller's grant is inside as a digest:
an older grant's id is told apart from a foreign one.
"""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from athena.errors import NotFound
from athena.question import CacheOutcome, Caller, SnapshotRef

OWNER_DIGEST = "0" * 64
_PREFIX = "q_"
_BODY = struct.Struct(">32sI8sQB8s")  # fingerprint, attempt, grant digest, submitted µs, outcome, asker
_SNAPSHOT = struct.Struct(">qB")  # committed µs, length of the id that follows
_OFFSET = struct.Struct(">Q")
_SIGNATURE_BYTES = 16
_OUTCOMES: tuple[CacheOutcome, ...] = get_args(CacheOutcome)
_ALONE = 0x80  # set in the outcome's byte: the flight is known to this process only


@dataclass(frozen=True, slots=True)
class Handle:
    """What an answer id says. `asker` (16 hex digits) tells two askings of one question apart.

    `alone` means that the store could not be reached and the flight is known to one process only. `snapshots`, by the
    names of their tables, are there when the answer was computed on others, which it is known to equal.
    """

    fingerprint: str
    attempt: int
    grant_digest: str
    submitted_at: datetime
    cache: CacheOutcome
    asker: str
    alone: bool = False
    snapshots: tuple[SnapshotRef, ...] = ()


def short_digest(grant_digest: str) -> str:
    """The part of a grant's digest that ids carry.

    >>> short_digest("ab" * 32)
    'abababababababab'
    """
    return grant_digest[:16]


def sign_handle(handle: Handle, caller: Caller, *, secret: bytes) -> str:
    """The answer id of `handle`, good for `caller` alone."""
    outcome = _OUTCOMES.index(handle.cache) | (_ALONE if handle.alone else 0)
    body = _BODY.pack(
        bytes.fromhex(handle.fingerprint),
        handle.attempt,
        bytes.fromhex(short_digest(handle.grant_digest)),
        round(handle.submitted_at.timestamp() * 1_000_000),
        outcome,
        bytes.fromhex(handle.asker),
    )
    body += b"".join(map(_packed, handle.snapshots))
    return _PREFIX + text_of(body + _signature(secret, b"answer", _name(caller), body))


def read_handle(answer_id: str, caller: Caller, *, secret: bytes) -> Handle:
    """What `answer_id` says when it was signed for `caller`; raises `NotFound` for any other."""
    raw = bytes_of(answer_id.removeprefix(_PREFIX)) if answer_id.startswith(_PREFIX) else b""
    body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(secret, b"answer", _name(caller), body)):
        raise no_such_answer()
    fingerprint, attempt, digest, micros, outcome, asker = _BODY.unpack_from(body)
    return Handle(
        fingerprint=fingerprint.hex(),
        attempt=attempt,
        grant_digest=digest.hex(),
        submitted_at=datetime.fromtimestamp(micros / 1_000_000, UTC),
        cache=_OUTCOMES[outcome & ~_ALONE],
        asker=asker.hex(),
        alone=bool(outcome & _ALONE),
        snapshots=tuple(_snapshots(body[_BODY.size :])),
    )


def sign_offset(offset: int, answer_id: str, *, secret: bytes) -> str:
    """The token of the page that begins at `offset`, good for this answer alone."""
    body = _OFFSET.pack(offset)
    return text_of(body + _signature(secret, b"page", answer_id.encode(), body))


def read_offset(token: str, answer_id: str, *, secret: bytes) -> int:
    """Where the page of `token` begins; raises `NotFound` for a token that was not made for this answer."""
    raw = bytes_of(token)
    body, signature = raw[: _OFFSET.size], raw[_OFFSET.size :]
    if not hmac.compare_digest(signature, _signature(secret, b"page", answer_id.encode(), body)):
        raise NotFound("There is no such page of this answer.", "Follow `next` from the first page on.")
    offset: int = _OFFSET.unpack(body)[0]
    return offset


def _packed(ref: SnapshotRef) -> bytes:
    name = ref.snapshot_id.encode()
    return _SNAPSHOT.pack(round(ref.committed_at.timestamp() * 1_000_000), len(name)) + name


def _snapshots(packed: bytes) -> Iterator[SnapshotRef]:
    place = 0
    while place < len(packed):
        micros, length = _SNAPSHOT.unpack_from(packed, place)
        place += _SNAPSHOT.size + length
        name = packed[place - length : place].decode()
        yield SnapshotRef(name, datetime.fromtimestamp(micros / 1_000_000, UTC))


def no_such_answer() -> NotFound:
    """The one text for foreign, forged and unknown ids."""
    return NotFound("There is no such answer, or it is not yours.", "Ask the question again: equal ones are cached.")


def _name(caller: Caller) -> bytes:
    return b"owner" if caller.partner is None else b"partner:" + caller.partner.encode()


def _signature(secret: bytes, *parts: bytes) -> bytes:
    sealed = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hmac.digest(secret, sealed, "sha256")[:_SIGNATURE_BYTES]


def text_of(raw: bytes) -> str:
    """Bytes as a word that fits into a URL."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """The bytes of a word that `text_of` wrote; none of any other spelling, the last letter's spare bits included.

    >>> bytes_of(text_of(b"ab")), bytes_of("YWL"), bytes_of("Y W I"), bytes_of("ä")
    (b'ab', b'', b'', b'')
    """
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (BadBase64, ValueError, UnicodeEncodeError):
        return b""
    return raw if text_of(raw) == text else b""
