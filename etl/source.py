"""One opened file: a name, and its decompressed bytes as a stream that can be opened again and again.

A landing file is one source, or one per member when it is an archive. What a file is, its first bytes say:
a wrong suffix does no harm.
"""

import bz2
import codecs
import io
import lzma
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from athena.errors import Refused
from etl._stream import Raw, stream_of, told

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Signatures: RFC 1952, bzip2 1.0.8, xz file format 1.2, RFC 8878, PKWARE APPNOTE 6.3.10, Apache Parquet.
_SIGNATURES = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0", "xls"),
)
_SKIPPABLE = b"\x2a\x4d\x18"
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
_PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
_LOOKED_BYTES = 1024
_WORKBOOK = "[Content_Types].xml"
_WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")
_IGNORED_PREFIXES = (".", "_", "~$")
_IGNORED_SUFFIXES = (".part", ".tmp", ".crdownload")
_ENCRYPTED = 0x1
_BUFFER_BYTES = 1024 * 1024
SMALL_BYTES = 1024 * 1024
"""A file of so many bytes is read once, and lies in memory from then on."""
UNSUSPICIOUS_BYTES = 1024**3
MAX_RATIO = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """A re-openable stream of decompressed bytes.

    `name` is the key, or `key!member`; `compression` is "", "gz", "bz2", "xz", "zst" or "zip";
    `stored_bytes` is its size as stored (for progress), `size_bytes` the decompressed one where that is known. `held`
    are all of its bytes where they are few and not packed.
    """

    name: str
    opener: Callable[[], BinaryIO]
    compression: str
    stored_bytes: int
    size_bytes: int | None = None
    held: bytes | None = None

    def open(self) -> BinaryIO:
        """A new stream at the first byte; the caller closes it. Damage met while opening or reading is
        `Refused` ("unreadable"), a disk that fails is `Failed`."""
        return self.opener()


def ignored(name: str) -> bool:
    """Whether a file of this name is nobody's business: hidden, temporary, half downloaded.

    >>> ignored("may.csv"), ignored("~$may.csv"), ignored("sub/.git/may.csv"), ignored("may.csv.part")
    (False, True, True, True)
    >>> ignored("./may.csv")  # as some write the members of archives
    False
    """
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return name.endswith(_IGNORED_SUFFIXES) or any(part.startswith(_IGNORED_PREFIXES) for part in parts)


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies somewhere: `open` gives its raw bytes, seekable; the caller closes it."""

    open: Callable[[], BinaryIO]
    size_bytes: int


def sources_of(path: Path, name: str) -> tuple[Source, ...]:
    """The sources of the file at `path`, called `name`: itself, or every member of a zip as `name!member`.

    Raises `Refused` ("unreadable", "format-unsupported"), and `Failed` when the disk does.
    """
    with told(name):
        size_bytes = path.stat().st_size
    return sources_in(Stored(lambda: cast(BinaryIO, path.open("rb", buffering=0)), size_bytes), name)


def sources_in(stored: Stored, name: str) -> tuple[Source, ...]:
    """The same of a file that lies anywhere."""
    with told(name), closing(stored.open()) as stream:
        small = stored.size_bytes <= SMALL_BYTES
        first = _first_bytes(stream, stored.size_bytes + 1 if small else _LOOKED_BYTES)
    kind = _kind(first)
    if kind == "" and name.lower().endswith(_PACKED_SUFFIXES) and not _may_be_text(first[:_LOOKED_BYTES]):
        raise Refused(
            f"{name} is neither what its name says nor text in UTF-8.",
            "It was damaged on its way, most likely: drop it again, whole; if it is text, under a name of text.",
            code="unreadable",
        )
    stored_bytes = stored.size_bytes
    held = first if len(first) == stored_bytes <= SMALL_BYTES else None
    if held is not None:
        stored = Stored(lambda: io.BytesIO(held), stored_bytes)
    if kind == "xls":
        raise _unsupported(name, *_old_office(stored, name))
    if kind == "zip" and not (name.lower().endswith(_WORKBOOK_SUFFIXES) or _is_workbook(stored, name)):
        return tuple(_members(stored, name))
    kind = "" if kind in ("parquet", "zip") else kind
    if held is not None and kind == "":
        return (Source(name, lambda: io.BytesIO(held), kind, stored_bytes, stored_bytes, held),)
    known = stored_bytes if kind == "" else None
    most = None if kind == "" else _most(stored_bytes)

    def opener() -> BinaryIO:
        return stream_of(name, lambda: _decompressed(stored.open(), kind), most)

    return (Source(name, opener, kind, stored_bytes, known),)


def _first_bytes(stream: BinaryIO, count: int) -> bytes:
    """Up to so many, fewer only where the file has no more."""
    first = b""
    while len(first) < count and (some := stream.read(count - len(first))):
        first += some
    return first


def _most(packed_bytes: int) -> int:
    """How many bytes may come out of so many: far more than tables do, far less than what is made to fill disks."""
    return max(UNSUSPICIOUS_BYTES, MAX_RATIO * packed_bytes)


def _may_be_text(first: bytes) -> bool:
    """Whether a file that begins so could be one without packing, in spite of its name.

    >>> _may_be_text("id;größe\\n".encode()), _may_be_text(b"\\x1f\\x0b\\x08\\x00\\x00")
    (True, False)
    """
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return not first.startswith((b"BZ", b"PK")) and not any(one < 32 and one not in b"\t\n\f\r" for one in first)


def _kind(first: bytes) -> str:
    kind = next((kind for signature, kind in _SIGNATURES if first.startswith(signature)), "")
    if first[1:4] == _SKIPPABLE and first[0] & 0xF0 == 0x50:
        return "zst"  # pzstd begins so
    if kind == "bz2" and first[4:10] not in _BZIP2_BLOCKS:
        return ""  # text may begin with BZh
    return kind


def _decompressed(stream: BinaryIO, kind: str) -> Raw:
    if kind == "":
        return cast(Raw, stream)
    # gzip and its kin read a few bytes at a time.
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), _BUFFER_BYTES)
    if kind == "zst":
        import pyarrow

        return _Owning(cast(Raw, pyarrow.CompressedInputStream(buffered, "zstd")), buffered)
    if kind == "gz":
        from etl._gzip import Gzip

        return _Owning(Gzip(buffered), buffered)
    return _Owning(bz2.BZ2File(buffered) if kind == "bz2" else lzma.LZMAFile(buffered), buffered)


class _Owning(io.RawIOBase):
    """A decompressed stream that closes what it reads from, the nearest first."""

    def __init__(self, stream: Raw, *beneath: BinaryIO | zipfile.ZipFile) -> None:
        self._stream = stream
        self._beneath = beneath

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._stream.readinto(buffer) or 0

    def close(self) -> None:
        self._stream.close()
        for each in self._beneath:
            each.close()
        super().close()


def _is_workbook(stored: Stored, name: str) -> bool:
    """Whether the archive is one; raises `Refused` for documents of other kinds, whose members are nobody's files."""
    with told(name), closing(stored.open()) as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
    if _WORKBOOK in names and not any(one.startswith("xl/") for one in names):
        raise _unsupported(name, "a document of Office that is no workbook")
    if names[:1] == ["mimetype"]:
        raise _unsupported(name, "an OpenDocument file")
    return _WORKBOOK in names


