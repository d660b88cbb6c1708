"""Where the records of a text begin below titles, remarks and comments. Pure."""

from collections.abc import Sequence

from etl._cell import holds_numbers, is_typed
from etl._footer import FEW
from etl._header import looks_like_names, votes_for_header
from etl._record import Record, Shape, line_end
from etl._sample import Placed

_LOOK_AHEAD, _MAX_SETTINGS = 5, 10


def first_of_body(records: list[Placed], fields: int) -> int:
    """The first record that has the usual number of fields, with others like it behind; not a padded title.

    Names in the very first line are a header, however ragged what follows.
    """
    if fields == 1:
        return _first_above_numbers(records)
    if (below := _below_settings(records, fields)) is not None:
        return below
    if fields > 1 and records and _names_all(records[0], fields) and not _is_title(records, fields):
        return 0
    for place, one in enumerate(records):
        following = records[place + 1 : place + 1 + _LOOK_AHEAD]
        alike = sum(fits(other, fields) for other in following)
        if fits(one, fields) and 5 * alike >= 2 * len(following) and not _is_title(records[place:], fields):
            return place
    return next((place for place, one in enumerate(records) if fits(one, fields)), 0)


def without_false_header(records: list[Placed], shape: Shape) -> list[Placed]:
    """The records without comments on top that happen to have the right number of delimiters."""
    marked = 0
    while marked < len(records) and begins(records[marked].record, b"#"):
        marked += 1
    rest = [one.record.fields for one in records[marked:] if fits(one, shape.fields)]
    if marked and len(rest) > 1 and votes_for_header(rest[0], rest[1:], ()) > 0:
        return records[marked:]
    return records


def _first_above_numbers(records: list[Placed]) -> int:
    """In one column of numbers: the name right above them, below titles and remarks."""
    cells = [b"".join(one.record.fields) for one in records]
    words = next((place for place, cell in enumerate(cells) if is_typed(cell)), 0)
    below = cells[words:]
    return words - 1 if 2 <= words <= _LOOK_AHEAD and len(below) > words and holds_numbers(below) else 0


def _names_all(placed: Placed, fields: int) -> bool:
    cells = placed.record.fields
    return fits(placed, fields) and all(cells) and looks_like_names(cells)


def _below_settings(records: list[Placed], fields: int) -> int | None:
    """In a table of two columns: the header below names and values that a blank line sets apart."""
    for place in range(1, min(_MAX_SETTINGS + 1, len(records) // 3 + 1) if fields == 2 else 0):
        above = records[place - 1]
        if records[place].line > above.line + above.record.height:
            rows = [one.record.fields for one in records[place:] if fits(one, fields)]
            named = fits(records[place], fields) and rows[0] != records[0].record.fields
            return place if named and len(rows) > place and votes_for_header(rows[0], rows[1:], ()) >= 1 else None
    return _above_pairs(records) if fields == 2 else None


def _above_pairs(records: list[Placed]) -> int | None:
    """In a table of two columns of numbers: the names right above them, below names and values."""
    rows = [one.record.fields for one in records]
    values = 0
    for place, row in enumerate(rows[: min(_MAX_SETTINGS + 1, len(rows) // 3 + 1)]):
        if not fits(records[place], 2) or is_typed(row[0]):
            return None
        if values and looks_like_names(row) and all(map(is_typed, rows[place + 1])):
            below = [fields for one, fields in zip(records, rows, strict=True) if fits(one, 2)][place + 1 :]
            return place if all(map(holds_numbers, zip(*below, strict=True))) else None
        values += is_typed(row[1])
    return None


def _is_title(records: list[Placed], fields: int) -> bool:
    """A line without a filled cell, or with one of three or more above a row that names what is below it."""
    filled = sum(bool(cell.strip()) for cell in records[0].record.fields)
    if not filled and fields > 1 and len(records) > 1:
        return True
    if fields < FEW or filled > 1:
        return False
    later = [one.record.fields for one in records[1 : 1 + 3 * _LOOK_AHEAD] if fits(one, fields)]
    dense = [row for row in later if sum(bool(cell.strip()) for cell in row) >= fields - 1]
    if any(looks_like_names(row) and all(row[: fields - 1]) for row in dense):
        return True
    return len(dense) > 2 and votes_for_header(dense[0], dense[1:], ()) > 0


def damaged_above(above: list[Placed], fitting: list[Placed], text: bytes, shape: Shape) -> list[Placed]:
    """Records right above those that fit which would fit too but for a stray quote, or have numbers where numbers
    stand: no words above the data."""
    place, numeric = len(above), columns_of_numbers([one.record.fields for one in fitting], shape.fields)
    while (
        place
        and shape.fields > 1
        and (_would_fit(above[place - 1], text, shape) or _is_like(above[place - 1], numeric))
    ):
        place -= 1
    return above[place:]


def _is_like(placed: Placed, numeric: Sequence[bool]) -> bool:
    cells = placed.record.fields
    typed = [is_typed(cell) for cell, number in zip(cells, numeric, strict=False) if number]
    return len(cells) > 1 and bool(typed) and all(typed)


def _would_fit(placed: Placed, text: bytes, shape: Shape) -> bool:
    line = text[placed.start : line_end(text, placed.start)]
    return placed.record.fault is not None and line.count(shape.delimiter) == shape.fields - 1


def fits(placed: Placed, fields: int) -> bool:
    return placed.record.fault is None and len(placed.record.fields) == fields


def begins(record: Record, mark: bytes) -> bool:
    return bool(record.fields) and record.fields[0].startswith(mark)


def columns_of_numbers(rows: list[tuple[bytes, ...]], fields: int) -> tuple[bool, ...]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * fields
    return tuple(holds_numbers(column) for column in columns)
