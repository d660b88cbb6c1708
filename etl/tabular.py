"""Sheaves of records of any format but CSV → what `study` and `transform` give for CSV: one contract, one balance.

What was text in the file is read by the source's rules, decimal marks and all; what had a type of its own there needs
none of them. Types that the file itself declares (Parquet) are taken, others are inferred from every value.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athena.arrow import arrow_type
from athena.dataset import Column, DataType
from athena.errors import Refused
from etl._column import Converted, check_column, convert_column, missing_column
from etl._moments import EPOCHS
from etl._names import clean_names
from etl._plan import Feed, file_names, plan
from etl._seen import Seen
from etl._sheaves import Survey, without_records
from etl._study import Concluded, as_text, settled, spellings, wanted
from etl._values import Bad, Reading
from etl.contract import Contract, SourceRules
from etl.dialect import Dialect, names_without_header
from etl.formats import Cells, Format, Reader, Sheaf, Told, seekable
from etl.infer import Inferred, decide, fit
from etl.report import Reject
from etl.source import Source
from etl.tally import Tally
from etl.transform import Advance, Portion, Study, arrow_schema, unbalanced

_HASH_BYTES = 4 * 1024 * 1024


def reader_of(kind: Format, source: Source, rules: SourceRules) -> Reader:
    """What reads the format."""
    if kind == "jsonl":
        from etl.formats.jsonl import JsonLines

        return JsonLines(source.name)
    if kind == "xlsx":
        from etl.formats.xlsx import Workbook

        return Workbook(source.name, rules)
    from etl.formats.parquet import ParquetRows

    return ParquetRows(source.name)


def study_rows(
    source: Source, kind: Format, *, contract: Contract | None, rules: SourceRules, text: bool, advance: Advance
) -> Study:
    """The first pass over a file of that format; as `etl.transform.study`."""
    reader, survey = reader_of(kind, source, rules), Survey()
    content, survey.size_bytes = _hashed(source, advance)
    if not survey.size_bytes:
        raise Refused(f"{source.name} is empty.", "Drop a file with content.", code="empty-file")
    with _opened(reader, source) as stream:
        told = reader.tell(stream)
    with _opened(reader, source) as stream:
        for sheaf in reader.sheaves(stream):
            survey.take(sheaf, spellings(rules))
    headings = _keys(told) or tuple(survey.seen)
    if not headings:
        raise without_records(source.name, survey)
    dialect = _dialect(headings, told, contract)
    ended = as_text(dialect, rules) if text else _concluded(dialect, headings, told, survey, contract, rules)
    warnings = (*dialect.notes, *ended.warnings)
    return Study(
        content, survey.size_bytes, survey.units, dialect, ended.columns, ended.rules, ended.added, warnings, kind
    )


def transform_rows(
    source: Source, studied: Study, columns: Sequence[Column], rules: SourceRules, advance: Advance
) -> Iterator[Portion]:
    """The second pass; as `etl.transform.transform`."""
    planned = plan(studied.dialect, columns, rules)
    reader, schema = reader_of(studied.format, source, rules), arrow_schema(columns)
    with _opened(reader, source) as stream:
        told = reader.tell(stream)
    headings = _keys(told) or studied.dialect.headings
    total = Tally()
    with _opened(reader, source) as stream:
        for sheaf in reader.sheaves(stream):
            portion = _portion(sheaf, planned.feeds, headings, schema)
            total += portion.tally
            advance(studied.size_bytes * total.lines_in // max(studied.lines, 1))
            yield portion
    if not total.balances or total.lines_in != studied.lines:
        raise unbalanced(source, studied, total)


def _opened(reader: Reader, source: Source) -> "closing[BinaryIO]":
    return seekable(source) if reader.seeks else closing(source.open())  # type: ignore[return-value]


def _hashed(source: Source, advance: Advance) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with closing(source.open()) as stream:
        while some := stream.read(_HASH_BYTES):
            digest.update(some)
            size += len(some)
            advance(size)
    return digest.hexdigest(), size


def _keys(told: Told) -> tuple[str, ...]:
    """What cells are found by: headings may stand twice in sheets and in Parquet files."""
    return tuple(f"{place}\0{heading}" for place, heading in enumerate(told.headings))


def _dialect(headings: Sequence[str], told: Told, contract: Contract | None) -> Dialect:
    if not told.named:
        names, notes = names_without_header(len(headings), [one.name for one in contract.columns] if contract else ())
        return Dialect("utf-8", "", None, None, False, names, notes=(*told.notes, *notes))
    shown = told.headings or tuple(headings)
    names, notes = clean_names(shown)
    return Dialect("utf-8", "", None, None, True, names, shown, notes=(*told.notes, *notes))


def _concluded(
    dialect: Dialect,
    headings: Sequence[str],
    told: Told,
    survey: Survey,
    contract: Contract | None,
    rules: SourceRules,
) -> Concluded:
    names = file_names(dialect, rules)
    by_name = dict(zip(names, headings, strict=True))
    found = wanted(dialect, contract, rules)
    if found.sampled:
        sample = {column.name: survey.sample.get(by_name[column.name], []) for column in found.sampled}
        rules, found = settled(found, sample, rules, dialect)
    # Numbers with a type of their own are written with a point, whatever the source's text is written with.
    seen = {name: survey.seen.get(by_name[name], Seen()) for name in found.infer}
    inferred = decide(seen, replace(rules, decimal=None, thousands=None))
    inferred = _declared(inferred, {name: told.declared.get(by_name[name]) for name in found.infer})
    completed = replace(inferred.rules, decimal=inferred.rules.decimal or rules.decimal)
    completed = replace(completed, thousands=completed.thousands or rules.thousands)
    widen = contract is not None and contract.inferred
    columns, added = fit(contract.columns if contract else (), inferred, new=found.new, widen=widen)
    types = {column.name: column.type.name for column in columns}
    formats = {
        name: form for name, form in completed.formats.items() if name in rules.formats or types.get(name) != "string"
    }
    return Concluded(columns, replace(completed, formats=formats), added, (*found.warnings, *inferred.warnings))


def _declared(inferred: Inferred, declared: Mapping[str, DataType | None]) -> Inferred:
    """The file's own types in place of those that its values look like."""
    if not any(declared.values()):
        return inferred
    columns = tuple(replace(one, type=declared.get(one.name) or one.type) for one in inferred.columns)
    exact = frozenset(one.name for one in columns if one.type.name == "int") | inferred.exact
    own = {name for name, kind in declared.items() if kind is not None}
    formats = {name: form for name, form in inferred.rules.formats.items() if name not in own}
    rules = replace(inferred.rules, formats=formats)
    return Inferred(columns, rules, inferred.unknown - own, exact, ())


