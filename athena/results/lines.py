"""An Arrow table → the lines of a CSV, by column where that gives the same as `athena/page.py` value by value."""

import pyarrow as pa
import pyarrow.compute as pc

from athena.page import FORMULA_STARTS, csv_fields

_SPECIAL = '[,"\r\n]'
_FORMULA = "^[" + "".join(FORMULA_STARTS).replace("-", r"\-") + "]"


def csv_lines(table: pa.Table, *, guarded: bool) -> bytes:
    """The rows as lines, without a header."""
    if table.num_rows == 0 or table.num_columns == 0:
        return b"\r\n" * int(table.num_rows)
    texts = [_fields(column, guarded=guarded) for column in table.columns]
    # One long text of all lines: joined by column first, then by row.
    rows = _joined(*texts, separator=",")
    whole = pc.binary_join(pa.LargeListArray.from_arrays(pa.array([0, len(rows)], pa.int64()), rows), _text("\r\n"))
    return bytes(whole[0].as_buffer()) + b"\r\n"


def _large(rows: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
    return array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks)


def _fields(column: pa.ChunkedArray, *, guarded: bool) -> pa.Array:
    """One column as text, NULL still NULL; large texts, since a row group's may be beyond 2 GB together."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return _large(pc.cast(pc.cast(column, pa.string()), pa.large_string()))
    if pa.types.is_string(kind):
        return _quoted(_large(pc.cast(column, pa.large_string())), guarded=guarded)
    from athena.results.arrow import values_of

    given = values_of(pa.table({"": column}))[0]
    return pa.array(csv_fields(given), pa.large_string())


def _quoted(texts: pa.Array, *, guarded: bool) -> pa.Array:
    if guarded:
        formulas = pc.match_substring_regex(texts, _FORMULA)
        if pc.any(formulas).as_py():
            texts = pc.if_else(formulas, _joined(_text("'"), texts), texts)
    special = pc.or_(pc.match_substring_regex(texts, _SPECIAL), pc.equal(texts, _text("")))
    if not pc.any(special).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, _joined(_text('"'), doubled, _text('"')), texts)


def _joined(*texts: pa.Array | pa.Scalar, separator: str = "") -> pa.Array:
    """Text by text beside each other; NULL counts as nothing."""
    return pc.binary_join_element_wise(*texts, _text(separator), null_handling="replace", null_replacement="")


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
