"""A commit left half done is finished or forgotten by whoever comes next; an unknown outcome loses nothing."""

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import TableRequirement, TableUpdate
from pyiceberg.typedef import Identifier
from sqlalchemy.exc import OperationalError

from athena.errors import Damaged, Failed, OutcomeUnknown
from athena.events import DatasetUpdated, Event, LoadFailed
from athena.heads import Head
from etl.commit import load_table
from etl.ingest import ingest, reconcile
from etl.intake import Intake, new_id
from etl.publish import MOST_TOLD_CHARACTERS
from etl.told import told_at_home
from tests.home import drop, intake_at, reports_of, utc_now, values_of

TEXT = "n,name\n1,a\n2,b\n"


class Crash(Exception):
    """The process dies here."""


def dying(intake: Intake, at: str) -> Intake:
    def die(step: str) -> None:
        if step == at:
            raise Crash

    return replace(intake, step=die)


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def data_files(intake: Intake) -> int:
    return len(list(intake.data("t").glob("*.parquet")))


def test_before_the_commit_a_plan_is_forgotten_and_its_files_go(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    with pytest.raises(Crash):
        ingest(dying(intake, "intended"), drop(intake, "t/b.csv", "n,name\n3,c\n"))
    before = intake.heads.get("t")
    assert before is not None
    assert (before.intent is not None, data_files(intake)) == (True, 2)
    (intake.settings.landing / "t/b.csv").unlink()
    reports_of(reconcile(intake))
    after = intake.heads.get("t")
    assert after is not None
    assert (after.intent, after.data_version, after.rows) == (None, before.data_version, 2)
    assert (data_files(intake), values_of(intake, "t", "n")) == (1, [1, 2])


def test_behind_the_commit_a_plan_is_finished_without_the_file(intake: Intake) -> None:
    with pytest.raises(Crash):
        ingest(dying(intake, "committed"), drop(intake, "t/a.csv", TEXT))
    assert intake.heads.get("t") is None
    (intake.settings.landing / "t/a.csv").unlink()
    reports_of(reconcile(intake))
    head = intake.heads.get("t")
    assert head is not None
    assert (head.rows, values_of(intake, "t", "n")) == (2, [1, 2])
    assert len(list((intake.settings.reports / "t/a.csv").glob("*.json"))) == 1


AFTER_THE_COMMIT = (
    *("committed", "contract", "rejects", "reported", "recorded", "told", "published"),
    *("closed", "delivered"),
)


@pytest.mark.parametrize("step", AFTER_THE_COMMIT)
def test_an_event_is_told_at_least_once_also_when_the_process_dies(intake: Intake, step: str) -> None:
    told: list[Event] = []
    telling = replace(intake, deliver=told.append)
    with pytest.raises(Crash):
        ingest(dying(telling, step), drop(intake, "t/a.csv", TEXT))
    reports_of(reconcile(telling))
    head = intake.heads.get("t")
    assert head is not None
    commits = [event for event in told if isinstance(event, DatasetUpdated)]
    assert {(event.dataset, event.snapshot_id, event.rows_added) for event in commits} == {("t", head.snapshot_id, 2)}
    assert len({event.id for event in told}) == 1
    assert intake.events.undelivered() == ()


@pytest.mark.parametrize("step", ["planned", "reported", "recorded", "closed", "delivered"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a good file"])
def test_a_failed_file_is_told_at_least_once_also_when_the_process_dies(
    intake: Intake, step: str, beside: bool
) -> None:
    told: list[Event] = []
    telling = replace(intake, deliver=told.append)
    drop(intake, "t/bad.csv", "")
    if beside:
        drop(intake, "t/a.csv", TEXT)
    with pytest.raises(Crash):
        reports_of(reconcile(dying(telling, step)))
    reports_of(reconcile(telling))
    failures = [event for event in told if isinstance(event, LoadFailed)]
    assert {(event.dataset, event.file, event.code) for event in failures} == {("t", "t/bad.csv", "empty-file")}
    assert len({event.id for event in failures}) == 1
    assert failures[0].remedy
    assert any(isinstance(event, DatasetUpdated) for event in told) == beside
    assert intake.events.undelivered() == ()


def test_a_home_tells_its_owner_of_failed_files_in_one_file(intake: Intake) -> None:
    heard: list[DatasetUpdated] = []
    telling = replace(intake, deliver=told_at_home(heard.append, intake.settings.reports))
    ingest(telling, drop(intake, "t/a.csv", TEXT))
    for _ in range(2):
        ingest(telling, drop(intake, "t/bad.csv", ""))
    ingest(telling, drop(intake, "t/worse.csv", b"\x1f\x8b\x08garbage"))
    lines = (intake.settings.reports / "failed.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["code"] == "empty-file"
    assert {one["file"] for one in map(json.loads, lines)} == {"t/bad.csv", "t/worse.csv"}
    assert [event.rows_added for event in heard] == [2]


def test_an_event_that_nobody_takes_fails_no_load_and_is_told_later(intake: Intake) -> None:
    def refuse(_event: Event) -> None:
        raise Failed("The bus is away.", "Wait.", code="events-unavailable")

    (report,) = ingest(replace(intake, deliver=refuse), drop(intake, "t/a.csv", TEXT))
    assert report.status == "loaded"
    assert len(intake.events.undelivered()) == 1
    told: list[Event] = []
    assert reports_of(reconcile(replace(intake, deliver=told.append))) == ()
    assert [event.rows_added for event in told if isinstance(event, DatasetUpdated)] == [2]
    assert intake.events.undelivered() == ()


def test_an_event_that_is_refused_holds_up_no_other(intake: Intake) -> None:
    """One that a bus will never take must not be the last that anybody hears."""
    refused = DatasetUpdated("c0", "u", "1", "1", intake.clock(), 1, 0)
    intake.events.put(refused)
    told: list[str] = []

    def picky(event: Event) -> None:
        if event.id == refused.id:
            raise Failed("The bus refuses it.", "Check it.", code="events-unavailable")
        told.append(event.dataset)

    drop(intake, "t/a.csv", "n\n1\n")
    reports_of(reconcile(replace(intake, deliver=picky)))
    assert told == ["t"]
    assert intake.events.undelivered() == (refused,)


def test_an_event_says_no_more_of_a_failure_than_a_bus_takes(intake: Intake) -> None:
    names = [f"column_{number}" for number in range(500)]
    intake.contracts.save(
        "t", "[columns]\n" + "".join(f'{name} = {{ type = "int", required = true }}\n' for name in names)
    )
    heard: list[Event] = []
    drop(intake, "t/a.csv", "n\n1\n")
    (report,) = reports_of(reconcile(replace(intake, deliver=heard.append)))
    assert report.error is not None and len(report.error.message) > MOST_TOLD_CHARACTERS
    (event,) = heard
    assert isinstance(event, LoadFailed)
    assert event.message == report.error.message[: MOST_TOLD_CHARACTERS - 1] + "…"


def test_a_late_writer_that_only_slept_cannot_commit_what_was_forgotten(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    drop(intake, "t/b.csv", "n,name\n3,c\n")
    heir = replace(intake, holder="heir")
    slept: list[str] = []

    def sleep_long(step: str) -> None:
        # The lease runs out while the writer sleeps between its plan and its commit.
        if step == "intended" and not slept:
            slept.append(step)
            lease = intake.leases.current("t")
            assert lease is not None
            intake.leases.release(lease)
            reports_of(reconcile(heir))

    ingest(replace(intake, step=sleep_long), "t/b.csv")
    assert values_of(intake, "t", "n") == [1, 2, 3]
    assert reports_of(reconcile(intake)) == ()


class Unreachable(SqlCatalog):
    """A catalog that goes away while a commit is on its way to it: before it arrives, or before the answer does."""

    arrives = True
    gone = False

    def load_table(self, identifier: str | Identifier) -> Table:
        if self.gone:
            raise OperationalError("SELECT", None, Exception("no route to host"))
        return super().load_table(identifier)

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        if self.arrives:
            super().commit_table(table, requirements, updates)
        self.gone = True
        raise OperationalError("UPDATE", None, Exception("connection lost"))


@pytest.mark.parametrize("arrives", [True, False])
def test_an_outcome_that_cannot_be_told_leaves_files_and_plan_to_the_next(intake: Intake, arrives: bool) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    drop(intake, "t/b.csv", "n,name\n3,c\n")
    unreachable = Unreachable("lake", **intake.catalog.properties)
    unreachable.arrives = arrives
    with pytest.raises(OutcomeUnknown, match="cannot be told") as doubt:
        ingest(replace(intake, open_catalog=lambda: unreachable), "t/b.csv")
    assert "nothing is lost" in doubt.value.remedy
    assert data_files(intake) == 2
    assert intake.ledger.unresolved() == ("t",)
    reports_of(reconcile(intake))
    assert values_of(intake, "t", "n") == [1, 2, 3]
    assert data_files(intake) == 2
    assert intake.ledger.unresolved() == ()


def test_what_could_not_be_finished_is_told_as_such_and_finished_later(intake: Intake) -> None:
    reports = intake.settings.reports
    reports.write_text("a file where the folder should be")
    with pytest.raises(OutcomeUnknown, match="was committed, but not finished") as doubt:
        ingest(intake, drop(intake, "t/a.csv", TEXT))
    assert "rows are safe" in doubt.value.remedy
    assert doubt.value.code == "unfinished"
    reports.unlink()
    reports_of(reconcile(intake))
    assert values_of(intake, "t", "n") == [1, 2]
    assert len(list((reports / "t/a.csv").glob("*.json"))) == 1


def test_files_of_a_writer_that_died_before_its_plan_are_removed(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    intake.ledger.begin("dead", "t", "process:" + intake.holder.split(":")[1] + ":1:0:x")
    (intake.data("t") / "dead-00001-00001.parquet").write_text("half")
    intake.ledger.begin("alive", "t", intake.holder)
    (intake.data("t") / "alive-00001-00001.parquet").write_text("half")
    reports_of(reconcile(intake))
    assert sorted(
        path.name.split("-")[0] for path in intake.data("t").iterdir() if "alive" in path.name or "dead" in path.name
    ) == ["alive"]


def test_files_of_a_writer_that_cannot_be_looked_for_are_removed_when_nobody_reads_for_so_long(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    for days in (4, 2):
        began_at = utc_now() - timedelta(days=days)
        commit_id = new_id(lambda at=began_at: at)  # type: ignore[misc]
        intake.ledger.begin(commit_id, "t", "process:another-container:7:12345:x")
        (intake.data("t") / f"{commit_id}-00001-{days}-days.parquet").write_text("half")
    reports_of(reconcile(intake))
    left = [path.name for path in intake.data("t").iterdir() if path.name.endswith("-days.parquet")]
    assert [name.split("-")[-2] for name in left] == ["2"]


def test_a_table_whose_ledger_is_lost_is_not_loaded_into(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    for path in intake.settings.home.glob("state.sqlite*"):
        path.unlink()
    anew = intake_at(intake.settings.home)
    with pytest.raises(Damaged, match="2 rows in its table, but 0 in the ledger") as damage:
        ingest(anew, "t/a.csv")
    assert damage.value.code == "ledger-mismatch"
    assert "lakegate doctor --repair" in damage.value.remedy
    assert values_of(anew, "t", "n") == [1, 2]


def test_a_dataset_in_trouble_holds_up_no_other(intake: Intake) -> None:
    for key in ("a/a.csv", "t/a.csv", "z/a.csv"):
        ingest(intake, drop(intake, key, TEXT))
        drop(intake, key.replace("/a.", "/b."), TEXT.replace("1", "7"))
    with sqlite3.connect(intake.settings.state) as ledger:
        ledger.execute("DELETE FROM piece WHERE dataset = 't'")
    ledger.close()
    done = reconcile(intake_at(intake.settings.home))
    assert [report.file for report in done.reports] == ["a/b.csv", "z/b.csv"]
    assert [error.code for error in done.unread] == ["ledger-mismatch"]
    assert done.unread[0].message.startswith("t has 2 rows in its table")


def test_an_intent_whose_plan_is_lost_is_settled_by_the_catalog(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    head = intake.heads.get("t")
    intake.heads.intend("t", "of nobody")
    intake.heads.intend("u", "of nobody")
    (intake.settings.landing / "u").mkdir()
    reports_of(reconcile(intake))
    reports_of(reconcile(intake, "u"))
    assert (intake.heads.get("t"), intake.heads.pending("u")) == (head, None)


def test_readers_see_a_commit_through_its_intent(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.csv", TEXT))
    seen: list[Head | None] = []

    def look(step: str) -> None:
        if step == "committed":
            seen.append(intake.heads.get("t"))
            seen.append(intake.settled("t"))

    ingest(replace(intake, step=look), drop(intake, "t/a.csv", "n,name\n9,z\n"))
    published, settled = seen
    assert published and settled
    assert (published.intent is not None, published.rows, settled.rows) == (True, 2, 1)
    assert settled == intake.heads.get("t")


def test_a_disk_error_before_the_plan_leaves_nothing_behind(intake: Intake) -> None:
    intake.data("t").parent.mkdir(parents=True)
    intake.data("t").write_text("a file where the folder should be")
    with pytest.raises(Failed, match="could not be written") as failure:
        ingest(intake, drop(intake, "t/a.csv", TEXT))
    assert failure.value.code == "disk"
    assert intake.ledger.unresolved() == ()
    assert load_table(intake.catalog, "t") is None
    intake.data("t").unlink()
    assert [report.status for report in reports_of(reconcile(intake))] == ["loaded"]
