"""Snapshots by pyiceberg: one per commit, few of them, at a cost that does not grow.

Two of its classes are private; `docs/decisions/0032-overwrite-with-merge.md` says why they are used all the same.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from pyiceberg.manifest import DataFile, ManifestEntry, ManifestFile
from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots, _ManifestMergeManager, _OverwriteFiles

from athena.heads.catalog import CHANGES, COMMIT_ID, DATA_VERSION
from etl.changes import told

# A commit copies all metadata, so its cost grows with the snapshots.
KEEP_LAST = 20
KEEP_DAYS = 30
MOST_EXPENDABLE = 10  # beyond that they go, a few at once


class OneCommit(Transaction):
    """pyiceberg's transaction, which copies all metadata whenever it is looked at, some twenty times per commit: here
    once per change of it."""

    _seen: tuple[object, TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata with what was staged so far."""
        if self._seen is None or self._seen[0] is not self._updates:
            self._seen = (self._updates, super().table_metadata)
        return self._seen[1]


class _Replace(_OverwriteFiles):
    """pyiceberg's overwrite, which keeps every manifest of deleted files for ever, with the merge of its append."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        # It reads every manifest to find them, also when nothing is removed.
        return super()._deleted_entries() if self._deleted_data_files else []

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        alive = [
            one
            for one in manifests
            if one.has_added_files() or one.has_existing_files() or one.added_snapshot_id == self._snapshot_id
        ]
        merge = _ManifestMergeManager(
            target_size_bytes=8 * 1024 * 1024, min_count_to_merge=20, merge_enabled=True, snapshot_producer=self
        )
        return merge.merge_manifests(alive)


def add_snapshot(
    transaction: Transaction,
    commit_id: str,
    added: list[DataFile],
    removed: list[DataFile],
    *,
    keeps_rows: bool = False,
) -> None:
    """One snapshot that adds and removes these files, with the commit's id and the data version in its summary: itself
    when rows change, else (`keeps_rows`, or no files) that of the snapshot before."""
    before = transaction.table_metadata.current_snapshot()
    operation = Operation.OVERWRITE if removed else Operation.APPEND
    producer = _Replace(operation=operation, transaction=transaction, io=transaction._table.io)
    version = str(producer.snapshot_id)
    same_rows = keeps_rows or not (added or removed)
    if same_rows and before is not None and before.summary is not None:
        version = before.summary.get(DATA_VERSION) or str(before.snapshot_id)
    producer.snapshot_properties = {COMMIT_ID: commit_id, DATA_VERSION: version}
    if version == str(producer.snapshot_id):
        transaction.set_properties({CHANGES: told(transaction.table_metadata, version, added, removed)})
    for file in removed:
        producer.delete_data_file(file)
    for file in added:
        producer.append_data_file(file)
    producer.commit()


def expendable(snapshots: Sequence[Snapshot], *, now: datetime, pinned: frozenset[str]) -> list[int]:
    """The ids of snapshots that need not be kept: all but the last `KEEP_LAST`, the last one of each of the last
    `KEEP_DAYS` days (UTC), and those that `pinned` names."""
    # In the order of their commits, which is not that of their times once a clock was set back.
    in_order = sorted(snapshots, key=lambda snapshot: (snapshot.sequence_number or 0, snapshot.timestamp_ms))
    oldest_day = (now.astimezone(UTC) - timedelta(days=KEEP_DAYS)).date()
    last_of_day = {_day(snapshot): snapshot.snapshot_id for snapshot in in_order}
    kept = {snapshot.snapshot_id for snapshot in in_order[-KEEP_LAST:]}
    kept |= {number for day, number in last_of_day.items() if day > oldest_day}
    return [one.snapshot_id for one in in_order if one.snapshot_id not in kept and str(one.snapshot_id) not in pinned]


def _day(snapshot: Snapshot) -> date:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).date()


def expire(transaction: Transaction, *, pinned: Callable[[], frozenset[str]], most: int = MOST_EXPENDABLE) -> int:
    """Forget the expendable snapshots once there are more than `most` of them; how many. No file is removed: who reads
    by older metadata finds them."""
    snapshots, now = transaction.table_metadata.snapshots, datetime.now(UTC)
    if len(expendable(snapshots, now=now, pinned=frozenset())) <= most:
        return 0
    gone = expendable(snapshots, now=now, pinned=pinned())
    if gone:
        ExpireSnapshots(transaction).by_ids(gone).commit()
    return len(gone)
