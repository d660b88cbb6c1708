"""Reports and rejects for the owners of files, as objects `<key>/<load id>.json` and `.rejects.csv`."""

from contextlib import suppress

from athena.errors import Gone
from athena.s3 import Bucket
from etl.aws.folder import S3Folder
from etl.plan import LoadEntry
from etl.rejects import RejectsCsv
from etl.reports import finished, report_content, unfinished


class S3Reports:
    """Objects below the bucket's prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def rejects(self, key: str, *, load_id: str, file: str) -> RejectsCsv:
        """Where the rejects of a load that has begun are written to; `file` is what they are rejects of."""
        folder = S3Folder(self._bucket, f"{key}/")
        return RejectsCsv(folder, unfinished(load_id), load_id=load_id, file=file)

    def finish(self, entry: LoadEntry, snapshot: str | None) -> None:
        """Put the report and give the rejects their name; repeats without harm."""
        if (content := report_content(entry, snapshot)) is not None:
            self._bucket.put(f"{entry.key}/{entry.load_id}.json", content)
        if not (entry.report or {}).get("rows_rejected"):
            return
        written = f"{entry.key}/{unfinished(entry.load_id)}"
        with suppress(Gone):  # it has its name already
            self._bucket.copy(written, f"{entry.key}/{finished(entry.load_id)}")
            self._bucket.remove(written)

    def forget(self, key: str, load_id: str) -> None:
        """Remove the rejects of a load that did not happen."""
        self._bucket.remove(f"{key}/{unfinished(load_id)}")
