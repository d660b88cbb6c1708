"""How Trino writes values as text, where DuckDB writes them in another way."""

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, number, string, to
from athena.trino.function import Value
from athena.trino.refusal import unsupported
from athena.trino.types import Type

MACROS = {
    # the shortest digits of a double, taken from DuckDB's own text of it
    "trino_digits(a)": "regexp_replace(replace(regexp_replace(a, 'e.*', ''), '.', ''), '^0+', '')",
    "trino_exponent(a)": "CASE WHEN contains(a, 'e') THEN CAST(regexp_extract(a, 'e(.*)', 1) AS INTEGER) ELSE 0 END "
    "+ CASE WHEN regexp_matches(a, '^0[.]') THEN -1 - length(regexp_extract(a, '^0[.](0*)', 1)) "
    "ELSE length(regexp_extract(a, '^[0-9]+')) - 1 END",
    "trino_scientific(a, b)": "CASE WHEN b = '' THEN '0.0E0' ELSE b[1] || '.' || CASE WHEN rtrim(b[2:], '0') = '' "
    "THEN '0' ELSE rtrim(b[2:], '0') END || 'E' || CAST(trino_exponent(a) AS VARCHAR) END",
    "trino_sign(a)": "CASE WHEN signbit(a) THEN '-' ELSE '' END",
    "trino_special(a)": "CASE WHEN isnan(a) THEN 'NaN' WHEN isinf(a) THEN CASE WHEN a > 0 THEN 'Infinity' "
    "ELSE '-Infinity' END END",
    # Java's DecimalFormat 0.0###################E0
    "trino_double_varchar(a)": "CASE WHEN isfinite(a) THEN trino_sign(a) || trino_scientific(CAST(abs(a) AS VARCHAR), "
    "trino_digits(CAST(abs(a) AS VARCHAR))) ELSE trino_special(a) END",
    # Java's Double.toString
    "trino_java_double(a)": "CASE WHEN NOT isfinite(a) THEN trino_special(a) WHEN a = 0 OR abs(a) >= 0.001 "
    "AND abs(a) < 10000000 THEN CAST(a AS VARCHAR) ELSE trino_double_varchar(a) END",
    "trino_timestamp_varchar(a, b)": "strftime(a, '%Y-%m-%d %H:%M:%S') || CASE WHEN b = 0 THEN '' ELSE '.' "
    "|| left(strftime(a, '%f'), b) END",
    "trino_time_varchar(a, b)": "left(CAST(a AS VARCHAR), 8) || CASE WHEN b = 0 THEN '' ELSE '.' "
    "|| left(lpad(CAST(microsecond(a) % 1000000 AS VARCHAR), 6, '0'), b) END",
    "trino_interval_varchar(a)": "CASE WHEN a < 0 THEN '-' ELSE '' END || CAST(abs(a) // 86400000 AS VARCHAR) || ' ' "
    "|| lpad(CAST(abs(a) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' "
    "|| lpad(CAST(abs(a) // 60000 % 60 AS VARCHAR), 2, '0') || ':' "
    "|| lpad(CAST(abs(a) // 1000 % 60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(a) % 1000 AS VARCHAR), 3, '0')",
    "trino_leading_zero(a)": "regexp_replace(a, '^(-?)[.]', '\\10.')",
    "trino_months_varchar(a)": "CASE WHEN a < 0 THEN '-' ELSE '' END || CAST(abs(a) // 12 AS VARCHAR) || '-' "
    "|| CAST(abs(a) % 12 AS VARCHAR)",
}


def as_text(value: Value) -> exp.Expr | None:
    """How Trino casts a value to varchar; None where it has no such cast. JSON is cast elsewhere."""
    kind = value.type
    if kind.name in ("double", "real"):
        return call("trino_double_varchar", value.node)
    if kind.name in ("timestamp", "time"):
        return call(f"trino_{kind.name}_varchar", value.node, number(kind.args[0]))
    if kind.name == "timestamp with time zone":
        zone = known_zone(kind, "CAST of a timestamp with time zone to varchar")
        local = exp.AtTimeZone(this=exp.paren(value.node), zone=string(zone))
        text = call("trino_timestamp_varchar", local, number(kind.args[0]))
        return exp.paren(exp.DPipe(this=text, expression=string(" " + zone)), copy=False)
    if kind == types.DAY_INTERVAL:
        return call("trino_interval_varchar", call("trino_interval_millis", value.node))
    if kind == types.YEAR_INTERVAL:
        return call("trino_months_varchar", call("trino_interval_months", value.node))
    if kind.name == "decimal":
        return decimal_text(value)
    if kind.name in types.INTEGERS or kind.name in ("boolean", "date", "uuid", "varchar"):
        return to(value.node, types.VARCHAR)
    return None


def decimal_text(value: Value) -> exp.Expr:
    """A decimal's digits. DuckDB leaves out the 0 before the point when the type has no place for it."""
    precision, scale = value.type.args
    if scale < precision:
        return to(value.node, types.VARCHAR)
    if precision < types.MAX_PRECISION:
        return to(to(value.node, types.decimal(precision + 1, scale)), types.VARCHAR)
    return call("trino_leading_zero", to(value.node, types.VARCHAR))


def known_zone(kind: Type, what: str) -> str:
    """The zone of all values of a timestamp with time zone; `Refused` where the text does not tell it."""
    zone = kind.args[1]
    if zone is None:
        raise unsupported(f"{what} of several time zones", "Bring the values to one zone: x AT TIME ZONE 'UTC'.")
    return str(zone)


def local(value: Value, what: str) -> exp.Expr:
    """A timestamp's wall clock: its own, or that of its zone."""
    if value.type.name != "timestamp with time zone":
        return value.node
    return at_zone(value.node, known_zone(value.type, what))


def at_zone(node: exp.Expr, zone: str) -> exp.Expr:
    """DuckDB's AT TIME ZONE: instant → wall clock, wall clock → instant. Offsets are not known to DuckDB."""
    if zone[:1] in ("+", "-"):
        raise unsupported(f"The time zone {zone!r} here", "Bring the instant to one zone: x AT TIME ZONE 'UTC'.")
    return exp.paren(exp.AtTimeZone(this=exp.paren(node, copy=False), zone=string(zone)), copy=False)
