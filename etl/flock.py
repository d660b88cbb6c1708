"""Many small files of one kind, read together: those that are alike (`alike.py`) share one step of Arrow's reader.

The first file of a source is read like any other. Those behind it that have its header wait until there are enough of
them; what does not go together then is read by itself after all.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from athena.dataset import SYSTEM_NAMES, Column
from etl._column import missing_column
from etl._plan import plan
from etl.alike import Pattern, count_records, first_line, pattern_of, read_alike
from etl.batch import KeyRead, UnitRead
from etl.contract import Contract, Layout
from etl.formats import format_of
from etl.landing import Landed
from etl.report import Report, Skipped
from etl.source import Source
from etl.transform import Study
from etl.unit import Desk

FLOCK_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """A file that waits for others like it."""

    landed: Landed
    source: Source
    text: bytes
    content: str
    slot: str
    records: int
    load_id: str

    def read(self, report: Report) -> KeyRead:
        """What became of it; where its rows are is told once their file is finished."""
        key, unit = self.landed.key, self.source.name
        read = UnitRead(unit, key.source, self.load_id, report, self.slot, len(self.text), ())
        return KeyRead(key, self.landed.stamp, (read,))


@dataclass(frozen=True, slots=True)
class Bellwether:
    """The file that was read first, and what the table was by then."""

    pattern: Pattern
    report: Report
    contract: Contract
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Files that were read at once: `rows` in the order of the members, system columns last."""

    members: tuple[Member, ...]
    reports: tuple[Report, ...]
    rows: pa.RecordBatch
    columns: tuple[Column, ...]
    layout: Layout


@dataclass(slots=True)
class Flock:
    """The files that wait, all like one that was read before."""

    desk: Desk
    _leaders: dict[tuple[str, bytes], Bellwether] = field(default_factory=dict)
    _leader: Bellwether | None = None
    _waiting: list[Member] = field(default_factory=list)
    _size_bytes: int = 0

    def learn(
        self, read: Source, studied: Study, report: Report, *, contract: Contract, columns: tuple[Column, ...]
    ) -> None:
        """Remember a file that was read by itself, for others of its source; `contract` is what it was read by."""
        source = report.source
        if read.held is None or source is None:
            return
        rules = contract.rules(source)
        own = [column for column in columns if column.name not in SYSTEM_NAMES]
        pattern = pattern_of(studied, plan(studied.dialect, own, rules), contract, rules)
        if pattern is not None and first_line(read.held) == pattern.heading:
            told = _told_of_all(report, pattern)
            self._leaders[source, pattern.heading] = Bellwether(pattern, told, contract, columns)

    def forget(self) -> None:
        """Nothing holds any more of what was learnt: contract or table have changed."""
        self._leaders.clear()

    @property
    def waits(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether it is time to read."""
        return self._size_bytes >= FLOCK_BYTES

    def leader_of(self, landed: Landed, source: Source) -> Bellwether | None:
        """The file that this one may be like."""
        if source.held is None or not self._leaders:
            return None
        return self._leaders.get((landed.key.source, first_line(source.held)))

    def goes_with(self, leader: Bellwether) -> bool:
        """Whether those that wait have the same leader."""
        return not self._waiting or leader is self._leader

    def holds(self, slot: str) -> bool:
        """Whether one of those that wait has this slot."""
        return any(member.slot == slot for member in self._waiting)

    def join(self, leader: Bellwether, member: Member) -> None:
        """Let a file wait."""
        self._leader = leader
        self._waiting.append(member)
        self._size_bytes += len(member.text)

    def take(self) -> tuple[list[Together], list[Member]]:
        """Read those that wait: what went together, and those that have to be read by themselves."""
        members, leader, self._waiting, self._size_bytes = self._waiting, self._leader, [], 0
        together: list[Together] = []
        alone: list[Member] = []
        if leader is not None and members:
            self._split(leader, members, together, alone)
        return together, alone

    def _split(self, leader: Bellwether, members: list[Member], together: list[Together], alone: list[Member]) -> None:
        """Read some at once; by halves where that does not work."""
        self.desk.beat()
        began = time.monotonic()
        columns = read_alike([one.text for one in members], [one.records for one in members], leader.pattern)
        if columns is not None:
            together.append(self._read(leader, members, columns, began))
        elif len(members) == 1:
            alone += members
        else:
            middle = len(members) // 2
            self._split(leader, members[:middle], together, alone)
            self._split(leader, members[middle:], together, alone)

    def _read(self, leader: Bellwether, members: list[Member], columns: list[pa.Array], began: float) -> Together:
        rows = _with_origin(leader, members, columns, self.desk)
        seconds = (time.monotonic() - began) / len(members)
        reports = tuple(
            replace(
                leader.report,
                file=one.source.name,
                content=one.content,
                lines_in=one.records + 1,
                rows_in=one.records,
                rows_loaded=one.records,
                load_id=one.load_id,
                seconds=seconds,
            )
            for one in members
        )
        for one in members:
            size_bytes = 2 * len(one.text)
            self.desk.progress(one.source.name, size_bytes, size_bytes, one.records)
        return Together(tuple(members), reports, rows, leader.columns, leader.contract.layout)


def member_of(
    landed: Landed, source: Source, leader: Bellwether, *, slot: Callable[[str], str], load_id: str
) -> Member | None:
    """The file as one that waits; None when it is not like its leader. `slot` names that of a content."""
    text = source.held
    if text is None or format_of(source) != "csv" or not (records := count_records(text, leader.pattern)):
        return None
    content = hashlib.sha256(text).hexdigest()
    return Member(landed, source, text, content, slot(content), records, load_id)


def _told_of_all(report: Report, pattern: Pattern) -> Report:
    """What is the same in the reports of all files that are like the one of `report`."""
    heading = pattern.heading.decode()
    header = Skipped("header", 1, 1, 0, max(len(heading) - 1, 0), heading)
    return replace(
        report,
        status="loaded",
        lines_skipped={"header": 1},
        rows_rejected=0,
        reasons={},
        skipped=(header,),
        warnings=pattern.studied.warnings,
        error=None,
    )


def _with_origin(leader: Bellwether, members: list[Member], fed: list[pa.Array], desk: Desk) -> pa.RecordBatch:
    counts = np.array([one.records for one in members])
    total = int(counts.sum())
    places = pa.array(np.repeat(np.arange(len(members)), counts))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    lines = np.arange(total) - np.repeat(starts, counts) + 2
    left = iter(fed)
    own = [
        missing_column(feed.column, total) if feed.place is None else next(left) for feed in leader.pattern.plan.feeds
    ]
    origin = [
        pa.array([one.source.name for one in members]).take(places),
        pa.array(lines, pa.int64()),
        pa.array([one.content for one in members]).take(places),
        pa.repeat(pa.scalar(desk.loaded_at, pa.timestamp("us", "UTC")), total),
    ]
    return pa.RecordBatch.from_arrays([*own, *origin], names=[column.name for column in leader.columns])
