"""Which delimiter, quote and escape a text is written with: the candidate that reads it most consistently. Pure.

Each record votes; the first row has no more say than any other, so that a few bad records change nothing.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from etl._cell import (
    EMPTY,
    LINK,
    MIXED,
    NUMERIC,
    PROSE,
    TEMPORAL,
    TRUTH,
    WORDS,
    count_kinds,
    is_typed,
    kind,
)
from etl._parted import cells, has_headed_numbers, holds_decimal_commas, is_number, is_split_for_sure, parts_quoted
from etl._record import AFTER, STRAY, Record, Shape
from etl._sample import Placed, holds_marks, lines, read_all
from etl.contract import SourceRules

DELIMITERS = (b",", b";", b"\t", b"|", b"~", b"^", b"\x01", b"\x1f", b":", b" ", b"#")
# Colons, spaces and hashes stand inside of values all the time, the others seldom.
_PRIOR = {b",": 1.0, b";": 1.0, b"\t": 1.0, b"|": 0.99, b"~": 0.9, b"^": 0.9, b":": 0.6, b" ": 0.55, b"#": 0.5}
WEAK = frozenset([b":", b" ", b"#"])
_TRUSTED = 0.97
# More than for a comma, which parts the digits of each number.
_CERTAIN = 1.1
_WORTH = {NUMERIC: 1.0, TEMPORAL: 1.0, TRUTH: 1.0, EMPTY: 0.9, LINK: 1.0, WORDS: 0.9, PROSE: 0.7, MIXED: 0.25}
_ALONE = {NUMERIC: 1.0, TEMPORAL: 1.0, TRUTH: 1.0, EMPTY: 0.9, LINK: 1.0, WORDS: 0.6, PROSE: 0.6, MIXED: 0.2}
_MAX_ABOVE = 10
_NEVER = b"\x1f"
_MOSTLY = 0.9
_QUOTED_SHARE = 0.75
_MANY_FIELDS, _BELOW_TEXT = 4, 0.85
# Below this no other delimiter explains the text.
_POOR = 0.5
_ENOUGH = 1e-9


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The verdict: how records split (`shape.fields` is the most frequent count), the records, how sure (0 to 1)."""

    shape: Shape
    records: tuple[Placed, ...]
    confidence: float


def sniff(text: bytes, rules: SourceRules) -> Sniffed:
    """The dialect of UTF-8 text that begins at a record; `rules` pins what it names.

    >>> found = sniff(b"a;b\\n1,5;2\\n2,5;3\\n", SourceRules())
    >>> found.shape.delimiter, found.shape.fields
    (b';', 2)
    """
    judged: list[tuple[float, Sniffed]] = []
    for shape in _candidates(text, rules):
        strongest = max((score for score, _ in judged), default=0.0)
        if strongest >= _POOR and _differs_from_header(text, shape):
            continue
        found = _tried(text, shape)
        if rules.quote is None and shape.quote == b'"' and _are_text(found):
            found = _tried(text, replace(shape, quote=None))
        judged.append((_score(found, titled=strongest < _POOR), found))
    if rules.delimiter is None:
        judged += [(_score_alone(found := _tried(text, shape)), found) for shape in _single(text, rules)]
    best, chosen = judged[0]
    for score, found in judged[1:]:
        if score > best + _ENOUGH:
            best, chosen = score, found
    rivals = [score for score, found in judged if found.shape.delimiter != chosen.shape.delimiter]
    margin = 1.0 - max(rivals, default=0.0) / best if best else 0.0
    sure = min(1.0, 0.5 + margin) if rules.delimiter is None else 1.0
    return replace(chosen, confidence=round(chosen.confidence * sure, 3))


def _differs_from_header(text: bytes, shape: Shape) -> bool:
    """Whether a weak delimiter stands in most lines and not as often in the first: then `_weak_standing` gives it
    nothing where another delimiter is good. False where that takes more than counting."""
    if shape.delimiter not in WEAK or holds_marks(text, shape):
        return False
    sizes = [one.text.count(shape.delimiter) for one in lines(text)]
    usual = Counter(sizes).most_common(1)
    return len(sizes) > 1 and sizes[0] != usual[0][0]


