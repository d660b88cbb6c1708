"""JSON Lines: one object per line, in UTF-8. The unit is the line, as in CSV.

Numbers keep their digits. An array or object inside of a record stays JSON, as text. A line that is no object is a
reject.
https://jsonlines.org
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from athena.errors import Refused
from etl.formats import Cells, Sheaf, Told
from etl.report import Reject

_SHEAF_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024 * 1024
MOST_SPARSE_KEYS = 5_000
_LEAST_DENSITY = 100
"""Of so many cells at least one must be filled, where there are more keys than that."""
_SHOWN_BYTES = 64 * 1024
NOT_AN_OBJECT = "not-an-object"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_EXPONENT = re.compile(r"\A(-?[0-9]+)[eE]([0-9]+)\Z")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class _Number(str):
    __slots__ = ()


class _Doubled(Exception):
    """A key stands twice in one object."""


class JsonLines:
    """See `etl.formats.Reader`."""

    seeks = False

    def __init__(self, name: str) -> None:
        self._name = name

    def tell(self, stream: BinaryIO) -> Told:
        """Nothing: every line has keys of its own. Raises `Refused` where that is not UTF-8 from the first byte on."""
        first = stream.read(4)
        if first.startswith(_WIDE_MARKS) or b"\x00" in first:
            raise Refused(
                f"{self._name} is no UTF-8, but UTF-16 or the like.",
                "Save it as UTF-8, and drop that.",
                code="not-text",
            )
        return Told()

    def sheaves(self, stream: BinaryIO) -> Iterator[Sheaf]:
        """Some megabytes of whole lines each."""
        line, offset = 1, 0
        while lines := _lines(stream):
            yield _sheaf(self._name, lines, line, offset)
            line, offset = line + len(lines), offset + sum(map(len, lines))


def _lines(stream: BinaryIO) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    while size < _SHEAF_BYTES and (line := stream.readline(MAX_LINE_BYTES + 1)):
        found.append(line)
        size += len(line)
    return found


def _sheaf(name: str, lines: list[bytes], first_line: int, first_byte: int) -> Sheaf:
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
    headings = _headings(records)
    _check_density(name, records, len(headings))
    return Sheaf(
        len(lines),
        [number for number, _, _ in places],
        {heading: _cells(records, heading) for heading in headings},
        lambda row: (places[row][1], places[row][1] + max(0, len(places[row][2]) - 1), _shown(places[row][2])),
        tuple(rejects),
        blank=blank,
    )


def _check_density(name: str, records: list[dict[str, Any]], keys: int) -> None:
    """Raises `Refused` where keys are values: with a column for each id, a megabyte of lines takes gigabytes."""
    filled = sum(map(len, records))
    if keys > MOST_SPARSE_KEYS and filled * _LEAST_DENSITY < len(records) * keys:
        raise Refused(
            f"{name} has {keys:,} different keys in {len(records):,} lines: {len(records) * keys:,} cells, "
            f"of which {filled:,} are filled.",
            'Ids as keys are no columns: write each as a value, as in {"id": "a1", "n": 5}, and drop that.',
            code="format-unsupported",
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
    except json.JSONDecodeError as error:
        raise _Wrong(NOT_AN_OBJECT, f"The line is no JSON: {error.msg} at character {error.colno}.") from error
    except (ValueError, RecursionError) as error:
        raise _Wrong(NOT_AN_OBJECT, f"The line is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise _Wrong(NOT_AN_OBJECT, "The line is JSON, but no object.")
    if _SURROGATE.search(text) and not _is_text(found):
        raise _Wrong("encoding", "A text holds one half of a pair (\\ud800 to \\udfff) without the other.")
    return found


def _is_text(found: Any) -> bool:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


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
    texts = [value if type(value) is str else _as_text(value) for value in values]
    typed = [not (value is None or type(value) is str) for value in values]
    return Cells(pa.array(texts, pa.string()), pa.array(typed, pa.bool_()))


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Number):
        # 1e5 alone may be a name as well; here it is a number.
        return _EXPONENT.sub(r"\1e+\2", value)
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
