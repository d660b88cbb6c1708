"""Keys lead into landing and nowhere else; files arrive whole."""

import os
from pathlib import Path

import pytest

from athena.errors import Failed, Refused
from etl.landing import FolderLanding, checked_keys, parse_key


@pytest.fixture
def landing(tmp_path: Path) -> FolderLanding:
    (tmp_path / "landing").mkdir()
    return FolderLanding(tmp_path / "landing")


@pytest.mark.parametrize(
    ("text", "source", "name"),
    [("t/a.csv", "default", "a.csv"), ("t/s/a.csv", "s", "a.csv"), ("t/s/2026/5/a.csv", "s", "2026/5/a.csv")],
)
def test_a_key_names_dataset_source_and_name(text: str, source: str, name: str) -> None:
    key = parse_key(text)
    assert (key.dataset, key.source, key.name, key.text) == ("t", source, name, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.csv",
        "/t/a.csv",
        "t//a.csv",
        "t/../a.csv",
        "t/./a.csv",
        "../t/a.csv",
        "t/a\nb.csv",
        "t/a!b.csv",
        "t/\udc80.csv",
        "T/a.csv",
        "t__rejects/a.csv",
        "t/" + "x" * 1100,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_key(text)
    assert refusal.value.code in ("landing-key", "dataset-name")
    assert refusal.value.remedy


def test_the_listing_is_what_lies_there_under_valid_keys(landing: FolderLanding) -> None:
    for name in (
        "t/b.csv",
        "t/s/a.csv",
        "u/x.csv",
        "loose.csv",
        "Bad Name/a.csv",
        "t/.hidden",
        "t/_tmp/a.csv",
        "t/a.part",
    ):
        path = landing.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert [one.key.text for one in landing.listing()] == ["t/b.csv", "t/s/a.csv", "u/x.csv"]
    assert [one.key.text for one in landing.listing("t")] == ["t/b.csv", "t/s/a.csv"]
    assert list(landing.listing("absent")) == []
    assert ["loose.csv" in error.message or "Bad Name" in error.message for error in landing.misplaced()] == [
        True,
        True,
    ]


def test_a_link_that_leads_out_is_nobodys_file(landing: FolderLanding, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x")
    (landing.root / "t").mkdir()
    (landing.root / "t/out.csv").symlink_to(tmp_path / "secret.csv")
    (landing.root / "t/folder").symlink_to(tmp_path)
    (landing.root / "t/in.csv").write_text("y")
    (landing.root / "t/link.csv").symlink_to(landing.root / "t/in.csv")
    assert [one.key.text for one in landing.listing()] == ["t/in.csv", "t/link.csv"]
    for text in ("t/out.csv", "t/folder/secret.csv"):
        with pytest.raises(Refused, match="leads out of the landing folder"):
            landing.get(parse_key(text))


def test_links_in_a_circle_hold_up_no_other_file(landing: FolderLanding) -> None:
    (landing.root / "t").mkdir()
    (landing.root / "t/circle.csv").symlink_to("circle.csv")
    (landing.root / "t/a.csv").write_text("x")
    assert [one.key.text for one in landing.listing()] == ["t/a.csv"]
    (told,) = landing.misplaced()
    assert isinstance(told, Failed)
    assert "t/circle.csv cannot be looked at" in told.message


def test_folders_too_deep_for_a_key_are_told_and_hold_up_no_other(landing: FolderLanding) -> None:
    (landing.root / "t/a.csv").parent.mkdir()
    (landing.root / "t/a.csv").write_text("x")
    deep = os.open(landing.root / "t", os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 120, dir_fd=deep)
        deeper = os.open("d" * 120, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    assert [one.key.text for one in landing.listing()] == ["t/a.csv"]
    (told,) = landing.misplaced("t")
    assert isinstance(told, Refused)
    assert "longer than 1024 bytes" in told.message


def test_what_is_no_regular_file_is_not_there(landing: FolderLanding) -> None:
    (landing.root / "t/s").mkdir(parents=True)
    os.mkfifo(landing.root / "t/pipe.csv")
    assert list(landing.listing()) == []
    assert landing.get(parse_key("t/pipe.csv")) is None
    assert landing.get(parse_key("t/s")) is None


def test_the_stamp_changes_with_every_change_even_of_equal_size_and_time(landing: FolderLanding) -> None:
    path = landing.root / "t/a.csv"
    path.parent.mkdir()
    path.write_text("1")
    key = parse_key("t/a.csv")
    first = landing.get(key)
    other = path.with_name(".other")
    other.write_text("2")
    assert first is not None
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    second = landing.get(key)
    assert second is not None
    assert (second.size_bytes, second.modified_at_seconds) == (first.size_bytes, first.modified_at_seconds)
    assert second.stamp != first.stamp


def test_a_file_is_put_there_whole_and_its_original_stays(landing: FolderLanding, tmp_path: Path) -> None:
    file = tmp_path / "may.csv"
    file.write_text("1")
    key = landing.put(file, dataset="t", source="s")
    assert (key.text, (landing.root / "t/s/may.csv").read_text(), file.read_text()) == ("t/s/may.csv", "1", "1")
    assert [path.name for path in (landing.root / "t/s").iterdir()] == ["may.csv"]


def test_a_file_that_lies_there_already_is_left_alone(landing: FolderLanding) -> None:
    path = landing.root / "t/may.csv"
    path.parent.mkdir()
    path.write_text("1")
    before = landing.get(parse_key("t/may.csv"))
    assert landing.put(path, dataset="t").text == "t/may.csv"
    assert landing.get(parse_key("t/may.csv")) == before


def test_putting_what_is_no_file_is_refused(landing: FolderLanding, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is no file"):
        landing.put(tmp_path / "absent.csv", dataset="t")
    with pytest.raises(Refused, match="landing ignores"):
        landing.put(tmp_path / ".hidden.csv", dataset="t")


def test_a_disk_that_does_not_take_the_file_has_failed(landing: FolderLanding, tmp_path: Path) -> None:
    (landing.root / "t").write_text("a file where the folder should be")
    (tmp_path / "may.csv").write_text("1")
    with pytest.raises(Failed, match="could not be copied") as failure:
        landing.put(tmp_path / "may.csv", dataset="t")
    assert "nothing was changed" in failure.value.remedy


def test_a_landing_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be listed"):
        list(FolderLanding(tmp_path / "absent").listing())


def test_two_files_of_one_name_are_refused_before_anything_is_put(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "may.csv").write_text("x\n1\n")
    with pytest.raises(Refused, match="Two of the files are called") as refused:
        checked_keys([tmp_path / "a" / "may.csv", tmp_path / "b" / "may.csv"], dataset="flights")
    assert "one after the other" in refused.value.remedy
