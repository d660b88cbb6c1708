"""A whole read side in a folder, with an engine that counts, for tests."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import pyarrow as pa

from athena.embedded import embedded_lake
from athena.engines import Broken, Engine, Job, Progress, Running
from athena.heads import Head
from athena.lake import Clock, Lake, utc_now
from athena.question import OWNER, Answer, Caller, Parameters, Question
from athena.settings import Settings
from tests.tables import Tables

_STUCK_SECONDS = 120.0
FLIGHTS = pa.table(
    {
        "carrier": ["UA", "AA", None],
        "origin": ["JFK", "LGA", "EWR"],
        "dep_delay": pa.array([5, 7, -2], pa.int32()),
    }
)


class CountingEngine:
    """The real engine, with what was asked of it. While it is held, jobs are taken and not begun."""

    def __init__(self, engine: Engine) -> None:
        self.started: list[Job] = []
        self.stopped: list[str] = []
        self.waits = 0  # a leader keeps its lease, then waits for a third of it
        self.scripted: list[Broken] = []  # what the next waits give instead of the truth
        self._engine = engine
        self.changed = threading.Condition()
        self._held = False
        self.pending: dict[str, Job] = {}

    @property
    def version(self) -> str:
        return self._engine.version

    def hold(self) -> None:
        """Begin nothing until `let_go`."""
        self._held = True

    def let_go(self) -> None:
        """Begin what was taken."""
        with self.changed:
            self._held = False
            for job in self.pending.values():
                self._engine.start(job)
            self.pending.clear()
            self.changed.notify_all()

    def check(self, job: Job) -> None:
        self._engine.check(job)

    def estimate(self, job: Job, row_filters: Mapping[str, str]) -> int | None:
        return self._engine.estimate(job, row_filters)

    def start(self, job: Job) -> str:
        with self.changed:
            self.started.append(job)
            if self._held:
                self.pending[job.token] = job
                return job.token
        return self._engine.start(job)

    def wait(self, execution: str, *, seconds: float) -> Progress:
        with self.changed:
            self.waits += 1
            if execution in self.pending:
                self.changed.wait(seconds)
                if execution in self.pending:
                    return Running()
            if self.scripted:
                return self.scripted.pop(0)
            if execution in self.stopped:
                return Broken("cancelled")
        return self._engine.wait(execution, seconds=seconds)

    def stop(self, execution: str) -> None:
        with self.changed:
            self.stopped.append(execution)
            if self.pending.pop(execution, None) is None:
                self._engine.stop(execution)
            self.changed.notify_all()


@dataclass
class Home:
    """A folder that several lakes (processes, as it were) may open."""

    folder: Path
    clock: Clock = utc_now
    lease_seconds: float = 10.0
    tables: Tables = field(init=False)

    def __post_init__(self) -> None:
        self.tables = Tables(self.folder / "tables")

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.folder,
            engine_workers=1,
            engine_threads=1,
            page_rows=2,
            flight_lease_seconds=self.lease_seconds,
        )

    @contextmanager
    def opened(self) -> Iterator[tuple[Lake, CountingEngine]]:
        """One process's lake."""
        whole = embedded_lake(self.settings, clock=self.clock)
        engine = CountingEngine(whole.engine)
        lake = replace(whole, engine=engine)
        try:
            yield lake, engine
        finally:
            engine.let_go()
            lake.close()

    def publish(self, lake: Lake, head: Head) -> Head:
        """Make it the table's head."""
        lake.heads.publish(head)
        return head

    def grant(self, partner: str, *datasets: str) -> None:
        """Write a grant; each dataset is the inside of its TOML table."""
        folder = self.settings.partners
        folder.mkdir(exist_ok=True)
        (folder / f"{partner}.toml").write_text("\n".join(datasets))

    def revoke(self, partner: str) -> None:
        """Take the grant away."""
        (self.settings.partners / f"{partner}.toml").unlink()


def eventually(holds: Callable[[], bool]) -> None:
    """Waits for what another thread or process is about to do."""
    ends = time.monotonic() + _STUCK_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.005)


def question(sql: str, *, partner: str | None = None, parameters: Parameters = ()) -> Question:
    """What the owner, or a partner, asks."""
    return Question(OWNER if partner is None else Caller(partner), sql, parameters)


def rows(answer: Answer) -> list[list[object]]:
    """The rows of an answer's first page."""
    assert answer.page is not None, answer
    found: list[list[object]] = orjson.loads(b"{" + answer.page.fragment + b"}")["rows"]
    return found
