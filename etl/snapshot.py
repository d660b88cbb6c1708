"""Snapshots by pyiceberg: one per commit, few of them, at a cost that does not grow.

Two of its classes are private; `docs/decisions/0032-overwrite-with-merge.md` says why they are used all the same.
"""

from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import ExpireSnapshots, _ManifestMergeManager, _OverwriteFiles

from athena.heads.catalog import COMMIT_ID, DATA_VERSION

# A commit copies all metadata, so its cost grows with the snapshots: beyond KEEP_AT_MOST it goes back to KEEP_LAST.
KEEP_LAST = 20
KEEP_AT_MOST = 30


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


def add_snapshot(transaction: Transaction, commit_id: str, added: list[DataFile], removed: list[DataFile]) -> None:
    """One snapshot that adds and removes these files, with the commit's id and the data version in its summary: itself
    when rows change, else that of the snapshot before."""
    before = transaction.table_metadata.current_snapshot()
    operation = Operation.OVERWRITE if removed else Operation.APPEND
    producer = _Replace(operation=operation, transaction=transaction, io=transaction._table.io)
    version = str(producer.snapshot_id)
    if not added and not removed and before is not None and before.summary is not None:
        version = before.summary.get(DATA_VERSION) or str(before.snapshot_id)
    producer.snapshot_properties = {COMMIT_ID: commit_id, DATA_VERSION: version}
    for file in removed:
        producer.delete_data_file(file)
    for file in added:
        producer.append_data_file(file)
    producer.commit()


def expire(transaction: Transaction) -> None:
    """Forget old snapshots, once there are too many. No file is removed: who reads by older metadata finds them."""
    snapshots = sorted(transaction.table_metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    if len(snapshots) > KEEP_AT_MOST:
        ExpireSnapshots(transaction).by_ids([snapshot.snapshot_id for snapshot in snapshots[:-KEEP_LAST]]).commit()
