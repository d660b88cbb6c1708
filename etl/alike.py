"""Files that say the same of themselves as one that was looked at closely: proved from a few counts. Pure.

What `dialect.detect` and `_settle.settle` say of a file is a function of its text. For a plain text (one usual
delimiter, no quote, no odd byte) under a header whose names the contract knows, most of that function is settled by the
header, and the rest by what Arrow's reader checks anyway: that every line has as many fields as the header, and that
numbers and dates are some. Where the contract is inferred, the file must bear out its types besides, with no value that
somebody who infers types reads otherwise. A file of which that cannot be shown is looked at like any other.

In short, why the verdict is the same: no other delimiter can win, since none of the strong ones stands in the text, and
the weak ones (colon, space, hash) are either not in the header or in less than half of the lines; one column alone
cannot, since a line with a delimiter in it is no value; names in the first line that the contract knows are the header,
and a number in the line below is none; without quotes, other delimiters and odd bytes every field counts as a value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from etl._cell import holds_numbers, is_typed
from etl._direct import is_direct, parse_typed
from etl._footer import names_source, names_total
from etl._header import looks_like_names, votes_for_header
from etl._observe import bears_out
from etl._plan import Plan
from etl._prime import PRIMER_RECORDS
from etl._sample import MAX_RECORDS
from etl._seen import Seen
from etl._sniff import alone
from etl._study import spellings, wanted
from etl.contract import Contract, SourceRules
from etl.dialect import Dialect
from etl.infer import looks_typed
from etl.transform import Study

_STRONG, _WEAK = b",;|\t", b": #"
_NEVER = b"\"'\\~^"
_LEAST_RECORDS = 6  # so that what could be a further row of the header has records below it
# Half of what a plain text scores at least, and some room.
_FAINT = 0.4
_COUNTED = frozenset(["int", "long", "date"])
_UNCOUNTED = frozenset(["string", "boolean"])
_DATED = frozenset(["date", "timestamp", "timestamptz"])
_INFERRED = frozenset(["string", "boolean", "int", "long", "double"]) | _DATED


@dataclass(frozen=True, slots=True)
class Pattern:
    """What was found out about one file, for others of its source with the same first line (`heading`).

    `counted` and `dated` are places among the fed columns; `first` is the field of a column of numbers
    or dates. `pinned`: the contract names the delimiter. `inferred`: types are found from values; `words` are the
    places of columns of text, `looks` those of them whose values look like some type.
    """

    studied: Study
    plan: Plan
    heading: bytes
    delimiter: bytes
    counted: tuple[int, ...]
    dated: tuple[int, ...]
    first: int
    pinned: bool
    inferred: bool = False
    words: tuple[int, ...] = ()
    looks: frozenset[int] = frozenset()


def pattern_of(studied: Study, planned: Plan, contract: Contract | None, rules: SourceRules) -> Pattern | None:
    """The pattern of a file that was read by `contract` and `rules`; None when it cannot speak for others."""
    dialect = studied.dialect
    if studied.format != "csv" or contract is None or studied.rules != rules or not _is_plain(dialect, rules):
        return None
    cells = [heading.encode() for heading in dialect.headings]
    expected = [column.name for column in contract.columns]
    if not all(cells) or not looks_like_names(cells) or cells[0].startswith(b"#"):
        return None
    if rules.header is None and votes_for_header(cells, [], expected) < 10.0:
        return None
    found = wanted(dialect, contract, rules)
    looks = [column.name for column in contract.columns if looks_typed(column.name) in studied.warnings]
    told = (*found.warnings, *map(looks_typed, looks))
    if found.new or told != studied.warnings or contract.columns != studied.columns:
        return None
    if found.infer and not (contract.inferred and {column.type.name for column in contract.columns} <= _INFERRED):
        return None
    fed = [feed for feed in planned.feeds if feed.place is not None]
    typed = [feed.place for feed in fed if feed.place is not None and feed.reading.type.name not in _UNCOUNTED]
    if not typed or not all(is_direct(feed.reading) for feed in fed):
        return None
    return Pattern(
        studied,
        planned,
        dialect.heading or b"",
        dialect.delimiter.encode(),
        _of_type(planned, _COUNTED),
        _of_type(planned, _DATED),
        typed[0],
        rules.delimiter is not None,
        bool(found.infer),
        _of_type(planned, frozenset(["string"])),
        frozenset(at for at, feed in enumerate(fed) if feed.column.name in looks),
    )


def _is_plain(dialect: Dialect, rules: SourceRules) -> bool:
    """Whether the verdict holds nothing that another file of the source may not have."""
    if dialect.encoding != "utf-8" or dialect.mark or dialect.lead != ("header",) or dialect.heading is None:
        return False
    if dialect.single or dialect.trailing or dialect.spaced or dialect.comment or dialect.notes:
        return False
    if rules.quote is None and dialect.quote != '"':
        return False
    escaped = dialect.escape is not None and rules.escape is None
    return not escaped and dialect.confidence == 1.0 and dialect.delimiter.encode() in (b",", b";", b"|", b"\t")


def _of_type(plan: Plan, names: frozenset[str]) -> tuple[int, ...]:
    fed = [feed for feed in plan.feeds if feed.place is not None]
    return tuple(at for at, feed in enumerate(fed) if feed.reading.type.name in names)


def first_line(data: bytes) -> bytes:
    """The first line without its end."""
    return data[: data.find(b"\n")].removesuffix(b"\r")


def count_records(data: bytes, pattern: Pattern) -> int:
    """How many records follow the header of a text that may be like the pattern's; 0 where it is not."""
    delimiter = pattern.delimiter
    strangers = [one for one in (*_NEVER, *_STRONG) if one != delimiter[0]]
    if not data.isascii() or any(one in data for one in strangers):
        return 0
    text = np.frombuffer(data, np.uint8)
    feeds = int(np.count_nonzero(text == 10))
    returns = data.count(b"\r") if b"\r" in data else 0
    if returns and not returns == feeds == data.count(b"\r\n"):
        return 0
    tabs = data.count(b"\t") if delimiter == b"\t" else 0
    if int(np.count_nonzero(text < 32)) != feeds + returns + tabs:
        return 0
    lines = feeds + (not data.endswith(b"\n"))
    if lines <= _LEAST_RECORDS or data.find(pattern.heading, 1) >= 0 or (b"/" in data and b"://" in data):
        return 0
    if b" " in data and bool(np.any((text[:-1] == delimiter[0]) & (text[1:] == 32))):
        return 0
    for weak in _WEAK:
        if weak in pattern.heading and 2 * data.count(weak) >= min(lines, MAX_RECORDS):
            return 0
    if delimiter in b"|\t" and (b"--" in data or b"==" in data):
        return 0
    last = _last_line(data).split(delimiter)
    below = names_total(last) or names_source(last) or sum(bool(cell.strip()) for cell in last) < 2
    return 0 if below else lines - 1


