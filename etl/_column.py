"""A column of text → a typed column, vectorised; what the fast way will not take goes to the exact one.

The fast way is Arrow's own cast, guarded against everything that it takes and the exact reading does not. A column
with bad values is halved until they are found.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from athena.dataset import Column, DataType
from etl._values import FALSE, TRUE, Bad, Reading, Value, allowed_values

_LEAF = 32
_FEW = 24
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_DAY_MICROSECONDS = 86_400_000_000
# Arrow knows the changes of clocks that are listed, not the rule for the years behind.
_FIRST_RULED, _LAST_RULED = 1970, 2036


def arrow_type(kind: DataType) -> pa.DataType:
    """The Arrow type of a column type: instants in microseconds, UTC where they have a zone.

    >>> arrow_type(DataType("decimal", 12, 2)), arrow_type(DataType("timestamptz"))
    (Decimal128Type(decimal128(12, 2)), TimestampType(timestamp[us, tz=UTC]))
    """
    if kind.name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    return _TYPES[kind.name]


_TYPES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Converted:
    """A typed column, null where a value is bad, and what is bad about it, by row."""

    values: pa.Array
    bad: dict[int, Bad]


class NotFast(Exception):
    """The fast way does not apply to these values, or not to all of them."""


class _Infinite(NotFast):
    """Some numbers came out infinite or as no number: as written, or because they are too large."""

    def __init__(self, values: pa.Array, places: pa.Array) -> None:
        super().__init__()
        self.values, self.places = values, places


def convert_column(text: pa.Array, reading: Reading) -> Converted:
    """The values of a column of text, whose nulls are missing values."""
    bad: dict[int, Bad] = {}
    known = _missing_set_apart(text, reading)
    values = known if reading.is_text else _Search(reading, bad).values(known, 0)
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
        return error
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
    """Halving until the values that the fast way does not take stand alone."""

    def __init__(self, reading: Reading, bad: dict[int, Bad]) -> None:
        self.reading, self.bad, self.leaves = reading, bad, 0
        self.fast = _fast_way(reading)

    def values(self, text: pa.Array, offset: int) -> pa.Array:
        """The typed values of `text`, which begins at row `offset`."""
        if self.fast is not None and self.leaves < _FEW:
            try:
                return self.fast(text)
            except _Infinite as some:
                rows = pc.indices_nonzero(some.places)
                bad: dict[int, Bad] = {}
                exact = _Search(self.reading, bad)._exact(text.take(rows), 0)
                self.bad |= {offset + rows[row].as_py(): reason for row, reason in bad.items()}
                return pc.replace_with_mask(some.values, some.places, exact)
            except (pa.ArrowInvalid, NotFast):
                pass
        if self.fast is None or len(text) <= _LEAF or self.leaves >= _FEW:
            self.leaves += 1
            return self._exact(text, offset)
        middle = len(text) // 2
        halves = [self.values(text.slice(0, middle), offset), self.values(text.slice(middle), offset + middle)]
        return pa.concat_arrays(halves)

    def _exact(self, text: pa.Array, offset: int) -> pa.Array:
        encoded = pc.dictionary_encode(text)
        read: list[Value] = []
        refused: dict[int, Bad] = {}
        for place, word in enumerate(encoded.dictionary.to_pylist()):
            try:
                read.append(_without_checks(self.reading).value(word))
            except Bad as error:
                read.append(None)
                refused[place] = error
        if refused:
            for row, place in enumerate(encoded.indices.to_pylist()):
                if place in refused:
                    self.bad[offset + row] = refused[place]
        return to_arrow(read, self.reading.type).take(encoded.indices)


def _without_checks(reading: Reading) -> Reading:
    """The reading alone: spellings are replaced by now, and what is required or allowed is asked later."""
    if reading.allowed is None and not reading.required and not reading.words:
        return reading
    return replace(reading, allowed=None, required=False, words=())


def _fast_way(reading: Reading) -> Callable[[pa.Array], pa.Array] | None:
    """Arrow's cast for what needs nothing else, None for all that does."""
    if reading.form is not None:
        return None
    if reading.factor is not None and reading.type.name not in ("float", "double"):
        return None
    if not holds_decimals(reading.type):
        return None
    return lambda text: guarded(_cast(text, reading), reading)


