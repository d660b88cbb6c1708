"""Dates and times: dates stay dates, differences count full units, parts are bigints, zones are kept.

DuckDB's timestamps with time zone are instants; the zone that a part or a truncation needs is taken from the text of
the query (see `Type`). https://trino.io/docs/current/functions/datetime.html
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import binary, call, literal_text, number, string, to
from athena.trino.cast import NUMBERS, cast, coerce
from athena.trino.function import Call, Function, Value, built, function
from athena.trino.instants import rounded
from athena.trino.refusal import mistyped, unsupported
from athena.trino.types import Type
from athena.trino.values import Rewrite, Translator
from athena.trino.written import at_zone, known_zone, local

_MOMENTS = ("date", "timestamp", "timestamp with time zone")
_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_CLOCK_UNITS = ("millisecond", "second", "minute", "hour")
_STEPS = {
    "millisecond": ("to_milliseconds", 1),
    "second": ("trino_seconds", 1),
    "minute": ("to_minutes", 1),
    "hour": ("to_hours", 1),
    "day": ("to_days", 1),
    "week": ("to_days", 7),
    "month": ("to_months", 1),
    "quarter": ("to_months", 3),
    "year": ("to_months", 12),
}

MACROS = {
    "trino_seconds(a)": "to_milliseconds(a * 1000)",
    # full units, towards zero; DuckDB's date_sub keeps the end of a month as Joda does
    "trino_difference(a, b, c)": "CAST(date_sub(a, b, c) AS BIGINT)",
}

# part → DuckDB's datepart
_PARTS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "week_of_year": "week",
    "day": "day",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "dow": "isodow",
    "day_of_year": "dayofyear",
    "doy": "dayofyear",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "hour": "hour",
    "minute": "minute",
    "second": "trino_second",
    "millisecond": "trino_millisecond",
}
_TIME_PARTS = ("hour", "minute", "second", "millisecond")

MACROS |= {
    "trino_second(a)": "second(a)",
    "trino_millisecond(a)": "millisecond(a) % 1000",
    "trino_last_day(a)": "last_day(a)",
}


def _wall(value: Value, what: str) -> exp.Expr:
    return local(value, what)


def _moment(value: Value, name: str, *, time: bool = False) -> Value:
    if value.type.name == "unknown":
        return coerce(value, types.timestamp())
    if value.type.name in _MOMENTS or (time and value.type.name == "time"):
        return value
    raise mistyped(f"{name}({value.type}) does not exist.", "Cast it to date or timestamp.")


def part(value: Value, name: str) -> Value:
    """year(x), day_of_week(x), EXTRACT(… FROM x): a bigint."""
    if value.type in (types.DAY_INTERVAL, types.YEAR_INTERVAL):
        return _interval_part(value, name)
    moment = _moment(value, name, time=name in _TIME_PARTS)
    if name in _TIME_PARTS and moment.type.name == "date":
        raise mistyped(f"{name}(date) does not exist.", "A date has no time of day.")
    inner = _PARTS[name]
    wall = _wall(moment, name)
    made = call(inner, wall) if inner.startswith("trino_") else call("datepart", string(inner), wall)
    return Value(to(made, types.BIGINT), types.BIGINT)


def _interval_part(value: Value, name: str) -> Value:
    if value.type == types.YEAR_INTERVAL and name in ("year", "month"):
        count = call("trino_interval_months", value.node)
        made = binary(exp.IntDiv if name == "year" else exp.Mod, count, number(12))
        return Value(to(made, types.BIGINT), types.BIGINT)
    sizes = {
        "day": (86_400_000, None),
        "hour": (3_600_000, 24),
        "minute": (60_000, 60),
        "second": (1000, 60),
        "millisecond": (1, 1000),
    }
    if value.type == types.YEAR_INTERVAL or name not in sizes:
        raise mistyped(f"{name}({value.type}) does not exist.", "Take another part.")
    size, wrap = sizes[name]
    made = binary(exp.IntDiv, call("trino_interval_millis", value.node), number(size))
    if wrap is not None:
        made = binary(exp.Mod, made, number(wrap))
    return Value(to(made, types.BIGINT), types.BIGINT)


def _part_function(made: Call) -> Value:
    values = made.values()
    if len(values) != 1:
        raise mistyped(f"{made.name} takes one argument.", "Check the call.")
    return part(values[0], made.name)


def extracted(translator: Translator, node: exp.Expr) -> Value:
    """EXTRACT(part FROM x)"""
    name = node.this.name.lower()
    value = translator.value(node.expression)
    if name in ("timezone_hour", "timezone_minute"):
        return _zone_part(value, name)
    if name not in _PARTS or name == "millisecond":
        raise unsupported(
            f"EXTRACT({name.upper()} …)", "Use YEAR, QUARTER, MONTH, WEEK, DAY, DOW, DOY, HOUR, MINUTE, SECOND."
        )
    return part(value, name)


def _unit(made: Call, units: tuple[str, ...] = _CLOCK_UNITS + _DATE_UNITS) -> str:
    values = made.values()
    text = literal_text(values[0].node) if values else None
    if text is None:
        raise unsupported(f"{made.name} with a unit that is no literal", "Write the unit as a literal.")
    if text.lower() not in units:
        raise mistyped(f"{text!r} is no unit of {made.name}.", f"Use one of {', '.join(units)}.")
    return text.lower()


def _check_date_unit(unit: str, kind: Type, name: str) -> None:
    if kind.name == "date" and unit not in _DATE_UNITS:
        raise mistyped(f"{name}('{unit}', date) does not exist.", "A date has no time of day: cast it to timestamp.")


def _truncated(made: Call) -> Value:
    """date_trunc(unit, x): of the type of x."""
    values = made.values()
    if len(values) != 2:
        raise mistyped("date_trunc takes a unit and a date.", "Check the call.")
    unit = _unit(made)
    value = _moment(values[1], "date_trunc")
    _check_date_unit(unit, value.type, "date_trunc")
    if value.type.name == "date":
        return Value(to(call("date_trunc", string(unit), value.node), types.DATE), types.DATE)
    if value.type.name == "timestamp":
        return Value(call("date_trunc", string(unit), value.node), value.type)
    zone = known_zone(value.type, "date_trunc")
    return Value(at_zone(call("date_trunc", string(unit), at_zone(value.node, zone)), zone), value.type)


def _added(made: Call) -> Value:
    """date_add(unit, n, x): of the type of x."""
    values = made.values()
    if len(values) != 3:
        raise mistyped("date_add takes a unit, a number and a date.", "Check the call.")
    unit = _unit(made)
    if values[1].type.name not in (*types.INTEGERS, "unknown"):
        raise mistyped(f"date_add with a number of {values[1].type} does not exist.", "Cast it to bigint.")
    value = _moment(values[2], "date_add", time=True)
    _check_date_unit(unit, value.type, "date_add")
    maker, factor = _STEPS[unit]
    count = coerce(values[1], types.BIGINT).node
    if factor != 1:
        count = binary(exp.Mul, count, number(factor))
    step = call(maker, to(count, types.INTEGER) if maker in ("to_days", "to_months") else to(count, types.BIGINT))
    if value.type.name == "date":
        return Value(to(binary(exp.Add, value.node, step), types.DATE), types.DATE)
    if value.type.name == "timestamp with time zone" and unit in _DATE_UNITS:
        zone = known_zone(value.type, "date_add")
        return Value(at_zone(binary(exp.Add, at_zone(value.node, zone), step), zone), value.type)
    added = binary(exp.Add, value.node, step)
    if unit == "millisecond" and value.type.name == "timestamp" and value.type.args[0] < 3:
        return Value(rounded(added, 3, value.type.args[0]), value.type)
    return Value(added, value.type)


def _difference(made: Call) -> Value:
    """date_diff(unit, a, b): full units from a to b."""
    values = made.values()
    if len(values) != 3:
        raise mistyped("date_diff takes a unit and two dates.", "Check the call.")
    unit = _unit(made)
    both = types.common(values[1].type, values[2].type)
    if both is None or (both.name not in (*_MOMENTS, "time", "unknown")):
        raise mistyped(f"date_diff of {values[1].type} and {values[2].type} does not exist.", "Cast both to one type.")
    _check_date_unit(unit, both, "date_diff")
    if both.name == "unknown":
        both = types.timestamp()
    one, two = coerce(values[1], both), coerce(values[2], both)
    if both.name == "timestamp with time zone" and unit in _DATE_UNITS:
        zone = known_zone(both, "date_diff")
        return Value(
            call("trino_difference", string(unit), at_zone(one.node, zone), at_zone(two.node, zone)), types.BIGINT
        )
    return Value(call("trino_difference", string(unit), one.node, two.node), types.BIGINT)


def _date(made: Call) -> Value:
    values = made.values()
    if len(values) != 1:
        raise mistyped("date takes one argument.", "Check the call.")
    return cast(values[0], types.DATE)


def _last_day(made: Call) -> Value:
    value = _moment(made.values()[0], "last_day_of_month")
    return Value(to(call("last_day", _wall(value, made.name)), types.DATE), types.DATE)


def _zone(made: Call, index: int = 1) -> str:
    values = made.values()
    if len(values) <= index:
        raise mistyped(f"{made.name} takes a time zone.", "Check the call.")
    text = literal_text(values[index].node)
    if text is None:
        raise unsupported("A time zone that is no literal", "Write the time zone as a literal.")
    return text


def _at_timezone(made: Call) -> Value:
    """x AT TIME ZONE zone: the same instant, seen in another zone; a plain timestamp is of the session's zone, UTC."""
    zone = _zone(made)
    value = made.values()[0]
    if value.type.name == "date":
        value = cast(value, types.timestamp())
    if value.type.name not in ("timestamp", "timestamp with time zone"):
        raise mistyped(f"{value.type} AT TIME ZONE does not exist.", "Cast it to timestamp.")
    instant = value.node if value.type.name != "timestamp" else at_zone(value.node, "UTC")
    return Value(checked_zone(instant, zone), types.zoned(value.type.args[0], zone))


