"""A writer that pauses wherever it likes, for as long as it likes, writes nothing that was decided before the pause."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import Failed
from athena.leases import Lease, Leases
from athena.leases.sqlite import SqliteLeases
from etl.doctor import examine
from etl.ingest import ingest, reconcile, retract
from etl.intake import Intake
from etl.maintain import expire, maintain
from tests.clock import SetClock
from tests.home import drop, intake_at, reports_of, rows_of, values_of

TEXT = "n,name\n1,a\n2,b\n"


class Pausing:
    """Leases of a process that is stopped right after one was renewed, once: `meanwhile` is what others do."""

    def __init__(self, leases: Leases, meanwhile: Callable[[], object]) -> None:
        self._leases = leases
        self._meanwhile: Callable[[], object] | None = meanwhile

    def acquire(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        return self._leases.acquire(name, holder, seconds=seconds)

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        renewed = self._leases.renew(lease, seconds=seconds)
        if self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return renewed

    def release(self, lease: Lease) -> None:
        self._leases.release(lease)

    def current(self, name: str) -> Lease | None:
        return self._leases.current(name)


class Home:
    """One home, two processes: `pausing` does nothing for an hour once its lease was renewed."""

    def __init__(self, home: Path) -> None:
        self.clock = SetClock()
        made = intake_at(home, clock=self.clock)
        self.awake = replace(made, leases=SqliteLeases(made.settings.state, self.clock))

    def pausing(self, meanwhile: Callable[[], object]) -> Intake:
        def hour() -> None:
            self.clock.move(seconds=3600)
            meanwhile()

        return replace(self.awake, leases=Pausing(self.awake.leases, hour), holder="another process")

    def is_whole(self) -> bool:
        return [one for one in examine(self.awake.settings.home) if one.level == "error"] == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_content_that_another_has_loaded_meanwhile_is_a_duplicate(home: Home) -> None:
    ingest(home.awake, drop(home.awake, "t/first.csv", "n,name\n9,z\n"))
    drop(home.awake, "t/b.csv", TEXT)
    (report,) = ingest(home.pausing(lambda: ingest(home.awake, "t/b.csv")), drop(home.awake, "t/a.csv", TEXT))
    assert (report.status, values_of(home.awake, "t", "n")) == ("duplicate", [1, 2, 9])
    assert home.is_whole()


def test_a_duplicate_whose_original_was_retracted_meanwhile_is_loaded(home: Home) -> None:
    ingest(home.awake, drop(home.awake, "t/a.csv", TEXT))
    (report,) = ingest(home.pausing(lambda: retract(home.awake, "t/a.csv")), drop(home.awake, "t/b.csv", TEXT))
    assert (report.status, values_of(home.awake, "t", "n")) == ("loaded", [1, 2])
    assert home.is_whole()


def test_rows_that_another_key_holds_meanwhile_survive_the_retraction(home: Home) -> None:
    ingest(home.awake, drop(home.awake, "t/a.csv", TEXT))
    drop(home.awake, "t/b.csv", TEXT)
    with pytest.raises(Failed, match="lost to another writer"):
        retract(home.pausing(lambda: ingest(home.awake, "t/b.csv")), "t/a.csv")
    reports_of(reconcile(home.awake))
    assert values_of(home.awake, "t", "n") == [1, 2]
    assert home.is_whole()


def test_a_compaction_of_what_was_replaced_meanwhile_brings_nothing_back(home: Home) -> None:
    for number in range(4):
        ingest(home.awake, drop(home.awake, f"t/{number}.csv", f"n,name\n{number},a\n"))

    def replaced() -> None:
        ingest(home.awake, drop(home.awake, "t/2.csv", "n,name\n20,a\n"))

    maintain(home.pausing(replaced))
    assert values_of(home.awake, "t", "n") == [0, 1, 3, 20]
    assert home.is_whole()


def test_rejects_that_others_have_committed_are_not_committed_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that the commit of the rejects is in nobody's history any more when the one that paused comes back.
    monkeypatch.setattr("etl.snapshot.KEEP_LAST", 2)

    def bad(number: int) -> str:
        return "n,name\n" + "".join(f"{100 * number + at},x\n" for at in range(20)) + f"{number}\n"

    def pause(step: str) -> None:
        if step == "contract":
            home.clock.move(seconds=3600)
            for number in range(1, 5):
                ingest(home.awake, drop(home.awake, f"t/{number}.csv", bad(number)))
            expire(home.awake, "t")

    ingest(replace(home.awake, step=pause, holder="another process"), drop(home.awake, "t/0.csv", bad(0)))
    rejected = rows_of(home.awake, "t__rejects")["raw"].to_pylist()
    assert sorted(rejected) == ["0", "1", "2", "3", "4"]
    assert home.is_whole()
