"""The table is the union of the distinct contents that its keys hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from athena.dataset import DataType
from athena.errors import NotFound, Refused
from etl.contract import Contract, SourceRules
from etl.ingest import ingest, load_files, loads, reconcile, reload, retract
from etl.intake import Intake
from etl.landing import parse_key
from etl.report import Report
from etl.reports import FolderReports
from tests.archives import gz_of, zip_of
from tests.cloud import Cloud
from tests.home import contract_of, drop, intake_at, owner_writes, reports_of, rows_of, values_of, vanish

# What AWS must show in the short form too; the rest of the sentence there is in the long one.
STORY = frozenset(
    [
        "test_a_corrected_file_replaces_the_rows_of_the_old_one",
        "test_a_file_that_fails_replaces_nothing",
        "test_a_file_that_vanishes_takes_no_rows_with_it",
        "test_a_replacement_is_one_snapshot",
        "test_an_edited_contract_makes_files_worth_loading_again",
        "test_every_member_of_an_archive_is_a_unit",
        "test_many_files_are_one_commit",
        "test_rows_stay_while_another_key_holds_the_content",
        "test_same_content_load_gives_every_key_its_own_rows",
        "test_the_same_bytes_under_another_name_add_nothing",
        "test_the_same_event_twice_changes_nothing",
        "test_what_was_retracted_comes_back_when_it_changes_or_by_reload",
    ]
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test tells the sentence of either home."""
    if "intake" in metafunc.fixturenames:
        long = () if metafunc.function.__name__ in STORY else (pytest.mark.long,)
        metafunc.parametrize("intake", ["embedded", pytest.param("aws", marks=long)], indirect=True)


@pytest.fixture
def intake(request: pytest.FixtureRequest, tmp_path: Path) -> Intake:
    if request.param == "embedded":
        return intake_at(tmp_path / "home")
    cloud: Cloud = request.getfixturevalue("cloud")
    return cloud.intake(cloud.writing(), sleep=lambda _: None)


def numbers(*values: int) -> str:
    """A file of one column."""
    return "n,name\n" + "".join(f"{value},v{value}\n" for value in values)


def load(intake: Intake, key: str, content: str | bytes) -> Report:
    """Drop one file and load it; its only report."""
    (report,) = ingest(intake, drop(intake, key, content))
    return report


def held(intake: Intake, dataset: str = "t") -> list[object]:
    return values_of(intake, dataset, "n")


BAD = "n,name\n" + "".join(f"{value},v\n" for value in range(100, 108)) + "1\n2\n"  # two of ten are too many
HEADER = "n,name\n"


def test_a_corrected_file_replaces_the_rows_of_the_old_one(intake: Intake) -> None:
    assert load(intake, "t/a.csv", numbers(1, 2)).status == "loaded"
    report = load(intake, "t/a.csv", numbers(2, 3))
    assert (report.status, held(intake)) == ("replaced", [2, 3])


