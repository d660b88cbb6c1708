"""The count in a Parquet file's footer, as a Parquet library wrote it and as nobody did."""

from contextlib import suppress
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.results.footer import TAIL_BYTES, footer_bytes, rows_of


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 100_000])
def test_the_count_is_the_librarys(rows: int) -> None:
    columns = {f"column_{n}": pa.array([None] * rows, kind) for n, kind in enumerate((pa.string(), pa.int64()) * 9)}
    sink = BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=1000, compression="zstd")
    content = sink.getvalue()
    length = footer_bytes(content[-TAIL_BYTES:])
    assert rows_of(content[-TAIL_BYTES - length : -TAIL_BYTES]) == rows


@given(st.binary(max_size=300))
def test_what_is_no_footer_is_refused_or_a_number_and_never_hangs(content: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(rows_of(content), int)


def test_a_list_longer_than_the_file_ends_with_the_file() -> None:
    with pytest.raises(ValueError, match="cut short"):
        rows_of(b"\x19\xf1" + b"\xff" * 8 + b"\x01")


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no Parquet"):
        footer_bytes(b"\0\0\0\0PK\x05\x06")
