"""Where the records of a text begin and what stands above them: preamble, comments, header rows. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from etl._above import begins, columns_of_numbers, damaged_above, first_of_body, fits, without_false_header
from etl._cell import PROSE, WORDS, kind
from etl._footer import FEW, names_total
from etl._header import further_header_rows, looks_like_names, meets, votes_for_header
from etl._record import Shape, line_end
from etl._sample import Placed, is_rule
from etl._sniff import Sniffed

_UNTOLD = (
    "Nothing tells the first line from those below it: it was taken for the header. If it is a record, write "
    "header = false for the source in the contract."
)
_ALIGNED = (
    "The lines look like columns that are aligned by spaces, which are no delimiter: each line was read as one value. "
    "Export the file with a delimiter."
)
_HINT = re.compile(rb"\"?sep=(.)\"?[ \t]*(\r\n|\r|\n|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """`lead`: the kind of each physical line above the first record. `headings` are None without a header."""

    shape: Shape
    lead: tuple[str, ...]
    headings: tuple[str, ...] | None
    confidence: float
    notes: tuple[str, ...]


def separator_hint(text: bytes) -> tuple[str, int] | None:
    r"""The delimiter that a first line `sep=;` names, and the length of that line.

    >>> separator_hint(b"sep=;\r\na;b\r\n")
    (';', 7)
    """
    match = _HINT.match(text)
    return (match[1].decode("latin-1"), match.end()) if match else None


def lay_out(
    text: bytes, sniffed: Sniffed, *, header: bool | None, expected: Sequence[str], texts: Sequence[str]
) -> Layout:
    """The layout of the sniffed text. `header` is what the rules say, `expected` names that headings may have, `texts`
    those of them whose columns are text."""
    sniffed = _with_known_header(_with_header_count(_with_late_trailing(sniffed)), expected)
    shape = _with_comment(sniffed)
    records = without_false_header([one for one in sniffed.records if not _is_comment(one, text, shape)], shape)
    first = first_of_body(records, shape.fields)
    fitting = [one for one in records[first:] if fits(one, shape.fields)]
    verdict = _header(records[:first], fitting, shape, header, expected, texts)
    kept = {one.line for one in records}
    kinds = {line: "comment" for one in sniffed.records if one.line not in kept for line in _lines(one)}
    damaged = [] if verdict.rows else damaged_above(records[:first], fitting, text, shape)
    kinds |= {line: "preamble" for one in records[: first - len(damaged)] for line in _lines(one)}
    kinds |= {line: "header" for one in verdict.rows for line in _lines(one)}
    body = [one for one in fitting if one not in verdict.rows]
    start = _start([*damaged, *body], verdict.rows, text)
    rows = [one.record.fields for one in body]
    while len(rows) > 1 and (names_total(rows[-1]) or _is_one_remark(rows[-1])):
        rows.pop()
    headings, trailing = _without_trailing(verdict.headings, body, shape.fields, expected)
    shape = replace(
        shape,
        trailing=trailing,
        numeric=columns_of_numbers(rows, shape.fields),
        heading=_repeated(verdict, text, shape),
    )
    kinds |= {line: "header" for one in verdict.rows[-1:] for line in range(one.line + one.record.height, start)}
    lead = tuple(kinds.get(line, "blank" if blank else "preamble") for line, blank in enumerate(_blanks(text, start)))
    notes = (*verdict.notes, _ALIGNED) if _is_aligned(sniffed) else verdict.notes
    return Layout(shape, lead, headings, sniffed.confidence * verdict.confidence, notes)


def _is_aligned(sniffed: Sniffed) -> bool:
    """Whether nearly all lines of one value have a gap of two spaces inside."""
    if sniffed.shape.fields > 1 or len(sniffed.records) < FEW:
        return False
    gaps = sum(b"  " in b"".join(one.record.fields).strip() for one in sniffed.records)
    return gaps >= 0.9 * len(sniffed.records)


@dataclass(frozen=True, slots=True)
class _Header:
    rows: tuple[Placed, ...]
    headings: tuple[str, ...] | None
    confidence: float = 1.0
    notes: tuple[str, ...] = ()


def _header(
    above: list[Placed],
    fitting: list[Placed],
    shape: Shape,
    pinned: bool | None,
    expected: Sequence[str],
    texts: Sequence[str],
) -> _Header:
    if pinned is False or not (above or fitting):
        return _Header((), None)
    body = [one.record.fields for one in fitting]
    votes = 10.0 if pinned else votes_for_header(body[0], body[1:], expected) if body else 0.0
    ragged = _ragged(above, fitting, shape)
    if ragged is not None and (votes < 0 or (votes == 0 and len(above) == 1)):
        return ragged
    if not body or votes < 0 or (votes == 0 and not looks_like_names(body[0])):
        return _Header((), None, 0.9 if votes < -0.5 else 0.7)
    rows = fitting[: 1 + further_header_rows(body, texts)]
    notes = [f"{len(rows)} header rows: the first names the columns."] if len(rows) > 1 else []
    if votes == 0:
        notes.append(_UNTOLD)
    return _Header(tuple(rows), _decoded(body[0]), 1.0 if votes > 0 else 0.7, tuple(notes))


def _ragged(above: list[Placed], fitting: list[Placed], shape: Shape) -> _Header | None:
    """A header right above the records that has another number of fields than they have."""
    if not above or above[-1].record.fault or not fitting:
        return None
    cells = above[-1].record.fields
    if len(cells) < 2 or 2 * len(cells) < shape.fields or not looks_like_names(cells):
        return None
    rows = (above[-1],)
    if len(cells) > shape.fields and not any(cells[shape.fields :]):
        return _Header(rows, _decoded(cells[: shape.fields]), 0.9)
    if len(cells) < shape.fields and not any(any(one.record.fields[len(cells) :]) for one in fitting):
        return _Header(rows, (*_decoded(cells), *[""] * (shape.fields - len(cells))), 0.9)
    if len(cells) == shape.fields - 1 and _are_row_names(above[-1], fitting):
        return _Header(rows, ("", *_decoded(cells)), 0.8, ("The header does not name the first column: row names.",))
    note = f"The header names {len(cells)} columns, the records have {shape.fields}: its names were not used."
    return _Header(rows, ("",) * shape.fields, 0.5, (note,))


def _are_row_names(header: Placed, fitting: list[Placed]) -> bool:
    """As R writes a data frame: all names in quotes, those of the rows too, and the latter different."""
    names = [one.record.fields[0] for one in fitting]
    quoted = all(header.record.quoted) and all(one.record.quoted[0] for one in fitting)
    return quoted and len(names) > 1 and len(set(names)) == len(names)


def _is_one_remark(row: Sequence[bytes]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    return len(row) >= FEW and len(filled) == 1 and kind(filled[0]) in (WORDS, PROSE)


def _decoded(cells: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(cell.decode("utf-8", "replace") for cell in cells)


def _lines(placed: Placed) -> range:
    return range(placed.line, placed.line + placed.record.height)


def _with_late_trailing(sniffed: Sniffed) -> Sniffed:
    """One delimiter more behind every record but not behind the header: the records' count is the one that holds."""
    shape, fine = sniffed.shape, [one.record for one in sniffed.records if one.record.fault is None]
    more = [record for record in fine[1:] if len(record.fields) == shape.fields + 1 and record.fields[-1] == b""]
    if shape.fields > 1 and fine and len(fine[0].fields) == shape.fields and more and len(more) == len(fine) - 1:
        return replace(sniffed, shape=replace(shape, fields=shape.fields + 1))
    return sniffed