def checked_zone(instant: exp.Expr, zone: str) -> exp.Expr:
    """The instant itself; offsets are not known to DuckDB."""
    if zone[:1] in "+-" or (zone[:3].upper() == "UTC" and len(zone) > 3):
        raise unsupported(f"The time zone {zone!r}", "Name a zone by its city: 'Europe/Berlin'.")
    return instant


def _with_timezone(made: Call) -> Value:
    """The wall clock kept, the zone given."""
    zone = _zone(made)
    value = made.values()[0]
    if value.type.name == "date":
        value = cast(value, types.timestamp())
    if value.type.name != "timestamp":
        raise mistyped(f"with_timezone({value.type}) does not exist.", "Give it a timestamp without time zone.")
    return Value(checked_zone(at_zone(value.node, zone), zone), types.zoned(value.type.args[0], zone))


def _from_unixtime(made: Call) -> Value:
    values = made.values()
    if not 1 <= len(values) <= 2 or values[0].type.name not in (*NUMBERS, "unknown"):
        raise mistyped("from_unixtime takes a number, and a time zone.", "Check the call.")
    zone = _zone(made) if len(values) == 2 else "UTC"
    instant = call("trino_from_unixtime", coerce(values[0], types.DOUBLE).node)
    return Value(checked_zone(at_zone(instant, "UTC"), zone), types.zoned(3, zone))


