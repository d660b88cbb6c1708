"""date_format and date_parse (MySQL's letters), format_datetime and parse_datetime (Joda's letters).

The format must be a literal: it is taken apart here and written in DuckDB's letters.
https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
"""

import re

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, literal_text, string
from athena.trino.cast import cast, coerce
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.written import at_zone, known_zone, local

# MySQL's letter → strftime's
_MYSQL = {
    "a": "%a",
    "b": "%b",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
    "Y": "%Y",
    "y": "%y",
    "%": "%%",
}
# strptime reads a number of one or two digits either way, but not these
_NOT_PARSED = frozenset("vxWaj")

_JODA = {
    ("y", 2): "%y",
    ("M", 1): "%-m",
    ("M", 2): "%m",
    ("M", 3): "%b",
    ("d", 1): "%-d",
    ("d", 2): "%d",
    ("H", 1): "%-H",
    ("H", 2): "%H",
    ("h", 1): "%-I",
    ("h", 2): "%I",
    ("m", 1): "%-M",
    ("m", 2): "%M",
    ("s", 1): "%-S",
    ("s", 2): "%S",
    ("S", 3): "%g",
    ("a", 1): "%p",
    ("e", 1): "%u",
    ("D", 1): "%-j",
    ("D", 3): "%j",
    ("w", 2): "%V",
    ("x", 4): "%G",
}
_RUN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
# What strptime reads and Joda does not: white space around and twice, and names of instants.
_LENIENT = re.compile(r"^\s|\s$|\s\s|[\t\r\n]")
MACROS = {
    "trino_strict_date(a)": "CASE WHEN regexp_matches(a, '^\\s|\\s$|\\s\\s|[\\t\\r\\n]|(?i:infinity|epoch)') "
    "THEN CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) ELSE a END",
    "trino_milliseconds_only(a)": "date_trunc('millisecond', a)",
    # two digits of a year are of 1970 to 2069
    "trino_pivoted(a)": "CASE WHEN year(a) = 1969 THEN a + to_years(100) ELSE a END",
}


def mysql_to_strftime(text: str, *, parsing: bool) -> str:
    """MySQL's format in DuckDB's letters; `Refused` for what it does not have.

    >>> mysql_to_strftime("%Y-%m-%d %H:%i", parsing=False)
    '%Y-%m-%d %H:%M'
    """
    made, index = [], 0
    while index < len(text):
        if text[index] != "%":
            made.append(text[index])
            index += 1
            continue
        letter = text[index + 1 : index + 2]
        if letter in ("D", "U", "u", "V", "w", "X") or (parsing and letter in _NOT_PARSED):
            raise unsupported(f"%{letter} in a date format", "Use the functions year, month, day_of_week …")
        made.append(_MYSQL.get(letter, letter))
        index += 2
    return "".join(made).replace("%-", "%") if parsing else "".join(made)


def joda_to_strftime(text: str, *, parsing: bool, zone: str = "UTC") -> str:
    """Joda's pattern in DuckDB's letters; `Refused` for what it does not have.

    >>> joda_to_strftime("yyyy-MM-dd'T'HH:mm", parsing=False)
    '%Y-%m-%dT%H:%M'
    """
    made, index = [], 0
    while index < len(text):
        match = _RUN.match(text, index)
        if match is None:
            raise mistyped(f"{text!r} is no date pattern.", "Close its quotes.")
        index = match.end()
        if match[1] is not None:
            made.append((match[1].replace("''", "'") or "'").replace("%", "%%"))
        elif match[2] is None:
            made.append(match[0].replace("%", "%%"))
        else:
            made.append(_joda_letter(match[2], len(match[0]), parsing, zone))
    return "".join(made).replace("%-", "%") if parsing else "".join(made)


