"""JSON Lines: one object per line, in UTF-8. The unit is the line, as in CSV.

Numbers keep their digits. An array or object inside of a record stays JSON, as text. A line that is no object is a
reject.
https://jsonlines.org
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from etl.formats import Cells, Sheaf, Told
from etl.report import Reject

_SHEAF_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024 * 1024
_SHOWN_BYTES = 64 * 1024
NOT_AN_OBJECT = "not-an-object"


class _Number(str):
    __slots__ = ()


class _Doubled(Exception):
    """A key stands twice in one object."""


class JsonLines:
    """See `etl.formats.Reader`."""

    seeks = False

    def tell(self, stream: BinaryIO) -> Told:
        """Nothing: every line has keys of its own."""
        return Told()

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some megabytes of whole lines each."""
        line, offset = 1, 0
        while lines := _lines(stream):
            yield _sheaf(lines, line, offset)
            line, offset = line + len(lines), offset + sum(map(len, lines))


def _lines(stream: BinaryIO) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    while size < _SHEAF_BYTES and (line := stream.readline(MAX_LINE_BYTES + 1)):
        found.append(line)
        size += len(line)
    return found


def _sheaf(lines: list[bytes], first_line: int, first_byte: int) -> Sheaf:
    records: list[dict[str, Any]] = []
    places: list[tuple[int, int, bytes]] = []
    rejects: list[Reject] = []
    blank, offset = 0, first_byte
    for number, raw in enumerate(lines, first_line):
        text = raw.rstrip(b"\r\n")
        start, offset = offset, offset + len(raw)
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if not text.strip():
            blank += 1
            continue
        try:
            records.append(_record(text))
            places.append((number, start, text))
        except _Wrong as error:
            last = max(start, start + len(text) - 1)
            rejects.append(Reject(number, number, start, last, None, error.reason, error.message, _shown(text)))
    return Sheaf(
        len(lines),
        [number for number, _, _ in places],
        {heading: _cells(records, heading) for heading in _headings(records)},
        lambda row: (places[row][1], places[row][1] + max(0, len(places[row][2]) - 1), _shown(places[row][2])),
        tuple(rejects),
        blank=blank,
    )


class _Wrong(Exception):
    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message


def _record(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_LINE_BYTES:
        raise _Wrong("too-long", f"The line has more than {MAX_LINE_BYTES} bytes; only its beginning is kept.")
    try:
        found = json.loads(
            text.decode(),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise _Wrong("encoding", "The bytes are not UTF-8.") from error
    except _Doubled as error:
        raise _Wrong(NOT_AN_OBJECT, f"The key {error.args[0]!r} stands twice.") from error
    except (ValueError, RecursionError) as error:
        raise _Wrong(NOT_AN_OBJECT, f"The line is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise _Wrong(NOT_AN_OBJECT, "The line is JSON, but no object.")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Doubled(next(key for key in keys if keys.count(key) > 1))
    return found


def _headings(records: list[dict[str, Any]]) -> dict[str, None]:
    return {key: None for record in records for key in record}


def _cells(records: list[dict[str, Any]], heading: str) -> Cells:
    values = [record.get(heading) for record in records]
    texts = [value if isinstance(value, str) else _as_text(value) for value in values]
    typed = [not (value is None or type(value) is str) for value in values]
    return Cells(pa.array(map(_plain, texts), pa.string()), pa.array(typed, pa.bool_()))


def _plain(text: str | None) -> str | None:
    # A surrogate without its partner ("\\ud800") is JSON, but no text.
    if text is None or text.isascii():
        return text if text is None else str(text)
    return text.encode("utf-8", "replace").decode() if any("\ud800" <= one <= "\udfff" for one in text) else str(text)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    """JSON with the digits that the file had."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_json(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _shown(text: bytes) -> str:
    return text[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