def _to_unixtime(made: Call) -> Value:
    value = made.values()[0]
    if value.type.name not in ("timestamp", "timestamp with time zone", "date", "unknown"):
        raise mistyped(f"to_unixtime({value.type}) does not exist.", "Cast it to timestamp.")
    if value.type.name in ("date", "unknown"):
        value = coerce(value, types.timestamp())
    return Value(call("trino_to_unixtime", value.node), types.DOUBLE)


MACROS |= {
    # seconds → milliseconds, half up
    "trino_from_unixtime(a)": "make_timestamp(CAST(floor(a * 1000e0 + 0.5e0) AS BIGINT) * 1000)",
    "trino_to_unixtime(a)": "CAST(epoch_us(a) AS DOUBLE) / 1000000e0",
}


def _current(name: str, kind: Type) -> Function:
    def build(made: Call) -> Value:
        digits = int(made.values()[0].node.name) if made.arguments else kind.args[0]
        node = rounded(at_zone(call("now"), "UTC"), 6, digits)
        result = Type(kind.name, (digits, *kind.args[1:]))
        return Value(at_zone(node, "UTC") if kind.name != "timestamp" else node, result)

    return built(name, build)


def current_date(translator: Translator, node: exp.Expr) -> Value:
    """CURRENT_DATE"""
    return Value(to(at_zone(call("now"), "UTC"), types.DATE), types.DATE)


