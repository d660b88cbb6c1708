"""The watcher loads what is settled, tries what failed again only when that may help, and never falls over."""

import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import Failed
from etl.contract_file import read_contract, write_contract
from etl.ingest import Reconciled, retract
from etl.intake import Intake
from etl.landing import FolderLanding, Landed
from etl.source import Source
from etl.watch import FIRST_PAUSE_SECONDS, Watching, watch
from tests.clock import SetClock
from tests.home import drop, intake_at, values_of

TEXT = "n,name\n1,a\n2,b\n"
BAD = "n,name\n" + "".join(f"{value},v\n" for value in range(8)) + "1\n2\n"  # two of ten are too many


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


@pytest.fixture
def told() -> list[Reconciled]:
    return []


@pytest.fixture
def watching(intake: Intake, told: list[Reconciled]) -> Watching:
    return Watching(intake, told.append)


def statuses(told: list[Reconciled]) -> list[str]:
    return [report.status for done in told for report in done.reports]


def test_what_landed_is_loaded_and_told_once(intake: Intake, watching: Watching, told: list[Reconciled]) -> None:
    drop(intake, "t/a.csv", TEXT)
    drop(intake, "u/b.csv", TEXT)
    for _ in range(3):
        watching.look()
    assert statuses(told) == ["loaded", "loaded"]
    assert (values_of(intake, "t", "n"), values_of(intake, "u", "n")) == ([1, 2], [1, 2])


def test_a_file_that_was_just_written_waits_until_it_is_settled(tmp_path: Path, told: list[Reconciled]) -> None:
    clock = SetClock()
    intake = intake_at(tmp_path / "home", clock=clock)
    intake = replace(intake, settings=replace(intake.settings, settle_seconds=5.0))
    watching = Watching(intake, told.append)
    drop(intake, "t/a.csv", TEXT)
    landed = next(intake.landing.listing())
    clock.move(seconds=landed.modified_at_seconds + 4 - clock.now.timestamp())
    watching.look()
    assert statuses(told) == []
    clock.move(seconds=2)
    watching.look()
    assert statuses(told) == ["loaded"]


def test_a_file_dated_in_the_future_is_settled_by_our_own_watch(intake: Intake, told: list[Reconciled]) -> None:
    clock = SetClock()
    intake = replace(intake, settings=replace(intake.settings, settle_seconds=5.0))

    def monotonic() -> float:
        return clock.now.timestamp()

    watching = Watching(intake, told.append, monotonic)
    path = intake.settings.landing / drop(intake, "t/a.csv", TEXT)
    os.utime(path, (intake.clock().timestamp() + 3600,) * 2)
    watching.look()
    clock.move(seconds=4)
    watching.look()
    assert statuses(told) == []
    clock.move(seconds=1)
    watching.look()
    assert statuses(told) == ["loaded"]


