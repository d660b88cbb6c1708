"""A table whose own files are lost or damaged is mended from landing, where landing has all of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.doctor import Finding, examine
from etl.ingest import ingest, reconcile, retract
from etl.intake import Intake
from etl.maintain import maintain
from tests.home import drop, intake_at, values_of, vanish


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    """Five keys: one was compacted with others, one replaced since, one holds another's content, one was retracted."""
    made = intake_at(tmp_path / "home")
    for folder in (made.settings.results, made.settings.reports):
        folder.mkdir()
    for number, name in enumerate("abcd"):
        ingest(made, drop(made, f"t/{name}.csv", f"n,name\n{10 * number},x\n{10 * number + 1},y\n"))
    ingest(made, drop(made, "t/again.csv", "n,name\n0,x\n1,y\n"))
    maintain(made, "t")
    ingest(made, drop(made, "t/b.csv", "n,name\n70,x\n,\n71,y\n"))
    retract(made, "t/d.csv")
    return made


def wrong(intake: Intake, *, repair: bool = False) -> list[Finding]:
    return [one for one in examine(intake.settings.home, repair=repair) if one.level != "ok"]


def metadata(intake: Intake, table: str = "t") -> Path:
    return intake.settings.tables / "lake" / table / "metadata"


def current(intake: Intake) -> Path:
    head = intake.heads.get("t")
    assert head is not None
    return Path(head.metadata_location)


def remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


def cut(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content[: len(content) // 2])


def all_tables_and_the_catalog(intake: Intake) -> None:
    shutil.rmtree(intake.settings.tables)
    remove(intake.settings.home, "catalog.sqlite*")


DAMAGES: dict[str, Callable[[Intake], object]] = {
    "the current metadata": lambda intake: current(intake).unlink(),
    "half of the current metadata": lambda intake: cut(metadata(intake), current(intake).name),
    "all metadata": lambda intake: remove(metadata(intake), "*"),
    "the manifests": lambda intake: remove(metadata(intake), "*.avro"),
    "the data files": lambda intake: remove(intake.data("t"), "*.parquet"),
    "half of each data file": lambda intake: cut(intake.data("t"), "*.parquet"),
    "the table": lambda intake: shutil.rmtree(intake.data("t").parent),
    "all tables and the catalog": all_tables_and_the_catalog,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_what_landing_has_is_read_again(intake: Intake, damage: Callable[[Intake], object]) -> None:
    before = values_of(intake, "t", "n")
    damage(intake)
    assert any("doctor --repair" in one.remedy for one in wrong(intake) if one.level == "error")
    assert {one.repaired for one in wrong(intake, repair=True)} == {True}
    assert wrong(intake) == []
    assert reconcile(intake_at(intake.settings.home)).reports == ()
    assert values_of(intake_at(intake.settings.home), "t", "n") == before


@pytest.mark.parametrize("damage", ["all metadata", "the data files"])
def test_nothing_is_given_up_that_landing_does_not_have(intake: Intake, damage: str) -> None:
    before = values_of(intake, "t", "n")
    content = (intake.settings.landing / "t/c.csv").read_text()
    vanish(intake, "t/c.csv")
    DAMAGES[damage](intake)
    rows = intake.ledger.rows("t")
    (error,) = [one for one in wrong(intake, repair=True) if one.level == "error"]
    assert not error.repaired
    assert "t/c.csv" in error.remedy
    assert "backup" in error.remedy
    assert intake.ledger.rows("t") == rows
    drop(intake, "t/c.csv", content)
    assert {one.repaired for one in wrong(intake, repair=True) if one.level == "error"} == {True}
    assert wrong(intake) == []
    assert values_of(intake_at(intake.settings.home), "t", "n") == before


def test_a_table_of_rejects_is_made_anew(intake: Intake) -> None:
    before = values_of(intake, "t", "n")
    shutil.rmtree(metadata(intake, "t__rejects"))
    assert [one.subject for one in wrong(intake)] == ["t__rejects"]
    assert [one.repaired for one in wrong(intake, repair=True)] == [True]
    assert wrong(intake) == []
    assert values_of(intake, "t", "n") == before
    (report,) = ingest(intake, drop(intake, "t/more.csv", "n,name\n" + "5,z\n" * 20 + "6\n"))
    assert (report.rows_rejected, values_of(intake, "t__rejects", "raw")) == (1, ["6"])