def current_timestamp(translator: Translator, node: exp.Expr) -> Value:
    """CURRENT_TIMESTAMP"""
    return translator.named("current_timestamp", [])


def localtimestamp(translator: Translator, node: exp.Expr) -> Value:
    """LOCALTIMESTAMP"""
    return translator.named("localtimestamp", [])


def _to_iso8601(made: Call) -> Value:
    value = _moment(made.values()[0], made.name)
    if value.type.name == "date":
        return Value(to(value.node, types.VARCHAR), types.VARCHAR)
    digits = value.type.args[0]
    text = call(
        "replace", call("trino_timestamp_varchar", _wall(value, made.name), number(digits)), string(" "), string("T")
    )
    if value.type.name == "timestamp":
        return Value(text, types.VARCHAR)
    if known_zone(value.type, made.name) != "UTC":
        raise unsupported("to_iso8601 in a zone other than UTC", "Use x AT TIME ZONE 'UTC'.")
    return Value(call("concat", text, string("Z")), types.VARCHAR)


def _zone_part(value: Value, name: str) -> Value:
    if value.type.name != "timestamp with time zone":
        raise mistyped(f"{name}({value.type}) does not exist.", "Give it a timestamp with time zone.")
    zone = known_zone(value.type, name)
    offset = call("trino_offset_minutes", at_zone(value.node, zone), at_zone(value.node.copy(), "UTC"))
    made = binary(exp.IntDiv if name == "timezone_hour" else exp.Mod, offset, number(60))
    return Value(to(made, types.BIGINT), types.BIGINT)


MACROS |= {"trino_offset_minutes(a, b)": "(epoch_us(a) - epoch_us(b)) // 60000000"}


def _zone_function(made: Call) -> Value:
    value = made.values()[0]
    return _zone_part(value, made.name)


_NUMBER_PARTS = list(_PARTS)
_ISO_TIMESTAMP = (
    "CASE WHEN a IS NULL THEN NULL WHEN regexp_full_match(a, '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}"
    "([.][0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?') THEN date_trunc('millisecond', CAST(CASE WHEN "
    "regexp_full_match(a, '.*T[0-9]{2}:[0-9]{2}:[0-9]{2}.*') THEN a WHEN regexp_full_match(a, '.*T[0-9]{2}:[0-9]{2}.*') "
    "THEN a[1:16] || ':00' || a[17:] WHEN contains(a, 'T') THEN a[1:13] || ':00:00' || a[14:] ELSE a[1:10] END AS "
    "TIMESTAMPTZ)) ELSE CAST(CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) AS TIMESTAMPTZ) END"
)


def _from_iso(made: Call) -> Value:
    value = coerce(made.values()[0], types.VARCHAR)
    text = literal_text(value.node)
    zoned_text = text is None or text[-6:-5] in ("+", "-") or text[-5:-4] in ("+", "-")
    zone = None if zoned_text and not (text or "").endswith("+00:00") else "UTC"
    return Value(call("trino_from_iso8601", value.node), types.zoned(3, zone))


