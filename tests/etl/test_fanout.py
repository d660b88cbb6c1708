"""Many readers make what one would."""

import pickle
from pathlib import Path

import pytest

from athena.errors import Failed
from etl.fanout import portions
from etl.ingest import load_keys, reconcile
from etl.landing import Landed, parse_key
from etl.workers import Processes
from tests.fanned import InTurn, check_alike, drop_damaged, drop_flights, fanned
from tests.home import drop, intake_at, reports_of, rows_of, values_of


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of its own for every file."""
    monkeypatch.setattr("etl.fanout.PART_FILES", 1)


def numbers(*values: int | str) -> str:
    return "n,name\n" + "".join(f"{value},v{value}\n" for value in values)


def test_damaged_files_give_the_same_tables_and_rejects(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", InTurn())
    drop_damaged(one, many, every=12)
    check_alike(one, many)


@pytest.mark.long
def test_all_damaged_files_give_the_same_tables_and_rejects(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", InTurn())
    drop_damaged(one, many)
    check_alike(one, many)


@pytest.mark.long
def test_real_files_give_the_same_tables_in_many_processes(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Processes(2))
    drop_flights(one, many)
    check_alike(one, many)


def test_processes_of_this_machine_read_files(tmp_path: Path) -> None:
    many = fanned(tmp_path / "home", Processes(2))
    for number in range(4):
        drop(many, f"t/{number}.csv", numbers(number, "bad" if number == 3 else 10 + number))
    reports = reports_of(reconcile(many))
    assert [report.status for report in reports] == ["loaded"] * 3 + ["failed"]
    assert values_of(many, "t", "n") == [0, 1, 2, 10, 11, 12]


def test_columns_and_types_come_together_as_if_one_had_read_all(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", InTurn())
    for home in (one, many):
        drop(home, "t/a.csv", numbers(1))
        drop(home, "t/b.csv", "n,name,more\n9999999999,x,1\n")
        drop(home, "t/c.csv", "n,name,other\n2,y,2026-01-01\n")
        drop(home, "t/d.csv", numbers(3))
        drop(home, "t/e.csv", numbers("text"))
    check_alike(one, many)
    assert [str(column.type) for column in one.heads.get("t").columns[:4]] == ["long", "string", "int", "date"]  # type: ignore[union-attr]


def test_equal_contents_in_different_tasks_are_one_and_their_rejects_too(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", InTurn())
    for home in (one, many):
        drop(home, "t/a.csv", numbers(1))
        for name in "bcd":
            drop(home, f"t/{name}.csv", numbers(*range(20)) + "broken\n")
    check_alike(one, many)
    assert rows_of(many, "t__rejects").num_rows == 1


def test_nothing_is_left_of_what_was_read_in_vain(tmp_path: Path) -> None:
    many = fanned(tmp_path / "home", InTurn())
    for name in "abc":
        drop(many, f"t/{name}.csv", numbers(*range(20)) + "broken\n")
    reports_of(reconcile(many))
    files = [path for path in (tmp_path / "home").rglob("*") if path.suffix in (".parquet", ".part", ".csv")]
    assert len([path for path in files if path.suffix == ".parquet"]) == 2
    assert [path for path in files if path.suffix == ".part"] == []
    assert len([path for path in files if path.name.endswith(".rejects.csv")]) == 1


def test_when_a_task_fails_nothing_is_committed_and_the_next_run_loads_all(tmp_path: Path) -> None:
    def lost(_: int) -> None:
        raise Failed("An executor was lost.", "Run the job again.", code="job-failed")

    many = fanned(tmp_path / "home", InTurn(fail=lost))
    drop(many, "t/a.csv", numbers(1))
    assert [error.message for error in reconcile(many).unread] == ["An executor was lost."]
    again = fanned(tmp_path / "home", InTurn())
    assert again.heads.get("t") is None
    assert [report.status for report in reports_of(reconcile(again))] == ["loaded"]


def test_a_file_that_changes_while_a_task_reads_it_is_read_as_it_is_then(tmp_path: Path) -> None:
    """The first try finds another file than it was told of; nothing of that try is left."""
    changed: list[str] = []

    def change(tasks: int) -> None:
        if not changed and tasks > 1:
            changed.append(drop(many, "t/b.csv", numbers(7, 8)))

    many = fanned(tmp_path / "home", InTurn(fail=change))
    for number, name in enumerate("abc"):
        drop(many, f"t/{name}.csv", numbers(number))
    reports_of(reconcile(many))
    assert (changed, values_of(many, "t", "n")) == (["t/b.csv"], [0, 2, 7, 8])


def test_keys_that_are_gone_or_known_or_nobodys_are_passed_over(tmp_path: Path) -> None:
    workers = InTurn()
    many = fanned(tmp_path / "home", workers)
    drop(many, "t/a.csv", numbers(1))
    drop(many, "t/b.csv", numbers(2))
    keys = ["t/a.csv", "t/a.csv", "t/gone.csv", "u/other.csv", "t/.hidden", "t", "t/b.csv"]
    assert [report.status for report in load_keys(many, "t", keys).reports] == ["loaded", "loaded"]
    read = len(workers.tasks)
    again = load_keys(many, "t", keys)
    assert (again.reports, again.unchanged, len(workers.tasks)) == ((), 2, read)


def test_small_files_share_a_task_and_a_large_one_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.fanout.PART_FILES", 3)
    mb = 1024 * 1024

    def landed(name: str, size_bytes: int) -> Landed:
        return Landed(parse_key(f"t/{name}"), "", size_bytes, 0.0)

    files = [
        landed("a", 1),
        landed("b", 2),
        landed("c", 900 * mb),
        landed("d", 1),
        *(landed(str(n), 1) for n in range(4)),
    ]
    cut = portions(files, InTurn(2))
    assert [[one.key.name for one in part] for part in cut] == [["a", "b"], ["c"], ["d", "0", "1"], ["2", "3"]]


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(Failed("what", "do", code="file-changed")))
    assert (type(error), error.message, error.remedy, error.code) == (Failed, "what", "do", "file-changed")
