"""Files that were read in vain, because somebody else was faster: nothing of them is kept, rejects least of all."""

from dataclasses import replace
from pathlib import Path

import pytest

from etl.ingest import ingest, load_files, loads
from etl.intake import Intake
from tests.home import drop, intake_at, rows_of

BAD = "n,name\n1,x\nbroken\n" + "2,y\n" * 20
OTHER = "n,name\n5,x\nbroken too\n" + "6,y\n" * 20


def overtaken(home: Path, key: str) -> Intake:
    """A write side that is overtaken once by a load of `key`, when it has read its files."""
    first = intake_at(home)
    ingest(first, drop(first, "t/first.csv", "n,name\n7,x\n"))  # so that the ground does not move
    left = [key]

    def step(name: str) -> None:
        if name == "read" and left:
            ingest(intake_at(home), left.pop())

    return replace(intake_at(home), step=step)


def check(home: Intake, lines: list[str]) -> None:
    """The table of rejects holds these, each under a load that the ledger knows to have rejected so many."""
    kept = rows_of(home, "t__rejects").to_pylist()
    assert sorted(row["raw"] for row in kept) == lines
    known = {load.load_id: load.report.rows_rejected for load in loads(home, "t") if load.report}
    for row in kept:
        assert known[row["load_id"]] == sum(one["load_id"] == row["load_id"] for one in kept)
    reports = home.settings.reports / "t"
    assert list(reports.rglob("*.part")) == []
    assert {path.name.partition(".")[0] for path in reports.rglob("*.rejects.csv")} == {row["load_id"] for row in kept}
    data = home.settings.tables / "lake" / "t__rejects" / "data"
    assert len(list(data.glob("*.parquet"))) == len({row["load_id"] for row in kept})


def test_rejects_of_a_key_that_somebody_else_has_loaded_meanwhile_are_not_kept_twice(tmp_path: Path) -> None:
    home = overtaken(tmp_path, "t/a.csv")
    drop(home, "t/a.csv", BAD)
    assert [report.status for report in ingest(home, "t/a.csv")] == ["unchanged"]
    check(home, ["broken"])


def test_rejects_of_a_content_that_came_by_another_key_meanwhile_are_not_kept_twice(tmp_path: Path) -> None:
    home = overtaken(tmp_path, "t/b.csv")
    drop(home, "t/b.csv", BAD)
    drop(home, "t/a.csv", BAD)
    assert [report.status for report in ingest(home, "t/a.csv")] == ["duplicate"]
    check(home, ["broken"])


def test_rejects_of_others_in_the_same_commit_stay(tmp_path: Path) -> None:
    files = [tmp_path / "a.csv", tmp_path / "c.csv"]
    files[0].write_text(BAD)
    files[1].write_text(OTHER)
    home = overtaken(tmp_path, "t/a.csv")
    assert [report.status for report in load_files(home, files, dataset="t")] == ["unchanged", "loaded"]
    check(home, ["broken", "broken too"])


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_rejects_of_a_load_that_failed_belong_to_that_load(tmp_path: Path, share: float) -> None:
    """A file with too many of them is refused, and its owner sees which: under the failed load's id."""
    home = intake_at(tmp_path)
    contract = (
        f'inferred = false\nmax_rejected = {share}\n[columns]\nn = {{ type = "int" }}\nname = {{ type = "string" }}\n'
    )
    (home.settings.contracts / "t.toml").write_text(contract)
    drop(home, "t/ok.csv", "n,name\n1,x\n")
    drop(home, "t/a.csv", BAD)
    ingest(home, "t/ok.csv")
    assert [report.status for report in ingest(home, "t/a.csv")] == ["failed"]
    check(home, ["broken"])
