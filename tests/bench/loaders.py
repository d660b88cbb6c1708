"""CSV → Parquet by others, each in a process of its own: `python -m tests.bench.loaders NAME SOURCE TARGET`.

All write zstd level 3 in row groups of 131,072 rows, with money as decimal, and check nothing that they do not check by
themselves. `encoding` writes rows that are in memory already, and prints how long that took alone.
"""

import resource
import sys
import time
from collections.abc import Callable

from tests.bench.taxi import FLAG, NAMES, TIMES, WHOLE

GROUP_ROWS = 131_072
LEVEL = 3
THREADS = 2


def duckdb(source: str, target: str) -> None:
    """DuckDB's COPY with every type given; several sources are joined by newlines."""
    kinds = dict.fromkeys(WHOLE, "INTEGER") | dict.fromkeys(TIMES, "TIMESTAMP") | {FLAG: "VARCHAR"}
    columns = {name: kinds.get(name, "DECIMAL(10,2)") for name in NAMES}
    options = "header=true, auto_detect=false, delim=',', quote='\"', escape='\"'"
    _copied(f"read_csv({source.splitlines()}, {options}, columns={columns})", target)


def sniffed(source: str, target: str) -> None:
    """DuckDB's COPY with everything found by itself, as somebody does it who has just got the files."""
    _copied(f"read_csv_auto({source.splitlines()})", target)


def _copied(found: str, target: str) -> None:
    import duckdb

    written = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {LEVEL}, ROW_GROUP_SIZE {GROUP_ROWS}"
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(f"COPY (SELECT * FROM {found}) TO '{target}' ({written})")


def polars(source: str, target: str) -> None:
    """Polars' streaming sink, typed."""
    import polars

    kinds: dict[str, polars.DataType | type[polars.DataType]] = dict.fromkeys(WHOLE, polars.Int32)
    kinds |= dict.fromkeys(TIMES, polars.Datetime("us")) | {FLAG: polars.String}
    schema = {name: kinds.get(name, polars.Decimal(10, 2)) for name in NAMES}
    frame = polars.scan_csv(source, schema=schema, has_header=True, try_parse_dates=False)
    frame.sink_parquet(target, compression="zstd", compression_level=LEVEL, row_group_size=GROUP_ROWS)


def pyarrow(source: str, target: str) -> None:
    """PyArrow's streaming reader, typed."""
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    kinds = dict.fromkeys(WHOLE, pa.int32()) | dict.fromkeys(TIMES, pa.timestamp("us")) | {FLAG: pa.string()}
    types = {name: kinds.get(name, pa.decimal128(10, 2)) for name in NAMES}
    reader = pacsv.open_csv(
        source,
        pacsv.ReadOptions(block_size=8 * 1024 * 1024),
        convert_options=pacsv.ConvertOptions(column_types=types, timestamp_parsers=[pacsv.ISO8601]),
    )
    with pq.ParquetWriter(target, reader.schema, compression="zstd", compression_level=LEVEL) as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=GROUP_ROWS)


def pandas(source: str, target: str) -> None:
    """pandas with its C parser; money becomes decimal on the way out."""
    import pandas
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = pandas.read_csv(source, parse_dates=list(TIMES), dtype=dict.fromkeys(WHOLE, "int32"))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    money = [name for name in NAMES if name not in (*WHOLE, *TIMES, FLAG)]
    for name in money:
        exact = table[name].cast(pa.decimal128(10, 2), safe=False)
        table = table.set_column(table.schema.get_field_index(name), name, exact)
    pq.write_table(table, target, compression="zstd", compression_level=LEVEL, row_group_size=GROUP_ROWS)


def pyspark(source: str, target: str) -> None:
    """Spark on this machine, typed, failing fast."""
    from pyspark.sql import SparkSession

    kinds = dict.fromkeys(WHOLE, "INT") | dict.fromkeys(TIMES, "TIMESTAMP_NTZ") | {FLAG: "STRING"}
    schema = ", ".join(f"{name} {kinds.get(name, 'DECIMAL(10,2)')}" for name in NAMES)
    session = (
        SparkSession.builder.master(f"local[{THREADS}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("parquet.compression.codec.zstd.level", LEVEL)
        .getOrCreate()
    )
    frame = session.read.csv(source, schema=schema, header=True, mode="FAILFAST")
    frame.write.mode("overwrite").parquet(target, compression="zstd")
    session.stop()


def encoding(source: str, target: str) -> None:
    """DuckDB's encoding of a Parquet file's rows, system columns included, once they are in memory."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(f"CREATE TABLE rows AS SELECT * FROM read_parquet('{source}')")
    began, before = time.perf_counter(), _cpu()
    written = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {LEVEL}, ROW_GROUP_SIZE {GROUP_ROWS}"
    connection.execute(f"COPY rows TO '{target}' ({written})")
    sys.stdout.write(f"{time.perf_counter() - began} {_cpu() - before}\n")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


LOADERS: dict[str, Callable[[str, str], None]] = {
    loader.__name__: loader for loader in (duckdb, sniffed, polars, pyarrow, pandas, pyspark, encoding)
}


if __name__ == "__main__":
    LOADERS[sys.argv[1]](sys.argv[2] if sys.argv[2] != "-" else sys.stdin.read(), sys.argv[3])
