"""Text → values, exactly, one at a time: the reading that the vectorised one must equal. Pure.

Space and tab around a value are not part of it, except in text. Digits are ASCII's.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import lru_cache

from athena.dataset import DataType
from etl._moments import (
    EPOCHS,
    Moment,
    NoMoment,
    TwoMoments,
    days,
    formatted_moment,
    iso_moment,
    local_microseconds,
    utc_microseconds,
)

Value = str | bool | int | float | Decimal | None

MISSING = ("", "NA", "N/A", "NULL", "null")
"""What counts as missing in a column that is not text, unless the contract says otherwise."""

TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_EXACT_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?0*[0-9]{1,4})?")
_WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?")
_SPECIAL = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_RANGES = {"int": 2**31, "long": 2**63}
_FLOAT32_MAX = float.fromhex("0x1.fffffep+127")
_CURRENCY = re.compile(r"[ \u00a0]*(?:[A-Z]{3}|[$€£¥₹₽₩]|kr\.?|zł|Kč|Fr\.?)[ \u00a0]*")
_SHOWN = 60
# More digits than any value that fits has; beyond, arithmetic would no longer be exact.
_MAX_DIGITS = 200
_EXACT = Context(prec=600, Emax=999_999, Emin=-999_999, traps=[])


class Bad(ValueError):
    """The text is no value of the column: a reason code and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message

    def alone(self) -> "Bad":
        """The same, without the traceback: that holds the block which it was raised over, for as long as it is kept."""
        return Bad(self.reason, self.message)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column's text is read. `absent` are the spellings of a missing value that count outside of quotes, before
    all else; `missing` those that count when blanks are gone and `words` has replaced spellings by others (for text:
    only what `words` wrote). `factor` multiplies numbers."""

    type: DataType
    absent: tuple[str, ...] = ("",)
    missing: tuple[str, ...] = ("",)
    decimal: str = "."
    thousands: str | None = None
    form: str | None = None
    zone: str | None = None
    words: tuple[tuple[str, str], ...] = ()
    factor: Decimal | None = None
    allowed: tuple[str, ...] | None = None
    required: bool = False
    _spelled: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._spelled.update(self.words)

    @property
    def is_text(self) -> bool:
        """Whether values stay as they are."""
        return self.type.name == "string"

    def value(self, text: str, *, quoted: bool = False) -> Value:
        """The value of a field; None when it is missing. Raises `Bad`.

        >>> Reading(DataType("double"), decimal=",", thousands=".").value("1.234,5")
        1234.5
        """
        if text in self.absent and not quoted:
            return self._missing()
        word = self._spelled.get(text)
        if not self.is_text:
            stripped = (text if word is None else word).strip(" \t")
            word = self._spelled.get(stripped, stripped)
            if word == "" or word in self.missing:
                return self._missing()
        elif word is not None and word in self.missing:
            return self._missing()
        text = text if word is None else word
        value = _READERS[self.type.name](text, self)
        if self.allowed is not None and value not in allowed_values(self):
            raise Bad("not-allowed", f"{_shown(text)} is not among the allowed values.")
        return value

    def _missing(self) -> Value:
        if self.required:
            raise Bad("missing-required", "The value is missing.")
        return None


@lru_cache(maxsize=256)
def allowed_values(reading: Reading) -> frozenset[Value]:
    """The allowed values in the column's type; what is no value of the type allows nothing."""
    plain = Reading(reading.type)
    found: set[Value] = set()
    for text in reading.allowed or ():
        try:
            found.add(plain.value(text))
        except Bad:
            continue
    return frozenset(found)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _not_a(text: str, reading: Reading, why: str = "") -> Bad:
    name = reading.type.name
    return Bad(f"not-a-{name}", f"{_shown(text)} is no {_CALLED[name]}{why}.")


_CALLED = {
    "boolean": "boolean",
    "int": "whole number",
    "long": "whole number",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp with an offset",
}


def _out_of_range(text: str, reading: Reading) -> Bad:
    return Bad("out-of-range", f"{_shown(text)} does not fit {reading.type}.")


def _text(text: str, _reading: Reading) -> Value:
    return text


def _boolean(text: str, reading: Reading) -> Value:
    folded = text.lower()
    if folded in TRUE:
        return True
    if folded in FALSE:
        return False
    raise _not_a(text, reading)


def _plain_number(text: str, reading: Reading) -> str:
    """The number with a point and without grouping, percent signs and currencies; grouping only where it belongs."""
    plain = text
    if reading.form == "currency":
        plain = without_currency(plain)
    elif reading.form == "percent":
        plain = plain.removesuffix("%").rstrip(" \u00a0")
    mark, group = reading.decimal, reading.thousands
    if group:
        grouped = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+(?:{re.escape(mark)}[0-9]*)?"
        if re.fullmatch(grouped, plain):
            plain = plain.replace(group, "")
    if mark != ".":
        if "." in plain:
            raise _not_a(text, reading)
        plain = plain.replace(mark, ".")
    return plain


def without_currency(text: str) -> str:
    """The amount without the sign or code of its currency, before or behind it. Brackets around it, or a minus behind
    it, make it negative, as ledgers write it.

    >>> without_currency("12,50 €"), without_currency("1.250,00-"), without_currency("($5.25)"), without_currency("(5")
    ('12,50', '-1.250,00', '-5.25', '(5')
    """
    if text[:1] == "(" and text[-1:] == ")":
        plain = _without_sign(text[1:-1])
        return text if plain[:1] in ("-", "+") else f"-{plain}"
    plain = _without_sign(text)
    return f"-{plain[:-1]}" if plain[-1:] == "-" and plain[:1] not in ("-", "+") else plain