def _joda_letter(letter: str, count: int, parsing: bool, zone: str) -> str:
    if parsing and letter in "yY" and count == 2:
        # Joda's pivot moves on with the year in which it runs
        raise unsupported(f"{letter * count} in a date pattern", "Use date_parse with %y, or years of four digits.")
    if letter in "yY" and count != 2:
        if count > 4:
            raise unsupported(f"{letter * count} in a date pattern", "Use yyyy.")
        return "%Y"
    if letter == "Y":
        letter = "y"
    if letter == "M" and count >= 4:
        return "%B"
    if letter == "E" and not parsing:
        return "%A" if count >= 4 else "%a"
    if letter == "S" and count in (1, 2, 6) and not parsing:
        raise unsupported(f"{'S' * count} in a date pattern", "Use SSS.")
    if letter in "zZ" and not parsing and zone == "UTC":
        return {("z", 1): "UTC", ("Z", 1): "+0000", ("Z", 2): "+00:00", ("Z", 3): "UTC"}.get(
            (letter, min(count, 3)), "UTC"
        )
    if letter == "Z" and parsing and count <= 2:
        return "%z"
    found = _JODA.get((letter, count))
    if found is None or (parsing and letter in "eDwx"):
        raise unsupported(f"{letter * count} in a date pattern", "Use yyyy, MM, dd, HH, mm, ss, SSS, EEE, a.")
    return found


def _format_text(made: Call) -> str:
    values = made.values()
    if len(values) != 2:
        raise mistyped(f"{made.name} takes two arguments.", "Check the call.")
    text = literal_text(values[1].node)
    if text is None:
        raise unsupported(f"{made.name} with a format that is no literal", "Write the format as a literal.")
    return text


def _instant(made: Call) -> Value:
    value = made.values()[0]
    if value.type.name in ("date", "unknown"):
        return cast(value, types.timestamp())
    if value.type.name not in ("timestamp", "timestamp with time zone"):
        raise mistyped(f"{made.name}({value.type}, …) does not exist.", "Cast it to timestamp.")
    return value


def _date_format(made: Call) -> Value:
    text = mysql_to_strftime(_format_text(made), parsing=False)
    value = _instant(made)
    # Trino prints a fraction in milliseconds, three zeros behind
    wall = call("trino_milliseconds_only", local(value, made.name)) if "%f" in text else local(value, made.name)
    return Value(call("strftime", wall, string(text)), types.VARCHAR)


def _format_datetime(made: Call) -> Value:
    value = _instant(made)
    zone = known_zone(value.type, made.name) if value.type.name == "timestamp with time zone" else "UTC"
    text = joda_to_strftime(_format_text(made), parsing=False, zone=zone)
    return Value(call("strftime", local(value, made.name), string(text)), types.VARCHAR)


def _date_parse(made: Call) -> Value:
    text = mysql_to_strftime(_format_text(made), parsing=True)
    value = coerce(made.values()[0], types.VARCHAR)
    _check_text(value, made)
    read = _read(value, text)
    if "%y" in text and "%Y" not in text:
        read = call("trino_pivoted", read)
    return Value(call("trino_milliseconds_only", read), types.timestamp(3))


def _read(value: Value, text: str) -> exp.Expr:
    """strptime, where what the format does not name is Joda's default: not the year 1900.

    A month or a day without a year is one of 2000, a time of day one of 1970.
    """
    if _LENIENT.search(text):
        raise unsupported("White space at an end of a date format, or twice", "Trim the text and the format.")
    letters, strict = set(re.findall("%(.)", text)), call("trino_strict_date", value.node)
    if letters & {"Y", "y"}:
        return call("strptime", strict, string(text))
    year = "2000" if letters & {"m", "B", "b", "d"} else "1970"
    dated = exp.DPipe(this=string(year + " "), expression=strict)
    return call("strptime", exp.paren(dated, copy=False), string("%Y " + text))


def _check_text(value: Value, made: Call) -> None:
    if made.values()[0].type.name not in ("varchar", "unknown"):
        raise mistyped(f"{made.name}({made.values()[0].type}, …) does not exist.", "Cast it to varchar.")


def _parse_datetime(made: Call) -> Value:
    text = joda_to_strftime(_format_text(made), parsing=True)
    value = coerce(made.values()[0], types.VARCHAR)
    _check_text(value, made)
    parsed = _read(value, text)
    if "%z" in text:
        return Value(call("trino_milliseconds_only", parsed), Type("timestamp with time zone", (3, None)))
    return Value(at_zone(call("trino_milliseconds_only", parsed), "UTC"), types.zoned(3))


FUNCTIONS: tuple[Function, ...] = (
    built("date_format", _date_format, total=True, strict=True),
    built("format_datetime", _format_datetime, total=True, strict=True),
    built("date_parse", _date_parse, strict=True),
    built("parse_datetime", _parse_datetime, strict=True),
)
