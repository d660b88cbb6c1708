"""Data files, and rejects, as objects: written to this machine's scratch space, uploaded when they are whole."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from athena.errors import Failed
from athena.s3 import Bucket
from etl.aws.reader import opened


class S3Folder:
    """Objects of a bucket below `prefix`; a location is `s3://<bucket>/<key>`."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    def create(self, name: str) -> "Uploaded":
        """A new object, there once it is kept."""
        return Uploaded(self._bucket, self._prefix + name)

    def open(self, location: str) -> BinaryIO:
        """A finished object. Raises `Failed` when it is not there."""
        stored = self._bucket.find(location.removeprefix(location_of(self._bucket, "")))
        gone = Failed(f"{location} is gone.", "Load its file again.", code="file-changed")
        if stored is None:
            raise gone
        return opened(self._bucket, stored, gone)

    def named(self, prefix: str) -> tuple[str, ...]:
        """Locations of all objects whose names begin so."""
        return tuple(location_of(self._bucket, one.key) for one in self._bucket.listing(self._prefix + prefix))

    def listing(self) -> Iterator[tuple[str, int]]:
        """Location and size in bytes of every object."""
        return ((location_of(self._bucket, one.key), one.size_bytes) for one in self._bucket.listing(self._prefix))

    def remove(self, locations: Iterable[str]) -> None:
        """Delete them."""
        start = location_of(self._bucket, "")
        for location in locations:
            self._bucket.remove(location.removeprefix(start))


class Uploaded:
    """A scratch file that becomes an object."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self.location = location_of(bucket, key)
        self.stream: BinaryIO = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed by keep or drop
        self._bucket = bucket
        self._key = key

    def keep(self) -> None:
        """Upload it. Raises `Failed`."""
        with self.stream:
            self._bucket.upload(self._key, self.stream)

    def drop(self) -> None:
        """Forget it; nothing was uploaded."""
        self.stream.close()


def location_of(bucket: Bucket, key: str) -> str:
    """The address of an object."""
    return f"s3://{bucket.name}/{bucket.prefix}{key}"
