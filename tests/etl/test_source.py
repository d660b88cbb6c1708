"""Files are what their first bytes say, and damage is told with the name of the file."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

import etl.source
from athena.errors import Failed, Refused
from etl.source import Source, ignored, sources_of
from tests.archives import zip_of

DATA = b"n,name\n" + b"1,one\n" * 50_000


def zst_of(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


COMPRESSED = {
    "": DATA,
    "gz": gzip.compress(DATA),
    "bz2": bz2.compress(DATA),
    "xz": lzma.compress(DATA),
    "zst": zst_of(DATA),
}


def content_of(source: Source) -> bytes:
    with source.open() as stream:
        return stream.read()


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_source_gives_the_decompressed_bytes_whatever_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(COMPRESSED[kind])
    (source,) = sources_of(path, "t/file.txt")
    assert (source.name, source.compression, source.stored_bytes) == ("t/file.txt", kind, len(COMPRESSED[kind]))
    assert content_of(source) == DATA
    assert content_of(source) == DATA  # it can be opened again


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_several_streams_in_one_file_are_read_to_the_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(COMPRESSED[kind] * 2)
    (source,) = sources_of(path, "t/file")
    assert content_of(source) == DATA * 2


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, kind: str, damage: str) -> None:
    content = bytearray(COMPRESSED[kind])
    if damage == "cut":
        del content[-9:]
    else:
        content[len(content) // 2] ^= 0xFF
    path = tmp_path / "file"
    path.write_bytes(content)
    (source,) = sources_of(path, "t/file")
    with pytest.raises(Refused, match="t/file is damaged") as refusal:
        content_of(source)
    assert (refusal.value.code, refusal.value.remedy) == ("unreadable", "Drop it again, whole.")


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_packed_file_with_one_wrong_byte_is_refused_or_gives_the_same(tmp_path: Path, kind: str) -> None:
    path, refused = tmp_path / "file.csv", 0
    for at in range(10, len(COMPRESSED[kind])):  # behind what says what it is
        content = bytearray(COMPRESSED[kind])
        content[at] ^= 0x55
        path.write_bytes(content)
        try:
            (source,) = sources_of(path, "t/file.csv")
            assert content_of(source) == DATA
        except Refused as refusal:
            assert refusal.code == "unreadable"
            refused += 1
    assert refused > len(COMPRESSED[kind]) / 2


def test_every_member_of_a_zip_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(zip_of({"a.csv": DATA, "sub/b.csv": "x\n", ".hidden": "-", "__MACOSX/._a.csv": "-"}))
    sources = sources_of(path, "t/all.zip")
    assert [(one.name, one.size_bytes) for one in sources] == [
        ("t/all.zip!a.csv", len(DATA)),
        ("t/all.zip!sub/b.csv", 2),
    ]
    assert [content_of(one) for one in sources] == [DATA, b"x\n"]


def test_the_list_of_an_archive_is_read_once_however_often_its_members_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each opening of each of 1,600 members took 25 s."""
    path = tmp_path / "many.zip"
    path.write_bytes(zip_of({f"{at}.csv": f"n\n{at}\n" for at in range(60)}))
    listed: list[zipfile.ZipFile] = []
    read = zipfile.ZipFile._RealGetContents  # type: ignore[attr-defined]

    def reading(archive: zipfile.ZipFile) -> None:
        listed.append(archive)
        read(archive)

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", reading)
    sources = sources_of(path, "t/many.zip")
    for _ in range(2):
        texts = []
        for source in sources:
            with source.open() as stream:
                texts.append(stream.read())
        assert texts == [f"n\n{at}\n".encode() for at in range(60)]
    assert len(listed) <= 2


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.csv", "1")
        archive.writestr("a.csv", "2")
    with pytest.raises(Refused, match="two members of one name"):
        sources_of(path, "t/all.zip")


def test_a_damaged_member_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.csv": bytes(range(256)) * 8, "b.csv": DATA}))
    content[60] ^= 0xFF
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    first, second = sources_of(path, "t/all.zip")
    with pytest.raises(Refused, match=r"t/all\.zip!a\.csv is damaged"):
        content_of(first)
    assert content_of(second) == DATA


def test_old_workbooks_cannot_be_loaded_and_are_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xd0\xcf\x11\xe0....")
    with pytest.raises(Refused, match="xls") as refusal:
        sources_of(path, "file")
    assert refusal.value.code == "format-unsupported"