def _last_line(data: bytes) -> bytes:
    text = data.rstrip(b"\r\n")
    return text[text.rfind(b"\n") + 1 :]


def read_alike(texts: Sequence[bytes], records: Sequence[int], pattern: Pattern) -> list[pa.Array] | None:
    """The fed columns of all texts, one behind the other, whose `records` were counted; None when one of them is not
    what it seemed, or has a bad value."""
    bodies = [_body(text, pattern) for text in texts]
    body = b"".join(bodies)
    columns = parse_typed(body, pattern.plan, sum(records), tokens=False)
    if columns is None or (pattern.inferred and not _bear_out(body, records, columns, pattern)):
        return None
    counted = any(columns[at].null_count == 0 for at in pattern.counted)
    if not counted and not all(_holds_numbers(body, pattern) for body in bodies):
        return None
    dated = pattern.delimiter in b";|" or (
        pattern.delimiter == b"," and any(columns[at].null_count == 0 for at in pattern.dated)
    )
    if not dated and not pattern.pinned and not all(_are_no_values(text) for text in texts):
        return None
    return columns


def _body(text: bytes, pattern: Pattern) -> bytes:
    body = text[text.find(b"\n") + 1 :]
    return body if body.endswith(b"\n") else body + b"\n"


def _bear_out(body: bytes, records: Sequence[int], columns: Sequence[pa.Array], pattern: Pattern) -> bool:
    """Whether every file by itself would be said to have the contract's types."""
    missing = spellings(pattern.studied.rules)
    starts = np.cumsum([0, *records[:-1]]).tolist()
    parts = [
        (columns[at].slice(start, count), at in pattern.looks)
        for at in pattern.words
        for start, count in zip(starts, records, strict=True)
    ]
    are_alike = all(_is_text(part, missing, looks=looks) for part, looks in parts)
    return are_alike and bears_out(body, pattern.plan, columns)


def _is_text(values: pa.Array, missing: tuple[str, ...], *, looks: bool) -> bool:
    """Whether a column is found to be text, and just that is told of it: by the first values, as when looking closely;
    `looks` says whether they should look like some type."""
    if values.null_count == len(values):
        return not looks
    first = dict.fromkeys(value for value in values.slice(0, PRIMER_RECORDS).to_pylist() if value is not None)
    seen = Seen(missing).and_values(((value, 0) for value in first), 0)
    return seen.is_text and seen.odd is None and bool(seen.kinds) == looks


def _holds_numbers(body: bytes, pattern: Pattern) -> bool:
    """Whether a column of numbers or dates is one from the first record on, as the detector sees it."""
    lines = body.split(b"\n", MAX_RECORDS)[:MAX_RECORDS]
    cells = [line.split(pattern.delimiter)[pattern.first] for line in lines if line]
    return is_typed(cells[0]) and all(holds_numbers(cells[rows : MAX_RECORDS - 1]) for rows in range(1, 4))


def _are_no_values(text: bytes) -> bool:
    """Whether lines are anything but single values, as the detector sees it."""
    lines = text.split(b"\n", MAX_RECORDS)[:MAX_RECORDS]
    there = [line for line in lines if line]
    return sum(map(alone, there)) <= _FAINT * len(there)
