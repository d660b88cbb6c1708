"""An S3 object as a seekable file, read by ranges that hold only while the object is the same."""

import io
from typing import TYPE_CHECKING, BinaryIO, cast

from athena.errors import Gone, LakegateError
from athena.s3 import Bucket, Stored, Withheld

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# One range per call: large enough for the price of a call not to matter, small beside a block.
READ_BYTES = 8 * 1024 * 1024
# Enough for the footer of most Parquet files together with its length.
TAIL_BYTES = 64 * 1024


def opened(
    bucket: Bucket,
    stored: Stored,
    changed: LakegateError,
    *,
    withheld: LakegateError | None = None,
    read_bytes: int = READ_BYTES,
) -> BinaryIO:
    """The object as it was when `stored` was looked up; reading raises `changed` once it is another one, or gone, and
    `withheld`, if given, when S3 has it but does not hand it out."""
    return cast(BinaryIO, io.BufferedReader(_Ranges(bucket, stored, changed, withheld), read_bytes))


class _Ranges(io.RawIOBase):
    def __init__(self, bucket: Bucket, stored: Stored, changed: LakegateError, withheld: LakegateError | None) -> None:
        self._bucket = bucket
        self._stored = stored
        self._changed = changed
        self._withheld = withheld
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stored.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        size = min(len(view), self._stored.size_bytes - self._at)
        if size <= 0:
            return 0
        try:
            content = self._bucket.range(self._stored.key, start=self._at, size=size, tag=self._stored.tag)
        except Gone as error:
            raise self._changed from error
        except Withheld as error:
            raise self._withheld or error from error
        view[: len(content)] = content
        self._at += len(content)
        return len(content)
