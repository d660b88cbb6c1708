"""The whole way from one opened file to typed batches, for `convert` and `ingest` alike.

Two passes over the source: `study` (what is this?) and `transform` (typed rows, rejects, a tally that balances).

    study:      bytes → dialect → every value's kinds → columns
    transform:  bytes → blocks of whole records → typed columns and faults → portions
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import pyarrow as pa

from athena.dataset import SYSTEM_COLUMNS, Column
from athena.errors import Damaged, Failed
from etl._encoding import Encoding
from etl._plan import Plan, plan
from etl._schema import arrow_schema, of_types, stored_schema
from etl._stretch import Stretch, read_stretch
from etl._study import Wanted, as_text, concluded, settled, spellings, wanted
from etl._survey import Surveyor, sample_values, survey_file
from etl.contract import READER_VERSION, Contract, SourceRules
from etl.dialect import SAMPLE_BYTES, Dialect, detect
from etl.formats import Format, format_of
from etl.read import Block, Readable, read_blocks
from etl.report import Reject, Skipped
from etl.source import Source
from etl.standardise import DIRECT, Typed, standardise
from etl.tally import Tally

__all__ = [
    "READER_VERSION",
    "Portion",
    "Study",
    "Tally",
    "arrow_schema",
    "of_types",
    "repeating",
    "stored_schema",
    "study",
    "transform",
    "transform_narrow",
    "with_origin",
]

Advance = Callable[[int], None]
"""Told how many decompressed bytes have been read in this pass so far."""

_THREADS = 2


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
    surveyor: Surveyor | None = None,
) -> Study:
    """The first pass: content hash, dialect, and types where no confirmed contract gives them.

    `text` makes every column a string. `surveyor` reads a CSV file in this process's stead.
    Raises `Refused`: "empty-file" (zero bytes), "not-text" (binary),
    "contract-mismatch" (a required column is missing, or new columns where the contract rejects them),
    "type-conflict" (cannot be widened legally), "contract-invalid" (rules that cannot be meant).
    """
    kind = format_of(source)
    if kind != "csv":
        from etl.tabular import study_rows

        return study_rows(source, kind, contract=None if text else contract, rules=rules, text=text, advance=advance)
    task = _Task(None if text else contract, rules, text, surveyor or partial(survey_file, source, advance))
    sample, whole = _sample(source)
    columns = contract.columns if contract else ()
    detected = partial(
        detect,
        sample,
        whole=whole,
        expected=[column.name for column in columns],
        texts=[column.name for column in columns if column.type.name == "string"],
    )
    dialect = detected(rules=rules)
    passed, verdict = _pass(task, dialect, sample)
    if verdict is not None and rules.encoding is None and verdict.name != dialect.encoding:
        # Bytes behind the sample told of another encoding.
        dialect = detected(rules=replace(rules, encoding=verdict.name))
        passed, _ = _pass(task, dialect, sample)
    if verdict is not None and verdict.note and rules.encoding is None:
        passed = replace(passed, warnings=(verdict.note, *passed.warnings))
    return passed


@dataclass(frozen=True, slots=True)
class _Task:
    contract: Contract | None
    rules: SourceRules
    text: bool
    surveyor: Surveyor


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
    told = task.surveyor(dialect, found.infer, spellings(rules))
    ended = as_text(dialect, rules) if task.text else concluded(task.contract, found, told.seen, rules)
    warnings = (*dialect.notes, *ended.warnings)
    seen_as = Study(
        told.content, told.size_bytes, told.lines, dialect, ended.columns, ended.rules, ended.added, warnings
    )
    return seen_as, told.verdict


def transform(
    source: Source,
    studied: Study,
    columns: Sequence[Column],
    rules: SourceRules,
    *,
    advance: Advance = no_advance,
    stretch: Stretch | None = None,
) -> Iterator[Portion]:
    """The second pass: typed rows in the order of the file, by `columns` (usually `studied.columns`, with field ids).

    A column that the file does not have is NULL. Memory is bounded by a few blocks. The portions' tallies add up
    to the whole file; when they do not balance the last step raises `Damaged` ("unbalanced"), and when the file is not
    the studied one any more `Failed` ("file-changed"). Of a `stretch` nothing is added up.
    """
    schema = arrow_schema(columns)
    for portion in transform_narrow(source, studied, columns, rules, advance=advance, stretch=stretch):
        wide = pa.RecordBatch.from_arrays(of_types(portion.rows.columns, schema), schema=schema)
        yield replace(portion, rows=wide)


def transform_narrow(
    source: Source,
    studied: Study,
    columns: Sequence[Column],
    rules: SourceRules,
    *,
    advance: Advance = no_advance,
    stretch: Stretch | None = None,
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
        if stretch is None:
            blocks = read_blocks(counted, studied.dialect)
        else:
            stream.seek(stretch.start)
            blocks = read_stretch(counted, studied.dialect, stretch)
        for typed in _typed(blocks, planned):
            total += typed.tally
            rows = pa.RecordBatch.from_arrays(of_types(typed.columns, schema), schema=schema)
            yield Portion(rows, typed.first_lines, typed.rejects, typed.skipped, typed.tally, typed.warnings)
    if stretch is None:
        _check(source, studied, counted.size_bytes, total)


def _check(source: Source, studied: Study, size_bytes: int, total: Tally) -> None:
    if size_bytes != studied.size_bytes:
        raise Failed(
            f"{source.name} had {studied.size_bytes} bytes when it was studied and has {size_bytes} now.",
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


def _typed(blocks: Iterable[Block], planned: Plan) -> Iterator[Typed]:
    """The blocks, standardised ahead of the caller by some threads, in their order."""
    pending: deque[Future[Typed]] = deque()
    way = DIRECT
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for block in blocks:
                pending.append(pool.submit(standardise, block, planned, way))
                if len(pending) > _THREADS:
                    typed = pending.popleft().result()
                    way = typed.way
                    yield typed
            while pending:
                yield pending.popleft().result()
        finally:
            for waiting in pending:
                waiting.cancel()


def with_origin(portion: Portion, *, file: str, content: str, loaded_at: datetime) -> pa.RecordBatch:
    """The portion's rows with the system columns (`athena.dataset.SYSTEM_COLUMNS`) at the end, in the types of
    `repeating`."""
    count = portion.rows.num_rows
    instant = pa.repeat(pa.scalar(loaded_at, pa.timestamp("us", "UTC")), count)
    origin = [_same(file, count), portion.first_lines, _same(content, count), instant]
    return pa.RecordBatch.from_arrays(
        [*portion.rows.columns, *origin],
        names=[*portion.rows.schema.names, *(column.name for column in SYSTEM_COLUMNS)],
    )


# What is the same in every row is written from a dictionary of one value: nearly for nothing.
_REPEATING = frozenset(["_file", "_content"])


def repeating(schema: pa.Schema) -> pa.Schema:
    """A schema whose rows all come from one content: its name and its file's are of dictionaries."""
    kind = pa.dictionary(pa.int8(), pa.string())
    return pa.schema([field.with_type(kind) if field.name in _REPEATING else field for field in schema])


def _same(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), count), pa.array([text], pa.string()))
