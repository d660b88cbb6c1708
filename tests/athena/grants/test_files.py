"""Grants as files: what is understood, and how soon."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import Failed, Refused
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import FileGrants, read_grant, remove_grant, write_grant
from athena.grants.toml import grant_digest

UNITED = """
description = "United Airlines"
[datasets.flights]
rows    = "carrier = 'UA'"
columns = ["*", "!tailnum"]
mask    = { flight = "NULL" }
[datasets.flights__rejects]
[limits]
concurrent_queries = 4
queries_per_minute = 120
bytes_scanned_per_query = "2 GB"
bytes_scanned_per_day = "1.5 GiB"
result_rows = 1_000_000
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "partners"
    made.mkdir()
    return made


def put(folder: Path, text: str, name: str = "united") -> Path:
    """Write a partner's file as an editor does, in place."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_grant_is_what_its_file_says(folder: Path) -> None:
    put(folder, UNITED)
    limits = Limits(4, 120, 2_000_000_000, 1_610_612_736, 1_000_000)
    datasets = {
        "flights": DatasetGrant("carrier = 'UA'", ("*", "!tailnum"), {"flight": "NULL"}),
        "flights__rejects": DatasetGrant(),
    }
    digest = grant_digest(datasets, limits)
    assert FileGrants(folder).get("united") == Grant("united", "United Airlines", datasets, limits, digest)


def test_without_a_file_there_is_no_grant(folder: Path) -> None:
    assert FileGrants(folder).get("united") is None
    assert FileGrants(folder / "absent").get("united") is None
    assert FileGrants(folder / "absent").partners() == ()


@pytest.mark.parametrize(
    "name", ["../united", "united/..", "United", "", ".", "a" * 100, "united.toml", "uni ted", "ünited"]
)
def test_a_name_that_is_none_has_no_grant(folder: Path, name: str) -> None:
    put(folder, UNITED)
    (folder.parent / "united.toml").write_text(UNITED, encoding="utf-8")
    assert FileGrants(folder).get(name) is None


def test_partners_are_the_files_that_can_be_grants(folder: Path) -> None:
    for name in ("united", "delta"):
        put(folder, UNITED, name)
    for name in ("notes.txt", ".hidden.toml", "Big.toml", "united.toml~"):
        (folder / name).write_text("", encoding="utf-8")
    assert FileGrants(folder).partners() == ("delta", "united")


def test_an_empty_file_grants_nothing(folder: Path) -> None:
    put(folder, "")
    found = FileGrants(folder).get("united")
    assert found is not None
    assert found.datasets == {}


def test_edits_count_from_the_next_call_on_however_fast_they_come(folder: Path) -> None:
    grants = FileGrants(folder)
    for number in range(300):
        put(folder, f"[datasets.flights]\nrows = 'n = {number % 10}'\n")
        found = grants.get("united")
        assert found is not None
        assert found.datasets["flights"].rows == f"n = {number % 10}"


def test_edits_that_keep_size_and_modification_time_count_too(folder: Path) -> None:
    path = put(folder, "[datasets.flights]\nrows = 'n = 1'\n")
    os.utime(path, ns=(1, 1))
    grants = FileGrants(folder, now_ns=lambda: 2**62)
    first = grants.get("united")
    path.write_text("[datasets.flights]\nrows = 'n = 2'\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    second = grants.get("united")
    assert first is not None
    assert second is not None
    assert (first.datasets["flights"].rows, second.datasets["flights"].rows) == ("n = 1", "n = 2")


def test_a_settled_file_is_read_once(folder: Path) -> None:
    put(folder, UNITED)
    grants = FileGrants(folder, now_ns=lambda: 2**62)
    assert grants.get("united") is grants.get("united")


def test_a_removed_file_is_a_revoked_grant(folder: Path) -> None:
    path = put(folder, UNITED)
    grants = FileGrants(folder, now_ns=lambda: 2**62)
    assert grants.get("united") is not None
    path.unlink()
    assert grants.get("united") is None
    put(folder, UNITED)
    assert grants.get("united") is not None


def test_an_edit_that_breaks_the_file_grants_nothing(folder: Path) -> None:
    path = put(folder, UNITED)
    grants = FileGrants(folder, now_ns=lambda: 2**62)
    assert grants.get("united") is not None
    path.write_text(UNITED.replace("rows ", "row "), encoding="utf-8")
    with pytest.raises(Failed) as caught:
        grants.get("united")
    assert caught.value.code == "grant-invalid"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("[datasets.flights]\nrow = 'n = 1'", "[datasets.flights]: unknown key 'row'.", "Did you mean 'rows'?"),
        ("[dataset.flights]", "unknown key 'dataset'.", "Did you mean 'datasets'?"),
        ("rows = 'n = 1'", "unknown key 'rows'.", "Known: description, datasets, limits."),
        ("[limits]\nqueries_per_minut = 1", "unknown key 'queries_per_minut'.", "Did you mean 'queries_per_minute'?"),
        ("[datasets.flights]\nrows = 5", "rows is 5.", "Write a condition"),
        ("[datasets.flights]\nrows = ''", "rows is ''.", "Write a condition"),
        ("[datasets.flights]\ncolumns = '*'", "columns is '*'.", "Write a list of names"),
        ("[datasets.flights]\ncolumns = [1]", "columns is [1].", "Write a list of names"),
        ("[datasets.flights]\nmask = 'x'", "mask is 'x'.", "Write a table"),
        ("[datasets.flights]\nmask = {a = 1}", "mask.a is 1.", "Write NULL, hash, first(n) or an expression."),
        ("[datasets.Flights]", "[datasets.Flights]: no dataset name.", "Names are lower-case"),
        ("datasets = 5", "datasets is 5.", "Write a table, as [datasets]."),
        ("[datasets]\nflights = true", "flights is True.", "Write a table"),
        ("description = 5", "description is 5.", "Write a text."),
        ("[limits]\nresult_rows = -1", "result_rows is -1.", "Write a whole number, 0 or more."),
        ("[limits]\nresult_rows = true", "result_rows is True.", "Write a whole number, 0 or more."),
        ("[limits]\nresult_rows = '5 GB'", "result_rows is '5 GB'.", "Write a whole number, 0 or more."),
        ("[limits]\nbytes_scanned_per_day = '5 XB'", "bytes_scanned_per_day is '5 XB'.", 'Write "2 GB"'),
        ("[datasets.flights", "not valid TOML", "Mend that line."),
        ("[datasets.a]\n[datasets.a]", "not valid TOML", "Mend that line."),
    ],
)
def test_what_is_not_understood_is_told_with_its_remedy(folder: Path, text: str, message: str, remedy: str) -> None:
    path = put(folder, text)
    with pytest.raises(Refused) as caught:
        read_grant(path)
    assert caught.value.message.startswith(str(path))
    assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert caught.value.code == "grant-invalid"
    with pytest.raises(Failed):
        FileGrants(folder).get("united")


def test_a_file_that_is_not_utf_8_grants_nothing(folder: Path) -> None:
    (folder / "united.toml").write_bytes(b'description = "\xff"')
    with pytest.raises(Failed):
        FileGrants(folder).get("united")


def test_a_written_grant_reads_back_as_the_same(folder: Path) -> None:
    datasets = {
        "flights": DatasetGrant("note = 'a\"b\\\n\x7f'", ("*", "!tail"), {"n": "first(2)"}),
        "airlines": DatasetGrant(),
    }
    limits = Limits(queries_per_minute=5)
    grant = Grant("united", 'Say "hi"', datasets, limits, grant_digest(datasets, limits))
    assert write_grant(folder, grant) == folder / "united.toml"
    assert FileGrants(folder).get("united") == grant
    assert [path.name for path in folder.iterdir()] == ["united.toml"]


def test_a_grant_is_never_written_over_another(folder: Path) -> None:
    path = put(folder, UNITED)
    with pytest.raises(Refused) as caught:
        write_grant(folder, Grant("united", "", {}, Limits(), ""))
    assert caught.value.code == "partner-exists"
    assert path.read_text(encoding="utf-8") == UNITED


@pytest.mark.parametrize("name", ["", "Big", "../x", "a/b", "-x", "x" * 64])
def test_a_name_that_cannot_be_one_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        write_grant(folder, Grant(name, "", {}, Limits(), ""))
    assert caught.value.code == "partner-name"
    assert list(folder.iterdir()) == []


def test_revoking_removes_the_file(folder: Path) -> None:
    put(folder, UNITED)
    remove_grant(folder, "united")
    assert FileGrants(folder).get("united") is None
    for name in ("united", "../partners/united"):
        with pytest.raises(Refused) as caught:
            remove_grant(folder, name)
        assert caught.value.code == "no-partner"


def test_the_digest_is_of_what_is_granted() -> None:
    datasets = {"flights": DatasetGrant("n = 1", ("a", "b"))}
    same = {"flights": DatasetGrant("n = 1", ("b", "a", "a"))}
    assert grant_digest(datasets, Limits()) == grant_digest(same, Limits())
    others = [
        grant_digest({}, Limits()),
        grant_digest({"flights": DatasetGrant("n = 2", ("a", "b"))}, Limits()),
        grant_digest({"flights": DatasetGrant("n = 1", ("a",))}, Limits()),
        grant_digest({"flights": replace(datasets["flights"], mask={"a": "NULL"})}, Limits()),
        grant_digest(datasets, Limits(result_rows=5)),
    ]
    assert len({grant_digest(datasets, Limits()), *others}) == 6
