"""Arrow's own casts of text, guarded against everything that they take and the exact reading does not. Pure."""

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from athena.arrow import arrow_type
from athena.dataset import DataType
from etl._values import FALSE, TRUE, Reading

_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_DAY_MICROSECONDS = 86_400_000_000
# Arrow knows the changes of clocks that are listed, not the rule for the years behind.
_FIRST_RULED, _LAST_RULED = 1970, 2036


class NotFast(Exception):
    """The fast way does not apply to these values, or not to all of them."""


class Infinite(NotFast):
    """Some numbers came out infinite or as no number: as written, or because they are too large."""

    def __init__(self, values: pa.Array, places: pa.Array) -> None:
        super().__init__()
        self.values, self.places = values, places


_WHOLE = r"^-?[0-9]+$"
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def usual_form(reading: Reading) -> str | None:
    """How most values of the type are written; whatever is not is read exactly."""
    name = reading.type.name
    if name in ("int", "long"):
        return _WHOLE
    if name in ("float", "double", "decimal"):
        mark = re.escape(reading.decimal)
        return rf"^[+-]?(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)$"
    if name == "date":
        return f"^{_MOMENT}$"
    return rf"^{_MOMENT}(?:[ T][0-9:.,]+)?$" if name == "timestamp" else None


def fast_way(reading: Reading) -> Callable[[pa.Array], pa.Array] | None:
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
    if name in ("int", "long") and any_of(pc.match_substring(text, "x", ignore_case=True)):
        raise NotFast  # Arrow reads hexadecimal
    if name == "decimal" and (any_of(pc.match_substring(text, "e-", ignore_case=True)) or _is_long(text)):
        raise NotFast  # Arrow takes 1e-61 for zero
    if name in ("float", "double", "decimal") and reading.decimal != ".":
        if any_of(pc.match_substring(text, ".")):
            raise NotFast
        text = pc.replace_substring(text, reading.decimal, ".")
    if name == "timestamp" and any_of(pc.match_substring(text, ",")):
        text = pc.replace_substring(text, ",", ".")
    if name == "timestamptz" and reading.zone is not None:
        return _in_zone(text, reading.zone)
    # Text is rounded once to the nearest double, and that to the nearest float, as the exact way does it.
    return pc.cast(text, pa.float64() if name == "float" else arrow_type(reading.type))


def _in_zone(text: pa.Array, zone: str) -> pa.Array:
    try:
        return pc.cast(text, arrow_type(DataType("timestamptz")))
    except pa.ArrowInvalid:
        local = pc.cast(text, pa.timestamp("us"))
    span = pc.min_max(pc.year(local)).as_py()
    if span["min"] is not None and not (span["min"] >= _FIRST_RULED and span["max"] <= _LAST_RULED):
        raise NotFast
    return pc.assume_timezone(local, zone, ambiguous="raise", nonexistent="raise").cast(
        arrow_type(DataType("timestamptz"))
    )


def guarded(values: pa.Array, reading: Reading) -> pa.Array:
    """Values that Arrow made of text, scaled; raises when some of them need a closer look."""
    name = reading.type.name
    if name in ("float", "double"):
        if reading.factor is not None:
            values = pc.multiply(values, float(reading.factor))
        if name == "float":
            values = pc.cast(values, pa.float32(), safe=False)
        if not _all(pc.is_finite(values)):
            raise Infinite(values, pc.fill_null(pc.invert(pc.is_finite(values)), False))
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


def any_of(flags: pa.Array) -> bool:
    """Whether one of the flags is set."""
    return bool(pc.any(flags).as_py())


def _all(flags: pa.Array) -> bool:
    return pc.all(flags).as_py() is not False