def test_a_file_that_somebody_else_reads_is_left_to_them(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    drop(intake, "t/a.csv", TEXT)
    intake.ledger.begin("theirs", "t", intake.holder, ["t/a.csv"])
    watching.look()
    assert statuses(told) == []
    intake.ledger.end("theirs")
    watching.look()
    assert statuses(told) == ["loaded"]


def test_a_file_whose_reader_cannot_be_seen_is_read_all_the_same(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    drop(intake, "t/a.csv", TEXT)
    intake.ledger.begin("theirs", "t", "process:a-container-that-was-killed:7:12345:x", ["t/a.csv"])
    watching.look()
    assert statuses(told) == ["loaded"]


def test_what_was_retracted_stays_so_whatever_becomes_of_its_mode_and_names(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    drop(intake, "t/a.csv", TEXT)
    watching.look()
    retract(intake, "t/a.csv")
    path = intake.settings.landing / "t/a.csv"
    path.chmod(0o600)
    (intake.settings.landing.parent / "another name").hardlink_to(path)
    watching.look()
    assert (statuses(told), values_of(intake, "t", "n")) == (["loaded"], [])
    drop(intake, "t/a.csv", TEXT + "3,c\n")
    watching.look()
    assert (statuses(told), values_of(intake, "t", "n")) == (["loaded", "loaded"], [1, 2, 3])


def test_a_failing_file_is_tried_again_only_when_it_or_the_contract_changes(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    drop(intake, "t/a.csv", TEXT)
    watching.look()
    drop(intake, "t/b.csv", BAD)
    for _ in range(3):
        watching.look()
    assert statuses(told) == ["loaded", "failed"]
    path = intake.contract_path("t")
    write_contract(path, replace(read_contract(path), max_rejected=0.9))
    watching.look()
    assert statuses(told) == ["loaded", "failed", "loaded"]
    drop(intake, "t/b.csv", "")
    watching.look()
    assert statuses(told)[3:] == ["failed"]


def test_an_edited_contract_reaches_the_head_and_reloads_nothing(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    drop(intake, "t/a.csv", TEXT)
    watching.look()
    path = intake.contract_path("t")
    contract = read_contract(path)
    columns = (replace(contract.columns[0], sensitive=True), contract.columns[1])
    write_contract(path, replace(contract, columns=columns, new_columns="ignore"))
    watching.look()
    head = intake.heads.get("t")
    assert head is not None
    assert (head.columns[0].sensitive, statuses(told)) == (True, ["loaded"])


def test_a_table_in_trouble_is_left_alone_for_a_while_and_does_not_stop_the_others(
    intake: Intake, told: list[Reconciled], caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    watching = Watching(intake, told.append, lambda: now[0])
    drop(intake, "broken/a.csv", TEXT)
    drop(intake, "t/a.csv", TEXT)
    intake.data("broken").parent.mkdir(parents=True)
    intake.data("broken").write_text("a file where the folder should be")
    with caplog.at_level(logging.ERROR):
        watching.look()
        watching.look()
    assert [one.message.split(":")[0] for one in caplog.records] == ["broken"]
    assert (statuses(told), values_of(intake, "t", "n")) == (["loaded"], [1, 2])
    intake.data("broken").unlink()
    now[0] = FIRST_PAUSE_SECONDS
    watching.look()
    assert statuses(told) == ["loaded", "loaded"]


def test_a_file_that_cannot_be_read_holds_up_no_other_and_is_tried_again(
    intake: Intake, told: list[Reconciled], caplog: pytest.LogCaptureFixture
) -> None:
    now, locked = [0.0], {"t/b.csv"}

    class Locked(FolderLanding):
        def sources(self, landed: Landed) -> tuple[Source, ...]:
            if landed.key.text in locked:
                raise Failed(f"{landed.key.text} cannot be read: Permission denied.", "Wait.", code="unreadable")
            return super().sources(landed)

    watching = Watching(replace(intake, landing=Locked(intake.settings.landing)), told.append, lambda: now[0])
    for number, name in enumerate("abcde"):
        drop(intake, f"t/{name}.csv", f"n\n{number}\n")
    with caplog.at_level(logging.ERROR):
        watching.look()
        watching.look()
    assert [one.message.split(":")[1] for one in caplog.records] == [" t/b.csv cannot be read"]
    assert (statuses(told), values_of(intake, "t", "n")) == (["loaded"] * 4, [0, 2, 3, 4])
    locked.clear()
    now[0] = FIRST_PAUSE_SECONDS
    watching.look()
    assert values_of(intake, "t", "n") == [0, 1, 2, 3, 4]


def test_an_editors_lock_among_the_contracts_keeps_nothing_from_loading(
    intake: Intake, watching: Watching, told: list[Reconciled]
) -> None:
    intake.settings.contracts.mkdir(exist_ok=True)
    for name in (".#t.toml", "t.toml"):
        (intake.settings.contracts / name).symlink_to("somebody@host.123")
    drop(intake, "u/b.csv", TEXT)
    watching.look()
    assert statuses(told) == ["loaded"]


def test_a_fault_of_ours_holds_up_no_other_dataset(
    intake: Intake, told: list[Reconciled], caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(FolderLanding):
        def sources(self, landed: Landed) -> tuple[Source, ...]:
            if landed.key.dataset == "t":
                raise RuntimeError("nobody thought of this")
            return super().sources(landed)

    drop(intake, "t/a.csv", TEXT)
    drop(intake, "u/b.csv", TEXT)
    watching = Watching(replace(intake, landing=Faulty(intake.settings.landing)), told.append)
    watching.look()
    assert statuses(told) == ["loaded"]
    assert "nobody thought of this" in caplog.text
    assert "Tried again" in caplog.text


def test_misplaced_files_are_told_once(intake: Intake, watching: Watching, caplog: pytest.LogCaptureFixture) -> None:
    drop(intake, "Bad Name/a.csv", TEXT)
    with caplog.at_level(logging.WARNING):
        watching.look()
        drop(intake, "t/a.csv", TEXT)
        watching.look()
    assert len([one for one in caplog.records if "Bad Name" in one.message]) == 1


def test_what_a_dead_loader_left_is_finished(intake: Intake, told: list[Reconciled]) -> None:
    class Crash(BaseException):
        pass

    def die(step: str) -> None:
        if step == "committed":
            raise Crash

    drop(intake, "t/a.csv", TEXT)
    with pytest.raises(Crash):
        Watching(replace(intake, step=die), told.append).look()
    (intake.settings.landing / "t/a.csv").unlink()
    Watching(intake, told.append).look()
    assert intake.heads.pending("t") is None
    assert values_of(intake, "t", "n") == [1, 2]


def test_it_runs_until_it_is_stopped_and_survives_a_landing_folder_that_is_gone(
    intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    loaded = threading.Event()
    away = intake.settings.landing.with_name("away")
    intake.settings.landing.rename(away)

    def wait(seconds: float) -> None:
        if away.exists():
            away.rename(intake.settings.landing)
            drop(intake, "t/a.csv", TEXT)
        stop.wait(min(seconds, 0.01))

    def told(_: Reconciled) -> None:
        loaded.set()

    thread = threading.Thread(
        target=watch,
        args=(replace(intake, sleep=wait),),
        kwargs={"stop": stop.is_set, "told": told, "interval_seconds": 0.01},
    )
    with caplog.at_level(logging.ERROR):
        thread.start()
        assert loaded.wait(120)
        stop.set()
        thread.join(120)
    assert not thread.is_alive()
    assert "cannot be listed" in caplog.text
