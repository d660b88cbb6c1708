"""Whether a delimiter that stands inside of values as well parts records for sure. Pure."""

import re
from collections.abc import Iterable

from etl._cell import NUMERIC, holds_numbers, is_typed, kind
from etl._record import Record, Shape

_CLOCK = re.compile(rb"(?<!\d)\d{1,2}:\d\d(?!\d)|(?<![\w:])([\da-fA-F]{2}:){5}[\da-fA-F]{2}(?![\w:])|::")
_OTHERS = re.compile(rb"[,;|\t]")
_DIALLED = re.compile(rb"\+|0\d")
_MANY = 10


def parts_quoted(shape: Shape, records: list[Record]) -> bool:
    """Whether quotes stand at the delimiters of most records, as they would not by chance, and what is plain there
    does not look torn out of fields that another delimiter parts."""
    quoted = sum(any(record.quoted) and not _holds_others(record) for record in records)
    return shape.fields > 2 and len(records) > 2 and 2 * quoted > len(records)


def is_split_for_sure(shape: Shape, records: list[Record]) -> bool:
    """Whether so many records would not have the same number of such fields by chance."""
    fields, count = shape.fields, len(records)
    if any(quoted and shape.delimiter in value for one in records for value, quoted in cells(one)):
        return True
    if shape.delimiter == b" ":
        return _is_spaced_for_sure([one.fields for one in records])
    if not any(one.fields[0] for one in records):
        return False
    lines = [shape.delimiter.join(one.fields) for one in records]
    if any(b": " in line or b"://" in line for line in lines) or all(map(_CLOCK.search, lines)):
        return False
    if shape.delimiter == b":" and lines[0].count(b" ") > 1 and len({line.count(b" ") for line in lines}) == 1:
        return False
    return count >= 3 or (count == 2 and fields >= 3)


def has_headed_numbers(records: list[Record]) -> bool:
    """Whether a column is a word first and nothing but numbers below."""
    columns = zip(*(record.fields for record in records), strict=True)
    return any(not is_typed(column[0]) and holds_numbers(column[1:]) for column in columns)


def holds_decimal_commas(records: list[Record]) -> bool:
    """Whether a column, perhaps below a name, is nothing but numbers with as many decimals behind a comma each."""
    for column in zip(*(record.fields for record in records), strict=True):
        values = column if is_typed(column[0]) else column[1:]
        decimals = {len(value.partition(b",")[2]) for value in values}
        if len(values) > 2 and len(decimals) == 1 and decimals != {0} and all(map(is_number, values)):
            return True
    return False


def is_number(value: bytes) -> bool:
    return kind(value) == NUMERIC


def cells(record: Record) -> Iterable[tuple[bytes, bool]]:
    return zip(record.fields, record.quoted, strict=True)


def _holds_others(record: Record) -> bool:
    plain = [value for value, quoted in cells(record) if not quoted]
    return any(_OTHERS.search(value) and not is_typed(value) for value in plain)


def _is_spaced_for_sure(rows: list[tuple[bytes, ...]]) -> bool:
    """Whether spaces part values: in many lines alike, between numbers and moments, or between numbers that are not the
    groups of one number, as phones, cards and thousands have them."""
    fields = len(rows[0])
    if not all(value for row in rows for value in row):
        return False
    if fields >= 3 and len(rows) >= _MANY:
        return True
    numbers = [column for column in zip(*rows, strict=True) if all(map(is_number, column))]
    values = [value for column in numbers for value in column]
    if any(b"." in value or b"," in value for value in values):
        return len(numbers) == fields or (len(numbers) >= 2 and fields >= 3)
    inner = {len(value) for row in rows for value in row[1:]}
    dialled = any(map(_DIALLED.match, values))
    timed = 0 < len(numbers) < fields and all(is_typed(value) for row in rows for value in row)
    if timed and not dialled and fields >= 3 and len(rows) >= 3:
        return True
    grouped = dialled or (len(inner) == 1 and min(inner) > 2)
    return len(numbers) == fields >= 3 and len(rows) > 1 and not grouped
