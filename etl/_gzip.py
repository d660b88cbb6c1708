"""gz, unpacked by ISA-L. Imported where a file is read, and only there: what only tells of files has no need of it."""

import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from isal.igzip import GzipFile
from isal.igzip_lib import IsalError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_DAMAGED = cast("type[Exception]", IsalError)  # declared as an exception, not as a type of them


class Gzip:
    """The decompressed bytes of a stream of gz. Damage is an `OSError` without a number, `EOFError` or `zlib.error`, as
    Python's own reader raises."""

    def __init__(self, packed: BinaryIO) -> None:
        self._stream = GzipFile(fileobj=packed, mode="rb")  # type: ignore[no-untyped-call]

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """The next bytes; 0 at the end."""
        try:
            return self._stream.readinto(buffer)
        except _DAMAGED as error:
            raise zlib.error(str(error)) from error

    def close(self) -> None:
        """The packed stream is its owner's to close."""
        self._stream.close()
