"""The functions that a statement may call, by the name that the caller writes. Pure.

Default-deny: what is not listed is refused by name, never passed through. Each of them means the same in Athena and
in the embedded engine, once translated, and none reaches anything but its arguments: no files, no settings, no
SQL in a text, nothing of the engine or of who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from athena.dataset import DataType


class Kind(StrEnum):
    """How a function is called."""

    SCALAR = "scalar"
    AGGREGATE = "aggregate"
    WINDOW = "window"


class Takes(StrEnum):
    """Which first argument is of the right type."""

    ANY = "any"
    TEXT = "text"  # and every other argument is a text, too
    TEXT_CONSTANTS = "text, then literals"
    TIME = "time"
    DOUBLE_CONSTANTS = "double, then literals"
    SAME = "all of one type"


@dataclass(frozen=True, slots=True)
class Function:
    """`total`: on arguments of the right types (`takes`) it cannot fail, whatever their values, in either engine.

    `result` is the type that it then has, None where it is the first argument's, or not known. `volatile`: twice
    the same question, two answers.
    """

    kind: Kind = Kind.SCALAR
    total: bool = False
    takes: Takes = Takes.ANY
    result: DataType | None = None
    volatile: bool = False


TEXT, LONG, DOUBLE, FLAG = DataType("string"), DataType("long"), DataType("double"), DataType("boolean")

_ANY = Function()
_LISTED: tuple[tuple[Function, str], ...] = (
    # Text. Beyond ASCII and however long: none of these fails.
    (Function(total=True, takes=Takes.TEXT, result=TEXT), "lower upper trim ltrim rtrim reverse concat replace"),
    (Function(total=True, takes=Takes.TEXT, result=LONG), "length"),
    (Function(total=True, takes=Takes.TEXT, result=FLAG), "starts_with ends_with"),
    (Function(total=True, takes=Takes.TEXT_CONSTANTS, result=TEXT), "substr"),
    (Function(result=TEXT), "concat_ws split_part lpad rpad chr translate regexp_extract regexp_replace to_hex"),
    (Function(result=FLAG), "regexp_like"),
    (Function(result=LONG), "strpos regexp_count levenshtein_distance hamming_distance"),
    (_ANY, "codepoint format split repeat from_hex to_utf8 from_utf8 md5 sha1 sha256 to_base64 from_base64"),
    (_ANY, "url_extract_protocol url_extract_host url_extract_port url_extract_path url_extract_query"),
    (_ANY, "url_extract_fragment url_extract_parameter url_encode url_decode human_readable_seconds luhn_check"),
    # Numbers. Most may fail: overflow, a logarithm of nothing.
    (Function(total=True, takes=Takes.DOUBLE_CONSTANTS), "round floor ceil ceiling abs truncate sign"),
    (Function(total=True, result=DOUBLE), "pi e nan infinity"),
    (_ANY, "sqrt cbrt power pow exp ln log log2 log10 mod degrees radians width_bucket from_base to_base"),
    (_ANY, "sin cos tan asin acos atan atan2 sinh cosh tanh is_nan is_finite is_infinite"),
    (_ANY, "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift bit_count"),
    # Days and instants.
    (Function(total=True, takes=Takes.TIME, result=LONG), "year quarter month week week_of_year day day_of_month"),
    (Function(total=True, takes=Takes.TIME, result=LONG), "day_of_week dow day_of_year doy year_of_week yow"),
    (Function(total=True, takes=Takes.TIME, result=LONG), "hour minute second millisecond"),
    (Function(result=LONG), "date_diff"),
    (Function(result=TEXT), "date_format format_datetime to_iso8601"),
    (_ANY, "date date_add date_trunc last_day_of_month from_unixtime to_unixtime date_parse parse_datetime"),
    (_ANY, "from_iso8601_timestamp from_iso8601_date at_timezone with_timezone timezone_hour timezone_minute"),
    # Conditions.
    (Function(total=True, takes=Takes.SAME), "coalesce greatest least nullif"),
    (_ANY, "try typeof"),
    (Function(total=True, result=LONG), "grouping"),
    # Lists, maps and JSON, on the way to something else.
    (_ANY, "cardinality contains element_at array_join array_distinct array_sort array_max array_min array_position"),
    (_ANY, "array_remove array_intersect array_union array_except arrays_overlap slice sequence flatten zip ngrams"),
    (_ANY, "map_keys map_values map_entries map_concat map_from_entries split_to_map"),
    (_ANY, "json_extract json_extract_scalar json_array_length json_array_get json_array_contains json_size"),
    (_ANY, "json_format json_parse is_json_scalar"),
    # Aggregates: what they work on is there once the hidden rows are gone.
    (Function(Kind.AGGREGATE, total=True, result=LONG), "count count_if approx_distinct"),
    (Function(Kind.AGGREGATE, total=True, result=FLAG), "bool_and bool_or every"),
    (Function(Kind.AGGREGATE, total=True), "min max any_value arbitrary min_by max_by"),
    (Function(Kind.AGGREGATE), "sum avg"),
    (Function(Kind.AGGREGATE, result=DOUBLE), "stddev stddev_pop stddev_samp variance var_pop var_samp corr"),
    (Function(Kind.AGGREGATE, result=DOUBLE), "covar_pop covar_samp regr_slope regr_intercept geometric_mean"),
    (Function(Kind.AGGREGATE), "approx_percentile array_agg set_agg map_agg histogram map_union"),
    (Function(Kind.AGGREGATE), "bitwise_and_agg bitwise_or_agg bitwise_xor_agg"),
    (Function(Kind.WINDOW, total=True, result=LONG), "row_number rank dense_rank"),
    (Function(Kind.WINDOW, total=True, result=DOUBLE), "percent_rank cume_dist"),
    (Function(Kind.WINDOW, total=True), "first_value last_value"),
    (Function(Kind.WINDOW), "lag lead ntile nth_value"),
    # Another answer each time: the question runs, and nobody keeps what came out.
    (Function(total=True, result=DOUBLE, volatile=True), "random rand"),
    (Function(total=True, result=DataType("timestamptz"), volatile=True), "now current_timestamp"),
    (Function(total=True, result=DataType("timestamp"), volatile=True), "localtimestamp"),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {name: function for function, names in _LISTED for name in names.split()}
)
