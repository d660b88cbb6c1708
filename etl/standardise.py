"""A block and a plan → typed columns, faults and a tally. Pure.

Clean blocks go through Arrow's reader in one step. A block with faults in its structure is cut at them first; one
with bad values is read as text and converted column by column. The exact way, record by record, is what all must equal.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import pyarrow as pa

from etl._casting import arrow_type
from etl._column import Converted, convert_column, missing_column, to_arrow
from etl._direct import has_words, parse_text, parse_typed
from etl._marks import line_ends, split
from etl._plan import Feed, Plan
from etl._record import read_record
from etl._split import Fault, Positions, Skip, Split, split_exact
from etl._values import Bad, Value
from etl.read import Block, count_lines
from etl.report import Reject, Skipped
from etl.tally import Tally

Way = Literal["direct", "words", "text"]
"""How the block before was read, which is tried first on the next: a matter of speed alone."""

UNDECODABLE = "The bytes are not of the file's encoding."


@dataclass(frozen=True, slots=True)
class Typed:
    """The good rows of a block with the first physical line of each, and everything else that it holds.

    Decimals of few digits may be of 64 or 128 bits."""

    columns: tuple[pa.Array, ...]
    first_lines: pa.Array
    rejects: tuple[Reject, ...]
    skipped: tuple[Skipped, ...]
    tally: Tally
    way: Way


def standardise(block: Block, plan: Plan, way: Way = "direct") -> Typed:
    """The block's rows as the plan has them. `way` is how the block before was read."""
    if block.oversize is not None:
        return _gathered(block, plan, _Rows.none(plan), (block.oversize,), "direct")
    found = block.split
    if way != "text" and is_plain(block, plan):
        records = block.line_count if found is None else len(found.starts)
        columns, taken = _typed(block.text, plan, records, way)
        if columns is not None:
            lines = np.arange(block.line_count) if found is None else found.lines
            return _gathered(block, plan, _Rows(columns, lines, block.line_count), (), taken)
    found = found or split(block.text, plan.shape, complete=True)
    return _piece_by_piece(block, plan, without_undecodable(block, found), way)


def standardise_exactly(block: Block, plan: Plan) -> Typed:
    """The same, record by record and value by value: slow, and what `standardise` must equal."""
    if block.oversize is not None:
        return standardise(block, plan)
    found = without_undecodable(block, block.split or split_exact(block.text, plan.shape, complete=True))
    fed = [feed for feed in plan.feeds if feed.place is not None]
    values: list[list[Value]] = [[] for _ in fed]
    bad: dict[int, tuple[Feed, Bad]] = {}
    for row, start in enumerate(found.starts.tolist()):
        record = read_record(block.text, start, plan.shape, complete=True)
        for column, feed in zip(values, fed, strict=True):
            place = cast(int, feed.place)
            text, quoted = record.fields[place].decode(), record.quoted[place]  # type: ignore[union-attr]
            try:
                column.append(feed.reading.value(text, quoted=quoted))
            except Bad as error:
                column.append(None)
                bad.setdefault(row, (feed, error))
    columns = [to_arrow(column, feed.column.type) for column, feed in zip(values, fed, strict=True)]
    return _with_faults(block, plan, found, columns, bad, "direct")


def is_plain(block: Block, plan: Plan) -> bool:
    """Whether the block may be nothing but good records."""
    found = block.split
    if block.undecodable:
        return False
    if found is not None:
        return not found.faults and not found.skips
    return plan.shape.heading is None or plan.shape.heading not in block.text


def _typed(text: bytes, plan: Plan, records: int, way: Way) -> tuple[list[pa.Array] | None, Way]:
    if not records:
        return None, way
    if way == "direct" or not plan.words:
        columns = parse_typed(text, plan, records, tokens=False)
        if columns is not None or not has_words(text, plan.words):
            return columns, "direct"
    return parse_typed(text, plan, records, tokens=True), "words"


def _piece_by_piece(block: Block, plan: Plan, found: Split, way: Way) -> Typed:
    text, records = good_text(block.text, found), len(found.starts)
    if way != "text" and (found.faults or found.skips):
        columns, taken = _typed(text, plan, records, way)
        if columns is not None:
            return _with_faults(block, plan, found, columns, {}, taken)
    fed = [feed for feed in plan.feeds if feed.place is not None]
    texts = parse_text(text, plan, records) if records else None
    texts = fields_exactly(block.text, plan, found, fed) if texts is None else texts
    converted = [convert_column(column, feed.reading) for column, feed in zip(texts, fed, strict=True)]
    bad = _first_faults(fed, converted)
    columns = [one.values for one in converted]
    return _with_faults(block, plan, found, columns, bad, "text" if bad else "direct")


def _first_faults(fed: Sequence[Feed], converted: Sequence[Converted]) -> dict[int, tuple[Feed, Bad]]:
    bad: dict[int, tuple[Feed, Bad]] = {}
    for feed, one in zip(fed, converted, strict=True):
        for row, reason in one.bad.items():
            bad.setdefault(row, (feed, reason))
    return bad


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