def _with_header_count(sniffed: Sniffed) -> Sniffed:
    """A header longer than most records, which some of them fill: the others are short."""
    shape, fine = sniffed.shape, [one.record for one in sniffed.records if one.record.fault is None]
    if shape.fields < 2 or not fine or len(fine[0].fields) <= shape.fields or not looks_like_names(fine[0].fields):
        return sniffed
    count = len(fine[0].fields)
    filling = sum(len(record.fields) == count for record in fine[1:])
    if not filling or filling < 0.1 * len(fine) or not all(cell.strip() for cell in fine[0].fields):
        return sniffed
    return replace(sniffed, shape=replace(shape, fields=count))


def _with_known_header(sniffed: Sniffed, expected: Sequence[str]) -> Sniffed:
    """A first line with the contract's own names says how many fields there are: all other records are bad. What
    `_ragged` makes fit without a doubt stays."""
    shape, fine = sniffed.shape, [one for one in sniffed.records if one.record.fault is None]
    if shape.fields < 2 or not fine or not meets(fine[0].record.fields, expected):
        return sniffed
    count = len(fine[0].record.fields)
    fitting = [one for one in fine[1:] if fits(one, shape.fields)]
    ragged = _ragged(fine[:1], fitting, shape) if count != shape.fields else None
    if ragged is None or ragged.headings is None or any(ragged.headings):
        return sniffed
    return replace(sniffed, shape=replace(shape, fields=count))


def _with_comment(sniffed: Sniffed) -> Shape:
    shape = sniffed.shape
    if shape.fields == 1:
        leading = [one.record for one in sniffed.records[:1]]
        return replace(shape, comment=b"#") if leading and begins(leading[0], b"# ") else shape
    odd = any(not fits(one, shape.fields) and begins(one.record, b"#") for one in sniffed.records)
    return replace(shape, comment=b"#") if odd else shape


def _is_comment(placed: Placed, text: bytes, shape: Shape) -> bool:
    if shape.comment is None or not text.startswith(shape.comment, placed.start):
        return False
    return shape.fields == 1 or not fits(placed, shape.fields)


def _blanks(text: bytes, lines: int) -> Iterator[bool]:
    """Of the first lines, which are blank."""
    position = 0
    for _ in range(lines):
        end = line_end(text, position)
        yield not text[position:end].strip(b" \r\n")
        position = end


def _start(body: list[Placed], rows: tuple[Placed, ...], text: bytes) -> int:
    """The line where records begin: behind the header (and the line drawn below it), or else with the first that fits
    (or nearly)."""
    if rows:
        end = rows[-1].record.end
        return rows[-1].line + rows[-1].record.height + (end < len(text) and is_rule(text, end))
    if body:
        return body[0].line
    return 0


def _without_trailing(
    headings: tuple[str, ...] | None, body: list[Placed], fields: int, expected: Sequence[str]
) -> tuple[tuple[str, ...] | None, bool]:
    empty = sum(one.record.fields[-1] == b"" and not one.record.quoted[-1] for one in body)
    if fields < 2 or empty < 0.95 * len(body) or (headings is not None and headings[-1] != ""):
        return headings, False
    if headings is None and len(body) < FEW and len(expected) != fields - 1:
        return headings, False
    return (None if headings is None else headings[:-1]), True


def _repeated(header: _Header, text: bytes, shape: Shape) -> bytes | None:
    """The header's line, where it could be met again in files that were joined."""
    if len(header.rows) != 1 or header.rows[0].record.height != 1 or shape.fields < 2:
        return None
    start = header.rows[0].start
    return text[start : header.rows[0].record.end].rstrip(b"\r\n")