def test_a_replacement_is_one_snapshot(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    before = intake.heads.get("t")
    report = load(intake, "t/a.csv", numbers(3))
    after = intake.heads.get("t")
    table = intake.catalog.load_table((intake.settings.name, "t"))
    snapshot = table.current_snapshot()
    assert before and after and snapshot
    assert str(snapshot.parent_snapshot_id) == before.snapshot_id
    assert (report.snapshot, after.rows) == (after.snapshot_id, 1)


def test_the_same_bytes_under_another_name_add_nothing(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    before = intake.heads.get("t")
    report = load(intake, "t/b.csv", numbers(1, 2))
    assert (report.status, report.duplicate_of) == ("duplicate", "t/a.csv")
    assert intake.heads.get("t") == before


def test_the_same_bytes_zipped_anew_are_no_new_content(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    assert load(intake, "t/a.csv.gz", gz_of(numbers(1, 2))).status == "duplicate"
    assert load(intake, "t/a.zip", zip_of({"x.csv": numbers(1, 2)})).status == "duplicate"


def test_rows_stay_while_another_key_holds_the_content(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    load(intake, "t/b.csv", numbers(1, 2))
    load(intake, "t/a.csv", numbers(9))
    assert held(intake) == [1, 2, 9]
    load(intake, "t/b.csv", numbers(9))
    assert held(intake) == [9]


def test_the_same_event_twice_changes_nothing(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    before = intake.heads.get("t")
    (report,) = ingest(intake, "t/a.csv")
    assert (report.status, intake.heads.get("t")) == ("unchanged", before)


@pytest.mark.parametrize("bad", [BAD, "", b"\x00\x01\x02\x00\xff" * 50, b"\x1f\x8b\x08garbage"])
def test_a_file_that_fails_replaces_nothing(intake: Intake, bad: str | bytes) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    report = load(intake, "t/a.csv", bad)
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.remedy
    assert held(intake) == [1, 2]
    assert intake.landing.get(parse_key("t/a.csv")) is not None


def test_a_file_of_only_a_header_does_replace(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    assert load(intake, "t/a.csv", HEADER).status == "replaced"
    assert held(intake) == []


def test_a_first_file_of_only_a_header_makes_a_table_without_rows(intake: Intake) -> None:
    assert load(intake, "t/a.csv", HEADER).status == "loaded"
    head = intake.heads.get("t")
    assert head is not None
    assert (head.rows, [column.name for column in head.columns[:2]]) == (0, ["n", "name"])


def test_a_file_that_vanishes_takes_no_rows_with_it(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    vanish(intake, "t/a.csv")
    done = reconcile(intake)
    assert (done.vanished, held(intake)) == (("t/a.csv",), [1, 2])
    with pytest.raises(Refused, match=r"no file t/a\.csv in landing") as refusal:
        ingest(intake, "t/a.csv")
    assert refusal.value.code == "not-landed"


def test_retract_takes_the_rows_and_leaves_the_file(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    load(intake, "t/b.csv", numbers(3))
    (ended,) = retract(intake, "t/a.csv")
    assert (ended.status, ended.file, held(intake)) == ("retracted", "t/a.csv", [3])
    assert intake.landing.get(parse_key("t/a.csv")) is not None


def test_what_was_retracted_comes_back_when_it_changes_or_by_reload(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    retract(intake, "t/a.csv")
    assert reports_of(reconcile(intake)) == ()
    assert [report.status for report in reload(intake, "t").reports] == ["loaded"]
    retract(intake, "t/a.csv")
    drop(intake, "t/a.csv", numbers(5))
    assert [report.status for report in reports_of(reconcile(intake))] == ["loaded"]
    assert held(intake) == [5]


def test_a_member_that_was_retracted_comes_back_when_its_archive_changes_or_by_reload(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/a.zip", zip_of({"x.csv": numbers(1), "y.csv": numbers(2)})))
    retract(intake, "t/a.zip!x.csv")
    contract = contract_of(intake, "t")
    for rejected in (0.5, 0.6):  # another interpretation: all that is held is read again
        rules = SourceRules(null=("", f"{rejected}"))
        owner_writes(intake, replace(contract, inferred=False, sources={"default": rules}))
        reports_of(reconcile(intake))
        assert held(intake) == [2]
    reload(intake, "t")
    assert held(intake) == [1, 2]
    reports_of(reconcile(intake))
    owner_writes(intake, replace(contract, inferred=False))
    reports_of(reconcile(intake))
    assert held(intake) == [1, 2]
    retract(intake, "t/a.zip!x.csv")
    ingest(intake, drop(intake, "t/a.zip", zip_of({"x.csv": numbers(1), "y.csv": numbers(3)})))
    assert held(intake) == [1, 3]


def test_retracting_one_of_two_holders_keeps_the_rows(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    load(intake, "t/b.csv", numbers(1))
    retract(intake, "t/a.csv")
    assert held(intake) == [1]
    retract(intake, "t/b.csv")
    assert held(intake) == []


def test_reconciling_a_dataset_that_is_not_there_is_not_found(intake: Intake) -> None:
    with pytest.raises(NotFound, match="no dataset 'flihgts'") as refusal:
        reports_of(reconcile(intake, "flihgts"))
    assert refusal.value.code == "no-such-dataset"


def test_files_are_looked_at_before_any_is_copied(intake: Intake, tmp_path: Path) -> None:
    good = tmp_path / "a.csv"
    good.write_text(numbers(1))
    for files, why in (([good, tmp_path / "absent.csv"], "is no file"), ([good, good], "would replace the first")):
        with pytest.raises(Refused, match=why):
            load_files(intake, files, dataset="t")
    assert list(intake.landing.listing()) == []


def test_retracting_what_holds_nothing_is_not_found(intake: Intake) -> None:
    with pytest.raises(NotFound, match="holds no rows") as refusal:
        retract(intake, "t/a.csv")
    assert refusal.value.code == "no-such-key"


def test_every_member_of_an_archive_is_a_unit(intake: Intake) -> None:
    drop(intake, "t/all.zip", zip_of({"a.csv": numbers(1), "sub/b.csv": numbers(2), "__MACOSX/._a.csv": "junk"}))
    reports = ingest(intake, "t/all.zip")
    assert [(report.file, report.status) for report in reports] == [
        ("t/all.zip!a.csv", "loaded"),
        ("t/all.zip!sub/b.csv", "loaded"),
    ]
    assert set(rows_of(intake, "t")["_file"].to_pylist()) == {"t/all.zip!a.csv", "t/all.zip!sub/b.csv"}


def test_members_that_vanish_from_a_replaced_archive_lose_their_rows(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/all.zip", zip_of({"a.csv": numbers(1), "b.csv": numbers(2)})))
    reports = ingest(intake, drop(intake, "t/all.zip", zip_of({"b.csv": numbers(2), "c.csv": numbers(3)})))
    assert [report.status for report in reports] == ["unchanged", "loaded"]
    assert held(intake) == [2, 3]


def test_a_member_that_fails_keeps_its_old_rows(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/all.zip", zip_of({"a.csv": numbers(1), "b.csv": numbers(2)})))
    reports = ingest(intake, drop(intake, "t/all.zip", zip_of({"a.csv": BAD, "b.csv": numbers(5)})))
    assert [report.status for report in reports] == ["failed", "replaced"]
    assert held(intake) == [1, 5]


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", zip_of({}), zip_of({"a.csv": BAD})])
def test_an_archive_in_which_nothing_can_be_read_replaces_nothing(intake: Intake, content: bytes) -> None:
    ingest(intake, drop(intake, "t/all.zip", zip_of({"a.csv": numbers(1), "b.csv": numbers(2)})))
    reports = ingest(intake, drop(intake, "t/all.zip", content))
    assert {report.status for report in reports} == {"failed"}
    assert held(intake) == [1, 2]


def test_one_member_can_be_retracted(intake: Intake) -> None:
    ingest(intake, drop(intake, "t/all.zip", zip_of({"a.csv": numbers(1), "b.csv": numbers(2)})))
    retract(intake, "t/all.zip!a.csv")
    assert held(intake) == [2]
    assert reports_of(reconcile(intake)) == ()


def test_same_content_load_gives_every_key_its_own_rows(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    owner_writes(intake, replace(contract_of(intake, "t"), same_content="load"))
    assert load(intake, "t/b.csv", numbers(1, 2)).status == "loaded"
    reports_of(reconcile(intake))
    assert held(intake) == [1, 1, 2, 2]
    load(intake, "t/b.csv", numbers(3))
    assert held(intake) == [1, 2, 3]


def confirm(intake: Intake, **changes: object) -> None:
    """The owner edits the contract by hand."""
    owner_writes(intake, replace(contract_of(intake, "t"), inferred=False, **changes))  # type: ignore[arg-type]


def test_an_edited_contract_makes_files_worth_loading_again(intake: Intake) -> None:
    load(intake, "t/a.csv", "n,name\n1,x\n2,\n3,z\n")
    contract = contract_of(intake, "t")
    confirm(intake, max_rejected=0.5)
    assert reports_of(reconcile(intake)) == ()  # nothing in it changes what rows the file gives
    columns = tuple(replace(column, required=True) for column in contract.columns)
    confirm(intake, max_rejected=0.5, columns=columns)
    (report,) = reports_of(reconcile(intake))
    assert (report.status, report.rows_loaded, report.rows_rejected) == ("replaced", 2, 1)
    assert held(intake) == [1, 3]
    assert reports_of(reconcile(intake)) == ()


def test_a_file_that_is_gone_keeps_its_rows_under_an_edited_contract_and_is_named(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    load(intake, "t/b.csv", numbers(2))
    vanish(intake, "t/a.csv")
    confirm(intake, new_columns="ignore")
    done = reload(intake, "t")
    assert ([report.file for report in done.reports], done.vanished) == (["t/b.csv"], ("t/a.csv",))
    assert held(intake) == [1, 2]


def test_a_failed_file_is_tried_again_when_it_or_the_contract_changes(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    assert load(intake, "t/b.csv", BAD).status == "failed"
    assert reports_of(reconcile(intake)) == ()
    confirm(intake, max_rejected=0.9)
    assert [report.status for report in reports_of(reconcile(intake))] == ["loaded"]


def test_widening_an_inferred_contract_makes_no_row_stale(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    load(intake, "t/b.csv", "n,name,extra\n5000000000,x,1\n")
    assert str(contract_of(intake, "t").columns[0].type) == "long"
    assert reports_of(reconcile(intake)) == ()
    assert held(intake) == [1, 2, 5_000_000_000]


def test_what_cannot_be_widened_fails_whole_and_says_what_to_do(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1, 2))
    report = load(intake, "t/b.csv", "n,name\nabc,x\ndef,y\n")
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.remedy
    assert held(intake) == [1, 2]


DAYS = "n,name\n1,03/04/2026\n2,05/06/2026\n"


def retype(intake: Intake) -> None:
    """The owner says what the dates of an ambiguous column are."""
    contract = contract_of(intake, "t")
    assert str(contract.columns[1].type) == "string"
    columns = (contract.columns[0], replace(contract.columns[1], type=DataType("date")))
    confirm(intake, columns=columns, sources={"default": SourceRules(formats={"name": "%d/%m/%Y"})})


def test_reload_gives_a_column_the_type_that_its_owner_wants(intake: Intake) -> None:
    load(intake, "t/a.csv", DAYS)
    load(intake, "t/b.csv", "n,name\n3,07/08/2026\n")
    retype(intake)
    (report,) = ingest(intake, drop(intake, "t/c.csv", "n,name\n4,09/10/2026\n"))
    assert report.error is not None
    assert (report.error.code, "lakegate reload t" in report.error.remedy) == ("schema-conflict", True)
    assert [one.status for one in reload(intake, "t").reports] == ["replaced", "replaced", "loaded"]
    assert values_of(intake, "t", "name") == [
        date(2026, month, day) for month, day in ((4, 3), (6, 5), (8, 7), (10, 9))
    ]
    assert reports_of(reconcile(intake)) == ()


def test_a_column_keeps_its_type_while_rows_would_lose_their_values(intake: Intake) -> None:
    load(intake, "t/a.csv", DAYS)
    load(intake, "t/b.csv", "n,name\n3,07/08/2026\n")
    vanish(intake, "t/b.csv")
    retype(intake)
    before = intake.heads.get("t")
    with pytest.raises(Refused, match="cannot get another type") as refusal:
        reload(intake, "t")
    assert refusal.value.code == "schema-conflict"
    assert "t/b.csv" in refusal.value.message
    assert "retract" in refusal.value.remedy
    assert (intake.heads.get("t"), intake.ledger.unresolved()) == (before, ())
    retract(intake, "t/b.csv")
    assert [one.status for one in reload(intake, "t").reports] == ["replaced"]


def test_a_contract_with_a_misspelt_key_fails_every_file_until_it_is_mended(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    good = intake.contracts.text("t")
    assert good is not None
    intake.contracts.save("t", good.replace("max_rejected", "max_rejectd"))
    report = load(intake, "t/b.csv", numbers(2))
    assert report.error is not None
    assert report.error.code == "contract-invalid"
    assert "line" in report.error.message
    assert "max_rejected" in report.error.remedy
    intake.contracts.save("t", good)
    assert [report.status for report in reports_of(reconcile(intake))] == ["loaded"]
    assert held(intake) == [1, 2]


@pytest.mark.parametrize("moment", ["read", "claimed", "planned", "committed"])
def test_an_owners_edit_is_never_overwritten(intake: Intake, moment: str) -> None:
    load(intake, "t/a.csv", numbers(1))

    def edit(step: str) -> None:
        if step == moment:
            owner_writes(intake, replace(contract_of(intake, "t"), description="by its owner"))

    (report,) = ingest(replace(intake, step=edit), drop(intake, "t/b.csv", "n,name,extra\n7,x,1\n"))
    assert (report.status, contract_of(intake, "t").description) == ("loaded", "by its owner")
    ingest(intake, drop(intake, "t/c.csv", "n,name,extra\n8,x,1\n"))
    contract = contract_of(intake, "t")
    assert [column.name for column in contract.columns] == ["n", "name", "extra"]
    assert (contract.description, held(intake)) == ("by its owner", [1, 7, 8])


def test_a_load_that_fails_leaves_no_contract(intake: Intake) -> None:
    load(intake, "t/a.csv", BAD)
    assert intake.contracts.text("t") is None


def test_a_file_that_changes_while_it_is_read_is_read_as_it_is_now(intake: Intake) -> None:
    drop(intake, "t/a.csv", numbers(1))

    def overtake(step: str) -> None:
        if step == "claimed" and intake.heads.get("t") is None:
            ingest_now = replace(intake, step=lambda _: None)
            drop(ingest_now, "t/a.csv", numbers(2))

    ingest(replace(intake, step=overtake), "t/a.csv")
    assert held(intake) == [2]


def test_many_files_are_one_commit(intake: Intake) -> None:
    for number in range(12):
        drop(intake, f"t/f{number}.csv", numbers(number))
    drop(intake, "t/again.csv", numbers(3))
    done = reconcile(intake)
    assert sorted(report.status for report in done.reports) == ["duplicate"] + ["loaded"] * 12
    assert held(intake) == list(range(12))
    assert len(intake.catalog.load_table((intake.settings.name, "t")).snapshots()) == 1


def test_files_given_to_load_come_to_landing_and_are_reported_in_their_order(intake: Intake, tmp_path: Path) -> None:
    files = []
    for name, value in (("z.csv", 1), ("a.csv", 2)):
        path = tmp_path / name
        path.write_text(numbers(value))
        files.append(path)
    reports = load_files(intake, files, dataset="t", source="lufthansa")
    assert [report.file for report in reports] == ["t/lufthansa/z.csv", "t/lufthansa/a.csv"]
    landed = intake.landing.get(parse_key("t/lufthansa/z.csv"))
    assert landed is not None and landed.size_bytes == len(numbers(1))
    assert held(intake) == [1, 2]


def test_the_history_tells_which_loads_are_in_the_table(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    load(intake, "t/a.csv", numbers(2))
    load(intake, "t/b.csv", BAD)
    found = [(one.file, one.status, one.current) for one in loads(intake, "t")]
    assert found == [("t/b.csv", "failed", False), ("t/a.csv", "replaced", True), ("t/a.csv", "loaded", False)]
    assert loads(intake, "other") == ()


def test_reports_and_rejects_lie_beside_each_other_for_the_owner(intake: Intake) -> None:
    report = load(intake, "t/b.csv", BAD)
    if isinstance(intake.reports, FolderReports):
        found = sorted(path.name for path in (intake.settings.reports / "t/b.csv").iterdir())
        assert found == [f"{report.load_id}.json", f"{report.load_id}.rejects.csv"]
    rejects = rows_of(intake, "t__rejects")
    assert rejects["load_id"].to_pylist() == [report.load_id] * 2
    assert rejects["raw"].to_pylist() == ["1", "2"]


def test_a_contract_for_a_dataset_without_files_waits(intake: Intake) -> None:
    owner_writes(intake, Contract("t", (), description="soon"))
    assert reports_of(reconcile(intake)) == ()
    load(intake, "t/a.csv", numbers(1))
    head = intake.heads.get("t")
    assert head is not None
    assert head.description == "soon"


def test_what_a_contract_says_of_columns_reaches_the_head_without_a_load(intake: Intake) -> None:
    load(intake, "t/a.csv", numbers(1))
    before = intake.heads.get("t")
    contract = contract_of(intake, "t")
    columns = (
        replace(contract.columns[0], unit="min", description="delay"),
        replace(contract.columns[1], sensitive=True),
    )
    owner_writes(intake, replace(contract, columns=columns))
    assert reports_of(reconcile(intake)) == ()
    head = intake.heads.get("t")
    assert before and head
    assert (head.columns[0].unit, head.columns[0].description, head.columns[1].sensitive) == ("min", "delay", True)
    assert (head.data_version, intake.settled("t")) == (before.data_version, head)
