"""A block and a plan → typed columns, faults and a tally. Pure.

Clean blocks go through Arrow's reader in one step. A block with faults in its structure is cut at them first; one
with bad values is read as text and converted column by column. The exact way, record by record, is what all must equal.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from etl._apart import Faults, Parsed, exact_values, fed_by, good_text, no_rows, parse_apart
from etl._column import missing_column, to_arrow
from etl._direct import has_words, parse_typed
from etl._known import parse_known, with_words
from etl._marks import split
from etl._places import line_ends
from etl._plan import Plan
from etl._split import Fault, Positions, Skip, Split, split_exact
from etl._values import Value
from etl.read import Block, count_lines
from etl.report import Reject, Skipped
from etl.tally import Tally


@dataclass(frozen=True, slots=True)
class Way:
    """How the block before was read, which is tried first on the next: a matter of speed alone. `odd` are values that
    were bad in the blocks before, and `vain` is how much more often it was for nothing to know them than not."""

    kind: Literal["direct", "words", "text"] = "direct"
    odd: tuple[str, ...] = ()
    vain: int = 0


DIRECT = Way()
_MOST_VAIN = 8

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
    warnings: tuple[str, ...] = ()


def standardise(block: Block, plan: Plan, way: Way = DIRECT) -> Typed:
    """The block's rows as the plan has them. `way` is how the block before was read."""
    if block.oversize is not None:
        return _gathered(block, plan, _Rows(no_rows(plan), np.zeros(0, np.int64), 0), (block.oversize,), way)
    found = block.split
    if way.kind != "text" and is_plain(block, plan):
        records = block.line_count if found is None else len(found.starts)
        columns, taken = _typed(block.text, plan, records, way)
        if columns is not None:
            lines = np.arange(block.line_count) if found is None else found.lines
            return _gathered(block, plan, _Rows(columns, lines, block.line_count), (), taken)
    found = found or split(block.text, plan.shape, complete=True)
    return _apart(block, plan, without_undecodable(block, found), way)


def standardise_exactly(block: Block, plan: Plan) -> Typed:
    """The same, record by record and value by value: slow, and what `standardise` must equal."""
    if block.oversize is not None:
        return standardise(block, plan)
    found = without_undecodable(block, block.split or split_exact(block.text, plan.shape, complete=True))
    fed = fed_by(plan)
    rows: list[list[Value]] = []
    bad: Faults = {}
    for row, start in enumerate(found.starts.tolist()):
        values = exact_values(block.text, plan, start, fed)
        if isinstance(values, tuple):
            bad[row] = values
        else:
            rows.append(values)
    columns = [to_arrow([row[place] for row in rows], feed.column.type) for place, feed in enumerate(fed)]
    return _with_faults(block, plan, found, Parsed(columns, bad), DIRECT)


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
    if way.kind == "direct" or not plan.words:
        columns = parse_typed(text, plan, records, tokens=False)
        if columns is not None or not has_words(text, plan.words):
            return columns, replace(way, kind="direct")
    return parse_typed(text, plan, records, tokens=True), replace(way, kind="words")


def _apart(block: Block, plan: Plan, found: Split, way: Way) -> Typed:
    """The good records, set apart from what does not split, and from bad values if there are any."""
    records = len(found.starts)
    if not records:
        return _with_faults(block, plan, found, Parsed(no_rows(plan), {}), way)
    if way.kind != "text":
        columns, taken = _typed(good_text(block.text, found), plan, records, way)
        if columns is not None:
            return _with_faults(block, plan, found, Parsed(columns, {}), taken)
    parsed, taken = _bad_apart(block.text, plan, found, way)
    return _with_faults(block, plan, found, parsed, replace(taken, kind="text" if parsed.bad else "direct"))


def _bad_apart(text: bytes, plan: Plan, found: Split, way: Way) -> tuple[Parsed, Way]:
    """The good records, some of whose values may be bad."""
    if way.odd and way.vain < _MOST_VAIN:
        known = parse_known(text, plan, found, way.odd)
        if known is not None:
            return known, replace(way, vain=max(way.vain - 1, 0))
        way = replace(way, vain=way.vain + 1)
    parsed = parse_apart(text, plan, found)
    return parsed, replace(way, odd=with_words(way.odd, parsed.words))


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
    """Good rows: their fed columns, their first lines (0-based in the block), and how many lines they take; `blank`
    lines stand between them."""

    columns: Sequence[pa.Array]
    lines: Positions
    height: int
    blank: int = 0


def _with_faults(block: Block, plan: Plan, found: Split, parsed: Parsed, way: Way) -> Typed:
    """The good rows, and a reject for each that is not."""
    lines = found.lines
    whole = not (parsed.bad or found.faults or found.skips)
    ends = lines if whole else _raw_line_ends(block, found)
    height = block.line_count if whole else _height(block, found)
    rejects = [_reject(block, ends, fault) for fault in found.faults]
    for row, (feed, reason) in parsed.bad.items():
        tall = count_lines(block.text[int(found.starts[row]) : int(found.ends[row])])
        height -= tall
        place = block.placed(int(lines[row]), tall, ends)
        rejects.append(Reject(*place[:4], feed.column.name, reason.reason, reason.message, place[4]))
    rejects.sort(key=lambda reject: reject.first_line)
    blank = sum(skip.height for skip in found.skips if skip.kind == "blank")
    rows = _Rows(parsed.columns, np.delete(lines, list(parsed.bad)), height, blank)
    told = tuple(_skipped(block, ends, skip) for skip in found.skips if skip.kind != "blank")
    return _gathered(block, plan, rows, tuple(rejects), way, told)


def _raw_line_ends(block: Block, found: Split) -> Positions:
    return found.breaks if found.breaks is not None and block.raw is block.text else block.raw_line_ends()


def _height(block: Block, found: Split) -> int:
    """The lines of all good records, counted where they stand: all but those between them."""
    starts, ends = np.append(found.starts, len(block.text)), np.append(0, found.ends)
    apart = np.flatnonzero(starts != ends)
    between = zip(ends[apart].tolist(), starts[apart].tolist(), strict=True)
    return block.line_count - sum(count_lines(block.text[end:start]) for end, start in between)


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
    skipped_lines: Counter[str] = Counter(blank=rows.blank) if rows.blank else Counter()
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
    # Not by `pa.array`, which imports numpy's masked arrays to ask whether these are some.
    first_lines = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(rows.lines + block.first_line)])
    kept = tuple(one for one in skipped if one.kind != "blank")
    return Typed(columns, first_lines, rejects, kept, tally, way, _warnings(block))


def _warnings(block: Block) -> tuple[str, ...]:
    if block.split is None or block.split.total is None:
        return ()
    line = block.first_line + block.split.total
    return (f"Line {line} calls itself a total and was read as a record: take it out of the file if it is none.",)