def _single(text: bytes, rules: SourceRules) -> list[Shape]:
    """One column only: a delimiter that does not occur in text."""
    return [Shape(_NEVER, 1, quote=quote) for quote in _quotes(text, _NEVER, rules)]


def _pinned(mark: str) -> bytes | None:
    return mark.encode() or None


def _candidates(text: bytes, rules: SourceRules) -> list[Shape]:
    delimiters = [rules.delimiter.encode()] if rules.delimiter else [one for one in DELIMITERS if one in text]
    shapes = [
        Shape(delimiter, 0, quote=quote, escape=escape, spaced=spaced)
        for delimiter in delimiters
        for quote in _quotes(text, delimiter, rules)
        for escape in _escapes(text, delimiter, quote, rules)
        for spaced in _spacings(text, delimiter, quote)
    ]
    return shapes or _single(text, rules)


def _quotes(text: bytes, delimiter: bytes, rules: SourceRules) -> list[bytes | None]:
    if rules.quote is not None:
        return [_pinned(rules.quote)]
    mark = re.escape(delimiter)
    if b"'" not in text:
        return [b'"']
    within = rb"(?:[^'\\]|''|\\.){0,500}"
    enclosed = re.search(rb"(?ms)(^|\r|" + mark + rb" ?)'" + within + rb"' ?(" + mark + rb"|\r?$|\r)", text)
    return [b'"', b"'"] if enclosed else [b'"']


def _escapes(text: bytes, delimiter: bytes, quote: bytes | None, rules: SourceRules) -> list[bytes | None]:
    if rules.escape is not None:
        return [_pinned(rules.escape) if rules.escape != rules.quote else None]
    marks = (delimiter, b"\n", b"\r") if quote is None else (quote, delimiter, b"\n", b"\r")
    used = any(b"\\" + mark in text for mark in marks)
    return [None, b"\\"] if used else [None]


def _spacings(text: bytes, delimiter: bytes, quote: bytes | None) -> list[bool]:
    if delimiter.isspace():
        return [False]
    apart = text.count(delimiter + b" ")
    if quote is not None and delimiter + b" " + quote in text:
        return [False, True]
    return [True] if apart and apart >= 0.95 * text.count(delimiter) else [False]


def _tried(text: bytes, shape: Shape) -> Sniffed:
    records = read_all(text, shape)
    counts = Counter(len(placed.record.fields) for placed in records if placed.record.fault is None)
    if shape.fields == 1 or not counts:
        return Sniffed(replace(shape, fields=1), records, 1.0 if counts else 0.0)
    fields = _usual(counts, records)
    if fields == 1 and shape.delimiter not in WEAK:
        fields = _below_text(records)
    shape = replace(shape, fields=fields)
    # A record of another length still speaks for the delimiter that it holds.
    ragged = sum(count for other, count in counts.items() if other > 1 and other != fields)
    return Sniffed(shape, records, (counts[fields] + 0.5 * ragged) / max(len(records), 1))


def _are_text(found: Sniffed) -> bool:
    """Whether most records have quotes inside of fields or before words of them, and none around one."""
    strays = sum(placed.record.fault in (STRAY, AFTER) for placed in found.records)
    return 2 * strays > len(found.records) and not any(any(placed.record.quoted) for placed in found.records)


def _usual(counts: Counter[int], records: tuple[Placed, ...]) -> int:
    """The most frequent number of fields; among equals that of the earlier record."""
    most = max(counts.values())
    frequent = [fields for fields, count in counts.items() if count == most]
    seen = (len(placed.record.fields) for placed in records if placed.record.fault is None)
    return next(fields for fields in seen if fields in frequent)


def _below_text(records: tuple[Placed, ...]) -> int:
    """The number of fields of the records below lines of text without a delimiter, when there are many; otherwise 1."""
    sizes = [len(placed.record.fields) for placed in records]
    above = next((place for place, size in enumerate(sizes) if size > 1), 0)
    below = sizes[above:]
    return below[0] if above <= _MAX_ABOVE and len(below) > 2 and min(below) == max(below) >= _MANY_FIELDS else 1


