"""What DuckDB raises becomes one of our codes."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from athena.engines.duckdb.fault import code_of


@pytest.mark.parametrize("left", ["no end", "no page", "nothing"])
def test_a_damaged_data_file_is_no_fault_of_the_query(tmp_path: Path, left: str) -> None:
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"n": list(range(1000))}), path, compression="zstd", use_dictionary=False)
    content = path.read_bytes()
    kept = {"no end": content[:-100], "no page": content[:40] + bytes(400) + content[440:], "nothing": b""}
    path.write_bytes(kept[left])
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as failure:
        connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert code_of(failure.value) == "engine-failed"


def test_a_value_that_speaks_of_files_is_no_damaged_file() -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as failure:
        connection.execute("SELECT strptime('Failed to read file', '%d')").fetchall()
    assert code_of(failure.value) == "bad-argument"
