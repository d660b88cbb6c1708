"""The doctor finds what is wrong, says what to do, and mends what is safe to mend."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.settings import HOME_FILE
from etl.doctor import Finding, examine
from etl.ingest import ingest, reconcile
from etl.intake import Intake
from tests.home import drop, intake_at, reports_of, values_of

TEXT = "n,name\n1,a\n2,b\n"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    made = intake_at(tmp_path / "home")
    made.settings.results.mkdir()
    made.settings.reports.mkdir()
    ingest(made, drop(made, "t/a.csv", TEXT))
    ingest(made, drop(made, "t/b.csv", "n,name\n3,c\n"))
    ingest(made, drop(made, "t/again.csv", TEXT))
    return made


def wrong(intake: Intake, *, repair: bool = False) -> list[Finding]:
    return [one for one in examine(intake.settings.home, repair=repair) if one.level != "ok"]


def test_a_sound_home_has_no_findings(intake: Intake) -> None:
    found = examine(intake.settings.home)
    assert [one for one in found if one.level != "ok"] == []
    assert Finding("union", "t", "ok", "3 rows of 2 contents, as the keys want") in found
    assert examine(intake.settings.home, repair=True) == found


def test_what_is_no_home_is_one_finding(tmp_path: Path) -> None:
    (found,) = examine(tmp_path)
    assert (found.check, found.level) == ("settings", "error")
    assert "lakegate init" in found.remedy


def test_a_misspelt_setting_is_one_finding(intake: Intake) -> None:
    (intake.settings.home / HOME_FILE).write_text('nam = "lake"')
    (found,) = examine(intake.settings.home)
    assert "'nam'" in found.message
    assert "'name'" in found.remedy


def test_missing_folders_are_made_anew(intake: Intake) -> None:
    intake.settings.results.rmdir()
    assert [(one.check, one.level) for one in wrong(intake)] == [("folders", "warning")]
    assert [one.repaired for one in wrong(intake, repair=True)] == [True]
    assert wrong(intake) == []


def test_a_file_in_the_place_of_a_folder_is_told(intake: Intake) -> None:
    intake.settings.results.rmdir()
    intake.settings.results.write_text("no folder")
    assert "results" in wrong(intake)[0].message
    assert wrong(intake, repair=True)[0].level == "error"


def damage(path: Path) -> None:
    for companion in path.parent.glob(f"{path.name}-*"):
        companion.unlink()
    path.write_bytes(b"no database at all " * 500)


def test_a_damaged_cache_is_thrown_away(intake: Intake) -> None:
    damage(intake.settings.cache)
    (found,) = wrong(intake)
    assert (found.subject, found.level) == ("cache.sqlite", "error")
    assert "--repair" in found.remedy
    assert [one.repaired for one in wrong(intake, repair=True)] == [True]
    assert wrong(intake) == []


@pytest.mark.parametrize("name", ["state.sqlite", "catalog.sqlite", "cache.sqlite"])
def test_a_file_that_cannot_be_used_just_now_is_not_taken_for_damaged(intake: Intake, name: str) -> None:
    path, aside = intake.settings.home / name, intake.settings.home / "aside"
    if path.exists():
        path.rename(aside)
    path.mkdir()  # a full disk or a lock says no other than this: the file cannot be opened
    (found,) = (
        one for one in examine(intake.settings.home, repair=True) if one.check == "sqlite" and one.level != "ok"
    )
    assert (found.level, found.subject, found.repaired) == ("error", name, False)
    assert "could not be used" in found.message
    assert "disk has room" in found.remedy
    assert path.is_dir()


def test_a_damaged_catalog_is_made_anew_from_the_heads(intake: Intake) -> None:
    damage(intake.settings.catalog)
    (found,) = wrong(intake)
    assert (found.subject, found.level) == ("catalog.sqlite", "error")
    mended = wrong(intake, repair=True)
    assert {one.repaired for one in mended} == {True}
    anew = intake_at(intake.settings.home)
    assert wrong(anew) == []
    assert values_of(anew, "t", "n") == [1, 2, 3]
    ingest(anew, drop(anew, "t/c.csv", "n,name\n4,d\n"))
    assert values_of(anew, "t", "n") == [1, 2, 3, 4]


def test_a_damaged_state_is_told_and_not_touched(intake: Intake) -> None:
    damage(intake.settings.state)
    before = intake.settings.state.read_bytes()
    (found,) = wrong(intake, repair=True)
    assert (found.subject, found.level, found.repaired) == ("state.sqlite", "error", False)
    assert "backup" in found.remedy
    assert intake.settings.state.read_bytes() == before


def test_without_its_state_a_home_is_rebuilt_from_its_tables(intake: Intake) -> None:
    for path in intake.settings.home.glob("state.sqlite*"):
        path.unlink()
    anew = intake_at(intake.settings.home)
    assert {one.check for one in wrong(anew)} >= {"head", "ledger"}
    assert any(one.check == "ledger" and one.repaired for one in wrong(anew, repair=True))
    reports_of(reconcile(anew))
    assert wrong(anew) == []
    assert values_of(anew, "t", "n") == [1, 2, 3]
    assert len(anew.ledger.holdings("t").units) == 3


def test_without_state_and_catalog_a_home_is_rebuilt_from_metadata_files(intake: Intake) -> None:
    newest = max((intake.data("t").parent / "metadata").glob("*.metadata.json"))
    # What a commit that failed has left: newer, but its data file is not there.
    text = newest.read_text()
    stray = newest.with_name("00099-ffffffff-0000-0000-0000-000000000000.metadata.json")
    stray.write_text(text.replace(".avro", ".gone.avro"))
    for path in (*intake.settings.home.glob("state.sqlite*"), intake.settings.catalog):
        path.unlink()
    anew = intake_at(intake.settings.home)
    assert any(one.check == "catalog" and one.level == "error" for one in wrong(anew))
    assert any(one.check == "catalog" and one.repaired for one in wrong(anew, repair=True))
    reports_of(reconcile(anew))
    assert wrong(anew) == []
    assert values_of(anew, "t", "n") == [1, 2, 3]


def test_rows_that_the_ledger_counts_otherwise_are_found_and_mended(intake: Intake) -> None:
    holdings = intake.ledger.holdings("t")
    pieces = intake.ledger.pieces("t")
    intake.ledger.replace("t", holdings.slots.values(), [], pieces[:1])
    found = wrong(intake)
    assert {one.check for one in found} >= {"ledger", "union"}
    assert all(one.remedy for one in found)
    wrong(intake, repair=True)
    reports_of(reconcile(intake))
    assert wrong(intake) == []
    assert values_of(intake, "t", "n") == [1, 2, 3]


def test_a_data_file_that_is_gone_or_cut_is_an_error(intake: Intake) -> None:
    files = sorted(intake.data("t").glob("*.parquet"))
    files[0].write_bytes(files[0].read_bytes()[:-1])
    files[1].unlink()
    found = [one for one in wrong(intake) if one.check == "files"]
    assert sorted("is gone" in one.message for one in found) == [False, True]
    assert all("backup" in one.remedy for one in found)


def test_a_head_that_is_not_the_catalogs_is_published_anew(intake: Intake) -> None:
    head = intake.heads.get("t")
    ingest(intake, drop(intake, "t/c.csv", "n,name\n4,d\n"))
    current = intake.heads.get("t")
    assert head is not None
    intake.heads.publish(head)
    assert [one.check for one in wrong(intake)] == ["head"]
    assert [one.repaired for one in wrong(intake, repair=True)] == [True]
    assert intake.heads.get("t") == current


def test_a_commit_that_is_half_done_is_finished(intake: Intake) -> None:
    crash(intake, "committed", lambda made: ingest(made, drop(intake, "t/c.csv", "n,name\n4,d\n")))
    assert "commits" in {one.check for one in wrong(intake)}
    assert any(one.check == "commits" and one.repaired for one in wrong(intake, repair=True))
    assert wrong(intake) == []


def test_what_waits_failed_or_lies_in_the_wrong_place_is_told(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/bad.csv", ""))
    drop(intake, "t/new.csv", "n,name\n9,i\n")
    drop(intake, "loose.csv", TEXT)
    messages = " ".join(one.message for one in wrong(intake))
    assert "1 files wait to be loaded: t/new.csv" in messages
    assert "1 files failed: t/bad.csv" in messages
    assert "loose.csv" in messages


def test_a_contract_that_is_wrong_is_told_with_its_line(intake: Intake) -> None:
    path = intake.contract_path("t")
    path.write_text(path.read_text().replace("same_content", "same_contend"))
    (found,) = [one for one in wrong(intake) if one.check == "contract"]
    assert "line" in found.message
    assert "'same_content'" in found.remedy


def test_metadata_that_is_damaged_is_told(intake: Intake) -> None:
    head = intake.heads.get("t")
    assert head is not None
    Path(head.metadata_location).write_text(json.dumps({}))
    assert any("damaged" in one.message for one in wrong(intake) if one.level == "error")


def crash(intake: Intake, at: str, act: Callable[[Intake], object]) -> None:
    """Let `act` die at a step."""

    class Crash(Exception):
        pass

    def die(step: str) -> None:
        if step == at:
            raise Crash

    with pytest.raises(Crash):
        act(intake_at(intake.settings.home, step=die))
