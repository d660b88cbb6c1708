"""A column of text with few bad values among many good ones → typed values, and the odd ones by themselves. Pure.

Arrow's cast refuses a whole array for one value, but says which. So an array is cast in slices, and one that is refused
once more without the value that was.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athena.arrow import arrow_type
from etl._casting import Infinite, guarded
from etl._decimals import Unfit, exact_decimals, is_short
from etl._values import Reading

_SLICE_ROWS = 4096  # a call costs as much as a thousand values
_MAX_ODD = 12
_REFUSED = re.compile(r"Failed to parse string: '(.*)' as a scalar of type [^']*", re.DOTALL)
_KINDS = frozenset(["int", "long", "float", "double", "date", "timestamp", "timestamptz"])
_NO_TEXT = pa.scalar(None, pa.string())


class TooMany(Exception):
    """More values are odd than this way is good for."""


def can_sift(reading: Reading) -> bool:
    """Whether Arrow's cast reads the type as it is to be read, in a text that is simple."""
    if reading.form is not None or reading.words or reading.decimal != "." or reading.zone is not None:
        return False
    if is_short(reading.type):
        return reading.factor is None
    return reading.type.name in _KINDS and (reading.factor is None or reading.type.name in ("float", "double"))


def sift(text: pa.Array, reading: Reading) -> tuple[pa.Array, list[int]]:
    """The typed values, null where they are missing or odd; and the rows of the odd ones. Raises `TooMany`, and
    `NotFast` for what needs a closer look as a whole."""
    kind = _first_type(reading)
    odd: list[int] = []
    values = pa.concat_arrays([_cast(text.slice(at, _SLICE_ROWS), kind, at, odd) for at in _starts(text)])
    try:
        return _finished(values, reading), odd
    except Unfit as some:
        rows = some.rows
    except Infinite as some:
        rows = pc.fill_null(some.places, False).to_numpy(zero_copy_only=False)
    odd += np.flatnonzero(rows).tolist()
    if len(odd) > _MAX_ODD * len(_starts(text)):
        raise TooMany
    usual = pc.if_else(pa.array(rows), pa.scalar(None, kind), values)
    return _finished(usual, reading), odd


def _starts(text: pa.Array) -> range:
    return range(0, len(text), _SLICE_ROWS)


def _first_type(reading: Reading) -> pa.DataType:
    doubles = reading.type.name == "float" or is_short(reading.type)
    return pa.float64() if doubles else arrow_type(reading.type)


def _finished(values: pa.Array, reading: Reading) -> pa.Array:
    return exact_decimals(values, reading.type) if is_short(reading.type) else guarded(values, reading)


def _cast(text: pa.Array, kind: pa.DataType, start: int, odd: list[int]) -> pa.Array:
    for _ in range(_MAX_ODD):
        try:
            return pc.cast(text, kind)
        except pa.ArrowInvalid as error:
            refused = _REFUSED.match(str(error))
            if refused is None:
                raise TooMany from None
            same = pc.fill_null(pc.equal(text, refused[1]), False)
            rows = pc.indices_nonzero(same).to_pylist()
            if not rows:
                raise TooMany from None
            odd += [start + row for row in rows]
            text = pc.if_else(same, _NO_TEXT, text)
    raise TooMany


def replaced(values: pa.Array, new: dict[int, pa.Array]) -> pa.Array:
    """The values with some others, each an array of one, put in their places."""
    if not new:
        return values
    parts: list[pa.Array] = []
    done = 0
    for row in sorted(new):
        parts += [values.slice(done, row - done), new[row].cast(values.type)]
        done = row + 1
    return pa.concat_arrays([*parts, values.slice(done)])
