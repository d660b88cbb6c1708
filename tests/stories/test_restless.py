"""Files that change, vanish or come back while they are loaded: rows are of one version, and nobody else waits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from etl.ingest import Reconciled, load_keys, reconcile
from etl.intake import Intake
from etl.landing import FolderLanding, Landed
from etl.source import Source
from tests.home import drop, intake_at, rows_of, vanish

SMALL = 12  # so many alike are read together
RESTLESS = "t/f05.csv"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def text(version: int, *, rows: int = 2) -> str:
    return "version,n\n" + "".join(f"{version},{number}\n" for number in range(rows))


def drop_all(intake: Intake, *, rows: int = 2) -> None:
    for number in range(SMALL):
        drop(intake, f"t/f{number:02}.csv", text(number, rows=rows))


def versions(intake: Intake) -> dict[str, list[int]]:
    """The versions in the table by file, a row each."""
    found: dict[str, list[int]] = {}
    table = rows_of(intake, "t")
    for file, version in zip(table["_file"].to_pylist(), table["version"].to_pylist(), strict=True):
        found.setdefault(file, []).append(version)
    return found


def expected(*, rows: int = 2, **changed: int | None) -> dict[str, list[int]]:
    """The same if all are as they were dropped but those in `changed`."""
    now = {f"f{number:02}": number for number in range(SMALL)} | changed
    return {f"t/{name}.csv": [version] * rows for name, version in now.items() if version is not None}


def at_read(act: Callable[[], object], *, times: int) -> Callable[[str], None]:
    """Act behind the first `times` readings, before anything is decided."""
    left = iter(range(times))

    def step(name: str) -> None:
        if name == "read" and next(left, None) is not None:
            act()

    return step


@dataclass
class Restless(FolderLanding):
    """Landing where something happens just before the restless file is opened, and just after it was."""

    root: Path
    before: Callable[[], object]
    after: Callable[[], object]

    def sources(self, landed: Landed) -> tuple[Source, ...]:
        if landed.key.text != RESTLESS:
            return super().sources(landed)
        self.before()
        found = super().sources(landed)
        self.after()
        return found


def told(done: Reconciled) -> tuple[int, tuple[str, ...]]:
    return len([one for one in done.reports if one.status != "failed"]), tuple(one.code for one in done.unread)


@pytest.mark.parametrize("rows", [2, 40_000])
def test_a_file_that_is_written_anew_behind_its_reading_is_loaded_as_it_is_then(intake: Intake, rows: int) -> None:
    drop_all(intake, rows=rows)
    step = at_read(lambda: drop(intake, RESTLESS, text(77, rows=rows)), times=1)
    done = reconcile(replace(intake, step=step))
    assert told(done) == (SMALL, ())
    assert versions(intake) == expected(rows=rows, f05=77)
    assert told(reconcile(intake)) == (0, ())


def test_a_file_that_is_another_only_while_it_is_read_is_loaded_as_it_is(intake: Intake) -> None:
    drop_all(intake)
    path = intake.settings.landing / RESTLESS
    aside = path.with_name(".aside")
    flips = iter([True])

    def other() -> None:
        if next(flips, False):
            path.replace(aside)
            drop(intake, RESTLESS, text(88))

    landing = Restless(
        intake.settings.landing,
        before=other,
        after=lambda: aside.exists() and aside.replace(path),
    )
    assert told(reconcile(replace(intake, landing=landing))) == (SMALL, ())
    assert versions(intake) == expected()


def test_a_file_that_vanishes_while_it_is_read_holds_up_no_other(intake: Intake) -> None:
    drop_all(intake)
    drop(intake, "u/a.csv", text(1))
    done = reconcile(replace(intake, step=at_read(lambda: vanish(intake, RESTLESS), times=1)))
    assert told(done) == (SMALL, ())  # one of them is that of `u`
    assert versions(intake) == expected(f05=None)


def test_files_that_vanish_behind_the_listing_are_passed_over(intake: Intake) -> None:
    drop_all(intake)
    drop(intake, "u/a.csv", text(1))
    drop(intake, "u/b.csv", text(2))
    done = reconcile(replace(intake, step=at_read(lambda: vanish(intake, "u/a.csv"), times=1)))
    assert told(done) == (SMALL + 1, ())
    assert [one.file for one in done.reports][-1] == "u/b.csv"
    assert intake.ledger.unresolved() == ()


def test_a_file_that_is_gone_once_it_is_opened_is_passed_over(intake: Intake) -> None:
    drop_all(intake)
    path = intake.settings.landing / RESTLESS
    landing = Restless(intake.settings.landing, before=lambda: path.unlink(missing_ok=True), after=lambda: None)
    assert told(reconcile(replace(intake, landing=landing))) == (SMALL - 1, ())
    assert versions(intake) == expected(f05=None)


@pytest.mark.parametrize("by_events", [False, True])
def test_a_file_that_never_holds_still_is_named_and_holds_up_no_other(intake: Intake, by_events: bool) -> None:
    drop_all(intake)
    drop(intake, "u/a.csv", text(1))
    numbers = iter(range(100, 10_000))
    landing = Restless(
        intake.settings.landing, before=lambda: None, after=lambda: drop(intake, RESTLESS, text(next(numbers)))
    )
    busy = replace(intake, landing=landing, sleep=lambda _seconds: None)
    keys = [f"t/f{number:02}.csv" for number in range(SMALL)]
    done = load_keys(busy, "t", keys) if by_events else reconcile(busy)
    assert told(done) == (SMALL - 1 if by_events else SMALL, ("file-changed",))
    assert done.unread[0].message == f"{RESTLESS} changed while it was read."
    assert versions(intake) == expected(f05=None)
    assert told(reconcile(intake)) == (2 if by_events else 1, ())
    assert versions(intake) == expected(f05=next(numbers) - 1)
