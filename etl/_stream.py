"""A source's stream of bytes, whose errors are ours and name the source."""

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from athena.errors import Failed, Refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 1024 * 1024


class Raw(Protocol):
    """What bytes come from, packed or not."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None: ...

    def close(self) -> None: ...


class _Told(io.RawIOBase):
    """A stream whose errors are ours, with the name of the source in them."""

    def __init__(self, name: str, stream: Raw, most: int | None) -> None:
        self._name = name
        self._stream = stream
        self._most = most
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        with told(self._name):
            size = self._stream.readinto(buffer) or 0
        self._read += size
        if self._most is not None and self._read > self._most:
            raise Refused(
                f"{self._name} unpacks to more than {self._most} bytes, far more than a table of its size would.",
                "If it is one after all, unpack it and drop that.",
                code="unreadable",
            )
        return size

    def seekable(self) -> bool:
        # What is packed can only be read again from its beginning. A file is raw on a disk, buffered from a bucket.
        return isinstance(self._stream, io.FileIO | io.BufferedReader)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with told(self._name):
            return cast(io.IOBase, self._stream).seek(offset, whence)

    def tell(self) -> int:
        return cast(io.IOBase, self._stream).tell()

    def close(self) -> None:
        self._stream.close()
        super().close()


def stream_of(name: str, opener: Callable[[], Raw], most: int | None) -> BinaryIO:
    """The stream of a source, of which no more than `most` bytes may come."""
    with told(name):
        return cast(BinaryIO, io.BufferedReader(_Told(name, opener(), most), _BUFFER_BYTES))


@contextmanager
def told(name: str) -> Iterator[None]:
    """Errors of the disk as `Failed`, damage as `Refused`, both with the name of the source."""
    try:
        yield
    except NotImplementedError as error:
        raise Refused(
            f"{name} is packed in a way that cannot be read (as Windows packs files beyond 2 GB).",
            "Pack it as .gz or .zst, or as .zip with the method Deflate.",
            code="unreadable",
        ) from error
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError) as error:
        raise _unreadable(name, error) from error
    except OSError as error:
        # Damaged gz, bz2 and zst raise an OSError of their own, without a number.
        if error.errno is None:
            raise _unreadable(name, error) from error
        raise Failed(
            f"{name} cannot be read: {error.strerror}.",
            "Check that it is there, its permissions and the disk.",
            code="unreadable",
        ) from error


def _unreadable(name: str, error: Exception) -> Refused:
    return Refused(f"{name} is damaged: {str(error).rstrip('.')}.", "Drop it again, whole.", code="unreadable")
