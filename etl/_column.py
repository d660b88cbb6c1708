"""A column of text → a typed column, vectorised; what the fast way will not take goes to the exact one.

The fast way is Arrow's own cast, guarded against everything that it takes and the exact reading does not. A column
with bad values is halved until they are found.
"""

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from athena.arrow import arrow_type
from athena.dataset import Column, DataType
from etl._casting import Infinite, NotFast, any_of, fast_way, usual_form
from etl._values import Bad, Reading, Value, allowed_values

_LEAF = 32
_FEW = 24


@dataclass(frozen=True, slots=True)
class Converted:
    """A typed column, null where a value is bad, and what is bad about it, by row."""

    values: pa.Array
    bad: dict[int, Bad]


def convert_column(text: pa.Array, reading: Reading) -> Converted:
    """The values of a column of text, whose nulls are missing values."""
    bad: dict[int, Bad] = {}
    known = _missing_set_apart(text, reading)
    values = known if reading.is_text else _Search(reading, bad).column(known)
    return Converted(values, bad | check_column(text, values, reading, bad))


def check_column(text: pa.Array | None, values: pa.Array, reading: Reading, bad: dict[int, Bad]) -> dict[int, Bad]:
    """Rows that are missing though required, or not among the allowed values; `bad` rows are not looked at.

    `text` is needed only where values are allowed one by one.
    """
    found: dict[int, Bad] = {}
    if reading.required and values.null_count > len(bad):
        rows = pc.indices_nonzero(pc.is_null(values)).to_pylist()
        found |= {row: Bad("missing-required", "The value is missing.") for row in rows if row not in bad}
    if reading.allowed is not None:
        allowed = to_arrow(sorted_values(reading), reading.type)
        outside = pc.invert(pc.is_in(values, value_set=allowed))
        rows = pc.indices_nonzero(pc.and_(outside, pc.is_valid(values))).to_pylist()
        found |= {row: _refusal(text, row, reading) for row in rows}
    return found


def _refusal(text: pa.Array | None, row: int, reading: Reading) -> Bad:
    try:
        reading.value("" if text is None else text[row].as_py() or "", quoted=True)
    except Bad as error:
        return error.alone()
    return Bad("not-allowed", "The value is not among the allowed values.")


def sorted_values(reading: Reading) -> list[Value]:
    """The allowed values, in a fixed order."""
    return sorted(allowed_values(reading), key=str)


def to_arrow(values: list[Value], kind: DataType) -> pa.Array:
    """Exact values as an Arrow array of the column's type."""
    target = arrow_type(kind)
    if kind.name in ("timestamp", "timestamptz"):
        return pa.array(values, pa.int64()).cast(target)
    if kind.name == "date":
        return pa.array(values, pa.int32()).cast(target)
    return pa.array(values, target)


def missing_column(column: Column, rows: int) -> pa.Array:
    """A column that the file does not have."""
    return pa.nulls(rows, arrow_type(column.type))


def _missing_set_apart(text: pa.Array, reading: Reading) -> pa.Array:
    """The text with spellings replaced and, but for text, blanks around values and missing ones taken out."""
    known = _spelled(text, reading)
    if reading.is_text:
        return known
    known = pc.ascii_trim(known, " \t")
    known = _spelled(known, reading)
    missing = pa.array({"", *reading.missing}, pa.string())
    return pc.if_else(pc.is_in(known, value_set=missing), pa.scalar(None, pa.string()), known)


def _spelled(text: pa.Array, reading: Reading) -> pa.Array:
    if not reading.words:
        return text
    # In text a spelling may stand for a missing value; elsewhere these are looked for afterwards.
    gone = reading.missing if reading.is_text else ()
    written = [None if word in gone else word for _, word in reading.words]
    places = pc.index_in(text, value_set=pa.array([word for word, _ in reading.words], pa.string()))
    return pc.if_else(pc.is_valid(places), pa.array(written, pa.string()).take(places), text)


class _Search:
    """The fast way for all values but those that do not look like any; halving until what is left stands alone."""

    def __init__(self, reading: Reading, bad: dict[int, Bad]) -> None:
        self.reading, self.bad, self.leaves = reading, bad, 0
        self.fast = fast_way(reading)

    def column(self, text: pa.Array) -> pa.Array:
        """The typed values of a whole column."""
        form = usual_form(self.reading)
        if self.fast is None or form is None:
            return self._values(text, 0)
        try:
            return self._fast_values(text, 0)
        except (pa.ArrowInvalid, NotFast):
            odd = pc.fill_null(pc.invert(pc.match_substring_regex(text, form)), False)
        if not any_of(odd):
            return self._values(text, 0)
        usual = pc.if_else(odd, pa.scalar(None, pa.string()), text)
        return self._with_exact(text, odd, self._values(usual, 0), 0)

    def _fast_values(self, text: pa.Array, offset: int) -> pa.Array:
        if self.fast is None:
            raise NotFast
        try:
            return self.fast(text)
        except Infinite as some:
            return self._with_exact(text, some.places, some.values, offset)

    def _with_exact(self, text: pa.Array, places: pa.Array, values: pa.Array, offset: int) -> pa.Array:
        """The values, with those at the marked places read exactly."""
        rows = pc.indices_nonzero(places)
        bad: dict[int, Bad] = {}
        exact = _Search(self.reading, bad)._exact(text.take(rows), 0)
        self.bad |= {offset + rows[row].as_py(): reason for row, reason in bad.items()}
        return pc.replace_with_mask(values, places, exact)

    def _values(self, text: pa.Array, offset: int) -> pa.Array:
        """The typed values of `text`, which begins at row `offset`."""
        if self.leaves < _FEW:
            try:
                return self._fast_values(text, offset)
            except (pa.ArrowInvalid, NotFast):
                pass
        if self.fast is None or len(text) <= _LEAF or self.leaves >= _FEW:
            self.leaves += 1
            return self._exact(text, offset)
        middle = len(text) // 2
        halves = [self._values(text.slice(0, middle), offset), self._values(text.slice(middle), offset + middle)]
        return pa.concat_arrays(halves)

    def _exact(self, text: pa.Array, offset: int) -> pa.Array:
        encoded = pc.dictionary_encode(text)
        read: list[Value] = []
        refused: dict[int, Bad] = {}
        for place, word in enumerate(encoded.dictionary.to_pylist()):
            try:
                read.append(without_checks(self.reading).value(word))
            except Bad as error:
                read.append(None)
                refused[place] = error.alone()
        if refused:
            for row, place in enumerate(encoded.indices.to_pylist()):
                if place in refused:
                    self.bad[offset + row] = refused[place]
        return to_arrow(read, self.reading.type).take(encoded.indices)


def without_checks(reading: Reading) -> Reading:
    """The reading alone: spellings are replaced by now, and what is required or allowed is asked later."""
    if reading.allowed is None and not reading.required and not reading.words:
        return reading
    return replace(reading, allowed=None, required=False, words=())
