"""The functions that a statement may call, by the name that the caller writes. Pure.

Default-deny: what is not listed is refused by name, never passed through. Each of them means the same in Athena and
in the embedded engine, once translated, and none reaches anything but its arguments: no files, no settings, no
SQL in a text, nothing of the engine or of who asks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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

    `result` is the type that it then has, or `like_first` that of its first argument; else it is not known.
    `volatile`: twice the same question, two answers. `fewest` and `most` arguments may be given.
    """

    kind: Kind = Kind.SCALAR
    total: bool = False
    takes: Takes = Takes.ANY
    result: DataType | None = None
    like_first: bool = False
    volatile: bool = False
    fewest: int = 1
    most: int = 1


TEXT, LONG, DOUBLE, FLAG = DataType("string"), DataType("long"), DataType("double"), DataType("boolean")

# Where `x -> …` may stand.
TAKE_LAMBDAS = frozenset(
    [
        *("transform", "filter", "reduce", "zip_with", "any_match", "all_match", "none_match", "array_sort"),
        *("map_filter", "map_zip_with", "transform_keys", "transform_values", "regexp_replace"),
    ]
)
_MANY = 1000
_ANY = Function()
# Names with the number of arguments where it is not one: `substr/2-3`, `concat/2+`.
_LISTED: tuple[tuple[Function, str], ...] = (
    # Text. Beyond ASCII and however long: none of these fails.
    (
        Function(total=True, takes=Takes.TEXT, result=TEXT),
        "lower upper ltrim/1-2 rtrim/1-2 reverse concat/2+ replace/2-3",
    ),
    (Function(total=True, takes=Takes.TEXT, result=LONG), "length"),
    (Function(total=True, takes=Takes.TEXT, result=FLAG), "starts_with/2 ends_with/2"),
    (Function(total=True, takes=Takes.TEXT_CONSTANTS, result=TEXT), "substr/2-3"),
    (
        Function(result=TEXT),
        "concat_ws/2+ split_part/3 lpad/3 rpad/3 chr translate/3 regexp_extract/2-3 regexp_replace/2-3 to_hex",
    ),
    (Function(result=FLAG), "regexp_like/2"),
    (Function(result=LONG), "strpos/2-3 regexp_count/2 regexp_position/2 levenshtein_distance/2 hamming_distance/2"),
    (
        _ANY,
        "codepoint format/2+ split/2-3 regexp_split/2 regexp_extract_all/2-3 repeat/2 to_base64url from_base64url "
        "to_big_endian_64 from_big_endian_64 to_big_endian_32 from_big_endian_32 to_ieee754_32 from_ieee754_32 "
        "to_ieee754_64 from_ieee754_64 to_base32 from_base32 hmac_md5/2 hmac_sha1/2 hmac_sha256/2 from_hex to_utf8 "
        "from_utf8/1-2 md5 sha1 sha256 to_base64 from_base64",
    ),
    (_ANY, "url_extract_protocol url_extract_host url_extract_port url_extract_path url_extract_query"),
    (
        _ANY,
        "url_extract_fragment url_extract_parameter/2 url_encode url_decode human_readable_seconds luhn_check "
        "soundex crc32",
    ),
    # Numbers. Most may fail: overflow, a logarithm of nothing.
    (
        Function(total=True, takes=Takes.DOUBLE_CONSTANTS, like_first=True),
        "round/1-2 floor ceil ceiling abs truncate/1-2 sign",
    ),
    (Function(total=True, result=DOUBLE), "pi/0 e/0 nan/0 infinity/0"),
    (
        _ANY,
        "sqrt cbrt power/2 pow/2 exp ln log/2 log2 log10 mod/2 degrees radians width_bucket/2-4 from_base/2 to_base/2",
    ),
    (_ANY, "sin cos tan asin acos atan atan2/2 sinh cosh tanh is_nan is_finite is_infinite"),
    (
        _ANY,
        "bitwise_and/2 bitwise_or/2 bitwise_xor/2 bitwise_not bitwise_left_shift/2 bitwise_right_shift/2 bit_count/2 "
        "bitwise_right_shift_arithmetic/2",
    ),
    # Days and instants.
    (Function(total=True, takes=Takes.TIME, result=LONG), "year quarter month week week_of_year day day_of_month"),
    (Function(total=True, takes=Takes.TIME, result=LONG), "day_of_week dow day_of_year doy year_of_week yow"),
    (Function(total=True, takes=Takes.TIME, result=LONG), "hour minute second millisecond"),
    (Function(result=LONG), "date_diff/3"),
    (Function(result=TEXT), "date_format/2 format_datetime/2 to_iso8601"),
    (
        _ANY,
        "date date_add/3 date_trunc/2 last_day_of_month from_unixtime/1-2 to_unixtime date_parse/2 parse_datetime/2",
    ),
    (_ANY, "from_iso8601_timestamp from_iso8601_date at_timezone/2 with_timezone/2 timezone_hour timezone_minute"),
    (_ANY, "to_milliseconds current_timezone/0 parse_duration parse_data_size"),
    # Conditions.
    (Function(total=True, takes=Takes.SAME), "coalesce/2+ greatest/1+ least/1+ nullif/2"),
    (_ANY, "try typeof"),
    (Function(total=True, result=LONG), "grouping/1+"),
    # Lists, maps and JSON, on the way to something else.
    (_ANY, "cardinality contains/2 element_at/2 array_join/2-3 array_distinct array_max array_min"),
    (_ANY, "array_position/2 array_remove/2 array_intersect/2 array_union/2 array_except/2 arrays_overlap/2"),
    (_ANY, "slice/3 sequence/2-3 flatten zip/2+ ngrams/2 array_histogram trim_array/2 combinations/2"),
    (_ANY, "contains_sequence/2 array_sort/1-2 transform/2 filter/2 reduce/4 zip_with/3 any_match/2 all_match/2"),
    (_ANY, "none_match/2 map_filter/2 transform_keys/2 transform_values/2 map_zip_with/3"),
    (
        _ANY,
        "map_keys map_values map_entries map_concat/2+ map_from_entries multimap_from_entries "
        "split_to_map/3 split_to_multimap/3",
    ),
    (_ANY, "json_extract/2 json_extract_scalar/2 json_array_length json_array_get/2 json_array_contains/2 json_size/2"),
    (_ANY, "json_format json_parse is_json_scalar json_exists/2"),
    # Aggregates: what they work on is there once the hidden rows are gone.
    (Function(Kind.AGGREGATE, total=True, result=LONG), "count/0-1 count_if approx_distinct"),
    (Function(Kind.AGGREGATE, total=True, result=FLAG), "bool_and bool_or every"),
    (Function(Kind.AGGREGATE, total=True, like_first=True), "any_value arbitrary"),
    (Function(Kind.AGGREGATE), "min/1-2 max/1-2 min_by/2-3 max_by/2-3"),
    (Function(Kind.AGGREGATE), "sum avg"),
    (Function(Kind.AGGREGATE, result=DOUBLE), "stddev stddev_pop stddev_samp variance var_pop var_samp corr/2"),
    (Function(Kind.AGGREGATE, result=DOUBLE), "covar_pop/2 covar_samp/2 regr_slope/2 regr_intercept/2 geometric_mean"),
    (Function(Kind.AGGREGATE), "approx_percentile/2 array_agg set_agg map_agg/2 multimap_agg/2 histogram map_union"),
    (Function(Kind.AGGREGATE), "bitwise_and_agg bitwise_or_agg bitwise_xor_agg"),
    (Function(Kind.WINDOW, total=True, result=LONG), "row_number/0 rank/0 dense_rank/0"),
    (Function(Kind.WINDOW, total=True, result=DOUBLE), "percent_rank/0 cume_dist/0"),
    (Function(Kind.WINDOW, total=True, like_first=True), "first_value last_value"),
    (Function(Kind.WINDOW), "lag/1-3 lead/1-3 ntile nth_value/2"),
    # Another answer each time: the question runs, and nobody keeps what came out.
    (Function(volatile=True), "random/0-2 rand/0-2"),
    (Function(total=True, result=DataType("timestamptz"), volatile=True), "now/0"),
    (Function(result=DataType("timestamptz"), volatile=True), "current_timestamp"),
    (Function(result=DataType("timestamp"), volatile=True), "localtimestamp"),
)


def _listed() -> Iterator[tuple[str, Function]]:
    for function, names in _LISTED:
        for each in names.split():
            name, _, arity = each.partition("/")
            fewest, _, most = (arity or "1").removesuffix("+").partition("-")
            yield name, replace(function, fewest=int(fewest), most=_MANY if "+" in arity else int(most or fewest))


FUNCTIONS: Mapping[str, Function] = MappingProxyType(dict(_listed()))
