"""Landing files → Parquet files on the disk that no table knows yet, source by source: a batch."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from athena.dataset import Column
from athena.errors import Damaged, LakegateError, Refused
from etl.amended import effective, written_by
from etl.batch import Base, Batch, Begun, KeyRead, UnitRead
from etl.contract import READER_VERSION, Contract, SourceRules
from etl.evolve import Evolution, evolve
from etl.flock import Flock, member_of
from etl.iceberg import check_layout
from etl.landing import Key, Landed, file_changed
from etl.plan import Share, WrittenFile
from etl.rejects import RejectsCsv, RejectsTable
from etl.report import Problem, Report
from etl.shared import SMALL_CONTENT_BYTES, Aside, SharedFiles
from etl.source import Source
from etl.transform import Study
from etl.union import Holdings, slot_name
from etl.unit import Desk, Unit
from etl.write import ContentWriter


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
    sources: set[str] = field(default_factory=set)


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
        self._current = base.contract.interpretations(reader=READER_VERSION) if base.contract else None
        self._sizes = {slot.size_bytes for slot in holdings.slots.values()}
        self._stem = stem
        self._retype = begun.retype
        sources = {slot.source for slot in holdings.slots.values()}
        self._state = _State(begun.contract, begun.columns, begun.last_id, slots=set(begun.slots), sources=sources)
        self._flock = Flock(desk)
        self._learnt: tuple[Contract | None, tuple[Column, ...]] = (begun.contract, begun.columns)
        self._keys: dict[str, KeyRead] = {}
        self._rejects = RejectsTable(desk.rejects_data, stem)
        self._shared = SharedFiles(desk.data, stem)
        self._files: list[WrittenFile] = []
        self._csvs: list[RejectsCsv] = []

    def read(self, landed: Sequence[Landed]) -> Batch:
        """The batch. Raises `Failed` when the disk does, or ("file-changed") when a file changes meanwhile."""
        try:
            for one in landed:
                self._take(one)
            self._gather()
            shares = self._shared.close()
            keys = tuple(with_shares(self._keys[one.key.text], shares) for one in landed)
            rejects = self._rejects.close()
        except BaseException:
            self.abort()
            raise
        finally:
            self._flock.close()
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
            self._shared.abort()
            self._desk.data.remove(file.path for file in self._files)

    def _take(self, landed: Landed) -> None:
        key, began = landed.key, time.monotonic()
        try:
            sources = [one for one in self._desk.landing.sources(landed) if one.name not in landed.without]
        except Refused as error:
            self._keys[key.text] = KeyRead(key, landed.stamp, (), self._unopened(key, error, time.monotonic() - began))
            return
        if len(sources) == 1 and self._joins(landed, sources[0]):
            return
        self._gather()
        self._by_itself(landed, sources)

    def _by_itself(self, landed: Landed, sources: Sequence[Source]) -> None:
        units = tuple(self._unit(landed.key, source) for source in sources)
        self._check_unchanged(landed)
        self._keys[landed.key.text] = KeyRead(landed.key, landed.stamp, units)

    def _check_unchanged(self, landed: Landed) -> None:
        now = self._desk.landing.get(landed.key)
        if now is None or now.stamp != landed.stamp:
            raise file_changed(landed.key.text)

    def _joins(self, landed: Landed, source: Source) -> bool:
        """Whether the file waits for others like it, of which one was read before."""
        leader = self._flock.leader_of(landed, source)
        if leader is None:
            return False
        if not self._flock.goes_with(leader):
            self._gather()
        member = member_of(
            landed, source, leader, slot=lambda content: self._slot(content, source), load_id=self._desk.new_id()
        )
        if member is None or self._flock.holds(member.slot) or not self._wanted(member.slot):
            return False
        self._flock.join(leader, member)
        if self._flock.is_full:
            self._take_in()
            self._flock.send()
        return True

    def _gather(self) -> None:
        """Read those that wait."""
        self._take_in()
        self._flock.send()
        self._take_in()

    def _take_in(self) -> None:
        """Take in what was read beside."""
        read = self._flock.take()
        for one in read.together:
            rows = {member.load_id: member.records for member in one.members}
            self._shared.add(rows, [one.rows], one.columns, one.layout)
            for member, report in zip(one.members, one.reports, strict=True):
                self._keys[member.landed.key.text] = member.read(report)
                self._state.slots.add(member.slot)
        for member in read.alone:
            self._by_itself(member.landed, (member.source,))

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
        by = effective(self._dataset, contract, self._state.columns)
        studied = unit.study(by, rules)
        slot = self._slot(studied.content, unit.source)
        shares = self._rows(unit, key, studied) if self._wanted(slot) else None
        self._state.slots.add(slot)
        if shares is not None:
            self._learn(unit, studied, by)
        return UnitRead(unit.source.name, key.source, unit.load_id, unit.report(), slot, studied.size_bytes, shares)

    def _learn(self, unit: Unit, studied: Study, by: Contract | None) -> None:
        """Let other files be read like this one, as long as contract and table are what they are now."""
        state = self._state
        if (state.contract, state.columns) != self._learnt:
            self._flock.forget()
            self._learnt = state.contract, state.columns
        if by is not None and not by.layout.partition and by == effective(self._dataset, *self._learnt):
            self._flock.learn(unit.source, studied, unit.report(), contract=by, columns=state.columns)

    def _slot(self, content: str, source: Source) -> str:
        contract = self._state.contract
        return slot_name(content, source.name, contract.same_content if contract else "skip")

    def _rows(self, unit: Unit, key: Key, studied: Study) -> tuple[Share, ...]:
        state = self._state
        evolution = evolve(self._dataset, state.columns, studied.columns, last_id=state.last_id, retype=self._retype)
        first = key.source not in state.sources
        contract = written_by(
            state.contract or Contract(self._dataset, ()), evolution, studied, key.source, first=first
        )
        check_layout(contract.layout, evolution.columns)
        shares = self._written(unit, studied, evolution.columns, contract)
        state.contract, state.evolution, state.columns = contract, evolution, evolution.columns
        state.sources.add(key.source)
        state.last_id = max(state.last_id, *(column.field_id or 0 for column in evolution.columns))
        state.first_columns = state.first_columns or evolution.columns
        state.retyped |= {column.name for column in evolution.retyped}
        return shares

    def _written(
        self, unit: Unit, studied: Study, columns: tuple[Column, ...], contract: Contract
    ) -> tuple[Share, ...]:
        """The rows in files; none yet where they come into a file that others share (`_shared`)."""
        layout, apart, stem = contract.layout, self._desk.apart, f"{self._stem}-{len(self._csvs):05d}"
        if apart is not None:
            made = apart.rows(studied, columns, layout, stem=stem, load_id=unit.load_id)
            return self._whole(unit.gather(made, studied, contract, rejects=self._rejects))
        if studied.size_bytes <= SMALL_CONTENT_BYTES and not layout.partition:
            aside = Aside()
            unit.write(studied, columns, contract, sink=aside, rejects=self._rejects)
            self._shared.add({unit.load_id: aside.rows}, aside.batches, columns, layout)
            return ()
        writer = ContentWriter(self._desk.data, stem, columns, layout, one_content=True)
        try:
            unit.write(studied, columns, contract, sink=writer, rejects=self._rejects)
            return self._whole(writer.close())
        except BaseException:
            writer.abort()
            raise

    def _whole(self, files: tuple[WrittenFile, ...]) -> tuple[Share, ...]:
        self._files += files
        return tuple(Share(file, file.rows) for file in files)

    def _wanted(self, slot: str) -> bool:
        """Whether rows of this slot have to be read; the ledger has the last word later (`planning.decide`)."""
        there = self._holdings.slots.get(slot)
        if slot in self._state.slots:
            return False
        return there is None or self._current is None or there.interpretation != self._current(there.source)

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


def with_shares(key: KeyRead, shares: Mapping[str, tuple[Share, ...]]) -> KeyRead:
    """The same once it is known in which shared files the rows of which load are."""
    if not any(unit.load_id in shares for unit in key.units):
        return key
    return replace(key, units=tuple(replace(unit, shares=shares.get(unit.load_id, unit.shares)) for unit in key.units))
