"""What reads a Parquet file lets go of each row group: memory is that of one or two, however many there are."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

from athena.dataset import Column, DataType
from etl.rewrite import _batches

GROUPS, ROWS = 16, 65_536
COLUMN = Column("note", DataType("string"), field_id=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Row groups of 1.8 MB."""
    path = tmp_path / "f.parquet"
    schema = pa.schema([pa.field("note", pa.string(), metadata={"PARQUET:field_id": "1"})])
    values = pa.array([f"{row:024d}" for row in range(ROWS)], pa.string())
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(GROUPS):
            writer.write_table(pa.Table.from_arrays([values], schema=schema), row_group_size=ROWS)
    return path


def most_held(steps: Iterable[object]) -> int:
    """Arrow's memory at the most, beyond what there was."""
    before = int(pa.total_allocated_bytes())
    return max(int(pa.total_allocated_bytes()) - before for _ in steps)


def test_rows_are_rewritten_without_holding_the_file(file: Path) -> None:
    assert most_held(_batches(PyArrowFileIO(), str(file), [COLUMN])) < file.stat().st_size // 2
