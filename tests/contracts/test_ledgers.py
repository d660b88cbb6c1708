"""One behaviour of the ledger in both homes."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena.errors import Failed
from athena.leases import Lease, Leases
from athena.leases.dynamodb import DynamoLeases
from athena.leases.sqlite import SqliteLeases
from etl.aws.changes import LEAST_CHANGES
from etl.aws.ledger import DynamoLedger
from etl.aws.packed import INLINE_BYTES
from etl.ledger import SqliteLedger
from etl.plan import Examined, Holding, LoadEntry, Piece, Plan
from etl.ports import Ledger
from etl.union import Slot
from tests.cloud import Cloud, Fault, Faults, answer_lost, request_lost, throttled
from tests.home import utc_now

HOMES = ["sqlite", "dynamodb"]
HELD = Lease("t", "holder", 1, datetime(2026, 3, 1, tzinfo=UTC))
"""What `taken` gives whoever asks first."""


def taken(leases: Leases) -> None:
    leases.acquire(HELD.name, HELD.holder, seconds=3600)


class Opened:
    """A store that several processes open."""

    def __init__(self, kind: str, request: pytest.FixtureRequest, folder: Path) -> None:
        self._state = folder / "state.sqlite"
        self.cloud: Cloud | None = request.getfixturevalue("cloud") if kind == "dynamodb" else None
        if self.cloud is not None:
            self._table, self._bucket = self.cloud.table(), self.cloud.bucket()

    def open(self) -> Ledger:
        taken(self.leases)
        return SqliteLedger(self._state) if self.cloud is None else DynamoLedger(self._table, self._bucket)

    @property
    def leases(self) -> Leases:
        return SqliteLeases(self._state, utc_now) if self.cloud is None else DynamoLeases(self._table, utc_now)


@pytest.fixture(params=HOMES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    yield Opened(request.param, request, tmp_path)


def plan(name: str, *, unit: str = "t/a.csv", slot: str | None = None, rows: int = 3, **more: object) -> Plan:
    """A commit by which `unit` holds a content of its own."""
    slot = slot or f"content-{name}"
    made = Plan(
        f"commit-{name}",
        "t",
        "2026-03-01T00:00:00+00:00",
        changes_table=True,
        holdings=(Holding(unit, unit, "default", slot),),
        slots=(Slot(slot, slot, "i1", unit, "default", f"load-{name}", 7),),
        pieces=(Piece(slot, f"/data/{name}.parquet", rows, 100),),
        examined=(Examined(unit, "default", f"stamp-{name}", "c", "held"),),
        loads=(LoadEntry(f"load-{name}", unit, unit, "loaded", f"2026-03-01T00:00:{name:0>2}", {"file": unit}),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def commit(ledger: Ledger, made: Plan) -> None:
    ledger.begin(made.commit_id, "t", "holder", [made.holdings[0].key])
    ledger.plan(made, HELD)
    ledger.record(made, snapshot="s1")
    ledger.close(made.commit_id)


def told(ledger: Ledger) -> tuple[object, ...]:
    """Everything that it says of the dataset."""
    held = ledger.holdings("t")
    past = [(one.entry, one.current) for one in ledger.history("t", limit=100)]
    state = (held.units, held.slots, ledger.pieces("t"), ledger.rows("t"), ledger.examined("t"), past)
    return (*state, ledger.datasets(), ledger.unresolved(), ledger.open_plans("t"), ledger.begun("t"))


def test_an_empty_ledger_knows_nothing(store: Opened) -> None:
    ledger = store.open()
    assert (ledger.datasets(), ledger.holdings("t").units, ledger.rows("t")) == ((), {}, 0)
    assert (ledger.history(None, limit=10), ledger.unresolved(), ledger.examined("t")) == ((), (), {})
    assert (ledger.units("t/a.csv"), ledger.examined_key("t/a.csv")) == ((), None)


def test_what_was_recorded_is_what_another_process_reads(store: Opened) -> None:
    ledger = store.open()
    commit(ledger, plan("1"))
    commit(ledger, plan("2", unit="t/b.zip!x.csv"))
    commit(ledger, plan("3", dropped=("content-1",), released=("t/b.zip!x.csv",)))
    other = store.open()
    assert told(other) == told(ledger)
    assert ledger.holdings("t").units == {"t/a.csv": "content-3"}
    assert (other.units("t/a.csv"), other.rows("t"), other.datasets()) == (("t/a.csv",), 6, ("t",))
    found = other.examined_key("t/a.csv")
    assert found is not None
    assert found.stamp == "stamp-3"
    assert [one.entry.load_id for one in other.history(None, limit=2)] == ["load-3", "load-2"]
    assert [one.current for one in other.history("t", limit=9)] == [True, True, False]
    assert other.history("t", limit=1)[0].entry.report == {"file": "t/a.csv", "snapshot": "s1"}
    assert other.pieces_of("t", ["content-3", "absent"]) == (Piece("content-3", "/data/3.parquet", 3, 100),)


def test_recording_twice_changes_nothing(store: Opened) -> None:
    first, second = store.open(), store.open()
    made = plan("1")
    first.plan(made, HELD)
    first.record(made, snapshot="s1")
    second.record(made, snapshot="s2")
    assert [(one.commit_id, recorded) for one, recorded in second.open_plans("t")] == [("commit-1", True)]
    first.close("commit-1")
    before = told(first)
    second.record(made, snapshot="s3")
    assert told(first) == told(second) == before


def test_a_late_writer_records_nothing_over_its_heirs(store: Opened) -> None:
    late, heir = store.open(), store.open()
    made = plan("1")
    late.plan(made, HELD)
    commit_of_heir = plan("2", dropped=("content-1",))
    heir.record(made, snapshot="s1")
    heir.close("commit-1")
    commit(heir, commit_of_heir)
    before = told(heir)
    late.record(made, snapshot="s1")
    assert told(late) == told(heir) == before
    assert heir.holdings("t").units == {"t/a.csv": "content-2"}


def test_a_plan_is_forgotten_by_one_alone(store: Opened) -> None:
    ledger = store.open()
    made = plan("1")
    ledger.begin("commit-1", "t", "me", ["t/a.csv"])
    assert (ledger.being_read("t"), ledger.begun("t")) == ({"t/a.csv": "me"}, {"commit-1": "me"})
    ledger.plan(made, HELD)
    assert (ledger.begun("t"), ledger.unresolved()) == ({}, ("t",))
    assert ledger.open_plans("t") == ((made, False),)
    assert [store.open().forget(made, "you"), ledger.forget(made, "me")] == [True, False]
    assert (ledger.open_plans("t"), ledger.begun("t")) == ((), {"commit-1": "you"})
    ledger.end("commit-1")
    assert ledger.unresolved() == ()


def test_a_plan_of_before_another_writers_turn_is_not_opened(store: Opened) -> None:
    ledger = store.open()
    made = plan("1")
    ledger.begin("commit-1", "t", "me", ["t/a.csv"])
    store.leases.release(HELD)
    store.leases.acquire("t", "heir", seconds=3600)
    with pytest.raises(Failed, match="lost to another writer") as failure:
        ledger.plan(made, HELD)
    assert failure.value.code == "lease-lost"
    assert ledger.open_plans("t") == ()


def test_interpretations_are_restamped_before_anything_is_replaced(store: Opened) -> None:
    ledger = store.open()
    commit(ledger, plan("1"))
    commit(ledger, plan("2", unit="t/b.csv", restamps={"i1": "i2"}))
    assert {one.interpretation for one in ledger.holdings("t").slots.values()} == {"i1", "i2"}
    assert ledger.holdings("t").slots["content-1"].interpretation == "i2"


def test_compaction_moves_rows_to_other_files(store: Opened) -> None:
    ledger = store.open()
    commit(ledger, plan("1"))
    commit(ledger, plan("2", unit="t/b.csv"))
    paths = ("/data/1.parquet", "/data/2.parquet")
    moved = (Piece("content-1", "/data/m.parquet", 3, 150), Piece("content-2", "/data/m.parquet", 3, 150))
    made = Plan("commit-m", "t", "2026-03-01T00:00:00+00:00", True, removed_paths=paths, moved=moved, keeps_rows=True)
    ledger.plan(made, HELD)
    ledger.record(made, snapshot="s3")
    ledger.close(made.commit_id)
    assert store.open().pieces("t") == moved
    assert ledger.pieces_in("t", ["/data/m.parquet", "/data/1.parquet"]) == moved


def test_what_nobody_names_is_known_since_it_was_first_seen(store: Opened) -> None:
    ledger = store.open()
    assert ledger.unreferenced("t", ["/a", "/b"], now="1") == {"/a": "1", "/b": "1"}
    assert store.open().unreferenced("t", ["/b", "/c"], now="2") == {"/b": "1", "/c": "2"}
    assert ledger.unreferenced("t", ["/a"], now="3") == {"/a": "3"}
    assert ledger.unreferenced("u", [], now="4") == {}


def test_a_state_can_be_replaced_whole(store: Opened) -> None:
    ledger = store.open()
    commit(ledger, plan("1"))
    commit(ledger, plan("2", unit="t/b.csv"))
    kept = ledger.holdings("t").slots["content-2"]
    ledger.replace("t", [kept], [Holding("t/b.csv", "t/b.csv", "default", kept.name)], [Piece(kept.name, "/x", 9, 1)])
    other = store.open()
    assert (other.holdings("t").units, other.rows("t")) == ({"t/b.csv": "content-2"}, 9)
    assert set(other.examined("t")) == {"t/b.csv"}
    assert len(other.history("t", limit=9)) == 2
    commit(ledger, plan("3"))
    assert set(ledger.holdings("t").units) == {"t/a.csv", "t/b.csv"}


def dynamo(cloud: Cloud) -> tuple[DynamoLedger, Faults, DynamoLedger]:
    """A ledger whose writes can go wrong, and one that reads."""
    client = cloud.client("dynamodb")
    table, bucket = cloud.table(with_client=client), cloud.bucket()
    taken(DynamoLeases(table, utc_now))
    faults = Faults.on(client, "UpdateItem")
    return DynamoLedger(table, bucket), faults, DynamoLedger(table, bucket)


@pytest.mark.parametrize("fault", [answer_lost, request_lost, throttled], ids=lambda fault: str(fault.__name__))
def test_a_record_whose_answer_is_lost_is_there_once(cloud: Cloud, fault: Fault) -> None:
    ledger, faults, reader = dynamo(cloud)
    made = plan("1")
    ledger.plan(made, HELD)
    faults.next(*[fault] * 3)
    ledger.record(made, snapshot="s1")
    ledger.close("commit-1")
    assert len(reader.history("t", limit=9)) == 1
    assert (reader.rows("t"), reader.unresolved()) == (3, ())


def test_many_commits_are_read_from_a_checkpoint(cloud: Cloud) -> None:
    table, bucket = cloud.table(), cloud.bucket()
    taken(DynamoLeases(table, utc_now))
    ledger = DynamoLedger(table, bucket)
    for number in range(LEAST_CHANGES + 2):
        commit(ledger, plan(str(number), unit=f"t/{number % 5}.csv", dropped=(f"content-{number - 5}",)))
    assert [one.key for one in bucket.listing("checkpoints/")] == [f"checkpoints/t/{LEAST_CHANGES:012d}"]
    fresh = DynamoLedger(table, bucket)
    before = cloud.emulator.calls["dynamodb"]
    assert fresh.holdings("t") == ledger.holdings("t")
    assert (fresh.rows("t"), len(fresh.holdings("t").units)) == (15, 5)
    assert cloud.emulator.calls["dynamodb"] - before == 5  # the index once, then new changes alone


def test_what_is_too_large_for_an_item_lies_in_the_bucket(cloud: Cloud) -> None:
    table, bucket = cloud.table(), cloud.bucket()
    taken(DynamoLeases(table, utc_now))
    ledger = DynamoLedger(table, bucket)
    noise = {str(number): hashlib.sha256(str(number).encode()).hexdigest() for number in range(INLINE_BYTES // 20)}
    made = plan("1", loads=(replace(plan("1").loads[0], report={"noise": noise}),))
    ledger.plan(made, HELD)
    assert DynamoLedger(table, bucket).open_plans("t") == ((made, False),)
    ledger.record(made, snapshot="s1")
    ledger.close(made.commit_id)
    assert [one.key for one in bucket.listing()] == ["changes/t/commit-1.loads"]
    report = DynamoLedger(table, bucket).history("t", limit=1)[0].entry.report
    assert report is not None
    assert report["noise"] == noise


def test_files_that_were_given_up_are_not_planned(cloud: Cloud) -> None:
    ledger, _, _ = dynamo(cloud)
    made = plan("1")
    ledger.plan(made, HELD)
    ledger.record(made, snapshot="s1")
    with pytest.raises(Failed, match="given up") as failure:
        ledger.plan(made, HELD)
    assert failure.value.code == "lease-lost"


def test_the_latest_report_is_that_of_the_newest_load_which_brought_rows_from_the_source(store: Opened) -> None:
    ledger = store.open()
    assert ledger.latest("t", "north") is None

    def told(name: str, source: str, status: str) -> Plan:
        entry = LoadEntry(
            f"load-{name}", "k", "k", status, f"2026-03-01T00:00:{name:0>2}", {"source": source, "n": name}
        )
        return plan(name, loads=(entry,))

    for name, source, status in [("1", "north", "loaded"), ("2", "south", "loaded"), ("3", "north", "replaced")]:
        commit(ledger, told(name, source, status))
    commit(ledger, told("4", "north", "failed"))
    found = ledger.latest("t", "north")
    assert found is not None
    assert found["n"] == "3"
    assert (store.open().latest("t", "south") or {})["n"] == "2"
    assert ledger.latest("t", "west") is None
    assert ledger.latest("other", "north") is None


def test_the_history_reads_each_load_and_its_slot_alone(tmp_path: Path) -> None:
    """With a pass over all slots for each load, those of 8,000 files took 3 s."""
    ledger, steps = SqliteLedger(tmp_path / "state.sqlite"), [0]
    with ledger._database.write() as connection:
        for at in range(2_000):
            name = f"{'few' if at < 100 else 'many'}"
            slot = (name, f"slot {at}", "content", "interpretation", "unit", "source", f"load {at}", 1)
            connection.execute("INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?)", slot)
            load = (at, f"load {at}", name, "key", "unit", "loaded", "2026-03-01T00:00:00+00:00", "commit", "{}")
            connection.execute("INSERT INTO load VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", load)

    def step() -> int:
        steps[0] += 1
        return 0

    def worked(dataset: str | None, limit: int) -> int:
        """Instructions of SQLite's machine."""
        steps[0] = 0
        assert all(one.current for one in ledger.history(dataset, limit=limit))
        return steps[0]

    with ledger._database.read() as connection:
        connection.set_progress_handler(step, 1)
    # Some 50 a load; a pass over all slots, or all other loads, takes thousands.
    assert worked("few", 100) < 200 * 100
    assert worked("many", 1_900) < 200 * 1_900
    assert worked(None, 2_000) < 200 * 2_000
