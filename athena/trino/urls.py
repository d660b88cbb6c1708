"""Parts of addresses, '' for a part that is missing, NULL for a text that is no address.

https://trino.io/docs/current/functions/url.html
"""

from athena.trino.function import Function, function

# RFC 3986, appendix B; Java's URI refuses spaces, controls, quotes and brackets
_URL = "'^(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:[?]([^#]*))?(?:#(.*))?$'"

MACROS = {
    "trino_is_url(a)": "NOT regexp_matches(a, '[\\x00-\\x20\\x7f\"<>\\\\^`{|}]|%([^0-9a-fA-F]|[0-9a-fA-F][^0-9a-fA-F]|.?$)|#.*#')",
    "trino_url(a, b)": f"CASE WHEN trino_is_url(a) THEN coalesce(regexp_extract(a, {_URL}, b), '') END",
    # "mailto:x" is opaque: it has no path and no query
    "trino_part(a, b)": "CASE WHEN regexp_matches(a, '^[^:/?#]+:[^/]') THEN left(trino_url(a, b), 0) ELSE trino_url(a, b) "
    "END",
    "trino_authority(a)": "regexp_replace(trino_url(a, 2), '^[^@]*@', '')",
    "trino_www_decode(a)": "url_decode(replace(a, '+', ' '))",
    "trino_parameter(a, b)": "list_filter(string_split(trino_part(a, 4), '&'), lambda trino_e: "
    "trino_www_decode(string_split(trino_e, '=')[1]) = b)[1]",
}

FUNCTIONS: tuple[Function, ...] = (
    function("url_extract_protocol(varchar) -> varchar", "trino_url(a, 1)", total=True),
    function("url_extract_host(varchar) -> varchar", "regexp_replace(trino_authority(a), ':[0-9]*$', '')", total=True),
    function(
        "url_extract_port(varchar) -> bigint",
        "CAST(nullif(regexp_extract(trino_authority(a), ':([0-9]+)$', 1), '') AS BIGINT)",
    ),
    function("url_extract_path(varchar) -> varchar", "url_decode(trino_part(a, 3))"),
    function("url_extract_query(varchar) -> varchar", "trino_part(a, 4)", total=True),
    function("url_extract_fragment(varchar) -> varchar", "url_decode(trino_url(a, 5))"),
    function(
        "url_extract_parameter(varchar, varchar) -> varchar",
        "CASE WHEN contains(trino_parameter(a, b), '=') THEN trino_www_decode(regexp_replace(trino_parameter(a, b), "
        "'^[^=]*=', '')) WHEN trino_parameter(a, b) IS NOT NULL THEN '' END",
    ),
    function(
        "url_encode(varchar) -> varchar",
        "replace(replace(replace(url_encode(a), '%20', '+'), '~', '%7E'), '%2A', '*')",
        total=True,
    ),
    function(
        "url_decode(varchar) -> varchar",
        "CASE WHEN regexp_matches(a, '%([^0-9a-fA-F]|[0-9a-fA-F][^0-9a-fA-F]|.?$)') THEN "
        "CAST(CAST('lakegate:bad-argument' AS INTEGER) AS VARCHAR) ELSE trino_www_decode(a) END",
    ),
)