def without_undecodable(block: Block, found: Split) -> Split:
    """The split with records whose bytes are not of the encoding among the faults."""
    bad = _undecodable_lines(block.text) if block.undecodable is None else block.undecodable
    if not bad or not len(found.lines):
        return found
    records = sorted({int(row) for row in np.searchsorted(found.lines, np.array(bad), side="right") - 1 if row >= 0})
    faults: list[Fault] = []
    for row in records:
        start, end, line = int(found.starts[row]), int(found.ends[row]), int(found.lines[row])
        height = count_lines(block.text[start:end])
        if any(line <= one < line + height for one in bad):
            faults.append(Fault(start, end, line, height, "encoding", UNDECODABLE))
    kept = ~np.isin(found.lines, [fault.line for fault in faults])
    merged = sorted((*found.faults, *faults), key=lambda fault: fault.line)
    return replace(
        found, starts=found.starts[kept], ends=found.ends[kept], lines=found.lines[kept], faults=tuple(merged)
    )


def _undecodable_lines(text: bytes) -> tuple[int, ...]:
    if text.isascii():
        return ()
    bad: list[int] = []
    ends: Positions | None = None
    position = 0
    while position < len(text):
        try:
            text[position:].decode()
            break
        except UnicodeDecodeError as error:
            ends = line_ends(text) if ends is None else ends
            line = int(np.searchsorted(ends, position + error.start, side="right"))
            bad.append(line)
            position = int(ends[line])
    return tuple(bad)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Good rows: their fed columns, their first lines (0-based in the block), and how many lines they take."""

    columns: Sequence[pa.Array]
    lines: Positions
    height: int

    @classmethod
    def none(cls, plan: Plan) -> "_Rows":
        columns = [pa.nulls(0, arrow_type(feed.column.type)) for feed in plan.feeds if feed.place is not None]
        return cls(columns, np.zeros(0, np.int64), 0)


def _with_faults(
    block: Block, plan: Plan, found: Split, columns: Sequence[pa.Array], bad: dict[int, tuple[Feed, Bad]], way: Way
) -> Typed:
    """Rows without the bad ones, and a reject for each of these."""
    height = _height(block, found)
    lines = found.lines
    ends = block.raw_line_ends() if bad or found.faults or found.skips else lines
    rejects = [_reject(block, ends, fault) for fault in found.faults]
    if bad:
        kept = np.ones(len(lines), np.bool_)
        kept[list(bad)] = False
        for row, (feed, reason) in bad.items():
            tall = count_lines(block.text[int(found.starts[row]) : int(found.ends[row])])
            height -= tall
            place = block.placed(int(lines[row]), tall, ends)
            rejects.append(Reject(*place[:4], feed.column.name, reason.reason, reason.message, place[4]))
        columns, lines = [column.filter(pa.array(kept)) for column in columns], lines[kept]
    rejects.sort(key=lambda reject: reject.first_line)
    rows = _Rows(columns, lines, height)
    return _gathered(block, plan, rows, tuple(rejects), way, tuple(_skipped(block, ends, skip) for skip in found.skips))


def _height(block: Block, found: Split) -> int:
    """The lines of all good records, counted where they stand."""
    if not found.faults and not found.skips:
        return block.line_count
    return count_lines(good_text(block.text, found))


def _reject(block: Block, ends: Positions, fault: Fault) -> Reject:
    place = block.placed(fault.line, fault.height, ends)
    return Reject(*place[:4], None, fault.reason, fault.message, place[4])


def _skipped(block: Block, ends: Positions, skip: Skip) -> Skipped:
    return Skipped(skip.kind, *block.placed(skip.line, skip.height, ends))


def _gathered(
    block: Block, plan: Plan, rows: _Rows, rejects: tuple[Reject, ...], way: Way, skipped: tuple[Skipped, ...] = ()
) -> Typed:
    fed = iter(rows.columns)
    count = len(rows.lines)
    columns = tuple(missing_column(feed.column, count) if feed.place is None else next(fed) for feed in plan.feeds)
    skipped = (*block.lead, *skipped)
    skipped_lines: Counter[str] = Counter()
    for one in skipped:
        skipped_lines[one.kind] += one.last_line - one.first_line + 1
    tally = Tally(
        lines_in=block.line_count + len(block.lead),
        lines_loaded=rows.height,
        lines_rejected=sum(reject.last_line - reject.first_line + 1 for reject in rejects),
        lines_skipped=dict(skipped_lines),
        rows_loaded=count,
        rows_rejected=len(rejects),
        reasons=dict(Counter(reject.reason for reject in rejects)),
    )
    first_lines = pa.array(rows.lines + block.first_line, pa.int64())
    kept = tuple(one for one in skipped if one.kind != "blank")
    return Typed(columns, first_lines, rejects, kept, tally, way)