def _score(found: Sniffed, *, titled: bool) -> float:
    shape = found.shape
    if shape.fields < 2:
        return 0.0
    fitting = [placed.record for placed in found.records if len(placed.record.fields) == shape.fields]
    if shape.delimiter == b"," and shape.fields == 2 and _are_amounts(found.records[0].record, fitting):
        return 0.0
    weak = shape.delimiter in WEAK
    consistency, prior = (
        _weak_standing(found, fitting, titled=titled)
        if weak
        else (_consistency(found), _PRIOR.get(shape.delimiter, 0.9))
    )
    worth = _worth(fitting) if consistency and prior else 0.0
    quoting = 0.01 * any(any(record.quoted) for record in fitting)
    simple = -0.001 * ((shape.escape is not None) + (shape.quote != b'"'))
    # A header that splits like the records speaks for the delimiter of both.
    headed = 0.0 if weak or len(found.records[0].record.fields) == shape.fields else -0.05
    score: float = consistency**1.5 * worth * prior + quoting + simple + headed
    return score


def _consistency(found: Sniffed) -> float:
    """The share of records that are alike; lines of text above them count little where there are many fields."""
    if found.shape.fields < _MANY_FIELDS:
        return found.confidence
    body = _without_lead(found)
    fitting = sum(len(record.fields) == found.shape.fields for record in body)
    return max(found.confidence, _BELOW_TEXT * fitting / len(body)) if fitting > 2 else found.confidence


def _are_amounts(first: Record, fitting: list[Record]) -> bool:
    """Whether what a comma parts below one name are rather numbers with as many decimals each."""
    if len(first.fields) != 1 or is_typed(first.fields[0]) or len({len(record.fields[1]) for record in fitting}) > 1:
        return False
    return all(is_number(b",".join(record.fields)) and not any(record.quoted) for record in fitting)


def _weak_standing(found: Sniffed, fitting: list[Record], *, titled: bool) -> tuple[float, float]:
    """How consistent a delimiter is that stands inside of values as well, and how much is to be said for it: nothing
    where too many records differ; below a title (where there may be one: `titled`) all must be alike."""
    body, delimiter = _without_lead(found), found.shape.delimiter
    whole = len(body) == len(found.records)
    share = found.confidence if whole else len(fitting) / len(body)
    if share >= _QUOTED_SHARE and parts_quoted(found.shape, fitting):
        return share, _TRUSTED
    if share < (_MOSTLY if whole and delimiter != b"#" else 1.0) or not (whole or titled):
        return 0.0, 0.0
    consistency = share if whole else _MOSTLY
    sure = share == 1.0 and is_split_for_sure(found.shape, fitting)
    if sure and whole and delimiter == b" " and holds_decimal_commas(fitting):
        return consistency, _CERTAIN
    if sure or has_headed_numbers(fitting):
        return consistency, _TRUSTED if share == 1.0 else 0.9
    return consistency, _PRIOR[delimiter] if whole else 0.0


def _without_lead(found: Sniffed) -> list[Record]:
    """The records without a title, remarks or comments above them."""
    records = [placed.record for placed in found.records]
    above = 0
    while above < min(_MAX_ABOVE, len(records) - 1) and len(records[above].fields) != found.shape.fields:
        above += 1
    return records[above:]


def _worth(records: Sequence[Record]) -> float:
    """How much like values the fields of records of equal length look, 0 to 1."""
    plain = [value for record in records for value, quoted in cells(record) if not quoted]
    number = len(records) * len(records[0].fields)
    return (number - len(plain) + sum(_WORTH[one] * count for one, count in count_kinds(plain).items())) / number


def _score_alone(found: Sniffed) -> float:
    fine = [placed.record for placed in found.records if placed.record.fault is None]
    if not fine:
        return 0.0
    return sum(0.95 if record.quoted[0] else alone(record.fields[0]) for record in fine) / len(found.records)


def alone(value: bytes) -> float:
    # What looks like one number with a comma may be two, a time with one is rather a time and a number, and brackets
    # may hold a record.
    if b"," in value and b", " not in value and kind(value) == TEMPORAL:
        return _ALONE[MIXED]
    return min(_ALONE[kind(value)], 0.6 if b"," in value or value[:1] in (b"(", b"[", b"{", b"<") else 1.0)
