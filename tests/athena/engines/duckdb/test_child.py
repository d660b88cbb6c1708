"""The child on its own, with raw SQL: what the statement's allow-list would have refused must fail here as well."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from athena.engines.duckdb.child_process import Child, ChildLost, DeadlinePassed
from athena.engines.duckdb.errand import Done, Errand, TableView
from athena.engines.duckdb.text import quoted

MARK = "hidden-marker"
MEBIBYTE = 1024**2


@pytest.fixture(scope="module")
def shared_child() -> Iterator[Child]:
    child = Child(memory_bytes=256 * MEBIBYTE, file_bytes=64 * MEBIBYTE)
    yield child
    child.close()


@pytest.fixture
def child(shared_child: Child) -> Iterator[Child]:
    yield shared_child
    assert shared_child.alive


@pytest.fixture
def own_child() -> Iterator[Child]:
    child = Child(memory_bytes=128 * MEBIBYTE, file_bytes=64 * MEBIBYTE)
    yield child
    child.close()


@pytest.fixture
def errand(tmp_path: Path) -> Errand:
    """A question about one small file."""
    path = tmp_path / "data.parquet"
    field = pa.field("n", pa.int32(), metadata={"PARQUET:field_id": "1"})
    pq.write_table(pa.table({"n": pa.array([1, 2], pa.int32())}, schema=pa.schema([field])), path)
    path.chmod(0o444)
    (tmp_path / "other.txt").write_text(MARK)
    schema = "MAP {1: {name: 'n', type: 'INTEGER', default_value: NULL}}"
    return Errand(
        lake="lake",
        sql="SELECT 1",
        guarded=False,
        setup=(),
        views=(TableView("t", f"SELECT n FROM read_parquet([{quoted(str(path))}], schema = {schema})"),),
        files=(str(path),),
        output=("x",),
        row_limit=1000,
        page_rows=100,
        staged=str(tmp_path / "result.parquet"),
        spill=str(tmp_path / "spill"),
        threads=1,
        memory_bytes=64 * MEBIBYTE,
        spill_bytes=16 * MEBIBYTE,
        result_bytes=MEBIBYTE,
    )


def run(child: Child, errand: Errand, sql: str, *, seconds: float = 20) -> tuple[Done, bytes]:
    return child.run(replace(errand, sql=sql), deadline=time.monotonic() + seconds)


def test_a_view_is_read_and_written_as_parquet_with_its_first_page(child: Child, errand: Errand) -> None:
    done, page = run(child, errand, "SELECT sum(n) FROM lake.t")
    assert done.error_code is None
    assert orjson.loads(b"{" + page + b"}") == {"columns": [{"name": "x", "type": "long"}], "rows": [["3"]]}
    assert pq.read_table(errand.staged).to_pylist() == [{"x": 3}]
    assert done.size_bytes == Path(errand.staged).stat().st_size


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text({other})",
        "SELECT * FROM read_blob({other})",
        "SELECT * FROM read_csv({other})",
        "SELECT * FROM glob({folder} || '/*')",
        "SELECT * FROM {other}",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_parquet('/proc/self/environ')",
        "SELECT * FROM sniff_csv({other})",
        "COPY (SELECT 1) TO {other}",
        "COPY (SELECT 1) TO {data}",
        "COPY lake.t TO {folder}",
        "ATTACH {other} AS o",
        "ATTACH {folder} || '/new.db' AS o",
        "EXPORT DATABASE {folder}",
        "IMPORT DATABASE {folder}",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD {other}",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET memory_limit = '10GB'",
        "SET threads = 64",
        "RESET lock_configuration",
        "PRAGMA enable_profiling = 'json'",
        "SET profiling_output = {other}",
        "SELECT * FROM 'https://localhost/x.parquet'",
        "SELECT getenv('PATH')",
        "CREATE SECRET s (TYPE s3)",
    ],
)
def test_no_file_but_the_planned_ones_is_reached(child: Child, errand: Errand, tmp_path: Path, sql: str) -> None:
    names = {"other": tmp_path / "other.txt", "data": tmp_path / "data.parquet", "folder": tmp_path}
    before = (tmp_path / "data.parquet").read_bytes()
    wanted = sql.format(**{name: quoted(str(path)) for name, path in names.items()})
    done, page = run(child, errand, wanted)
    assert done.error_code is not None
    assert MARK.encode() not in page
    assert (tmp_path / "data.parquet").read_bytes() == before
    assert (tmp_path / "other.txt").read_text() == MARK
    assert not (tmp_path / "new.db").exists()


def test_a_question_leaves_nothing_for_the_next(child: Child, errand: Errand, tmp_path: Path) -> None:
    run(child, errand, "CREATE TABLE kept AS SELECT 1 AS one")
    done, _ = run(child, replace(errand, staged=str(tmp_path / "second.parquet")), "SELECT * FROM kept")
    assert done.error_code == "query-unsupported"


def test_no_secret_of_the_parent_is_in_its_environment(own_child: Child) -> None:
    environment = b""
    while not environment:  # the kernel shows none while the new program is being loaded
        environment = Path(f"/proc/{own_child.pid}/environ").read_bytes()
    assert b"LAKEGATE" not in environment
    assert b"HOME=/nonexistent" in environment


def test_an_error_carries_no_value_of_the_data(child: Child, errand: Errand) -> None:
    done, page = run(child, errand, f"SELECT CAST('{MARK}' || n AS INTEGER) FROM lake.t")
    assert (done.error_code, page) == ("cast-failed", b"")
    assert MARK not in done.log


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT length(list(i)) FROM range(100000000) r(i)", "query-memory"),
        ("SELECT length(repeat('x', 2000000000))", "query-memory"),
        ("SELECT i, repeat('x', 100) AS t FROM range(10000000) r(i) ORDER BY hash(i)", "query-disk"),
        ("SELECT uuid() || uuid() || uuid() FROM range(1000)", None),
    ],
)
def test_memory_and_disk_are_bounded(child: Child, errand: Errand, sql: str, code: str | None) -> None:
    done, _ = run(child, replace(errand, output=("i", "t") if "AS t" in sql else ("x",)), sql, seconds=60)
    assert done.error_code == code


def test_a_result_that_is_too_large_is_refused(child: Child, errand: Errand) -> None:
    wanted = replace(errand, row_limit=10**9, result_bytes=100_000)
    done, _ = run(child, wanted, "SELECT uuid() || i FROM range(1000000) r(i)")
    assert done.error_code == "result-too-large"


def test_more_rows_than_the_limit_are_told(child: Child, errand: Errand) -> None:
    done, _ = run(child, replace(errand, row_limit=150), "SELECT i FROM range(10000000) r(i)")
    assert (done.row_count, done.truncated, done.page_rows, done.page_next) == (150, True, 100, 100)


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 1::HUGEINT", ("long", "1")),
        ("SELECT 1::TINYINT", ("int", 1)),
        ("SELECT 18446744073709551615::UBIGINT", "out-of-range"),
        ("SELECT 9223372036854775808::HUGEINT", "out-of-range"),
        ("SELECT '11111111-1111-1111-1111-111111111111'::UUID", ("string", "11111111-1111-1111-1111-111111111111")),
        ("SELECT NULL", ("string", None)),
        ("SELECT 1.10::FLOAT", ("float", 1.1)),
        ("SELECT 'NaN'::DOUBLE", ("double", None)),
        ("SELECT 1.50::DECIMAL(5,2)", ("decimal(5,2)", "1.50")),
        ("SELECT TIMESTAMP '2024-01-01 00:00:00'", ("timestamp", "2024-01-01T00:00:00")),
        ("SELECT TIMESTAMPTZ '2024-01-01 00:00:00+02'", ("timestamptz", "2023-12-31T22:00:00Z")),
        ("SELECT TIMESTAMP_NS '2024-01-01 00:00:00.5'", ("timestamp", "2024-01-01T00:00:00.500000")),
        ("SELECT 'infinity'::DATE", "out-of-range"),
        ("SELECT DATE '10000-01-01'", "out-of-range"),
        ("SELECT DATE '0001-01-01'", ("date", "0001-01-01")),
        ("SELECT INTERVAL 1 DAY", "result-type-unsupported"),
        ("SELECT [1]", "result-type-unsupported"),
        ("SELECT {'a': 1}", "result-type-unsupported"),
        ("SELECT MAP {'a': 1}", "result-type-unsupported"),
        ("SELECT 'a'::BLOB", "result-type-unsupported"),
    ],
)
def test_types_end_as_one_of_the_ten(child: Child, errand: Errand, sql: str, shown: object) -> None:
    done, page = run(child, errand, sql)
    if isinstance(shown, str):
        assert done.error_code == shown
    else:
        told = orjson.loads(b"{" + page + b"}")
        assert (told["columns"][0]["type"], told["rows"][0][0]) == shown


def test_not_finite_numbers_are_warned_of(child: Child, errand: Errand) -> None:
    done, _ = run(child, errand, "SELECT 'NaN'::DOUBLE")
    assert done.warnings == ("Column x holds NaN or infinite values; JSON shows them as null.",)


def test_a_scalar_call_that_ignores_interrupts_ends_at_the_deadline(own_child: Child, errand: Errand) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlinePassed):
        run(own_child, errand, "SELECT count(*) FROM range(1000000000000) a(i), range(1000000) b(j)", seconds=0.5)
    own_child.kill()
    assert time.monotonic() - began < 120
    assert not own_child.alive


def test_a_child_that_is_killed_is_noticed(own_child: Child, errand: Errand) -> None:
    run(own_child, errand, "SELECT 1")
    os.kill(own_child.pid, signal.SIGKILL)
    with pytest.raises(ChildLost):
        run(own_child, errand, "SELECT 1")


def test_it_imports_neither_pandas_nor_iceberg_nor_boto() -> None:
    import subprocess
    import sys

    script = "import sys, athena.engines.duckdb.child; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "pyiceberg", "boto3", "sqlglot", "chalice", "http", "socketserver"}.intersection(told)
