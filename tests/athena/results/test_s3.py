"""Results in S3: whole rows from any byte range, and never those of another object."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from urllib.request import urlopen

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.dataset import parse_type
from athena.errors import Failed, Gone, Refused
from athena.forms import Form
from athena.question import Receipt, ResultColumn
from athena.results import s3 as module
from athena.results.quoted import Counter, records
from athena.results.s3 import S3Results
from athena.s3 import Bucket
from lakegate.emulate.result import written
from tests.cloud import AT_ONCE, Cloud, Faults, request_lost, server_error

COLUMNS = (ResultColumn("name", parse_type("string")), ResultColumn("n", parse_type("long")))
ROWS: list[tuple[object, ...]] = [("a,b", 1), ("", None), (None, 3), ('say "x"', 4), ("two\nlines", 5), ("z", 6)]


@pytest.fixture
def results(cloud: Cloud) -> S3Results:
    return S3Results(cloud.bucket())


def _stored(results: S3Results, rows: list[tuple[object, ...]], *, row_limit: int = 1000) -> Receipt:
    results.bucket.put("e1.csv", b"".join(written([column.name for column in COLUMNS], rows)))
    return _receipt(results, COLUMNS, row_limit=row_limit)


def _receipt(results: S3Results, columns: tuple[ResultColumn, ...], *, row_limit: int = 1000) -> Receipt:
    survey = results.survey("e1", columns, row_limit=row_limit, most_bytes=10**9)
    assert survey is not None
    return Receipt(
        result_id=survey.result_id,
        columns=columns,
        row_count=survey.row_count,
        truncated=survey.truncated,
        size_bytes=survey.size_bytes,
        bytes_scanned=0,
        sha256=survey.sha256,
        finished_at=datetime(2024, 1, 1, tzinfo=UTC),
        warnings=survey.warnings,
    )


def _pages(results: S3Results, receipt: Receipt, limit: int) -> list[list[object]]:
    rows: list[list[object]] = []
    offset: int | None = 0
    while offset is not None:
        page = results.page(receipt, offset=offset, limit=limit)
        assert page.row_count <= limit
        rows += orjson.loads(b"{" + page.fragment + b"}")["rows"]
        offset = page.next_offset
    return rows


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
def test_pages_of_any_length_make_the_whole(results: S3Results, limit: int) -> None:
    receipt = _stored(results, ROWS)
    assert receipt.row_count == 6
    assert not receipt.truncated
    assert _pages(results, receipt, limit) == [[name, n if n is None else str(n)] for name, n in ROWS]


def test_null_and_the_empty_string_stay_apart(results: S3Results) -> None:
    receipt = _stored(results, [("", None), (None, 1)])
    assert results.page(receipt, offset=0, limit=1000, form=Form.CSV).fragment == b'name,n\r\n"",\r\n,1\r\n'


def test_csv_pages_in_sequence_make_one_file(results: S3Results) -> None:
    receipt = _stored(results, ROWS)
    whole = results.page(receipt, offset=0, limit=1000, form=Form.CSV)
    first = results.page(receipt, offset=0, limit=2, form=Form.CSV)
    assert first.next_offset is not None
    second = results.page(receipt, offset=first.next_offset, limit=1000, form=Form.CSV)
    assert whole.next_offset is None
    assert first.fragment + second.fragment == whole.fragment


def test_one_row_too_many_is_seen_and_not_shown(results: S3Results) -> None:
    receipt = _stored(results, ROWS, row_limit=5)
    assert receipt.truncated
    assert receipt.row_count == 5
    assert [row[0] for row in _pages(results, receipt, 2)] == [name for name, _ in ROWS[:5]]
    assert b"z" not in results.page(receipt, offset=0, limit=1000, form=Form.CSV).fragment


def test_several_rows_too_many_are_cut_alike(results: S3Results) -> None:
    receipt = _stored(results, ROWS, row_limit=2)
    assert (receipt.row_count, receipt.truncated) == (2, True)
    assert len(_pages(results, receipt, 100)) == 2
    assert (_stored(results, ROWS, row_limit=6).row_count, _stored(results, ROWS, row_limit=6).truncated) == (6, False)


def test_a_result_without_rows_has_its_header(results: S3Results) -> None:
    receipt = _stored(results, [])
    assert receipt.row_count == 0
    assert _pages(results, receipt, 10) == []
    assert results.page(receipt, offset=0, limit=1000, form=Form.CSV).fragment == b"name,n\r\n"


def test_a_last_line_without_its_end_counts(results: S3Results) -> None:
    results.bucket.put("e1.csv", b'"name","n"\n"a","1"\n"b","2"')
    receipt = _receipt(results, COLUMNS)
    assert receipt.row_count == 2
    assert _pages(results, receipt, 1) == [["a", "1"], ["b", "2"]]


def test_every_type_reads_as_in_the_embedded_home(results: S3Results) -> None:
    shown = {
        "string": ("007", "007"),
        "boolean": ("true", True),
        "int": ("-3", -3),
        "long": ("9007199254740993", "9007199254740993"),
        "float": ("0.1", 0.1),
        "double": ("1.0E10", 1e10),
        "decimal(12,2)": ("1.50", "1.50"),
        "date": ("2024-02-29", "2024-02-29"),
        "timestamp": ("2024-02-29 12:00:00.000", "2024-02-29T12:00:00"),
        "timestamptz": ("2024-07-01 12:00:00.000 Europe/Berlin", "2024-07-01T10:00:00Z"),
    }
    columns = tuple(ResultColumn(f"c{at}", parse_type(kind)) for at, kind in enumerate(shown))
    results.bucket.put("e1.csv", b"".join(written([c.name for c in columns], [[text for text, _ in shown.values()]])))
    assert _pages(results, _receipt(results, columns), 10) == [[value for _, value in shown.values()]]


def test_an_instant_that_athena_does_not_name_is_refused_and_not_guessed(results: S3Results) -> None:
    """Half past two comes twice that night in Berlin, and once in UTC."""
    columns = (ResultColumn("at", parse_type("timestamptz")),)
    named = ["2024-10-27 01:30:00.000 Europe/Berlin", "2024-10-27 02:30:00.000 UTC"]
    results.bucket.put("e1.csv", b"".join(written(["at"], [[text] for text in named])))
    assert _pages(results, _receipt(results, columns), 10) == [["2024-10-26T23:30:00Z"], ["2024-10-27T02:30:00Z"]]
    results.bucket.put("e1.csv", b"".join(written(["at"], [["2024-10-27 02:30:00.000 Europe/Berlin"]])))
    with pytest.raises(Refused, match="comes twice") as refused:
        _pages(results, _receipt(results, columns), 10)
    assert (refused.value.code, refused.value.remedy) == (
        "query-unsupported",
        "Bring the column to UTC: x AT TIME ZONE 'UTC'.",
    )


def test_not_a_number_is_null_with_a_warning_for_its_column_alone(results: S3Results) -> None:
    columns = (COLUMNS[0], ResultColumn("x", parse_type("double")), ResultColumn("y", parse_type("double")))
    rows = [("NaN", 1.0, 2.0), ("b", float("inf"), 3.0)]
    results.bucket.put("e1.csv", b"".join(written(["name", "x", "y"], rows)))
    receipt = _receipt(results, columns)
    assert receipt.warnings == ("Column x holds NaN or infinite values; JSON shows them as null.",)
    assert _pages(results, receipt, 10) == [["NaN", 1.0, 2.0], ["b", None, 3.0]]


def test_a_deleted_object_is_gone(results: S3Results) -> None:
    receipt = _stored(results, ROWS)
    assert results.holds(receipt)
    results.discard(receipt)
    assert not results.holds(receipt)
    with pytest.raises(Gone):
        results.page(receipt, offset=0, limit=1)


def test_an_object_that_was_written_over_is_gone(results: S3Results) -> None:
    receipt = _stored(results, ROWS)
    first = results.page(receipt, offset=0, limit=1)
    assert first.next_offset is not None
    results.bucket.put("e1.csv", b"".join(written(["name", "n"], [("x,y", 9), *ROWS[1:]])))
    assert not results.holds(receipt)
    with pytest.raises(Gone):
        results.page(receipt, offset=first.next_offset, limit=1)


def test_an_unreadable_object_is_gone_and_no_crash(results: S3Results) -> None:
    results.bucket.put("e1.csv", b'"name","n"\n"a","no number"\n')
    with pytest.raises(Gone):
        results.page(_receipt(results, COLUMNS), offset=0, limit=1)
    results.bucket.put("e1.csv", b'"name","n"\n"a","unclosed\n')
    with pytest.raises(Gone):
        results.page(replace(_receipt(results, COLUMNS), row_count=1), offset=0, limit=1)


def test_a_cut_line_to_s3_is_tried_again_and_failed_in_the_end(cloud: Cloud, results: S3Results) -> None:
    receipt = _stored(results, ROWS)
    client = cloud.client("s3")
    faults = Faults.on(client, "GetObject", request_lost, server_error)
    broken = S3Results(Bucket(client, results.bucket.name, prefix=results.bucket.prefix, patience=AT_ONCE))
    assert broken.page(receipt, offset=0, limit=1).row_count == 1
    assert faults.calls == 3
    Faults.on(client, "GetObject", *[request_lost] * AT_ONCE.tries)
    with pytest.raises(Failed):
        broken.page(receipt, offset=0, limit=1)


def test_a_page_is_shorter_rather_than_larger(results: S3Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_BYTES", 100)
    rows: list[tuple[object, ...]] = [("x" * 60, at) for at in range(5)]
    receipt = _stored(results, rows)
    assert results.page(receipt, offset=0, limit=5).row_count < 5
    assert len(_pages(results, receipt, 5)) == 5


def test_chunks_may_cut_a_result_anywhere(results: S3Results, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _stored(results, ROWS, row_limit=5)
    for size in range(1, 40):
        monkeypatch.setattr(module, "CHUNK_BYTES", size)
        monkeypatch.setattr(module, "_SLACK_BYTES", size)
        assert _receipt(results, COLUMNS, row_limit=5) == expected
        if size % 7 == 0:
            assert len(_pages(results, expected, 2)) == 5


def test_there_is_no_local_file(results: S3Results) -> None:
    with pytest.raises(Refused):
        results.path(_stored(results, ROWS))


def test_a_link_names_the_object_and_its_end(results: S3Results) -> None:
    link = results.link(_stored(results, ROWS), form=Form.CSV, seconds=60, filename="q_1.csv")
    assert "/some/where/e1.csv?" in link
    assert "Expires=" in link


def test_the_digest_is_that_of_the_whole_object(results: S3Results) -> None:
    receipt = _stored(results, ROWS)
    assert receipt.sha256 == hashlib.sha256(results.bucket.get("e1.csv")).hexdigest()


FIELD = st.none() | st.text(alphabet='a",\n\r é', max_size=6)


@given(rows=st.lists(st.tuples(FIELD, FIELD), max_size=8), cut=st.integers(min_value=1, max_value=50))
def test_what_is_written_is_read_and_counted(rows: list[tuple[str | None, str | None]], cut: int) -> None:
    content = b"".join(written(["a", "b"], rows))
    read = list(records(content))
    assert [record for record, _ in read] == [["a", "b"], *map(list, rows)]
    counter = Counter()
    for start in range(0, len(content), cut):
        counter.feed(content[start : start + cut])
    assert counter.count == len(rows) + 1
    again = Counter()
    ends = [again.feed_up_to(content[start : start + cut], len(rows)) for start in range(0, len(content), cut)]
    assert [end for end in ends if end is not None] == ([read[-2][1]] if rows else [])


@pytest.mark.parametrize("width", [1, 4_000_000], ids=["small", "large"])
def test_the_link_of_a_truncated_answer_leads_to_its_own_rows_alone(results: S3Results, width: int) -> None:
    columns = (ResultColumn("s", parse_type("string")),)
    content = written(["s"], [("a" * width,), ("b" * width,), ("hidden",)])
    results.bucket.put("e1.csv", b"".join(content))
    receipt = _receipt(results, columns, row_limit=2)
    assert receipt.truncated
    for _ in range(2):
        with urlopen(results.link(receipt, form=Form.CSV, seconds=60, filename="q_1.csv")) as answer:
            fetched: bytes = answer.read()
        assert fetched == b'"s"\n"%b"\n"%b"\n' % (b"a" * width, b"b" * width)


def test_links_are_signed_as_every_region_and_encrypted_objects_want_it(results: S3Results) -> None:
    link = results.link(_stored(results, ROWS), form=Form.CSV, seconds=60, filename="q_1.csv")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=60" in link
