"""Decimals by way of doubles, where these cannot have lost anything: several times faster than digit by digit. Pure.

Numbers of up to 15 significant digits are apart from each other as doubles, too (IEEE 754; C calls it DBL_DIG). So a
text of no more digits is a given decimal exactly when both are the same double.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from athena.dataset import DataType
from etl._casting import NotFast

DIGITS = 15
_PIECE = 256 * 1024  # fits the processor's cache with what is made of it
_WORD = np.uint64(0x0101010101010101)


class Unfit(NotFast):
    """Some values are no decimals of the type; `rows` marks them."""

    def __init__(self, rows: npt.NDArray[np.bool_]) -> None:
        super().__init__()
        self.rows = rows


def is_short(kind: DataType) -> bool:
    """Whether every value of the type has few enough digits.

    >>> is_short(DataType("decimal", 12, 2)), is_short(DataType("decimal", 16, 2)), is_short(DataType("double"))
    (True, False, False)
    """
    return kind.name == "decimal" and kind.precision <= DIGITS


def narrow_type(kind: DataType) -> pa.DataType:
    """What short decimals are held in: whole numbers of 64 bits, as Parquet stores them."""
    return pa.decimal64(kind.precision, kind.scale)


def has_long_numbers(text: bytes, decimal: str) -> bool:
    """Whether more than `DIGITS` digits and decimal marks follow each other anywhere.

    >>> has_long_numbers(b"1.25,123456789.12345", "."), has_long_numbers(b"1.25,1234567890.12345", ".")
    (False, True)
    """
    first = 46 if decimal == "." else 44  # the comma, hyphen and point stand below the digits
    block = np.frombuffer(text, np.uint8)
    # Any run of 15 covers an aligned word of eight, and none of these lies in two pieces.
    words = block[: len(block) // 8 * 8]
    pieces = (words[start : start + _PIECE] for start in range(0, len(words), _PIECE))
    if not any((_inside(piece, first).view(np.uint64) == _WORD).any() for piece in pieces):
        return False
    inside = _inside(block, first)
    for apart in (1, 2, 4, 8):
        inside = inside[:-apart] & inside[apart:]
    return bool(inside.any())


def _inside(block: npt.NDArray[np.uint8], first: int) -> npt.NDArray[np.bool_]:
    return (block - np.uint8(first)) < 58 - first


def exact_decimals(values: pa.Array, kind: DataType) -> pa.Array:
    """The decimals that doubles stand for, read from texts without long numbers. Raises `Unfit`.

    >>> exact_decimals(pa.array([1.1, None, -22.51]), DataType("decimal", 9, 2)).cast(pa.decimal128(9, 2)).to_pylist()
    [Decimal('1.10'), None, Decimal('-22.51')]
    """
    if values.offset:
        values = pa.concat_arrays([values])
    validity, data = values.buffers()
    doubles = np.frombuffer(data, np.float64, len(values))
    scale = 10.0**kind.scale
    with np.errstate(all="ignore"):
        whole = np.rint(doubles * scale)
        fits = whole / scale == doubles
        fits &= np.abs(whole) < 10.0**kind.precision
        if values.null_count:
            fits |= values.is_null().to_numpy(zero_copy_only=False)
        if not fits.all():
            raise Unfit(~fits)
        numbers = whole.astype(np.int64)
    return pa.Array.from_buffers(narrow_type(kind), len(values), [validity, pa.py_buffer(numbers)], values.null_count)
