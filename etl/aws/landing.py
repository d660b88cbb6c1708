"""Landing as a prefix of a bucket. An object is there whole or not at all, so that nothing has to settle."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from athena.errors import Failed, Refused
from athena.s3 import Bucket, Stored
from etl.aws.reader import opened
from etl.landing import DEFAULT_SOURCE, Key, Landed, checked_key, file_changed, ignored, parse_key
from etl.source import Source, sources_in
from etl.source import Stored as Raw


class S3Landing:
    """Objects below the bucket's prefix, by key. A stamp is ETag and size; every read is conditional on the ETag."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def listing(self, dataset: str | None = None) -> Iterator[Landed]:
        """Everything that lies there under a valid key, by key: one call for a thousand objects."""
        found = []
        for stored in self._files(dataset):
            try:
                found.append(_landed(parse_key(stored.key), stored))
            except Refused:
                continue
        yield from sorted(found, key=lambda one: one.key.text)

    def misplaced(self, dataset: str | None = None) -> tuple[Refused, ...]:
        """Why objects that lie there are nobody's."""
        found = []
        for stored in self._files(dataset):
            try:
                parse_key(stored.key)
            except Refused as error:
                found.append(error)
        return tuple(found)

    def get(self, key: Key) -> Landed | None:
        """The file as it is now, None when it is gone."""
        stored = self._bucket.find(key.text)
        return None if stored is None else _landed(key, stored)

    def sources(self, landed: Landed) -> tuple[Source, ...]:
        """Its sources; reading raises `Failed` ("file-changed") once the object is another one."""
        name, tag = landed.key.text, landed.stamp.rpartition(" ")[0]
        modified_at = datetime.fromtimestamp(landed.modified_at_seconds, UTC)
        stored = Stored(name, landed.size_bytes, tag, modified_at)
        held_back = Failed(
            f"{name} cannot be read: S3 does not hand it out.",
            "Let the job's role read it and use the key that it is encrypted with, or restore it from its archive.",
            code="unreadable",
        )
        changed = file_changed(name)
        raw = Raw(lambda: opened(self._bucket, stored, changed, withheld=held_back), landed.size_bytes)
        return sources_in(raw, name)

    def put(self, file: Path, *, dataset: str, source: str = DEFAULT_SOURCE) -> Key:
        """Upload a file; its key."""
        key = checked_key(file, dataset=dataset, source=source)
        with file.open("rb") as stream:
            self._bucket.upload(key.text, stream)
        return key

    def holds(self, dataset: str) -> bool:
        """Whether anything of the dataset lies there."""
        return next(self._bucket.listing(f"{dataset}/", at_most=1), None) is not None

    def _files(self, dataset: str | None) -> Iterator[Stored]:
        # What ends in a slash is a folder that a console made.
        listing = self._bucket.listing(f"{dataset}/" if dataset else "")
        return (one for one in listing if not one.key.endswith("/") and not ignored(one.key))


def _landed(key: Key, stored: Stored) -> Landed:
    return Landed(key, f"{stored.tag} {stored.size_bytes}", stored.size_bytes, stored.modified_at.timestamp())
