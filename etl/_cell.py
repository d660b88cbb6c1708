"""What one field looks like, roughly: enough to tell delimiters, headers and footers by. Pure.

Types are inferred elsewhere, from every value and more strictly.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

# A point between groups is none before decimals: that is a network address.
NUMBER = re.compile(
    rb"(?!\d{1,3}(?:\.\d{1,3}){2}\.\d{1,2}\Z)"
    rb"[-+]?[$\xc2\xa3\xe2\x82\xac]*[-+]?(\d{1,3}([.,' ]\d{3})+|\d+)?([.,]\d+)?([eE][-+]?\d+)?\s?(%|\xe2\x82\xac)?"
)
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
# A word between a day and a year is a month in any language.
_NAMED = (
    rb"(?:[A-Z][a-z]{2}, )?(?:(?i:\d{1,2}[- ]" + _MONTH + rb"[- ]\d{2,4}|[a-z]{3,9}\.? \d{1,2}, \d{4})"
    rb"|\d{1,2}\.? [A-Za-z\x80-\xff]{3,14}\.? \d{4})"
)
_DATE = rb"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|" + _NAMED
_TIME = rb"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?"
_ZONE = rb"(\s?(Z|UTC|GMT|[-+]\d{2}(:?\d{2})?))?"
MOMENT = re.compile(rb"(" + _DATE + rb")([T ]" + _TIME + _ZONE + rb")?|" + _TIME)
MISSING = frozenset([b"", b"NA", b"N/A", b"NULL", b"null", b"NaN", b"nan", b"None", b"-", b"\\N", b"n/a", b"#N/A"])
_TRUTH = frozenset([b"true", b"false", b"yes", b"no"])
# Addresses of pages, people, machines and files, marks that are unique, and settings: no column is called so.
_LINK = re.compile(
    rb"[a-z]{2,6}://[^\s\"]+|[\w.+-]+@[\w-]+(\.[\w-]+)+|\d{1,3}(\.\d{1,3}){3}(/\d+)?|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"
    rb"|[\da-f]{32,128}"
    rb"|([\da-f]{2}[:-]){5}[\da-f]{2}|(?=.*::)[\da-f:]{3,39}|([\da-f]{1,4}:){7}[\da-f]{1,4}"
    rb"|(/[\w.%~+-]+){2,}/?|[a-z]:\\[^,;|\t\"]*|[a-z_][\w.-]*=[^\s:,;|\t\"]+|<[a-z][^<>]*>.*</?[a-z][^<>]*>"
    rb"|\([^()]*\)|\[.*\]|\{.*\}|(multi)?(point|linestring|polygon)[ zm]*\(.*\)",
    re.IGNORECASE,
)
_STRONG = re.compile(rb"[,;|\t]|\d[~^]|[~^][$\d]")
# Each part is read up to its first letter: with any letter as that one, time would be exponential in the parts.
_PART = rb"[^A-Za-z_,;|\t\"]*[A-Za-z_][^,;|\t\"]*"
_PROSE = re.compile(_PART + rb"([,;] " + _PART + rb")+")

_OPENING = (b"<", b"(", b"[", b"{")
# The patterns take a time that is quadratic in what they look at.
_LOOKED_BYTES = 300
_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))

NUMERIC, TEMPORAL, TRUTH, EMPTY, LINK = "number", "moment", "truth", "empty", "link"
WORDS, PROSE, MIXED = "words", "prose", "mixed"

# No kind depends on which digits there are: values that differ in them alone are looked at once.
_ONE_DIGIT = bytes.maketrans(b"0123456789", b"0" * 10)
_APART = b"\x00"


def kind(value: bytes) -> str:
    """The rough kind of a field.

    >>> kind(b"1.234,50"), kind(b"2024-01-02 10:00"), kind(b"Ulm"), kind(b"5;2"), kind(b"NA")
    ('number', 'moment', 'words', 'mixed', 'empty')
    """
    return _kind(value.translate(_ONE_DIGIT))


def count_kinds(values: Sequence[bytes]) -> Counter[str]:
    """How many of the fields are of which kind.

    >>> sorted(count_kinds([b"12", b"13", b"Ulm", b""]).items())
    [('empty', 1), ('number', 2), ('words', 1)]
    """
    alike = _APART.join(values).translate(_ONE_DIGIT).split(_APART)
    if len(alike) != max(len(values), 1):
        alike = [value.translate(_ONE_DIGIT) for value in values]
    found: Counter[str] = Counter()
    for value, count in Counter(alike if values else ()).items():
        found[_kind(value)] += count
    return found


@lru_cache(maxsize=65536)
def _kind(value: bytes) -> str:
    text = value.strip()[:_LOOKED_BYTES]
    if text in MISSING:
        return EMPTY
    if b"0" in text:
        if NUMBER.fullmatch(text):
            return NUMERIC
        if MOMENT.fullmatch(text):
            return TEMPORAL
    if text.lower() in _TRUTH:
        return TRUTH
    if text.isalpha():
        return WORDS
    spaced = b" " in text
    if (not spaced or text[:1] in _OPENING or text[1:2] == b":" or text[-1:] == b")") and _LINK.fullmatch(text):
        return LINK
    if (b", " in text or b"; " in text) and _PROSE.fullmatch(text):
        return PROSE
    if _STRONG.search(text) or (len(text) > 1 and text[:1] == text[-1:] == b"'") or b'"' in text or _is_torn(text):
        return MIXED
    return WORDS


def _is_torn(text: bytes) -> bool:
    """Whether a bracket is opened and not closed: the rest is rather in the next field."""
    whole = len(text) < _LOOKED_BYTES
    return whole and any(text.count(opening) > text.count(closing) for opening, closing in _BRACKETS)


def is_typed(value: bytes) -> bool:
    """Whether it is a number, a date or a time."""
    return kind(value) in (NUMERIC, TEMPORAL)


def holds_numbers(values: Sequence[bytes]) -> bool:
    """Whether a column's values are numbers or moments, but for one in ten at most, and not all are missing.

    >>> holds_numbers([b"1", b"", b"3"]), holds_numbers([b"1", b"x", b"3"]), holds_numbers([b""])
    (True, False, False)
    """
    counts = count_kinds(values)
    present = len(values) - counts[EMPTY]
    return present > 0 and counts[NUMERIC] + counts[TEMPORAL] >= 0.9 * present
