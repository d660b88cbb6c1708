"""What every result store promises, whoever wrote the result."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from athena.dataset import DataType, parse_type
from athena.errors import Gone
from athena.forms import Form
from athena.question import Receipt, ResultColumn
from athena.results import Results
from athena.results.local import LocalResults
from athena.results.s3 import S3Results
from lakegate.emulate.result import written
from tests.cloud import Cloud

COLUMNS = (
    ResultColumn("s", DataType("string")),
    ResultColumn("n", DataType("long")),
    ResultColumn("d", parse_type("decimal(12,2)")),
    ResultColumn("day", DataType("date")),
    ResultColumn("at", DataType("timestamptz")),
)
DAY, AT = date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3, 456000, tzinfo=UTC)
ROWS = [
    ("a,b", 9007199254740993, Decimal("1.50"), DAY, AT),
    ("", None, None, None, None),
    (None, -1, Decimal("-0.01"), date(1, 1, 1), AT.replace(microsecond=0)),
    ('say "x"\nand go', 0, Decimal("0.00"), date(9999, 12, 31), AT),
]
SHOWN = [
    ["a,b", "9007199254740993", "1.50", "2024-02-29", "2024-02-29T01:02:03.456000Z"],
    ["", None, None, None, None],
    [None, "-1", "-0.01", "0001-01-01", "2024-02-29T01:02:03Z"],
    ['say "x"\nand go', "0", "0.00", "9999-12-31", "2024-02-29T01:02:03.456000Z"],
]
CSV = (
    b's,n,d,day,at\r\n"a,b",9007199254740993,1.50,2024-02-29,2024-02-29T01:02:03.456000Z\r\n"",,,,\r\n'
    b",-1,-0.01,0001-01-01,2024-02-29T01:02:03Z\r\n"
    b'"say ""x""\nand go",0,0.00,9999-12-31,2024-02-29T01:02:03.456000Z\r\n'
)

Row = Sequence[object]


class Store:
    """A store with a way to put what an engine would have put, and one to damage it."""

    def __init__(self, results: Results, keep: Callable[[Sequence[Row]], Receipt], spoil: Callable[[Receipt], None]):
        self.results, self.keep, self.spoil = results, keep, spoil


def _receipt(result_id: str, rows: int, size_bytes: int, sha256: str) -> Receipt:
    return Receipt(result_id, COLUMNS, rows, False, size_bytes, 0, sha256, AT)


def _local(folder: Path) -> Store:
    import pyarrow as pa
    import pyarrow.parquet as pq

    results = LocalResults(folder, kept_seconds=1000)
    kinds = [pa.string(), pa.int64(), pa.decimal128(12, 2), pa.date32(), pa.timestamp("us", "UTC")]
    schema = pa.schema([(column.name, kind) for column, kind in zip(COLUMNS, kinds, strict=True)])

    def keep(rows: Sequence[Row]) -> Receipt:
        place = results.stage("run")
        staged = place / "result.parquet"
        pq.write_table(
            pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema),
            staged,
            row_group_size=2,
            write_page_checksum=True,
        )
        size = staged.stat().st_size
        results.keep(staged, "aabbcc")
        results.unstage(place)
        return _receipt("aabbcc", len(rows), size, "")

    def spoil(receipt: Receipt) -> None:
        path = results.path(receipt)
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[4:40] = b"\0" * 36
        path.write_bytes(content)

    return Store(results, keep, spoil)


def _s3(cloud: Cloud) -> Store:
    results = S3Results(cloud.bucket())

    def keep(rows: Sequence[Row]) -> Receipt:
        results.bucket.put("e1.csv", b"".join(written([column.name for column in COLUMNS], [tuple(r) for r in rows])))
        survey = results.survey("e1", COLUMNS, row_limit=1000, most_bytes=10**9)
        assert survey is not None
        return _receipt(survey.result_id, survey.row_count, survey.size_bytes, survey.sha256)

    return Store(results, keep, lambda _: results.bucket.put("e1.csv", b'"s"\n"other"\n'))


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return _local(tmp_path / "results") if request.param == "local" else _s3(request.getfixturevalue("cloud"))


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_pages_of_any_length_make_the_whole(store: Store, limit: int) -> None:
    receipt = store.keep(ROWS)
    rows: list[list[object]] = []
    offset: int | None = 0
    while offset is not None:
        page = store.results.page(receipt, offset=offset, limit=limit)
        told = orjson.loads(b"{" + page.fragment + b"}")
        assert told["columns"][2] == {"name": "d", "type": "decimal(12,2)"}
        assert len(told["rows"]) == page.row_count <= limit
        rows += told["rows"]
        offset = page.next_offset
    assert rows == SHOWN


def test_csv_pages_in_sequence_make_one_file(store: Store) -> None:
    receipt = store.keep(ROWS)
    whole = store.results.page(receipt, offset=0, limit=1000, form=Form.CSV)
    assert (whole.fragment, whole.next_offset) == (CSV, None)
    first = store.results.page(receipt, offset=0, limit=3, form=Form.CSV)
    assert first.next_offset is not None
    assert (
        first.fragment + store.results.page(receipt, offset=first.next_offset, limit=9, form=Form.CSV).fragment == CSV
    )


def test_a_result_without_rows_has_its_header(store: Store) -> None:
    receipt = store.keep([])
    assert store.results.page(receipt, offset=0, limit=1000, form=Form.CSV).fragment == b"s,n,d,day,at\r\n"
    assert store.results.page(receipt, offset=0, limit=10).row_count == 0


def test_what_is_there_whole_is_held(store: Store) -> None:
    assert store.results.holds(store.keep(ROWS))


def test_what_was_discarded_is_gone(store: Store) -> None:
    receipt = store.keep(ROWS)
    store.results.discard(receipt)
    assert not store.results.holds(receipt)
    store.results.discard(receipt)
    with pytest.raises(Gone) as caught:
        store.results.page(receipt, offset=0, limit=1)
    assert caught.value.code == "result-gone"


def test_a_damaged_result_is_gone_and_not_held_from_then_on(store: Store) -> None:
    receipt = store.keep(ROWS)
    store.spoil(receipt)
    with pytest.raises(Gone):
        store.results.page(receipt, offset=0, limit=10)
    assert not store.results.holds(receipt)
