"""Many small files of one kind, read together: those that are alike (`alike.py`) share one step of Arrow's reader.

The first file of a source is read like any other. Those behind it that have its header wait until there are enough of
them; what does not go together then is read by itself after all.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from athena.dataset import SYSTEM_NAMES, Column
from etl._beside import Beside
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
class Gathered:
    """What went together, and those that have to be read by themselves."""

    together: list[Together] = field(default_factory=list)
    alone: list[Member] = field(default_factory=list)


@dataclass(slots=True)
class Flock:
    """The files that wait, all like one that was read before. Some are read beside while more come to wait."""

    desk: Desk
    _leaders: dict[tuple[str, bytes], Bellwether] = field(default_factory=dict)
    _leader: Bellwether | None = None
    _waiting: list[Member] = field(default_factory=list)
    _size_bytes: int = 0
    _slots: set[str] = field(default_factory=set)
    _beside: Beside = field(default_factory=Beside)
    _read: Gathered = field(default_factory=Gathered)

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
        """Nothing holds any more of what was learnt, nor for those that wait: contract or table have changed."""
        self._leaders.clear()
        self._leader = None

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
        """Whether one of those that wait, or waited, has this slot."""
        return slot in self._slots

    def join(self, leader: Bellwether, member: Member) -> None:
        """Let a file wait."""
        self._leader = leader
        self._waiting.append(member)
        self._slots.add(member.slot)
        self._size_bytes += len(member.text)

    def send(self) -> None:
        """Have those that wait read beside, unless what was learnt of their leader does not hold any more."""
        members, leader, self._waiting, self._size_bytes = self._waiting, self._leader, [], 0
        if leader is None:
            self._read.alone += members
        elif members:
            self._beside.do(_split, leader, members, self.desk.loaded_at, self._read)

    def take(self) -> Gathered:
        """What became of those that were sent, once all are read."""
        self._beside.wait()
        self.desk.beat()
        read, self._read = self._read, Gathered()
        for member in (one for some in read.together for one in some.members):
            size_bytes = 2 * len(member.text)
            self.desk.progress(member.source.name, size_bytes, size_bytes, member.records)
        return read

    def close(self) -> None:
        """End the thread beside."""
        self._beside.close()


def _split(leader: Bellwether, members: list[Member], loaded_at: datetime, read: Gathered) -> None:
    """Read some at once; by halves where that does not work."""
    began = time.monotonic()
    columns = read_alike([one.text for one in members], [one.records for one in members], leader.pattern)
    if columns is not None:
        rows = _with_origin(leader, members, columns, loaded_at)
        reports = _reports(leader, members, (time.monotonic() - began) / len(members))
        read.together.append(Together(tuple(members), reports, rows, leader.columns, leader.contract.layout))
    elif len(members) == 1:
        read.alone += members
    else:
        middle = len(members) // 2
        _split(leader, members[:middle], loaded_at, read)
        _split(leader, members[middle:], loaded_at, read)


def _reports(leader: Bellwether, members: list[Member], seconds: float) -> tuple[Report, ...]:
    return tuple(
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


def _with_origin(leader: Bellwether, members: list[Member], fed: list[pa.Array], loaded_at: datetime) -> pa.RecordBatch:
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
        pa.repeat(pa.scalar(loaded_at, pa.timestamp("us", "UTC")), total),
    ]
    return pa.RecordBatch.from_arrays([*own, *origin], names=[column.name for column in leader.columns])
