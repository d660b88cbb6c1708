"""Iceberg's own files on S3 by the same calls as everything else: pyiceberg's file port over our bucket.

Its default would reach S3 through another client, with settings, retries and credentials of its own.
"""

import io
from collections.abc import Callable
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlsplit

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from athena.errors import Damaged, Gone
from athena.s3 import Bucket
from etl.aws.reader import TAIL_BYTES, opened

BucketOf = Callable[[str], Bucket]


class S3FileIO(FileIO):
    """Objects by location. `bucket_of` gives the bucket of a name, without a prefix."""

    def __init__(self, bucket_of: BucketOf) -> None:
        super().__init__({})
        self._bucket_of = bucket_of

    def new_input(self, location: str) -> "S3Input":
        """The object, to be read."""
        return S3Input(location, *self._place(location))

    def new_output(self, location: str) -> "S3Output":
        """The object, to be written."""
        return S3Output(location, *self._place(location))

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove the object."""
        name = location if isinstance(location, str) else location.location
        bucket, key = self._place(name)
        bucket.remove(key)

    def _place(self, location: str) -> tuple[Bucket, str]:
        parts = urlsplit(location, allow_fragments=False)
        return self._bucket_of(parts.netloc), location.partition(f"://{parts.netloc}/")[2]


class S3Input(InputFile):
    """Read by ranges when it is a data file, else whole."""

    def __init__(self, location: str, bucket: Bucket, key: str) -> None:
        super().__init__(location)
        self._bucket = bucket
        self._key = key

    def __len__(self) -> int:
        stored = self._bucket.find(self._key)
        if stored is None:
            raise self._absent()
        return stored.size_bytes

    def exists(self) -> bool:
        """Whether it is there."""
        return self._bucket.find(self._key) is not None

    def open(self, seekable: bool = True) -> InputStream:
        """Its bytes. Raises `Damaged` when there is none: whoever names it has made it."""
        if not self.location.endswith(".parquet"):
            try:
                return cast(InputStream, io.BytesIO(self._bucket.get(self._key)))
            except Gone as error:
                raise self._absent() from error
        stored = self._bucket.find(self._key)
        if stored is None:
            raise self._absent()
        return cast(InputStream, opened(self._bucket, stored, self._absent(), read_bytes=TAIL_BYTES))

    def _absent(self) -> Damaged:
        return Damaged(
            f"{self.location} is not there (any more).",
            "A table names it: find out who removed it, and restore it from the bucket's versions.",
            code="state-damaged",
        )


class S3Output(OutputFile):
    """Put when it is closed."""

    def __init__(self, location: str, bucket: Bucket, key: str) -> None:
        super().__init__(location)
        self._bucket = bucket
        self._key = key

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        """Whether it is there."""
        return self.to_input_file().exists()

    def to_input_file(self) -> S3Input:
        """The same, to be read."""
        return S3Input(self.location, self._bucket, self._key)

    def create(self, overwrite: bool = False) -> OutputStream:
        """Where its bytes go. Names are never used twice, so nothing is overwritten either way."""
        return cast(OutputStream, _Put(self._bucket, self._key))


class _Put(io.BytesIO):
    """Metadata is small enough to be held whole."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._key = key

    def close(self) -> None:
        if not self.closed:
            self.seek(0)
            self._bucket.upload(self._key, self)
            super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        if kind is None:
            self.close()
        else:
            super().close()  # half a file is not put