@pytest.mark.parametrize(
    "content",
    [b"PAR1....PAR1", zip_of({"[Content_Types].xml": "", "xl/workbook.xml": ""})],
    ids=["parquet", "xlsx"],
)
def test_workbooks_and_parquet_are_one_source(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert [source.name for source in sources_of(path, "file")] == ["file"]


def test_text_that_begins_like_an_archive_is_text(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"BZhello,world\n1,2\n")
    (source,) = sources_of(path, "t/file.csv")
    assert (source.compression, content_of(source)) == ("", b"BZhello,world\n1,2\n")


def test_a_file_that_is_not_there_has_failed_not_been_refused(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="t/x cannot be read: No such file"):
        sources_of(tmp_path / "x", "t/x")


@pytest.mark.parametrize(
    "name", [".a.csv", "_a.csv", "~$a.xlsx", "a.csv.part", "a.tmp", "a.crdownload", "x/.git/a.csv"]
)
def test_temporary_and_hidden_names_are_ignored(name: str) -> None:
    assert ignored(name)
    assert not ignored("a_b.csv")


def test_a_member_whose_name_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zip_of({"may\nLine 2 is fine.csv": b"a\n1\n"}))
    with pytest.raises(Refused, match=r"cannot be printed: 'may\\nLine") as refused:
        sources_of(path, "d/x.zip")
    assert refused.value.code == "unreadable"


def test_what_unpacks_to_far_more_than_a_table_would_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(etl.source, "UNSUSPICIOUS_BYTES", 1_000_000)
    path = tmp_path / "bomb.csv.xz"
    path.write_bytes(lzma.compress(bytes(20_000_000)))
    with (
        pytest.raises(Refused, match="far more than a table") as refused,
        sources_of(path, "d/bomb")[0].open() as stream,
    ):
        stream.read()
    assert refused.value.code == "unreadable"


@pytest.mark.parametrize("member", ["./a.csv", "../a.csv", "x/../a.csv"])
def test_dots_in_the_path_of_a_member_hide_nothing(tmp_path: Path, member: str) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(zip_of({member: "n\n1\n", ".hidden.csv": "n\n2\n"}))
    assert [source.name for source in sources_of(file, "t/a.zip")] == [f"t/a.zip!{member}"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}, "OpenDocument"),
        ({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}, "no workbook"),
    ],
    ids=["opendocument", "word"],
)
def test_the_parts_of_a_document_are_nobodys_files(tmp_path: Path, members: dict[str, str | bytes], said: str) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(zip_of(members))
    with pytest.raises(Refused) as refused:
        sources_of(file, "t/a.bin")
    assert refused.value.code == "format-unsupported"
    assert said in refused.value.message


def test_a_workbook_with_a_password_is_told_from_an_old_one(tmp_path: Path) -> None:
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\x00"))
    header[30:32], header[48:52] = (9).to_bytes(2, "little"), (1).to_bytes(4, "little")
    file = tmp_path / "a.xlsx"
    file.write_bytes(bytes(header) + b"\x00" * 512 + "EncryptedPackage".encode("utf-16-le").ljust(512, b"\x00"))
    with pytest.raises(Refused) as refused:
        sources_of(file, "t/a.xlsx")
    assert ("with a password" in refused.value.message, "without one" in refused.value.remedy) == (True, True)


def test_a_member_of_a_method_that_is_not_known_is_not_called_damaged(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.csv": "n\n1\n"}))
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 9  # Deflate64
    file = tmp_path / "a.zip"
    file.write_bytes(bytes(content))
    with pytest.raises(Refused) as refused:
        sources_of(file, "t/a.zip")[0].open().read()
    assert "cannot be read (as Windows packs files beyond 2 GB)" in refused.value.message


def test_zstd_that_begins_with_a_frame_to_skip_is_zstd(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.zst"
    file.write_bytes(b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + pa.Codec("zstd").compress(b"n\n1\n").to_pybytes())
    (source,) = sources_of(file, "t/a.csv.zst")
    with source.open() as stream:
        assert (source.compression, stream.read()) == ("zst", b"n\n1\n")


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_a_packed_file_whose_first_bytes_are_damaged_is_no_text_of_one_line(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"a.csv.{kind}"
    file.write_bytes(b"\x00" + COMPRESSED[kind][1:])
    with pytest.raises(Refused, match="neither what its name says nor text"):
        sources_of(file, f"t/a.csv.{kind}")
    file.write_bytes(DATA)
    assert content_of(sources_of(file, f"t/a.csv.{kind}")[0]) == DATA  # the name alone does no harm