def _portion(sheaf: Sheaf, feeds: Sequence[Feed], headings: Sequence[str], schema: pa.Schema) -> Portion:
    count = len(sheaf.numbers)
    arrays: list[pa.Array] = []
    bad: dict[int, tuple[Feed, Bad]] = {}
    for feed in feeds:
        cells = None if feed.place is None else sheaf.cells.get(headings[feed.place])
        if feed.place is None:
            arrays.append(missing_column(feed.column, count))
            continue
        converted = _converted(cells or Cells(pa.nulls(count, pa.string())), feed.reading)
        arrays.append(converted.values)
        for row, reason in converted.bad.items():
            bad.setdefault(row, (feed, reason))
    numbers = np.asarray(sheaf.numbers, np.int64)
    rejects = [*sheaf.rejects, *(_reject(sheaf, row, *why) for row, why in sorted(bad.items()))]
    kept = np.ones(count, np.bool_)
    kept[list(bad)] = False
    if bad:
        arrays = [array.filter(pa.array(kept)) for array in arrays]
    rows = pa.RecordBatch.from_arrays(
        [_fitted(one, at.type) for one, at in zip(arrays, schema, strict=True)], schema=schema
    )
    return Portion(
        rows,
        pa.array(numbers[kept], pa.int64()),
        tuple(sorted(rejects, key=lambda one: one.first_line)),
        sheaf.skipped,
        _tally(sheaf, rows.num_rows, rejects),
    )


def _fitted(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array if array.type == kind else array.cast(kind)


def _reject(sheaf: Sheaf, row: int, feed: Feed, reason: Bad) -> Reject:
    number = sheaf.numbers[row]
    first_byte, last_byte, raw = sheaf.place(row)
    return Reject(number, number, first_byte, last_byte, feed.column.name, reason.reason, reason.message, raw)


def _tally(sheaf: Sheaf, loaded: int, rejects: Sequence[Reject]) -> Tally:
    skipped: dict[str, int] = {"blank": sheaf.blank} if sheaf.blank else {}
    reasons: dict[str, int] = {}
    for one in sheaf.skipped:
        skipped[one.kind] = skipped.get(one.kind, 0) + 1
    for reject in rejects:
        reasons[reject.reason] = reasons.get(reject.reason, 0) + 1
    return Tally(sheaf.units, loaded, len(rejects), skipped, loaded, len(rejects), reasons)


def _converted(cells: Cells, reading: Reading) -> Converted:
    """A column's values: natively where the file has them in a type that fits, else by the text that they are."""
    if cells.native is not None and _fits(cells.native.type, reading):
        values = cells.native.cast(arrow_type(reading.type))
        return Converted(values, check_column(cells.text, values, reading, {}))
    text = _present(cells.text, reading)
    if cells.typed is None:
        return convert_column(text, _plain(reading))
    if not pc.any(cells.typed).as_py():
        return convert_column(text, reading)
    # Some values had a type of their own: these are read as they are written, the others by the rules.
    own = pc.fill_null(cells.typed, False)
    nothing = pa.scalar(None, pa.string())
    free = replace(reading, required=False)
    first = convert_column(pc.if_else(own, text, nothing), _plain(free))
    second = convert_column(pc.if_else(own, nothing, text), free)
    values = pc.if_else(own, _fitted(first.values, second.values.type), second.values)
    bad = first.bad | second.bad
    return Converted(values, bad | check_column(text, values, replace(reading, allowed=None), bad))


def _fits(kind: pa.DataType, reading: Reading) -> bool:
    if reading.words or reading.factor is not None or reading.form in EPOCHS:
        return False
    wanted_type = arrow_type(reading.type)
    if pa.types.is_timestamp(kind) and reading.type.name != ("timestamptz" if kind.tz else "timestamp"):
        return False
    return bool(kind == wanted_type) or (str(kind), str(wanted_type)) in _WIDENED


_WIDENED = frozenset([("int32", "int64"), ("float", "double"), ("int32", "double")])


def _plain(reading: Reading) -> Reading:
    """The same for values that are written as their type is."""
    form = reading.form if reading.form in EPOCHS else None
    return replace(reading, decimal=".", thousands=None, form=form, _spelled={})


def _present(text: pa.StringArray, reading: Reading) -> pa.StringArray:
    """Text without the spellings of a missing value, but for the empty text, which a file can say in earnest."""
    words = [word for word in reading.absent if word]
    if not (words and reading.is_text):
        return text
    return pc.if_else(pc.is_in(text, value_set=pa.array(words, pa.string())), pa.scalar(None, pa.string()), text)
