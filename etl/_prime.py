"""What the first records of a file tell of its columns, so that all of its blocks can be checked at once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl._observe import observe_at_once, observe_exactly
from etl._record import Shape, line_end, read_record
from etl._seen import Seen
from etl.read import Block, count_lines

PRIMER_RECORDS = 300
_FIRST, _FURTHER = 3, 4


def prime(block: Block, shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]) -> dict[str, Seen]:
    """What the first records of a block tell of the columns (by name, at `places`), value by value; nothing counted."""
    found = observe_exactly(first_records(block), shape, places, seen)
    return {name: one.without_count() for name, one in found.items()}


def observe_first(
    block: Block, shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]
) -> dict[str, Seen] | None:
    """What `prime` and then `etl._observe.observe` say of a file's first block, in a fraction of the time; None where
    only these two can tell.

    A few values are a hint at the kind to try. When all have it, they have what follows from it, whoever suggested it.
    For a column of text it matters which value ended the search: that is found in order.
    """
    rows = _some_rows(block, shape)
    if not rows:
        return None
    hinted = {name: _hint(one, rows, places[name]) for name, one in seen.items()}
    words = {name: places[name] for name, hint in hinted.items() if hint is None}
    primed = prime(block, shape, words, {name: seen[name] for name in words}) if words else {}
    known = {name: hint or primed[name] for name, hint in hinted.items()}
    found = observe_at_once(block, shape, places, known)
    if found is None or any(one.is_text and not known[name].is_text for name, one in found.items()):
        return None
    return found


def first_records(block: Block) -> Block:
    """The block's first records."""
    found, text = block.split, block.text
    if found is not None:
        if len(found.starts) <= PRIMER_RECORDS:
            return block
        cut = int(found.starts[PRIMER_RECORDS])
    else:
        cut = 0
        for _ in range(PRIMER_RECORDS):
            cut = line_end(text, cut)
    lines = count_lines(text[:cut])
    bad = None if block.undecodable is None else tuple(line for line in block.undecodable if line < lines)
    return Block(text[:cut], b"", block.encoding, block.first_line, block.first_byte, lines, bad)


@dataclass(frozen=True, slots=True)
class _Row:
    """A record's values and the line where it begins."""

    values: tuple[str, ...]
    line: int


def _some_rows(block: Block, shape: Shape) -> list[_Row]:
    """The first records and some more of those behind; none where one of them is bad."""
    if block.split is not None:
        starts, lines = block.split.starts[:PRIMER_RECORDS].tolist(), block.split.lines[:PRIMER_RECORDS].tolist()
    else:
        starts = [0]
        while len(starts) < PRIMER_RECORDS and (end := line_end(block.text, starts[-1])) < len(block.text):
            starts.append(end)
        lines = list(range(len(starts)))
    rows: list[_Row] = []
    for place in [*range(_FIRST), *range(_FIRST, len(starts), max(1, len(starts) // _FURTHER))]:
        record = read_record(block.text, starts[place], shape, complete=True) if place < len(starts) else None
        if record is None or len(record.fields) != shape.fields:
            return []
        values = tuple(value.decode("utf-8", "replace") for value in record.fields)
        rows.append(_Row(values, block.first_line + lines[place]))
    return rows


def _hint(seen: Seen, rows: Sequence[_Row], place: int) -> Seen | None:
    """What some of a column's values tell, nothing counted; None where all must be seen in their order."""
    values = [(row.values[place], row.line) for row in rows]
    first = seen.and_values(values[:_FIRST], 0)
    if first.kinds is not None and not first.kinds:
        return first
    hint = first.and_values(values[_FIRST:], 0)
    return None if hint.kinds is None or hint.is_text else hint
