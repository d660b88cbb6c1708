"""Files that are no tables of text, by their first bytes: what each is called, and what its owner can do. Pure."""

from dataclasses import dataclass

EXPORT = "Export it as CSV (UTF-8), and drop that."
_UNPACK = "Unpack it, and drop the CSV that is in it."
_REPACK = "Pack it as .gz or .zst instead, or drop it unpacked."


@dataclass(frozen=True, slots=True)
class Foreign:
    """A kind of file that is none of ours."""

    called: str
    remedy: str = EXPORT


# Packed once, these are read; here they are inside of another archive.
_KINDS = (
    (b"PK\x03\x04", Foreign("a zip archive inside of another", _UNPACK)),
    (b"\x1f\x8b", Foreign("packed twice, by gz at last", _UNPACK)),
    (b"\xfd7zXZ", Foreign("packed twice, by xz at last", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Foreign("packed twice, by zstd at last", _UNPACK)),
    (b"\xd0\xcf\x11\xe0", Foreign("a file of an old Office")),
    (b"7z\xbc\xaf", Foreign("a 7z archive", _REPACK)),
    (b"Rar!", Foreign("a rar archive", _REPACK)),
    (b"\x04\x22\x4d\x18", Foreign("packed by lz4", _REPACK)),
    (b"\x1f\x9d", Foreign("packed by compress (.Z)", _REPACK)),
    (b"\xff\x06\x00\x00sNaPpY", Foreign("packed by snappy", _REPACK)),
    (b"%PDF-", Foreign("a PDF")),
    (b"\x89PNG", Foreign("a picture")),
    (b"\xff\xd8\xff", Foreign("a picture")),
    (b"GIF8", Foreign("a picture")),
    (b"\x7fELF", Foreign("a program")),
    (b"MZ\x90", Foreign("a program")),
    (b"SQLite format 3\x00", Foreign("a database of SQLite")),
    (b"PAR1", Foreign("a Parquet file")),
    (b"PARE", Foreign("an encrypted Parquet file", "Write it without encryption, and drop that.")),
    (b"Obj\x01", Foreign("an Avro file", "Write it as Parquet or CSV, and drop that.")),
    (b"ORC", Foreign("an ORC file", "Write it as Parquet or CSV, and drop that.")),
    (b"ARROW1", Foreign("an Arrow file", "Write it as Parquet or CSV, and drop that.")),
    (b"FEA1", Foreign("a Feather file", "Write it as Parquet or CSV, and drop that.")),
    (b"\x89HDF", Foreign("an HDF5 file", "Write it as Parquet or CSV, and drop that.")),
)
_TAR = Foreign("a tar archive", "Pack its files into a .zip, or drop them one by one.")
_LZMA = Foreign("packed by lzma", "Pack it as .xz, .gz or .zst instead, or drop it unpacked.")


def foreign_kind(first: bytes) -> Foreign | None:
    """The kind of a file that begins so; None for what may be a table of text.

    >>> foreign_kind(b"7z\\xbc\\xaf\\x27\\x1c").called, foreign_kind(b"id,name\\n")
    ('a 7z archive', None)
    """
    if first[257:262] == b"ustar":
        return _TAR
    # The size is unknown to whoever writes a stream: eight times 0xff.
    if first[:1] == b"]" and first[5:13] == b"\xff" * 8:
        return _LZMA
    return next((kind for signature, kind in _KINDS if first.startswith(signature) and _is_binary(first)), None)


def _is_binary(first: bytes) -> bool:
    """ORC and PAR1 may also begin a heading; then text follows."""
    return not first[:64].isascii() or any(one < 9 or 13 < one < 32 for one in first[:64]) or first[:5] == b"%PDF-"