def _old_office(stored: Stored, name: str) -> tuple[str, str]:
    """What a compound file is ([MS-CFB] 2.2: the directory's first sector stands in the header), and the remedy."""
    with told(name), closing(stored.open()) as stream:
        header = _first_bytes(stream, 512)
        sector_bytes = 1 << min(int.from_bytes(header[30:32], "little"), 12)
        stream.seek((int.from_bytes(header[48:52], "little") + 1) * sector_bytes)
        directory = _first_bytes(stream, sector_bytes)
    if "EncryptedPackage".encode("utf-16-le") in directory:
        return "an Excel file with a password", "Save it without one, and drop that."
    return "an Excel file of the old kind (.xls)", _SAVE_AS


def _members(stored: Stored, name: str) -> Iterator[Source]:
    with told(name), closing(stored.open()) as stream, zipfile.ZipFile(stream) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
    members = [member for member in members if not ignored(member.filename)]
    names = [member.filename for member in members]
    if not members:
        remedy = "Drop one with files in it; those that begin with a dot or _ are ignored."
        raise Refused(f"{name} holds no file.", remedy, code="unreadable")
    twice = next((one for one, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        remedy = "Make the archive anew; each member needs a name of its own."
        raise Refused(f"{name} holds two members of one name: {twice!r}.", remedy, code="unreadable")
    unprintable = next((one for one in names if not one.isprintable()), None)
    if unprintable is not None:
        raise Refused(
            f"{name} holds a member whose name cannot be printed: {unprintable!r}.",
            "Make the archive anew; names are written into reports and tables.",
            code="unreadable",
        )
    for member in members:
        yield _member(stored, f"{name}!{member.filename}", member)


def _member(stored: Stored, name: str, member: zipfile.ZipInfo) -> Source:
    def stream() -> BinaryIO:
        if member.flag_bits & _ENCRYPTED:
            raise Refused(f"{name} is encrypted.", "Drop it without a password.", code="unreadable")
        return stream_of(name, lambda: _open_member(stored.open(), member), _most(member.compress_size))

    return Source(name, stream, "zip", member.compress_size, member.file_size)


class _Listed(zipfile.ZipFile):
    """An archive whose members are known already: `ZipFile` reads the whole list at each opening, which for thousands
    of members costs more than to load them."""

    def _RealGetContents(self) -> None:  # noqa: N802 - its name in the standard library
        """Nothing."""


def _open_member(stored: BinaryIO, member: zipfile.ZipInfo) -> _Owning:
    try:
        archive = _Listed(stored)
        return _Owning(cast(Raw, archive.open(member)), archive, stored)
    except BaseException:
        stored.close()
        raise


_SAVE_AS = "Save it as .xlsx or CSV, and drop that."


def _unsupported(name: str, what: str, remedy: str = _SAVE_AS) -> Refused:
    return Refused(f"{name} is {what}, which cannot be loaded.", remedy, code="format-unsupported")
