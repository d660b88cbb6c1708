"""Maintenance: fewer files, the same rows; what goes is taken out of compacted files; nothing needed is removed."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.table.snapshots import Snapshot

from athena.errors import Failed, NotFound
from etl.commit import load_table
from etl.contract import Layout
from etl.contract_file import read_contract, write_contract
from etl.doctor import examine
from etl.garbage import GRACE, collect
from etl.ingest import reconcile, reload, retract
from etl.intake import Intake
from etl.maintain import maintain, tend
from etl.rebuild import stored_files
from etl.snapshot import expendable
from tests.clock import SetClock
from tests.home import drop, intake_at, reports_of, rows_of, utc_now, values_of


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return intake_at(tmp_path / "home")


def text(first: int, rows: int = 3) -> str:
    return "n,name\n" + "".join(f"{first + at},v{first + at}\n" for at in range(rows))


def load_apart(intake: Intake, files: int, *, dataset: str = "t") -> list[str]:
    """So many files, a commit each."""
    keys = []
    for number in range(files):
        keys.append(drop(intake, f"{dataset}/f{number:02}.csv", text(10 * number)))
        reports_of(reconcile(intake))
    return keys


def paths(intake: Intake, table: str = "t") -> list[str]:
    found = load_table(intake.catalog, table)
    return [] if found is None else sorted(file.file_path for file in stored_files(found))


def numbers(*firsts: int) -> list[int]:
    return sorted(first + at for first in firsts for at in range(3))


def is_whole(intake: Intake) -> bool:
    return [one for one in examine(intake.settings.home) if one.level == "error"] == []


def test_small_files_become_one_with_the_same_rows_and_data_version(intake: Intake) -> None:
    load_apart(intake, 5)
    before, head = rows_of(intake, "t"), intake.heads.get("t")
    done = maintain(intake)[0]
    after, now = rows_of(intake, "t"), intake.heads.get("t")
    assert (done.compacted.before, done.compacted.after, len(paths(intake))) == (5, 1, 1)
    order = [("_file", "ascending"), ("_line", "ascending")]
    assert after.sort_by(order).equals(before.sort_by(order))
    assert head is not None
    assert now is not None
    assert (now.data_version, now.rows, now.intent) == (head.data_version, head.rows, None)
    assert now.snapshot_id != head.snapshot_id
    assert is_whole(intake)


def test_compaction_tells_nobody_of_new_rows(intake: Intake) -> None:
    load_apart(intake, 3)
    told: list[str] = []
    maintain(replace(intake, deliver=lambda event: told.append(event.id)))
    assert told == []


def test_files_that_are_loaded_again_after_compaction_are_unchanged(intake: Intake) -> None:
    load_apart(intake, 3)
    maintain(intake)
    assert reports_of(reconcile(intake)) == ()


def test_a_replacement_takes_its_rows_out_of_a_compacted_file(intake: Intake) -> None:
    load_apart(intake, 4)
    maintain(intake)
    compacted = paths(intake)
    drop(intake, "t/f01.csv", text(500))
    reports_of(reconcile(intake))
    assert values_of(intake, "t", "n") == numbers(0, 500, 20, 30)
    assert not set(compacted) & set(paths(intake))
    assert is_whole(intake)


def test_a_retraction_takes_its_rows_out_of_a_compacted_file(intake: Intake) -> None:
    load_apart(intake, 4)
    maintain(intake)
    retract(intake, "t/f02.csv")
    assert values_of(intake, "t", "n") == numbers(0, 10, 30)
    retract(intake, "t/f00.csv")
    retract(intake, "t/f01.csv")
    retract(intake, "t/f03.csv")
    assert (values_of(intake, "t", "n"), paths(intake)) == ([], [])
    assert is_whole(intake)


def test_only_files_that_hold_what_goes_are_written_anew(intake: Intake) -> None:
    load_apart(intake, 3)
    maintain(intake)
    compacted = paths(intake)
    drop(intake, "t/late.csv", text(900))
    reports_of(reconcile(intake))
    retract(intake, "t/late.csv")
    assert paths(intake) == compacted


def test_a_reload_takes_every_row_out_of_compacted_files(intake: Intake) -> None:
    load_apart(intake, 3)
    maintain(intake)
    reload(intake, "t")
    assert values_of(intake, "t", "n") == numbers(0, 10, 20)
    assert is_whole(intake)


def test_columns_that_came_later_are_null_in_rows_of_before(intake: Intake) -> None:
    drop(intake, "t/a.csv", "n\n1\n2\n")
    reports_of(reconcile(intake))
    drop(intake, "t/b.csv", "n,extra\n3000000000,x\n")
    reports_of(reconcile(intake))
    maintain(intake)
    found = rows_of(intake, "t").sort_by("n")
    assert len(paths(intake)) == 1
    assert found["n"].to_pylist() == [1, 2, 3_000_000_000]
    assert found["extra"].to_pylist() == [None, None, "x"]


def test_the_layout_of_the_contract_is_taken_up(intake: Intake) -> None:
    load_apart(intake, 3)
    path = intake.contract_path("t")
    write_contract(path, replace(read_contract(path), layout=Layout(("truncate(10, n)",), ("name",))))
    maintain(intake)
    table = load_table(intake.catalog, "t")
    assert table is not None
    assert len(paths(intake)) == 3
    assert [file.partition[0] for file in stored_files(table)] != [None, None, None]
    drop(intake, "t/f00.csv", text(25))
    reports_of(reconcile(intake))
    assert values_of(intake, "t", "n") == sorted([10, 11, 12, 20, 21, 22, 25, 26, 27])
    assert maintain(intake)[0].compacted.before > 0
    assert is_whole(intake)


def test_the_list_of_many_removed_files_is_shed(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.reading.SMALL_CONTENT_BYTES", 0)  # a data file each
    for number in range(101):
        drop(intake, f"t/f{number}.csv", text(10 * number))
    reports_of(reconcile(intake))
    maintain(intake)
    table, head = load_table(intake.catalog, "t"), intake.heads.get("t")
    assert table is not None
    snapshot = table.current_snapshot()
    assert snapshot is not None
    manifests = snapshot.manifests(table.io)
    assert sum((one.deleted_files_count or 0) for one in manifests) == 0
    assert head is not None
    assert (head.snapshot_id, head.rows, len(paths(intake))) == (str(snapshot.snapshot_id), 303, 1)
    assert head.data_version != head.snapshot_id
    assert is_whole(intake)


def test_rejects_are_compacted_too(intake: Intake) -> None:
    for number in range(4):
        drop(intake, f"t/f{number}.csv", text(10 * number, rows=9) + "bad\n")
        reports_of(reconcile(intake))
    before = Counter(rows_of(intake, "t__rejects")["file"].to_pylist())
    maintain(intake)
    assert len(paths(intake, "t__rejects")) == 1
    assert Counter(rows_of(intake, "t__rejects")["file"].to_pylist()) == before
    assert is_whole(intake)


def test_contents_that_are_kept_per_unit_stay_apart(intake: Intake) -> None:
    drop(intake, "t/a.csv", text(0))
    reports_of(reconcile(intake))
    path = intake.contract_path("t")
    write_contract(path, replace(read_contract(path), same_content="load"))
    drop(intake, "t/b.csv", text(0))
    drop(intake, "t/c.csv", text(50))
    reports_of(reconcile(intake))
    maintain(intake)
    assert values_of(intake, "t", "n") == numbers(0, 0, 50)
    retract(intake, "t/b.csv")
    assert values_of(intake, "t", "n") == numbers(0, 50)
    assert set(rows_of(intake, "t")["_file"].to_pylist()) == {"t/a.csv", "t/c.csv"}
    assert is_whole(intake)


def test_sparing_maintenance_leaves_a_few_files_alone(intake: Intake) -> None:
    load_apart(intake, 3)
    assert tend(intake, "t").compacted.before == 0
    load_apart(intake, 9)
    assert tend(intake, "t").compacted.before == 9


def test_a_load_that_comes_between_wins(intake: Intake) -> None:
    load_apart(intake, 3)
    done: list[str] = []

    def overtake(step: str) -> None:
        if step == "compacted" and not done:
            done.append(step)
            drop(intake, "t/f01.csv", text(700))
            reports_of(reconcile(intake))

    maintain(replace(intake, step=overtake))
    assert done
    assert values_of(intake, "t", "n") == numbers(0, 20, 700)
    assert len(paths(intake)) == 1
    assert is_whole(intake)


def test_compaction_gives_up_when_others_are_always_faster(intake: Intake) -> None:
    load_apart(intake, 3)
    count = 0

    def overtake(step: str) -> None:
        nonlocal count
        if step == "compacted":
            count += 1
            drop(intake, "t/f01.csv", text(1000 * count))
            reports_of(reconcile(intake))

    with pytest.raises(Failed, match="changed while its files were compacted") as raised:
        maintain(replace(intake, step=overtake))
    assert raised.value.code == "commit-conflict"
    assert values_of(intake, "t", "n") == numbers(0, 20, 1000 * count)
    assert is_whole(intake)


def test_files_are_removed_once_nobody_needed_them_for_a_day(intake: Intake) -> None:
    clock = SetClock(utc_now())
    intake = replace(intake, clock=clock)
    load_apart(intake, 3)
    maintain(intake)
    old = [path for path in _data(intake) if path not in paths(intake)]
    assert len(old) == 3
    for _ in range(35):  # until every snapshot that names them is forgotten; the day's last one is kept
        drop(intake, "t/f00.csv", text(100 + _))
        reports_of(reconcile(intake))
    maintain(intake)
    assert set(old) <= set(_data(intake))
    clock.now += GRACE - timedelta(minutes=1)
    assert collect(intake, "t").files == 0
    clock.now += timedelta(minutes=2)
    assert collect(intake, "t").files > 3
    assert not set(old) & set(_data(intake))
    assert values_of(intake, "t", "n") == numbers(10, 20, 134)
    table = load_table(intake.catalog, "t")
    assert table is not None
    for snapshot in table.snapshots():
        table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
    assert is_whole(intake)


def test_what_is_being_written_is_not_garbage(intake: Intake) -> None:
    clock = SetClock(utc_now())
    intake = replace(intake, clock=clock)
    load_apart(intake, 1)
    collected: list[int] = []

    def look(step: str) -> None:
        if step in ("read", "planned", "intended", "committed"):
            collected.append(collect(intake, "t", grace=timedelta(0)).files)

    drop(intake, "t/b.csv", text(60))
    reports_of(reconcile(replace(intake, step=look)))
    assert len(collected) == 4
    assert values_of(intake, "t", "n") == numbers(0, 60)


def test_pinned_snapshots_are_kept(intake: Intake) -> None:
    load_apart(intake, 1)
    head = intake.heads.get("t")
    assert head is not None
    intake = replace(intake, pinned=lambda: frozenset([head.snapshot_id]))
    for number in range(40):
        drop(intake, "t/f00.csv", text(100 + number))
        reports_of(reconcile(intake))
    maintain(intake)
    table = load_table(intake.catalog, "t")
    assert table is not None
    assert len(table.snapshots()) == 21
    assert table.snapshot_by_id(int(head.snapshot_id)) is not None


def test_a_clock_that_was_set_back_does_not_let_the_newest_snapshots_go() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made_at = [*([now + timedelta(hours=2)] * 25), *([now] * 21)]
    snapshots = [
        Snapshot.model_validate(
            {
                "snapshot-id": number,
                "sequence-number": number,
                "timestamp-ms": int(at.timestamp() * 1000) + number,
                "manifest-list": "x",
            }
        )
        for number, at in enumerate(made_at)
    ]
    assert expendable(snapshots, now=now, pinned=frozenset()) == list(range(26))


def test_an_unknown_dataset_is_not_maintained(intake: Intake) -> None:
    with pytest.raises(NotFound, match="no dataset 'nothing'"):
        maintain(intake, "nothing")


def test_a_large_table_is_compacted_in_row_groups(intake: Intake) -> None:
    for number in range(3):
        drop(intake, f"t/big{number}.csv", text(100_000 * number, rows=60_000))
    reports_of(reconcile(intake))
    maintain(intake)
    assert [pq.read_metadata(path).num_row_groups for path in paths(intake)] == [2]


def _data(intake: Intake) -> list[str]:
    return [str(path) for path in sorted(intake.data("t").glob("*.parquet"))]
