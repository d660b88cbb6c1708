"""Text → dates and instants, exactly, one value at a time. Pure.

Days and microseconds are counted from 1970-01-01, as in Arrow and Iceberg. Years are 1 to 9999.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from athena.errors import Refused

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october")
_OFFSET = r"(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
_ISO = re.compile(
    r"(?P<Y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?P=mark)(?P<d>\d{1,2})"
    r"(?:[T ](?P<H>\d{2})(?::(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?(?: ?(?P<z>" + _OFFSET + r"))?)?"
)
_DIRECTIVES = {
    "d": r"(?P<d>\d{1,2})",
    "m": r"(?P<m>\d{1,2})",
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "b": r"(?P<b>[A-Za-z]{3})\.?",
    "B": r"(?P<b>[A-Za-z]{3,9})",
    "z": r"(?P<z>" + _OFFSET + r")",
    "%": "%",
}
EPOCHS = {"epoch": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Formats that count from 1970-01-01 in UTC, and the microseconds of their unit."""


class NoMoment(ValueError):
    """The text is no date or time of the form asked for; its argument, if any, says why."""


class TwoMoments(ValueError):
    """The text means two moments and nothing says which."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A local or absolute time as written. `offset` is None where none was written; `sharper` tells that digits
    behind the microsecond were cut."""

    local: datetime
    offset: timedelta | None = None
    sharper: bool = False


@lru_cache(maxsize=256)
def pattern_of(form: str) -> re.Pattern[str]:
    """The regular expression of a `formats` entry; raises `Refused` for a directive that is not known.

    >>> bool(pattern_of("%d.%m.%Y").fullmatch("3.4.2026")), bool(pattern_of("%d.%m.%Y").fullmatch("3.4.26"))
    (True, False)
    """
    parts: list[str] = []
    for text, directive in re.findall(r"([^%]+)|%(.?)", form):
        if text:
            parts.append(re.escape(text))
        elif directive in _DIRECTIVES and (directive == "%" or _DIRECTIVES[directive] not in parts):
            parts.append(_DIRECTIVES[directive])
        else:
            raise Refused(
                f"The format {form!r} has %{directive}, which is unknown or stands there twice.",
                f"Known are {', '.join('%' + one for one in _DIRECTIVES)}, and the words {', '.join(EPOCHS)}.",
                code="contract-invalid",
            )
    return re.compile("".join(parts))


def iso_moment(text: str) -> Moment:
    """The moment in ISO 8601's order (year, month, day; then perhaps a time and an offset); raises `NoMoment`.

    >>> iso_moment("2026-04-03 10:15Z")
    Moment(local=datetime.datetime(2026, 4, 3, 10, 15), offset=datetime.timedelta(0), sharper=False)
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise NoMoment
    return _moment(match.groupdict(), late=False)


def formatted_moment(text: str, form: str) -> Moment:
    """The moment by a `formats` entry; 24:00 is the next day's midnight. Raises `NoMoment`.

    >>> formatted_moment("03.04.26 24:00", "%d.%m.%y %H:%M").local
    datetime.datetime(2026, 4, 4, 0, 0)
    """
    match = pattern_of(form).fullmatch(text)
    if match is None:
        raise NoMoment
    return _moment(match.groupdict(), late=True)


def _moment(parts: dict[str, str | None], *, late: bool) -> Moment:
    digits = parts.get("f") or ""
    hour, next_day = _hour(parts), 0
    if late and hour == 24 and not int((parts.get("M") or "0") + (parts.get("S") or "0") + (digits or "0")):
        hour, next_day = 0, 1
    try:
        local = datetime(
            _year(parts),
            _month(parts),
            int(parts.get("d") or 1),
            hour,
            int(parts.get("M") or 0),
            int(parts.get("S") or 0),
            int(digits[:6].ljust(6, "0")),
        ) + timedelta(days=next_day)
    except (ValueError, OverflowError) as error:
        raise NoMoment from error
    return Moment(local, _offset(parts.get("z")), bool(digits[6:].strip("0")))


def _year(parts: dict[str, str | None]) -> int:
    short = parts.get("y")
    if short is None:
        return int(parts.get("Y") or 1970)
    # The pivot of POSIX strptime: 69 to 99 are of the twentieth century.
    return int(short) + (1900 if int(short) >= 69 else 2000)


def _month(parts: dict[str, str | None]) -> int:
    name = (parts.get("b") or "").lower()
    if not name:
        return int(parts.get("m") or 1)
    if name[:3] not in _MONTHS or (len(name) > 3 and name not in (*_LONG, "november", "december", "sept")):
        raise NoMoment
    return _MONTHS.index(name[:3]) + 1


def _hour(parts: dict[str, str | None]) -> int:
    half = parts.get("I")
    if half is None:
        return int(parts.get("H") or 0)
    if not 1 <= int(half) <= 12:
        raise NoMoment
    return int(half) % 12 + (12 if (parts.get("p") or "a")[0] in "pP" else 0)


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text[0] in "ZUG":
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise NoMoment
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def days(moment: Moment) -> int:
    """Days since 1970 of a moment that is a date (or midnight); raises `NoMoment` when a time would be lost.

    >>> days(iso_moment("1970-01-02")), days(iso_moment("1970-01-02 00:00:00"))
    (1, 1)
    """
    if moment.offset is not None or moment.sharper or moment.local.time() != datetime.min.time():
        raise NoMoment
    return (moment.local.date() - date(1970, 1, 1)).days


def local_microseconds(moment: Moment) -> int:
    """Microseconds since 1970 of a moment without an offset."""
    if moment.offset is not None:
        raise NoMoment
    return (moment.local - _EPOCH) // _MICROSECOND


def utc_microseconds(moment: Moment, zone: str | None) -> int:
    """Microseconds since 1970 in UTC; a moment without an offset is read in `zone`.

    Raises `NoMoment` when there is neither or the clock skipped that hour, `TwoMoments` when it showed it twice.

    >>> utc_microseconds(iso_moment("1970-01-01 01:00"), "Europe/Berlin")
    0
    >>> utc_microseconds(iso_moment("2026-03-29 02:30"), "Europe/Berlin")
    Traceback (most recent call last):
    etl._moments.NoMoment: the clock in Europe/Berlin skipped it
    """
    local = moment.local
    if moment.offset is not None:
        try:
            return (local - moment.offset - _EPOCH) // _MICROSECOND
        except OverflowError as error:
            raise NoMoment from error
    if zone is None:
        raise NoMoment
    first = local.replace(tzinfo=zone_of(zone), fold=0)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return (first - _EPOCH_UTC) // _MICROSECOND
    if first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None) != local:
        raise NoMoment(f"the clock in {zone} skipped it")
    raise TwoMoments


_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name in the IANA database; raises `Refused`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(
            f"{name!r} is no time zone.", "Use a name such as Europe/Berlin or UTC.", code="contract-invalid"
        ) from error
