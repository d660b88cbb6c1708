"""Maintenance on AWS, as the schedule starts it: fewer files, the same rows, and nothing needed is removed."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from athena.errors import Failed, LakegateError
from athena.settings_aws import AwsSettings
from etl.garbage import GRACE, collect, named
from etl.ingest import reconcile
from etl.intake import Intake
from etl.job import maintain_all
from etl.maintain import maintain
from tests.cloud import Cloud
from tests.disturbed import APART, ENDING, PASSING, Kind, disturbed
from tests.home import reports_of, utc_now

FILES = 4
ROWS = 12  # so that one reject among them is not too many
NUMBERS = Counter([900, *(100 * file + at for file in range(1, FILES) for at in range(ROWS))])


def later() -> datetime:
    return utc_now() + GRACE + timedelta(hours=1)


def lake(cloud: Cloud, *datasets: str) -> AwsSettings:
    """Datasets of some small files each, a commit apart, the first of them replaced since; every one has a reject."""
    settings = replace(cloud.writing(), table_lease_seconds=0.6)
    for dataset in datasets or ("t",):
        for file in range(FILES):
            rows = "".join(f"{100 * file + at},x\n" for at in range(ROWS))
            cloud.drop(settings, f"{dataset}/{file}.csv", f"n,name\n{rows}" + "broken\n" * (file == 1))
            reports_of(reconcile(cloud.intake(settings), dataset))
        cloud.drop(settings, f"{dataset}/0.csv", "n,name\n900,x\n")
        reports_of(reconcile(cloud.intake(settings), dataset))
    return settings


def numbers(cloud: Cloud, settings: AwsSettings, dataset: str = "t") -> Counter[int]:
    return Counter(cloud.rows(settings, dataset)["n"].to_pylist())


def stored(intake: Intake, table: str) -> set[str]:
    """Every object of a table."""
    return {path for folder in (intake.folder(table), intake.metadata(table)) for path, _ in folder.listing()}


def needed(intake: Intake, table: str) -> set[str]:
    """Every object that its current metadata names."""
    return set(named(intake.catalog.load_table((intake.settings.name, table)), set()))


def check(cloud: Cloud, settings: AwsSettings) -> None:
    """The table is what its files say, catalog, head and ledger agree, and whoever loads next finds nothing to do."""
    assert numbers(cloud, settings) == NUMBERS
    assert cloud.rows(settings, "t__rejects").num_rows == 1
    intake = cloud.intake(settings)
    assert reports_of(reconcile(intake)) == ()
    head, settled = intake.heads.get("t"), intake.settled("t")
    assert head is not None and settled is not None
    assert (head.snapshot_id, head.intent) == (settled.snapshot_id, None)
    assert intake.ledger.open_plans("t") == ()
    for table in ("t", "t__rejects"):
        assert needed(intake, table) <= stored(intake, table)


def test_small_files_become_one_and_what_nobody_needs_goes_a_day_later(cloud: Cloud) -> None:
    settings = lake(cloud)
    before = cloud.intake(settings).heads.get("t")
    maintain_all(cloud.intake(settings))
    now = cloud.intake(settings).heads.get("t")
    assert before is not None and now is not None
    assert (now.data_version, now.rows) == (before.data_version, before.rows)
    assert len(cloud.intake(settings).ledger.pieces("t")) == FILES
    assert len({piece.path for piece in cloud.intake(settings).ledger.pieces("t")}) == 1
    check(cloud, settings)
    # What nobody names and nobody writes, such as a task left behind that Glue ended.
    stray = cloud.intake(settings).folder("t").create("stray-1.parquet")
    stray.keep()
    assert collect(cloud.intake(settings), "t").waiting > 0
    assert stray.location in stored(cloud.intake(settings), "t")
    maintain_all(cloud.intake(settings, clock=later))
    assert stray.location not in stored(cloud.intake(settings), "t")
    check(cloud, settings)


def test_what_a_head_behind_the_catalog_names_is_kept(cloud: Cloud) -> None:
    """The head's metadata is read by the home's own client of S3, as everything else is."""
    settings = lake(cloud)

    def dies(step: str) -> None:
        if step == "committed":
            raise Failed("The process ended.", "", code="disk")

    with pytest.raises(Failed):
        maintain(cloud.intake(settings, step=dies))
    intake = cloud.intake(settings, clock=later)
    head, settled = intake.heads.get("t"), intake.settled("t")
    assert head is not None and settled is not None and head.metadata_location != settled.metadata_location
    collect(intake, "t", grace=timedelta(0))
    assert head.metadata_location in stored(intake, "t")
    maintain_all(cloud.intake(settings))
    check(cloud, settings)


def test_a_dataset_that_cannot_be_maintained_holds_up_no_other(cloud: Cloud) -> None:
    settings = lake(cloud, "a", "t")
    cloud.intake(settings).contracts.save("a", "not a contract")
    with pytest.raises(LakegateError) as failure:
        maintain_all(cloud.intake(settings))
    assert failure.value.code == "contract-invalid"
    assert len({piece.path for piece in cloud.intake(settings).ledger.pieces("t")}) == 1
    assert numbers(cloud, settings) == numbers(cloud, settings, "a") == NUMBERS


def go_wrong(cloud: Cloud, kind: Kind, at: int, every: int | None = None) -> bool:
    """Whether the fault was met."""
    settings = lake(cloud)
    before = sum(cloud.emulator.calls.values())
    # What fails, the next run finishes.
    with disturbed(cloud, kind, at, every), suppress(LakegateError):
        maintain_all(cloud.intake(settings))
    met = sum(cloud.emulator.calls.values()) - before >= at
    maintain_all(cloud.intake(settings))
    check(cloud, settings)
    return met


@pytest.mark.parametrize(("kind", "at"), [("cut", 40), ("after", 61), ("outage", 75)])
def test_a_fault_at_some_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind, at: int) -> None:
    assert go_wrong(cloud, kind, at)


@pytest.mark.long
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_at_any_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind) -> None:
    for at in range(1, APART + 1):
        assert go_wrong(cloud, kind, at, APART)


@pytest.mark.long
@pytest.mark.parametrize("kind", ENDING)
def test_an_end_at_any_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind) -> None:
    at = 1
    while go_wrong(cloud, kind, at):
        at += 1
