"""One source, read: study, transform, write, count. It either balances, or it is a failed report."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from athena.dataset import SYSTEM_NAMES, Column
from athena.errors import Damaged, LakegateError, Refused
from etl._survey import Surveyed
from etl.account import account
from etl.contract import Contract, Layout, SourceRules
from etl.dialect import Dialect
from etl.files import Folder
from etl.plan import WrittenFile
from etl.ports import Landing, Reports
from etl.rejects import RejectsTable
from etl.report import MAX_SKIPPED_SHOWN, Report, Skipped
from etl.source import Source
from etl.transform import Portion, Study, Tally, study, transform, transform_narrow, with_origin

Progress = Callable[[str, int, int, int], None]

_HASH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rows:
    """What some of a source's records came to, in numbers, and the finished files that hold them."""

    files: tuple[WrittenFile, ...] = ()
    reject_files: tuple[WrittenFile, ...] = ()
    tally: Tally = field(default_factory=Tally)
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()

    def and_portion(self, portion: "Portion | Rows") -> "Rows":
        """With the numbers of more records, which follow."""
        room = MAX_SKIPPED_SHOWN - len(self.skipped)
        skipped, warnings = (*self.skipped, *portion.skipped[:room]), (*self.warnings, *portion.warnings)
        return replace(self, tally=self.tally + portion.tally, skipped=skipped, warnings=warnings)


class Apart(Protocol):
    """Who reads one large file in stretches (`etl/large.py`)."""

    def survey(self, dialect: Dialect, places: Mapping[str, int], missing: tuple[str, ...]) -> Surveyed:
        """As `etl._survey.survey_file`."""
        ...

    def rows(
        self, studied: Study, columns: Sequence[Column], layout: Layout, *, stem: str, load_id: str
    ) -> tuple[Rows, ...]:
        """The rows of each stretch of the file that was surveyed, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What reading needs of the home. `beat` is called often: it keeps a lease alive, and may raise. With `apart` there
    is one file, which is read in stretches."""

    landing: Landing
    data: Folder
    rejects_data: Folder
    reports: Reports
    loaded_at: datetime
    new_id: Callable[[], str]
    beat: Callable[[], None]
    progress: Progress
    apart: Apart | None = None


class Sink(Protocol):
    """Where rows go."""

    rows: int

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows in (all columns, in order). Raises `Failed` ("disk")."""
        ...


class Unit:
    """One source on its way; it remembers what is known, so that a report can be made at any point."""

    def __init__(self, desk: Desk, source: Source, *, dataset: str, key: str, of: str) -> None:
        self.source = source
        self.load_id = desk.new_id()
        self._desk = desk
        self._dataset = dataset
        self._of = of
        self._began = time.monotonic()
        self._content: str | None = None
        self._studied: Study | None = None
        self._rows = Rows()
        self.csv = desk.reports.rejects(key, load_id=self.load_id, file=source.name)

    def content(self) -> str:
        """The content alone, at the price of one hash: enough where the rows may be in the table already.

        Raises as `Source.open`.
        """
        digest = hashlib.sha256()
        with self.source.open() as stream:
            while some := stream.read(_HASH_BYTES):
                digest.update(some)
                self._desk.beat()
        self._content = digest.hexdigest()
        return self._content

    def study(self, contract: Contract | None, rules: SourceRules) -> Study:
        """The first pass. Raises as `etl.transform.study`."""
        total = 2 * (self.source.size_bytes or 0)

        def told(bytes_read: int) -> None:
            self._desk.beat()
            self._desk.progress(self.source.name, bytes_read, total, 0)

        surveyor = None if self._desk.apart is None else self._desk.apart.survey
        self._studied = study(self.source, contract=contract, rules=rules, advance=told, surveyor=surveyor)
        self._content = self._studied.content
        return self._studied

    def write(
        self, studied: Study, columns: Sequence[Column], contract: Contract, *, sink: Sink, rejects: RejectsTable
    ) -> None:
        """The second pass: the rows into `sink`. `columns` is the whole table, system columns last.

        Raises as `etl.transform.transform`, `Damaged` ("unbalanced") when anything fell under the table, and `Refused`
        ("too-many-rejects") when more of the records are bad than the contract allows.
        """
        own = [column for column in columns if column.name not in SYSTEM_NAMES]

        def told(bytes_read: int) -> None:
            self._desk.beat()
            done, total = studied.size_bytes + bytes_read, 2 * studied.size_bytes
            self._desk.progress(self.source.name, done, total, self._rows.tally.rows_in)

        # What is to be sorted must be of types that Arrow can compare.
        way = transform_narrow if contract.layout == Layout() else transform
        for portion in way(self.source, studied, own, studied.rules, advance=told):
            self._take(portion, studied, sink, rejects)
        self._check_balance(studied, sink.rows)
        self._check_share(contract.max_rejected)

    def report(self, error: LakegateError | None = None) -> Report:
        """What is known by now; "failed" with an error. Otherwise the status is the ledger's to decide."""
        report = account(self.source.name, self._studied, self._rows.tally, warnings=self._rows.warnings, error=error)
        return replace(
            report,
            dataset=self._dataset,
            source=self._of,
            content=self._content,
            skipped=self._rows.skipped,
            load_id=self.load_id,
            seconds=time.monotonic() - self._began,
        )

    def _take(self, portion: Portion, studied: Study, sink: Sink, rejects: RejectsTable) -> None:
        self._desk.beat()
        rows = with_origin(portion, file=self.source.name, content=studied.content, loaded_at=self._desk.loaded_at)
        sink.write(rows)
        self.csv.write(portion.rejects)
        rejects.write(portion.rejects, load_id=self.load_id, file=self.source.name)
        self._rows = self._rows.and_portion(portion)

    def gather(
        self, made: Sequence[Rows], studied: Study, contract: Contract, *, rejects: RejectsTable
    ) -> tuple[WrittenFile, ...]:
        """The files of all stretches, once they balance together. Raises as `write`; no file is left then."""
        files = tuple(file for one in made for file in one.files)
        try:
            for some in rejects.take([file for one in made for file in one.reject_files]):
                self._desk.beat()
                self.csv.write(some)
            for one in made:
                self._rows = self._rows.and_portion(one)
            self._check_balance(studied, sum(file.rows for file in files))
            self._check_share(contract.max_rejected)
        except BaseException:
            self._desk.data.remove(file.path for file in files)
            raise
        return files

    def _check_balance(self, studied: Study, rows: int) -> None:
        tally = self._rows.tally
        counted = (tally.lines_in, tally.rows_loaded, tally.rows_rejected)
        if not tally.balances or counted != (studied.lines, rows, self.csv.rows):
            raise Damaged(
                f"{self.source.name} does not balance: {studied.lines} lines studied, {rows} rows and {self.csv.rows} "
                f"rejects written, {tally}.",
                "Nothing was loaded. This is a fault of Lakegate: please report it with the file.",
                code="unbalanced",
            )

    def _check_share(self, max_rejected: float) -> None:
        tally = self._rows.tally
        if tally.rejected_share > max_rejected:
            key = self.source.name.partition("!")[0]
            raise Refused(
                tally.too_many(self.source.name, max_rejected),
                f"reports/{key}/ holds them with line and reason: mend the file and drop it again, "
                "or raise max_rejected in the contract.",
                code="too-many-rejects",
            )
