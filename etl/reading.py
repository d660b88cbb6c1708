"""Landing files → Parquet files on the disk that no table knows yet, source by source: a batch."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from athena.dataset import SYSTEM_NAMES, Column
from athena.errors import Damaged, LakegateError, Refused
from etl.batch import Base, Batch, Begun, KeyRead, UnitRead
from etl.contract import READER_VERSION, Contract, SourceRules
from etl.evolve import Evolution, evolve
from etl.iceberg import check_layout
from etl.landing import Key, Landed, file_changed
from etl.plan import WrittenFile
from etl.rejects import RejectsCsv, RejectsTable
from etl.report import Problem, Report
from etl.source import Source
from etl.transform import Study
from etl.union import Holdings, slot_name
from etl.unit import Desk, Unit


@dataclass(slots=True)
class _State:
    """What the files read so far make of contract and table; a file that fails leaves it as it was."""

    contract: Contract | None
    columns: tuple[Column, ...]
    last_id: int
    evolution: Evolution | None = None
    first_columns: tuple[Column, ...] = ()
    slots: set[str] = field(default_factory=set)
    retyped: set[str] = field(default_factory=set)


class Reading:
    """One batch being read, or a part of one, from `begun` on; `abort` removes what it has written so far.

    Its files are named after `stem`, which is the commit's id or begins with it.
    """

    def __init__(
        self,
        desk: Desk,
        dataset: str,
        base: Base,
        holdings: Holdings,
        *,
        stem: str,
        begun: Begun,
    ) -> None:
        self._desk = desk
        self._dataset = dataset
        self._base = base
        self._holdings = holdings
        self._sizes = {slot.size_bytes for slot in holdings.slots.values()}
        self._stem = stem
        self._retype = begun.retype
        self._state = _State(begun.contract, begun.columns, begun.last_id, slots=set(begun.slots))
        self._rejects = RejectsTable(desk.rejects_data, stem)
        self._files: list[WrittenFile] = []
        self._csvs: list[RejectsCsv] = []

    def read(self, landed: Sequence[Landed]) -> Batch:
        """The batch. Raises `Failed` when the disk does, or ("file-changed") when a file changes meanwhile."""
        try:
            keys = tuple(self._key(one) for one in landed)
            rejects = self._rejects.close()
        except BaseException:
            self.abort()
            raise
        state = self._state
        first = () if self._base.columns else state.first_columns
        return Batch(
            self._stem,
            self._dataset,
            self._base,
            keys,
            state.contract,
            state.evolution,
            first,
            rejects,
            tuple(sorted(state.retyped)),
        )

    def abort(self) -> None:
        """Remove every file of the batch: no plan names them."""
        with suppress(OSError):
            self._rejects.abort()
            for csv in self._csvs:
                csv.abort()
            self._desk.data.remove(file.path for file in self._files)

    def _key(self, landed: Landed) -> KeyRead:
        key, began = landed.key, time.monotonic()
        try:
            sources = self._desk.landing.sources(landed)
        except Refused as error:
            return KeyRead(key, landed.stamp, (), self._unopened(key, error, time.monotonic() - began))
        units = tuple(self._unit(key, source) for source in sources)
        now = self._desk.landing.get(key)
        if now is None or now.stamp != landed.stamp:
            raise file_changed(key.text)
        return KeyRead(key, landed.stamp, units)

    def _unit(self, key: Key, source: Source) -> UnitRead:
        unit = Unit(self._desk, source, dataset=self._dataset, key=key.text, of=key.source)
        self._csvs.append(unit.csv)
        try:
            read = self._known(unit, key) or self._read(unit, key)
        except (Refused, Damaged) as error:
            read = UnitRead(source.name, key.source, unit.load_id, unit.report(error))
        unit.csv.close()
        return read

    def _known(self, unit: Unit, key: Key) -> UnitRead | None:
        """The unit without its rows: its size says that they may be in the table, and its hash that they are."""
        source = unit.source
        unknown = source.size_bytes is None
        if source.name not in self._holdings.units if unknown else source.size_bytes not in self._sizes:
            return None
        slot = self._slot(unit.content(), source)
        return None if self._wanted(slot) else UnitRead(source.name, key.source, unit.load_id, unit.report(), slot)

    def _read(self, unit: Unit, key: Key) -> UnitRead:
        contract = self._state.contract
        rules = contract.rules(key.source) if contract else SourceRules()
        studied = unit.study(effective(self._dataset, contract, self._state.columns), rules)
        slot = self._slot(studied.content, unit.source)
        files = self._rows(unit, key, studied) if self._wanted(slot) else None
        self._state.slots.add(slot)
        return UnitRead(unit.source.name, key.source, unit.load_id, unit.report(), slot, studied.size_bytes, files)

    def _slot(self, content: str, source: Source) -> str:
        contract = self._state.contract
        return slot_name(content, source.name, contract.same_content if contract else "skip")

    def _rows(self, unit: Unit, key: Key, studied: Study) -> tuple[WrittenFile, ...]:
        state = self._state
        evolution = evolve(self._dataset, state.columns, studied.columns, last_id=state.last_id, retype=self._retype)
        contract = written_by(state.contract or Contract(self._dataset, ()), evolution, studied, key.source)
        check_layout(contract.layout, evolution.columns)
        stem = f"{self._stem}-{len(self._csvs):05d}"
        files = unit.write(studied, evolution.columns, contract, stem=stem, rejects=self._rejects)
        self._files += files
        state.contract, state.evolution, state.columns = contract, evolution, evolution.columns
        state.last_id = max(state.last_id, *(column.field_id or 0 for column in evolution.columns))
        state.first_columns = state.first_columns or evolution.columns
        state.retyped |= {column.name for column in evolution.retyped}
        return files

    def _wanted(self, slot: str) -> bool:
        """Whether rows of this slot have to be read; the ledger has the last word later (`planning.decide`)."""
        there, contract = self._holdings.slots.get(slot), self._base.contract
        if slot in self._state.slots:
            return False
        if there is None or contract is None:
            return True
        return there.interpretation != contract.interpretation(there.source, reader=READER_VERSION)

    def _unopened(self, key: Key, error: LakegateError, seconds: float) -> Report:
        return Report(
            "failed",
            self._dataset,
            key.source,
            key.text,
            load_id=self._desk.new_id(),
            seconds=seconds,
            error=Problem.of(error),
        )


def effective(dataset: str, contract: Contract | None, table: Sequence[Column]) -> Contract | None:
    """The contract a file is read by: the owner's, and what the table has beyond it (columns that files added).
    None while neither names a column: then the file says what they are."""
    contract = contract or Contract(dataset, ())
    named = {column.name for column in contract.columns} | SYSTEM_NAMES
    columns = (*contract.columns, *(column for column in table if column.name not in named))
    return replace(contract, columns=columns) if columns else None


def written_by(contract: Contract, evolution: Evolution, studied: Study, source: str) -> Contract:
    """The contract with what a file adds to it, while it is inferred and Lakegate may write it."""
    if not contract.inferred:
        return contract
    columns = tuple(replace(column, field_id=None) for column in evolution.own)
    sources = dict(contract.sources)
    if studied.rules != contract.rules(source):
        sources[source] = studied.rules
    return replace(contract, columns=columns, sources=sources)
