"""The whole way from one opened file to typed batches, for `convert` and `ingest` alike.

Two passes over the source: `study` (what is this?) and `transform` (typed rows, rejects, a tally that balances).

    study:      bytes → dialect → every value's kinds → columns
    transform:  bytes → blocks of whole records → typed columns and faults → portions
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from athena.arrow import arrow_type
from athena.dataset import SYSTEM_COLUMNS, Column
from athena.errors import Damaged, Failed
from etl._decimals import is_short, narrow_type
from etl._encoding import Encoding
from etl._plan import Plan, plan
from etl._study import Wanted, as_text, concluded, settled, spellings, wanted
from etl._survey import Survey, drain, observe_all, sample_values
from etl.contract import READER_VERSION, Contract, SourceRules
from etl.dialect import SAMPLE_BYTES, Dialect, detect
from etl.formats import Format, format_of
from etl.read import Readable, read_blocks
from etl.report import Reject, Skipped
from etl.source import Source
from etl.standardise import Typed, Way, standardise
from etl.tally import Tally

__all__ = [
    "READER_VERSION",
    "Portion",
    "Study",
    "Tally",
    "arrow_schema",
    "study",
    "transform",
    "transform_narrow",
    "with_origin",
]

Advance = Callable[[int], None]
"""Told how many decompressed bytes have been read in this pass so far."""


def no_advance(_bytes_read: int) -> None:
    """Where progress is told to nobody."""


@dataclass(frozen=True, slots=True)
class Study:
    """What the first pass found out.

    `columns` is what the file should be loaded as: the contract's columns, with those that the file adds at the
    end (`added`); or the inferred ones where there is no contract; or the contract's, legally widened, while it is
    `inferred`. `rules` are the rules given, completed by what was found out (`formats`, `decimal`, …): they
    are what a first contract is written with. `lines` and `size_bytes` are of the decompressed file.
    """

    content: str
    size_bytes: int
    lines: int
    dialect: Dialect
    columns: tuple[Column, ...]
    rules: SourceRules
    added: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    format: Format = "csv"


@dataclass(frozen=True, slots=True)
class Portion:
    """A block of the file: good rows (`rows`, in the order of the columns asked for, without system columns),
    the first physical line of each, and everything that is not a good row. `tally` counts this portion alone."""

    rows: pa.RecordBatch
    first_lines: pa.Int64Array
    rejects: tuple[Reject, ...]
    skipped: tuple[Skipped, ...]
    tally: Tally
    warnings: tuple[str, ...] = ()


def study(
    source: Source,
    *,
    contract: Contract | None,
    rules: SourceRules,
    text: bool = False,
    advance: Advance = no_advance,
    threads: int = 2,
) -> Study:
    """The first pass: content hash, dialect, and types where no confirmed contract gives them.

    `text` makes every column a string. Raises `Refused`: "empty-file" (zero bytes), "not-text" (binary),
    "contract-mismatch" (a required column is missing, or new columns where the contract rejects them),
    "type-conflict" (cannot be widened legally), "contract-invalid" (rules that cannot be meant).
    """
    kind = format_of(source)
    if kind != "csv":
        from etl.tabular import study_rows

        return study_rows(source, kind, contract=None if text else contract, rules=rules, text=text, advance=advance)
    task = _Task(source, None if text else contract, rules, text, advance, threads)
    sample, whole = _sample(source)
    expected = [column.name for column in contract.columns] if contract else []
    dialect = detect(sample, whole=whole, rules=rules, expected=expected)
    passed, verdict = _pass(task, dialect, sample)
    if verdict is not None and rules.encoding is None and verdict.name != dialect.encoding:
        # Bytes behind the sample told of another encoding.
        dialect = detect(sample, whole=whole, rules=replace(rules, encoding=verdict.name), expected=expected)
        passed, _ = _pass(task, dialect, sample)
    if verdict is not None and verdict.note and rules.encoding is None:
        passed = replace(passed, warnings=(verdict.note, *passed.warnings))
    return passed


@dataclass(frozen=True, slots=True)
class _Task:
    source: Source
    contract: Contract | None
    rules: SourceRules
    text: bool
    advance: Advance
    threads: int


def _sample(source: Source) -> tuple[bytes, bool]:
    with closing(source.open()) as stream:
        sample = stream.read(SAMPLE_BYTES)
        return sample, not stream.read(1)


def _pass(task: _Task, dialect: Dialect, sample: bytes) -> tuple[Study, Encoding | None]:
    """Everything that the whole file tells when it is read in this dialect, and what encoding its bytes tell of."""
    found, rules = Wanted({}, (), ()), task.rules
    if not task.text:
        found = wanted(dialect, task.contract, rules)
        if found.sampled:
            rules, found = settled(found, sample_values(sample, dialect, found.sampled, rules), rules, dialect)
    with closing(task.source.open()) as stream, closing(Survey(stream, dialect, task.advance)) as survey:
        seen = {}
        if found.infer:
            seen = observe_all(survey, dialect, found.infer, spellings(rules), threads=task.threads)
        drain(survey)
    ended = as_text(dialect, rules) if task.text else concluded(task.contract, found, seen, rules)
    warnings = (*dialect.notes, *ended.warnings)
    seen_as = Study(
        survey.content, survey.size_bytes, survey.lines, dialect, ended.columns, ended.rules, ended.added, warnings
    )
    return seen_as, survey.verdict()


def transform(
    source: Source,
    studied: Study,
    columns: Sequence[Column],
    rules: SourceRules,
    *,
    advance: Advance = no_advance,
    threads: int = 2,
) -> Iterator[Portion]:
    """The second pass: typed rows in the order of the file, by `columns` (usually `studied.columns`, with field ids).

    A column that the file does not have is NULL. Memory is bounded by a few blocks. The portions' tallies add up
    to the whole file; when they do not balance the last step raises `Damaged` ("unbalanced"), and when the file is not
    the studied one any more `Failed` ("file-changed").
    """
    schema = arrow_schema(columns)
    for portion in transform_narrow(source, studied, columns, rules, advance=advance, threads=threads):
        wide = pa.RecordBatch.from_arrays(of_types(portion.rows.columns, schema), schema=schema)
        yield replace(portion, rows=wide)


def transform_narrow(
    source: Source,
    studied: Study,
    columns: Sequence[Column],
    rules: SourceRules,
    *,
    advance: Advance = no_advance,
    threads: int = 2,
) -> Iterator[Portion]:
    """The same with rows of `stored_schema`: quick to make and to write, but Arrow can do little else with them."""
    if studied.format != "csv":
        from etl.tabular import transform_rows

        yield from transform_rows(source, studied, columns, rules, advance)
        return
    planned = plan(studied.dialect, columns, rules)
    schema = stored_schema(columns)
    total = Tally()
    with closing(source.open()) as stream:
        counted = _Counted(stream, advance)
        for typed in _typed(counted, studied.dialect, planned, threads):
            total += typed.tally
            rows = pa.RecordBatch.from_arrays(of_types(typed.columns, schema), schema=schema)
            yield Portion(rows, typed.first_lines, typed.rejects, typed.skipped, typed.tally, typed.warnings)
    if counted.size_bytes != studied.size_bytes:
        raise Failed(
            f"{source.name} had {studied.size_bytes} bytes when it was studied and has {counted.size_bytes} now.",
            "Load it again once nobody writes to it any more.",
            code="file-changed",
        )
    if not total.balances or total.lines_in != studied.lines:
        raise unbalanced(source, studied, total)


def unbalanced(source: Source, studied: Study, total: Tally) -> Damaged:
    """What is raised when something fell under the table."""
    return Damaged(
        f"{source.name} does not balance: {studied.lines} lines in, accounted for are {total}.",
        "Nothing was loaded. This is a fault of Lakegate: please report it with the file.",
        code="unbalanced",
    )


@dataclass(slots=True)
class _Counted:
    """A stream that tells how far it was read."""

    stream: Readable
    advance: Advance
    size_bytes: int = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self.stream.read(size)
        self.size_bytes += len(data)
        self.advance(self.size_bytes)
        return data


def _typed(stream: Readable, dialect: Dialect, planned: Plan, threads: int) -> Iterator[Typed]:
    """The blocks, standardised ahead of the caller by some threads, in their order."""
    pending: deque[Future[Typed]] = deque()
    way: Way = "direct"
    with ThreadPoolExecutor(threads) as pool:
        try:
            for block in read_blocks(stream, dialect):
                pending.append(pool.submit(standardise, block, planned, way))
                if len(pending) > threads:
                    typed = pending.popleft().result()
                    way = typed.way
                    yield typed
            while pending:
                yield pending.popleft().result()
        finally:
            for waiting in pending:
                waiting.cancel()


def with_origin(portion: Portion, *, file: str, content: str, loaded_at: datetime) -> pa.RecordBatch:
    """The portion's rows with the system columns (`athena.dataset.SYSTEM_COLUMNS`) at the end."""
    count = portion.rows.num_rows
    instant = pa.repeat(pa.scalar(loaded_at, pa.timestamp("us", "UTC")), count)
    origin = [pa.repeat(pa.scalar(file), count), portion.first_lines, pa.repeat(pa.scalar(content), count), instant]
    return pa.RecordBatch.from_arrays(
        [*portion.rows.columns, *origin],
        names=[*portion.rows.schema.names, *(column.name for column in SYSTEM_COLUMNS)],
    )


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of `columns`; fields carry `PARQUET:field_id` where the column has one, and are not nullable
    where it is required.

    >>> from athena.dataset import DataType
    >>> arrow_schema([Column("n", DataType("int"), required=True, field_id=1)]).field("n").nullable
    False
    """
    return pa.schema([_field(column) for column in columns])


def stored_schema(columns: Sequence[Column]) -> pa.Schema:
    """The same with short decimals in 64 bits, as Parquet stores them.

    >>> from athena.dataset import DataType
    >>> stored_schema([Column("fare", DataType("decimal", 9, 2))]).field("fare").type
    Decimal64Type(decimal64(9, 2))
    """
    fields = zip(columns, arrow_schema(columns), strict=True)
    return pa.schema(
        [field.with_type(narrow_type(column.type)) if is_short(column.type) else field for column, field in fields]
    )


def of_types(columns: Sequence[pa.Array], schema: pa.Schema) -> list[pa.Array]:
    """The columns as a schema wants them: decimals come in 64 or 128 bits, as was quickest for their block."""
    pairs = zip(columns, schema.types, strict=True)
    return [column if column.type == kind else column.cast(kind) for column, kind in pairs]


def _field(column: Column) -> pa.Field:
    metadata = None if column.field_id is None else {"PARQUET:field_id": str(column.field_id)}
    return pa.field(column.name, arrow_type(column.type), nullable=not column.required, metadata=metadata)