def _without_sign(text: str) -> str:
    sign = text[:1] if text[:1] in ("-", "+") else ""
    rest = text[len(sign) :]
    lead = _CURRENCY.match(rest)
    if lead:
        return sign + rest[lead.end() :]
    tail = re.search(_CURRENCY.pattern + r"\Z", rest)
    return sign + rest[: tail.start()] if tail else text


def _scaled(plain: str, reading: Reading) -> Decimal:
    value = Decimal(plain)
    if reading.factor is not None:
        value = _EXACT.multiply(value, reading.factor)
    return _EXACT.scaleb(value, -2) if reading.form == "percent" else value


def _integer(text: str, reading: Reading) -> Value:
    plain = _plain_number(text, reading)
    if reading.factor is not None or reading.form == "percent":
        if not _EXACT_NUMBER.fullmatch(plain) or len(plain) > _MAX_DIGITS:
            raise _not_a(text, reading)
        value = _scaled(plain, reading)
        if value != value.to_integral_value(context=_EXACT):
            raise _not_a(text, reading)
    elif _WHOLE.fullmatch(plain):
        value = Decimal(plain)
    else:
        raise _not_a(text, reading)
    limit = _RANGES[reading.type.name]
    if not -limit <= value < limit:
        raise _out_of_range(text, reading)
    return int(value)


def _float(text: str, reading: Reading) -> Value:
    plain = _plain_number(text, reading)
    if _SPECIAL.fullmatch(plain):
        return float(plain)
    if not _NUMBER.fullmatch(plain):
        raise _not_a(text, reading)
    value = float(plain)
    if reading.factor is not None:
        value *= float(reading.factor)
    elif reading.form == "percent":
        value = float(_scaled(plain, reading)) if len(plain) <= _MAX_DIGITS else value / 100
    if math.isinf(value) or (reading.type.name == "float" and abs(value) > _FLOAT32_MAX):
        raise _out_of_range(text, reading)
    return value


def _decimal(text: str, reading: Reading) -> Value:
    plain = _plain_number(text, reading)
    if not _EXACT_NUMBER.fullmatch(plain) or len(plain) > _MAX_DIGITS:
        raise _not_a(text, reading)
    value = _scaled(plain, reading)
    precision, scale = reading.type.precision, reading.type.scale
    if value and value.adjusted() > precision:
        raise _out_of_range(text, reading)
    whole = _EXACT.scaleb(value, scale)
    if (value and value.adjusted() < -scale) or whole != whole.to_integral_value(context=_EXACT):
        raise Bad("out-of-range", f"{_shown(text)} has more than the {scale} decimals of {reading.type}.")
    if not -(10**precision) < whole < 10**precision:
        raise _out_of_range(text, reading)
    return _EXACT.quantize(value, Decimal(1).scaleb(-scale))


def _moment(text: str, reading: Reading) -> Moment:
    if reading.form is None:
        moment = iso_moment(text)
        if moment.sharper:
            raise Bad("out-of-range", f"{_shown(text)} is finer than a microsecond.")
        return moment
    return formatted_moment(text, reading.form)


_SLASHED = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{2}|[0-9]{4})(?: .*)?")


def _no_moment(text: str, reading: Reading) -> Bad:
    if reading.form is not None:
        return _not_a(text, reading, f" in the format {reading.form}")
    match = _SLASHED.fullmatch(text)
    if match and 1 <= int(match[1]) <= 12 and 1 <= int(match[3]) <= 12:
        message = f"{_shown(text)} can be read with the day or the month first; the contract's formats can say which."
        return Bad("ambiguous-date", message)
    return _not_a(text, reading)


def _timed(take: Callable[[Moment, Reading], int]) -> Callable[[str, Reading], Value]:
    def read(text: str, reading: Reading) -> Value:
        unit = EPOCHS.get(reading.form or "")
        try:
            return _counted(text, reading, unit) if unit else take(_moment(text, reading), reading)
        except NoMoment as error:
            raise _not_a(text, reading, f": {error}") if error.args else _no_moment(text, reading) from error
        except TwoMoments as error:
            message = f"{_shown(text)} happened twice in {reading.zone}, when the clock was set back."
            raise Bad("ambiguous-date", message) from error

    return read


def _counted(text: str, reading: Reading, unit: int) -> int:
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise NoMoment
    value = Decimal(text) * unit
    if not -62_135_596_800_000_000 <= value < 253_402_300_800_000_000:
        raise _out_of_range(text, reading)
    microseconds = math.floor(value)
    if reading.type.name != "date":
        return microseconds
    if microseconds % 86_400_000_000:
        raise NoMoment
    return microseconds // 86_400_000_000


_READERS: dict[str, Callable[[str, Reading], Value]] = {
    "string": _text,
    "boolean": _boolean,
    "int": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "decimal": _decimal,
    "date": _timed(lambda moment, _reading: days(moment)),
    "timestamp": _timed(lambda moment, _reading: local_microseconds(moment)),
    "timestamptz": _timed(lambda moment, reading: utc_microseconds(moment, reading.zone)),
}