MACROS |= {
    "trino_from_iso8601(a)": _ISO_TIMESTAMP,
    "trino_human(a, b)": "CASE WHEN a = 0 THEN NULL WHEN a = 1 THEN '1 ' || b ELSE CAST(a AS VARCHAR) || ' ' || b || 's' END",
}

FUNCTIONS: tuple[Function, ...] = (
    *(built(name, _part_function, total=True, strict=True) for name in _NUMBER_PARTS),
    built("date_trunc", _truncated, total=True, strict=True),
    built("date_add", _added, strict=True),
    built("date_diff", _difference, strict=True),
    built("date", _date, strict=True),
    built("last_day_of_month", _last_day, total=True, strict=True),
    built("at_timezone", _at_timezone, total=True, strict=True),
    built("with_timezone", _with_timezone, strict=True),
    built("from_unixtime", _from_unixtime, strict=True),
    built("to_unixtime", _to_unixtime, total=True, strict=True),
    built("to_iso8601", _to_iso8601, total=True, strict=True),
    built("timezone_hour", _zone_function, total=True, strict=True),
    built("timezone_minute", _zone_function, total=True, strict=True),
    built("from_iso8601_timestamp", _from_iso, strict=True),
    function(
        "from_iso8601_date(varchar) -> date",
        "CASE WHEN a IS NULL THEN NULL WHEN regexp_full_match(a, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST(a AS DATE) "
        "WHEN regexp_full_match(a, '[0-9]{4}-[0-9]{2}') THEN CAST(a || '-01' AS DATE) "
        "WHEN regexp_full_match(a, '[0-9]{4}-[0-9]{3}') THEN CAST(CAST(a[1:4] || '-01-01' AS DATE) + "
        "to_days(CAST(a[6:] AS INTEGER) - 1) AS DATE) "
        "WHEN regexp_full_match(a, '[0-9]{4}-?W[0-9]{2}(-?[1-7])?') THEN CAST(date_trunc('week', CAST(a[1:4] || '-01-04' AS DATE)) "
        "+ to_days((CAST(regexp_extract(a, 'W([0-9]{2})', 1) AS INTEGER) - 1) * 7 + "
        "CAST(coalesce(nullif(regexp_extract(a, 'W[0-9]{2}-?([1-7])', 1), ''), '1') AS INTEGER) - 1) AS DATE) "
        "ELSE CAST(CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) AS DATE) END",
    ),
    function("to_milliseconds(interval_day) -> bigint", "trino_interval_millis(a)", total=True),
    function("current_timezone() -> varchar", "coalesce('UTC', '')", total=True),
    function(
        "human_readable_seconds(double) -> varchar",
        "CASE WHEN a IS NULL THEN NULL WHEN NOT isfinite(a) THEN CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) "
        "WHEN round(abs(a)) = 0 THEN '0 seconds' ELSE concat_ws(', ', "
        "trino_human(CAST(round(abs(a)) AS BIGINT) // 604800, 'week'), "
        "trino_human(CAST(round(abs(a)) AS BIGINT) // 86400 % 7, 'day'), "
        "trino_human(CAST(round(abs(a)) AS BIGINT) // 3600 % 24, 'hour'), "
        "trino_human(CAST(round(abs(a)) AS BIGINT) // 60 % 60, 'minute'), "
        "trino_human(CAST(round(abs(a)) AS BIGINT) % 60, 'second')) END",
    ),
    _current("now", types.zoned(3)),
    _current("current_timestamp", types.zoned(3)),
    _current("localtimestamp", types.timestamp(3)),
)

REWRITES: dict[type[exp.Expr], Rewrite] = {
    exp.Extract: extracted,
    exp.CurrentDate: current_date,
    exp.CurrentTimestamp: current_timestamp,
    exp.Localtimestamp: localtimestamp,
}
