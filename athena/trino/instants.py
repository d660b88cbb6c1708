"""Timestamps as literals and their precision: DuckDB keeps microseconds, Trino rounds to the type's digits. Pure."""

import re

from sqlglot import exp

from athena.errors import Refused
from athena.trino import types
from athena.trino.build import call, number, string, to
from athena.trino.types import Type
from athena.trino.written import at_zone

_INSTANT = re.compile(
    r"\s*([+-]?\d{4,})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?\s*"
)
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)

MACROS = {
    "trino_plus_micros(a, b)": "make_timestamp(epoch_us(a) + b)",
    # half up, as Trino's round towards the next tick; make_timestamp takes microseconds
    "trino_round_timestamp(a, b)": "make_timestamp(CAST(epoch_us(a) + b // 2 - ((epoch_us(a) + b // 2) % b + b) % b "
    "AS BIGINT))",
}


def instant_literal(text: str, wanted: Type) -> exp.Expr:
    """`CAST('2020-01-01 00:00:00.123' AS timestamp(p))` of a literal; `Refused` when it is no timestamp."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise Refused(f"{text!r} is no timestamp.", "Write it as '2026-01-31 23:59:59.123'.", code="sql-unsupported")
    year, month, day, hour, minute, second, fraction = match.groups()
    digits = fraction or ""
    written = f"{year}-{int(month):02}-{int(day):02} {int(hour or 0):02}:{int(minute or 0):02}:{int(second or 0):02}"
    node = to(string(f"{written}.{digits[:7].ljust(6, '0')[:6]}" if digits else written), wanted)
    if len(digits) > 6 and wanted.args[0] == 6:
        micros = 1 if digits[6] >= "5" else 0
        return call("trino_plus_micros", node, number(micros)) if micros else node
    return rounded(node, len(digits), wanted.args[0])


def rounded(node: exp.Expr, given: int, wanted: int) -> exp.Expr:
    """A timestamp of `given` fraction digits rounded to `wanted`; unchanged where that rounds nothing."""
    if wanted >= min(given, 6):
        return node
    return call("trino_round_timestamp", node, number(10 ** (6 - wanted)))


def zoned_literal(text: str, precision: int) -> tuple[exp.Expr, str]:
    """The instant and the zone of `2020-01-01 00:00:00 Europe/Berlin`."""
    stripped = text.strip()
    head, _, tail = stripped.partition(" ")
    clock, _, zone = tail.partition(" ")
    for sign in "+-":
        if not zone and sign in clock:
            clock, _, offset = clock.partition(sign)
            zone = sign + offset
    zone = zone.strip() or "UTC"
    plain = instant_literal(f"{head} {clock}".strip(), types.timestamp(precision))
    fixed = _OFFSET.fullmatch(zone)
    if fixed is None:
        return at_zone(plain, zone), zone
    # DuckDB knows no offsets: the wall clock of UTC, then.
    minutes = call("to_minutes", number(int(fixed[2]) * 60 + int(fixed[3])))
    shift = exp.Sub if fixed[1] == "+" else exp.Add
    return at_zone(shift(this=exp.paren(plain, copy=False), expression=minutes), "UTC"), zone