def holds_decimals(kind: DataType) -> bool:
    """Whether Arrow can be trusted with text for this type: it takes any number of no more digits than the type's
    precision, and its 128 bits must not overflow before the range is looked at."""
    return kind.name != "decimal" or kind.precision + kind.scale <= 38


def _cast(text: pa.Array, reading: Reading) -> pa.Array:
    name = reading.type.name
    if name == "boolean":
        return _booleans(text)
    if name in ("int", "long") and _any(pc.match_substring(text, "x", ignore_case=True)):
        raise NotFast  # Arrow reads hexadecimal
    if name == "decimal" and (_any(pc.match_substring(text, "e-", ignore_case=True)) or _is_long(text)):
        raise NotFast  # Arrow takes 1e-61 for zero
    if name in ("float", "double", "decimal") and reading.decimal != ".":
        if _any(pc.match_substring(text, ".")):
            raise NotFast
        text = pc.replace_substring(text, reading.decimal, ".")
    if name == "timestamptz" and reading.zone is not None:
        return _in_zone(text, reading.zone)
    # Text is rounded once to the nearest double, and that to the nearest float, as the exact way does it.
    return pc.cast(text, pa.float64() if name == "float" else arrow_type(reading.type))


def _in_zone(text: pa.Array, zone: str) -> pa.Array:
    try:
        return pc.cast(text, _TYPES["timestamptz"])
    except pa.ArrowInvalid:
        local = pc.cast(text, pa.timestamp("us"))
    span = pc.min_max(pc.year(local)).as_py()
    if span["min"] is not None and not (span["min"] >= _FIRST_RULED and span["max"] <= _LAST_RULED):
        raise NotFast
    return pc.assume_timezone(local, zone, ambiguous="raise", nonexistent="raise").cast(_TYPES["timestamptz"])


def guarded(values: pa.Array, reading: Reading) -> pa.Array:
    """Values that Arrow made of text, scaled; raises when some of them need a closer look."""
    name = reading.type.name
    if name in ("float", "double"):
        if reading.factor is not None:
            values = pc.multiply(values, float(reading.factor))
        if name == "float":
            values = pc.cast(values, pa.float32(), safe=False)
        if not _all(pc.is_finite(values)):
            raise _Infinite(values, pc.fill_null(pc.invert(pc.is_finite(values)), False))
    elif name == "decimal":
        _check_digits(values, reading.type)
    elif name == "date":
        _check_span(values.cast(pa.int32()), 1)
    elif name in ("timestamp", "timestamptz"):
        _check_span(values.cast(pa.int64()), _DAY_MICROSECONDS)
    return values


def _is_long(text: pa.Array) -> bool:
    longest = pc.max(pc.binary_length(text)).as_py()
    return longest is not None and longest > 38


def _check_digits(values: pa.Array, kind: DataType) -> None:
    span = pc.min_max(values).as_py()
    limit = 10 ** (kind.precision - kind.scale)
    if span["min"] is not None and not (-limit < span["min"] and span["max"] < limit):
        raise NotFast


def _check_span(counts: pa.Array, day: int) -> None:
    span = pc.min_max(counts).as_py()
    if span["min"] is not None and not (_FIRST_DAY * day <= span["min"] and span["max"] < (_LAST_DAY + 1) * day):
        raise NotFast


def _booleans(text: pa.Array) -> pa.Array:
    folded = pc.ascii_lower(text)
    places = pc.index_in(folded, value_set=pa.array([*TRUE, *FALSE], pa.string()))
    if places.null_count != text.null_count:
        raise NotFast
    return pc.less(places, len(TRUE))


def _any(flags: pa.Array) -> bool:
    return bool(pc.any(flags).as_py())


def _all(flags: pa.Array) -> bool:
    return pc.all(flags).as_py() is not False
