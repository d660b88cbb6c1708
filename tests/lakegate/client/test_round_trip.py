"""Every type through CSV, table, engine, and both clients, into Arrow, pandas and Polars: equal to what was sent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from lakegate import connect
from lakegate.client.lake import LakeClient
from lakegate.home import init_home
from tests.lakegate.server import credentials, serving

SCHEMA = pa.schema(
    [
        ("word", pa.string()),
        ("yes", pa.bool_()),
        ("small", pa.int32()),
        ("big", pa.int64()),
        ("single", pa.float32()),
        ("wide", pa.float64()),
        ("fare", pa.decimal128(38, 9)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
        ("instant", pa.timestamp("us", "UTC")),
    ]
)
CONTRACT = """inferred = false
[columns]
n = { type = "int", required = true }
word = { type = "string" }
yes = { type = "boolean" }
small = { type = "int" }
big = { type = "long" }
single = { type = "float" }
wide = { type = "double" }
fare = { type = "decimal(38,9)" }
day = { type = "date" }
at = { type = "timestamp" }
instant = { type = "timestamptz" }
"""
# A text that the reader takes for a missing value, or for the end of the file, is no text in CSV.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    [
        'a "quoted", one',
        "two\nlines",
        "",
        " padded ",
        "'",
        "007",
        "1e5",
        "ÄÖ ✈ 漢",
        "a;b|c\td",
        "NA",
        "NULL",
        "null",
        "n/a",
        "nan",
        "true",
    ]
)
ROW = st.fixed_dictionaries(
    {
        "word": WORDS,
        "yes": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "big": st.integers(-(2**63), 2**63 - 1),
        "single": st.floats(width=32, allow_nan=False, allow_infinity=False),
        "wide": st.floats(allow_nan=False, allow_infinity=False),
        "fare": st.integers(-(10**38) + 1, 10**38 - 1).map(lambda value: Decimal(f"{value}e-9")),
        "day": st.dates(date(1, 1, 2), date(9999, 12, 30)),
        "at": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
        "instant": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.replace(tzinfo=UTC)),
    }
)
SOMETIMES_NULL = ROW.flatmap(
    lambda row: st.sets(st.sampled_from(sorted(row))).map(
        lambda gone: {name: None if name in gone else value for name, value in row.items()}
    )
)


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LakeClient, LakeClient]]:
    """The owner in this process, and a partner who sees everything over HTTP."""
    home = init_home(tmp_path_factory.mktemp("trip") / "home").home
    (home / "datasets" / "every.toml").write_text(CONTRACT, encoding="utf-8")
    write_grant(home / "partners", Grant("eve", "", {"every": DatasetGrant()}, Limits(queries_per_minute=10**6), ""))
    issued = credentials(home, "eve")
    with (
        serving(home) as at,
        connect(home) as owner,
        connect(at.url, client_id=issued.client_id, client_secret=issued.secret) as partner,
    ):
        yield owner, partner


def sent_and_seen_again(lakes: tuple[LakeClient, LakeClient], rows: list[dict[str, Any]]) -> None:
    owner, partner = lakes
    sent = pa.Table.from_pylist(rows, schema=SCHEMA)
    numbered = sent.add_column(0, "n", pa.array(range(len(rows)), pa.int32()))
    report = owner.load(numbered, dataset="every")
    # The same rows twice in a row are the same content.
    loaded = 0 if report["status"] == "unchanged" else len(rows)
    assert (report["rows_loaded"], report["rows_rejected"]) == (loaded, 0), report
    names = ", ".join(SCHEMA.names)
    for lake in (owner, partner):
        answer = lake.sql(f"SELECT {names} FROM every ORDER BY n")
        assert answer.arrow().to_pylist() == sent.to_pylist()
        assert answer.arrow().schema == SCHEMA
        assert pa.Table.from_pandas(answer.df(), schema=SCHEMA, preserve_index=False).to_pylist() == sent.to_pylist()
        assert answer.polars().to_dicts() == polars.DataFrame(polars.from_arrow(sent)).to_dicts()


ALLOWED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=8, suppress_health_check=ALLOWED)
@given(rows=st.lists(SOMETIMES_NULL, min_size=1, max_size=12))
def test_what_was_sent_is_seen_again(lakes: tuple[LakeClient, LakeClient], rows: list[dict[str, Any]]) -> None:
    sent_and_seen_again(lakes, rows)


@pytest.mark.long
@settings(max_examples=200, suppress_health_check=ALLOWED)
@given(rows=st.lists(SOMETIMES_NULL, min_size=1, max_size=40))
def test_what_was_sent_is_seen_again_at_length(
    lakes: tuple[LakeClient, LakeClient], rows: list[dict[str, Any]]
) -> None:
    sent_and_seen_again(lakes, rows)
