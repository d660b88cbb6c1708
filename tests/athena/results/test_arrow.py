"""Arrow's values on pages."""

import orjson
import pyarrow as pa

from athena.results.arrow import PAGE_BYTES, first_page, fitted, result_columns, values_of


def test_a_page_of_wide_rows_is_shorter_rather_than_larger() -> None:
    table = pa.table({"text": ["x" * 50_000] * 1000})
    columns = result_columns(table.schema)
    fragment, count = fitted(columns, table)
    assert 0 < count < 1000
    assert len(fragment) <= PAGE_BYTES
    page = first_page(columns, table, rows=1000, more=False)
    assert page.next_offset == page.row_count == count


def test_a_row_that_is_too_wide_is_a_page_of_its_own() -> None:
    table = pa.table({"text": ["x" * (PAGE_BYTES + 1), "y"]})
    assert fitted(result_columns(table.schema), table)[1] == 1


def test_rows_that_grow_wider_behind_the_sample_still_fit() -> None:
    table = pa.table({"text": ["x"] * 600 + ["y" * 50_000] * 400})
    fragment, count = fitted(result_columns(table.schema), table)
    assert len(fragment) <= PAGE_BYTES
    assert len(orjson.loads(b"{" + fragment + b"}")["rows"]) == count > 0


def test_a_float_is_the_shortest_number_that_rounds_to_it() -> None:
    table = pa.table({"f": pa.array([0.1, 16777216, None, 1e-40], pa.float32())})
    assert values_of(table)[0][:3] == [0.1, 16777216.0, None]


def test_columns_may_share_a_name() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["a"])], names=["x", "x"])
    assert [(column.name, str(column.type)) for column in result_columns(table.schema)] == [
        ("x", "long"),
        ("x", "string"),
    ]
