"""Bytes → which encoding they are in, and whether they are text at all. Pure.

Own rules for Unicode with and without a mark, and for what is not valid UTF-8: a few undecodable bytes among many
valid sequences are damage, otherwise it is a legacy encoding. The evidence adds up over a whole file.
"""

import codecs
import unicodedata
from dataclasses import dataclass, replace

from athena.errors import Refused
from etl._charset import guess_legacy
from etl._foreign import EXPORT, foreign_kind

# The longer mark first: UTF-32 begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDTHS = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_MARKUP = (b"<!doctype html", b"<html", b"<?xml")
_KEPT_BYTES = 256 * 1024
_LOOKED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of a file so far: valid and broken UTF-8 sequences, and lines that are not ASCII."""

    valid: int = 0
    broken: int = 0
    foreign: bytes = b""

    def and_lines(self, data: bytes) -> "Evidence":
        """The evidence with `data` (whole lines, or the end of the file) added."""
        if data.isascii():
            return self
        try:
            # Every character beyond ASCII has two bytes at least.
            return replace(self, valid=self.valid + max(1, len(data) - len(data.decode())))
        except UnicodeDecodeError:
            pass
        ascii_bytes = len(data.translate(None, _HIGH))
        valid = len(data.decode("utf-8", "ignore")) - ascii_bytes
        broken = len(data.decode("utf-8", "replace")) - ascii_bytes - valid
        kept = self.foreign
        if len(kept) < _KEPT_BYTES:
            lines = b"\n".join(line for line in data.splitlines() if not line.isascii())
            kept = (kept + lines + b"\n")[:_KEPT_BYTES]
        return Evidence(self.valid + valid, self.broken + broken, kept)


_HIGH = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True)
class Encoding:
    """The verdict: a codec's name, the length of the byte order mark, how sure (0 to 1), and a note for the owner."""

    name: str
    mark: int = 0
    confidence: float = 1.0
    note: str | None = None

    @property
    def width(self) -> int:
        """Bytes per code unit."""
        return width(self.name)


def width(encoding: str) -> int:
    """Bytes per code unit: 2 and 4 for UTF-16 and UTF-32, 1 for the rest.

    >>> width("utf-16-le"), width("cp1252")
    (2, 1)
    """
    return _WIDTHS.get(encoding, 1)


def codec_name(encoding: str) -> str:
    """The codec that a contract names; raises `Refused` when Python has none.

    >>> codec_name("Windows-1252"), codec_name("UTF8")
    ('cp1252', 'utf-8')
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise Refused(
            f"{encoding!r} is no encoding.",
            "Use a usual name such as utf-8, utf-16, cp1252, latin-1, shift_jis or gb18030.",
            code="contract-invalid",
        ) from error
    return {"utf-8-sig": "utf-8", "ascii": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(name, name)


def find_encoding(sample: bytes, *, pinned: str | None = None) -> Encoding:
    """The encoding that the first bytes of a file tell of; raises `Refused` ("not-text") for binary ones.

    >>> find_encoding(b"\\xef\\xbb\\xbfa,b\\n")
    Encoding(name='utf-8', mark=3, confidence=1.0, note=None)
    >>> find_encoding("a,b\\n1,2\\n".encode("utf-16-be")).name
    'utf-16-be'
    """
    mark = next(((len(mark), name) for mark, name in _MARKS if sample.startswith(mark)), None)
    if pinned is not None:
        return _pinned(codec_name(pinned), mark)
    if mark is not None:
        return Encoding(mark[1], mark[0])
    _check_signature(sample)
    wide = _wide_without_mark(sample)
    if wide is not None:
        return wide
    _check_text(sample)
    if b"\x1b$" in sample and sample.isascii():
        return Encoding("iso2022_jp", confidence=0.95)
    end = sample.rfind(b"\n") + 1
    return judge(Evidence().and_lines(sample[:end] if end else sample))


def judge(evidence: Evidence) -> Encoding:
    """The verdict on bytes that carry no mark."""
    if evidence.broken == 0:
        return Encoding("utf-8")
    if evidence.valid > evidence.broken:
        note = f"{evidence.broken} bytes are not valid UTF-8, {evidence.valid} characters beyond ASCII are."
        return Encoding("utf-8", confidence=evidence.valid / (evidence.valid + evidence.broken), note=note)
    name, confidence = guess_legacy(evidence.foreign)
    return Encoding(name, confidence=confidence, note=f"The file is not UTF-8; read as {name}.")


def _pinned(name: str, mark: tuple[int, str] | None) -> Encoding:
    if mark is not None and (mark[1] == name or {mark[1], name} <= {"utf-16-le", "utf-16-be"}):
        return Encoding(mark[1], mark[0])
    return Encoding(name)


def _wide_without_mark(sample: bytes) -> Encoding | None:
    """UTF-16 shows in zeros at every other byte, from ASCII delimiters and line ends at the latest."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even + odd < max(2, len(sample) // 50):
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    text = sample[: min(len(sample), _LOOKED_BYTES) // 2 * 2].decode(name, "replace")
    # Zeros stand on both sides when letters of a script have one as well: then all must be letters, on lines.
    lopsided = max(even, odd) >= 0.97 * (even + odd)
    most_odd = len(text) // 50 if lopsided else 0
    if sum(_is_no_text(one) for one in text) > most_odd or not (lopsided or "\n" in text or "\r" in text):
        return None
    return Encoding(name, confidence=0.95, note=f"The file is {name} without a byte order mark.")


def _is_no_text(one: str) -> bool:
    if one < "\x80":
        return one < " " and one not in "\t\r\n"
    return one == "\ufffd" or unicodedata.category(one) in ("Cn", "Co", "Cc")


def _check_signature(sample: bytes) -> None:
    kind = foreign_kind(sample)
    if kind is not None:
        raise _not_text(f"It is {kind.called}.", kind.remedy)
    if sample[:64].lstrip().lower().startswith(_MARKUP):
        raise _not_text("It is a web page or XML.")


def _check_text(sample: bytes) -> None:
    text = sample.rstrip(b"\x00")
    controls = sum(text.count(bytes([one])) for one in _CONTROLS)
    zeros = text.count(0)
    if (controls > len(text) // 50 and not _is_utf8(text)) or controls + zeros > len(text) * 3 // 10:
        raise _not_text(f"{controls + zeros} of its first {len(sample)} bytes are control characters.")
    if sample and not text:
        raise _not_text("It holds nothing but zero bytes.")


# Control characters that no text has; separators of some dumps (1, 30, 31), tab and line ends are not among them.
_CONTROLS = [*range(2, 9), *range(14, 26), 28, 29]


def _is_utf8(data: bytes) -> bool:
    return not Evidence().and_lines(data).broken


def _not_text(why: str, remedy: str = EXPORT) -> Refused:
    return Refused(f"The file is not delimited text. {why}", remedy, code="not-text")
