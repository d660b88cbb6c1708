"""What a contract would make of files, without loading anything: its differences to the table, and the rejects.

Every record is read as a load would read it; nothing is written, and no lease is taken.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from athena.dataset import SYSTEM_NAMES, Column
from athena.errors import LakegateError, Refused
from etl.contract import Contract
from etl.evolve import evolve
from etl.ingest import loads
from etl.intake import Intake
from etl.landing import DEFAULT_SOURCE, Source, sources_of
from etl.report import Problem, Reject
from etl.toml_place import line_of
from etl.transform import study, transform_narrow

Progress = Callable[[str, int, int, int], None]
_LATEST_LOADS = 100_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A column that the next load changes: `what` is "adds", "widens", or "leaves" (in the table, not in the contract:
    later rows are NULL there). Types as texts, None where there is none."""

    what: str
    column: str
    now: str | None
    then: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The first record that is rejected for one reason in one column (None: as a whole), and how many there are."""

    column: str | None
    reason: str
    count: int
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One file by the contract: `rejected_now` is what its last load rejected, None when its rows are not in the table.
    `problem` tells why it would fail as a whole."""

    file: str
    rows: int = 0
    rejected: int = 0
    rejected_now: int | None = None
    samples: tuple[Sample, ...] = ()
    problem: Problem | None = None


def differences(contract: Contract, table: Sequence[Column], *, path: str, text: str) -> tuple[Difference, ...]:
    """What the next load does to the columns of the table. Raises `Refused` ("schema-conflict") with path and line
    of the column that cannot become what the contract says."""
    there = {column.name: column for column in table}
    for column in contract.columns:
        old = there.get(column.name)
        try:  # each against its own column alone: a table may have thousands
            evolve(contract.dataset, [] if old is None else [old], [column], last_id=len(table))
        except Refused as error:
            line = line_of(text, ("columns", column.name))
            raise Refused(f"{path}, line {line}: {error.message}", error.remedy, code=error.code) from error
    evolution = evolve(contract.dataset, table, contract.columns, last_id=len(table))
    types = {name: str(column.type) for name, column in there.items()}
    named = {column.name for column in contract.columns}
    left = [one for one in table if one.name not in named and one.name not in SYSTEM_NAMES]
    return (
        *(Difference("adds", one.name, None, str(one.type)) for one in evolution.added if table),
        *(Difference("widens", one.name, types[one.name], str(one.type)) for one in evolution.promoted),
        *(Difference("leaves", one.name, types[one.name], None) for one in left if contract.columns),
    )


def try_landing(intake: Intake, contract: Contract, progress: Progress) -> tuple[Tried, ...]:
    """Every file of the dataset that lies in landing, by the contract as if it were confirmed."""
    now = {one.file: one.report for one in loads(intake, contract.dataset, limit=_LATEST_LOADS) if one.current}
    tried: list[Tried] = []
    for landed in intake.landing.listing(contract.dataset):
        try:
            sources = intake.landing.sources(landed)
        except LakegateError as error:
            tried.append(Tried(landed.key.text, problem=Problem.of(error)))
            continue
        for one in _try(sources, contract, landed.key.source, progress):
            report = now.get(one.file)
            tried.append(replace(one, rejected_now=None if report is None else report.rows_rejected))
    return tuple(tried)


def try_files(files: Iterable[Path], contract: Contract, progress: Progress) -> tuple[Tried, ...]:
    """Some files that lie anywhere, as if source `default` had dropped them. Raises `Refused` ("no-such-file")."""
    tried: list[Tried] = []
    for file in files:
        if not file.is_file():
            raise Refused(f"{file} is no file.", "Name a file that exists.", code="no-such-file")
        tried += _try(sources_of(file, file.name), contract, DEFAULT_SOURCE, progress)
    return tuple(tried)


def _try(sources: Iterable[Source], contract: Contract, of: str, progress: Progress) -> list[Tried]:
    firm = replace(contract, inferred=False) if contract.columns else contract
    return [_try_one(source, firm, of, progress) for source in sources]


def _try_one(source: Source, contract: Contract, of: str, progress: Progress) -> Tried:
    total = source.size_bytes or 0
    counts: Counter[tuple[str | None, str]] = Counter()
    first: dict[tuple[str | None, str], Reject] = {}
    rows = 0

    def told(done: int) -> None:
        progress(source.name, done, 2 * total, rows)

    try:
        studied = study(source, contract=contract, rules=contract.rules(of), advance=told)
        for portion in transform_narrow(
            source, studied, studied.columns, studied.rules, advance=lambda done: told(total + done)
        ):
            rows += portion.tally.rows_in
            for reject in portion.rejects:
                counts[reject.column, reject.reason] += 1
                first.setdefault((reject.column, reject.reason), reject)
    except LakegateError as error:
        return Tried(source.name, rows, sum(counts.values()), problem=Problem.of(error))
    return Tried(
        source.name, rows, sum(counts.values()), None, _samples(counts, first), _excess(contract, rows, counts)
    )


def _samples(
    counts: Mapping[tuple[str | None, str], int], first: Mapping[tuple[str | None, str], Reject]
) -> tuple[Sample, ...]:
    by_count = sorted(first.items(), key=lambda one: -counts[one[0]])
    return tuple(Sample(*key, counts[key], one.first_line, one.message) for key, one in by_count)


def _excess(contract: Contract, rows: int, counts: Mapping[tuple[str | None, str], int]) -> Problem | None:
    rejected = sum(counts.values())
    if rejected <= contract.max_rejected * rows:
        return None
    return Problem(
        "too-many-rejects",
        f"{rejected} of its {rows} records are bad, more than max_rejected = {contract.max_rejected:g} allows.",
        "Mend the file or the contract, or raise max_rejected.",
    )
