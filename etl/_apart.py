"""Good records with some bad values among them → typed columns without these, and what is bad about them. Pure.

The records are read as text, and then column by column, so that a bad value is the matter of its own column alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from athena.arrow import arrow_type
from etl._casting import NotFast
from etl._column import Converted, check_column, convert_column, to_arrow, without_checks
from etl._direct import is_simple, parse_text
from etl._plan import Feed, Plan
from etl._record import Record, read_record
from etl._sift import TooMany, can_sift, replaced, sift
from etl._split import Split
from etl._values import Bad, Value

Faults = dict[int, tuple[Feed, Bad]]
"""What is bad about a record, by its place among those that split."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Typed columns of the records that are not bad, in their order; `words` are values that are bad."""

    columns: list[pa.Array]
    bad: Faults
    words: tuple[str, ...] = ()


def parse_apart(text: bytes, plan: Plan, found: Split) -> Parsed:
    """The good records of `found`, some of whose values may be bad."""
    fed, good = fed_by(plan), good_text(text, found)
    texts = parse_text(good, plan, len(found.starts))
    texts = fields_exactly(text, plan, found, fed) if texts is None else texts
    simple = is_simple(good, plan)
    converted = [_converted(column, feed, simple=simple) for column, feed in zip(texts, fed, strict=True)]
    bad = _first_faults(fed, converted)
    columns = [one.values for one in converted]
    words = (text[row].as_py() for text, one in zip(texts, converted, strict=True) for row in one.bad)
    return Parsed(without_rows(columns, bad), bad, tuple(word for word in words if word is not None))


def without_rows(columns: list[pa.Array], bad: Collection[int]) -> list[pa.Array]:
    """The columns without some rows, which are few: a fourth of what a filter takes."""
    if not bad:
        return columns
    rows = sorted(bad)
    stretches = zip([-1, *rows], [*rows, len(columns[0])], strict=True)
    kept = [(before + 1, row - before - 1) for before, row in stretches if row - before > 1] or [(0, 0)]
    batch = pa.RecordBatch.from_arrays(columns, [str(place) for place in range(len(columns))])
    whole = pa.concat_batches([batch.slice(*one) for one in kept])
    return list(whole.columns)


def _converted(text: pa.Array, feed: Feed, *, simple: bool) -> Converted:
    reading = feed.reading
    if not (simple and can_sift(reading)):
        return convert_column(text, reading)
    try:
        values, odd = sift(text, reading)
    except (TooMany, NotFast):
        return convert_column(text, reading)
    plain = without_checks(reading)
    bad: dict[int, Bad] = {}
    good: dict[int, pa.Array] = {}
    for row in odd:
        try:
            good[row] = to_arrow([plain.value(text[row].as_py())], reading.type)
        except Bad as error:
            bad[row] = error.alone()
    values = replaced(values, good)
    if reading.allowed is not None:
        values = values.cast(arrow_type(reading.type))
    return Converted(values, bad | check_column(text, values, reading, bad))


def exact_values(text: bytes, plan: Plan, start: int, fed: Sequence[Feed]) -> list[Value] | tuple[Feed, Bad]:
    """The values of the record at `start`, or what is bad about it first."""
    record = cast(Record, read_record(text, start, plan.shape, complete=True))
    values: list[Value] = []
    for feed in fed:
        try:
            values.append(value_in(record, feed))
        except Bad as error:
            return feed, error.alone()
    return values


def value_in(record: Record, feed: Feed) -> Value:
    """The value of one column of a record that the file has; raises `Bad`."""
    place = cast(int, feed.place)
    return feed.reading.value(record.fields[place].decode(), quoted=record.quoted[place])


def _first_faults(fed: Sequence[Feed], converted: Sequence[Converted]) -> Faults:
    bad: Faults = {}
    for feed, one in zip(fed, converted, strict=True):
        for row, reason in one.bad.items():
            bad.setdefault(row, (feed, reason))
    return bad


def fed_by(plan: Plan) -> list[Feed]:
    """The columns that the file has."""
    return [feed for feed in plan.feeds if feed.place is not None]


def fields_exactly(text: bytes, plan: Plan, found: Split, fed: Sequence[Feed]) -> list[pa.Array]:
    """The fed columns as text, read record by record: for dialects that Arrow's reader has no word for."""
    columns: list[list[str | None]] = [[] for _ in fed]
    for start in found.starts.tolist():
        record = read_record(text, start, plan.shape, complete=True)
        for column, feed in zip(columns, fed, strict=True):
            place = cast(int, feed.place)
            value, quoted = record.fields[place].decode(), record.quoted[place]  # type: ignore[union-attr]
            column.append(None if value in plan.text_missing and not quoted else value)
    return [pa.array(column, pa.string()) for column in columns]


def good_text(text: bytes, found: Split) -> bytes:
    """The good records alone, each as it stands."""
    if not len(found.starts):
        return b""
    apart = np.flatnonzero(found.starts[1:] != found.ends[:-1])
    starts = found.starts[np.concatenate([[0], apart + 1])].tolist()
    ends = found.ends[np.concatenate([apart, [len(found.ends) - 1]])].tolist()
    if len(starts) == 1 and ends[0] - starts[0] == len(text):
        return text
    return b"".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def no_rows(plan: Plan) -> list[pa.Array]:
    """The fed columns of no record."""
    return [pa.nulls(0, arrow_type(feed.column.type)) for feed in fed_by(plan)]
