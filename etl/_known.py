"""A block whose bad values were met before, in other blocks, → typed columns in one step of Arrow's CSV reader. Pure.

What is wrong in a file is mostly wrong in the same few words. Told that these mean nothing, the reader takes the whole
block; the records in which something is missing then are read exactly, and say what is bad.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from etl._apart import Faults, Parsed, fed_by, good_text, value_in, without_rows
from etl._column import to_arrow
from etl._direct import parse_without
from etl._plan import Plan
from etl._record import Record, read_record
from etl._sift import replaced
from etl._split import Split
from etl._values import Bad

_MOST_WORDS, _MOST_LETTERS = 32, 40
_MOST_GAPS = 256  # records; one that is read exactly takes as long as some dozens of others


def parse_known(text: bytes, plan: Plan, found: Split, words: tuple[str, ...]) -> Parsed | None:
    """The good records of `found`, some of whose values may be bad; None when any is bad that is none of the words, or
    when too many are missing."""
    fed = fed_by(plan)
    columns = parse_without(good_text(text, found), plan, len(found.starts), words)
    if columns is None or (gaps := _gaps(columns)) is None:
        return None
    bad: Faults = {}
    meant: list[dict[int, pa.Array]] = [{} for _ in fed]
    for row, places in gaps.items():
        record = cast(Record, read_record(text, int(found.starts[row]), plan.shape, complete=True))
        for place in places:
            try:
                value = value_in(record, fed[place])
            except Bad as error:
                bad[row] = fed[place], error.alone()
                break
            if value is not None:
                meant[place][row] = to_arrow([value], fed[place].column.type)
    columns = [replaced(column, new) for column, new in zip(columns, meant, strict=True)]
    return Parsed(without_rows(columns, bad), bad)


def _gaps(columns: Sequence[pa.Array]) -> dict[int, list[int]] | None:
    """The columns that are null, by record; None if these are too many."""
    gaps: dict[int, list[int]] = {}
    for place, column in enumerate(columns):
        if column.null_count > _MOST_GAPS:
            return None
        for row in pc.indices_nonzero(column.is_null()).to_pylist() if column.null_count else ():
            gaps.setdefault(row, []).append(place)
    return gaps if len(gaps) <= _MOST_GAPS else None


def with_words(known: tuple[str, ...], new: Iterable[str]) -> tuple[str, ...]:
    """The words with some more of them, as long as these are few and short.

    >>> with_words(("n/k",), ["--", "n/k", "", "x" * 100])
    ('n/k', '--')
    """
    fresh = dict.fromkeys(word for word in new if 0 < len(word) <= _MOST_LETTERS)
    return tuple(dict.fromkeys((*known, *fresh)))[:_MOST_WORDS]
