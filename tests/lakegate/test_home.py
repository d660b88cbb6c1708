"""A home is found from where one stands, or made where nothing foreign lies."""

import shutil
from pathlib import Path

import pytest

from athena.errors import LakegateError, Refused
from athena.settings import read_settings
from lakegate.home import find_home, init_home
from tests.lakegate.conftest import Command


def test_a_home_has_its_settings_and_folders(tmp_path: Path) -> None:
    settings = init_home(tmp_path / "deep" / "home")
    assert settings == read_settings(tmp_path / "deep" / "home")
    assert all(folder.is_dir() for folder in (settings.landing, settings.contracts, settings.partners, settings.tables))
    assert settings.keys.stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_becomes_a_home_in_place(tmp_path: Path) -> None:
    assert init_home(tmp_path).home == tmp_path.resolve()


@pytest.mark.parametrize("kind", ["home", "foreign", "file"])
def test_nothing_that_is_there_is_made_a_home(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "place"
    if kind == "home":
        init_home(folder)
    elif kind == "foreign":
        folder.mkdir()
        (folder / "thesis.doc").touch()
    else:
        folder.touch()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(LakegateError) as caught:
        init_home(folder)
    assert caught.value.code == {"home": "home-exists", "foreign": "home-not-empty", "file": "home-unwritable"}[kind]
    assert str(folder) in caught.value.message
    assert caught.value.remedy
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_the_nearest_folder_above_that_is_a_home_is_meant(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    deep = home / "landing" / "flights"
    deep.mkdir()
    assert find_home(None, {}, deep) == home


def test_the_option_comes_before_the_environment_and_that_before_the_folder(tmp_path: Path) -> None:
    first, second, third = (init_home(tmp_path / name).home for name in ("first", "second", "third"))
    assert find_home(first, {"LAKEGATE_HOME": str(second)}, third) == first
    assert find_home(None, {"LAKEGATE_HOME": str(second)}, third) == second
    assert find_home(None, {"LAKEGATE_HOME": ""}, third) == third


def test_a_named_folder_is_taken_at_its_word(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    with pytest.raises(Refused) as caught:
        find_home(home / "landing", {}, home)
    assert caught.value.code == "no-home"


def test_without_any_home_the_remedy_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="lakegate init") as caught:
        find_home(None, {}, tmp_path)
    assert caught.value.code == "no-home"


@pytest.mark.parametrize("name", ["50% of #1? ü", "it's [x]*"])
def test_a_home_may_have_any_name(lakegate: Command, tmp_path: Path, name: str) -> None:
    home, file, backup = tmp_path / name / "home", tmp_path / "n.csv", tmp_path / "b.tar"
    assert lakegate("init", home).code == 0
    for number in (1, 2):
        file.write_text(f"n\n{number}\n", encoding="utf-8")
        file = file.rename(tmp_path / f"n{number}.csv")
        assert lakegate("load", file, "--dataset", "t", "--home", home).code == 0
    total = ("query", "SELECT sum(n) FROM t", "--format", "csv", "--home", home)
    assert lakegate(*total).out.splitlines()[1] == "3"
    assert lakegate("maintain", "--home", home).code == 0
    assert lakegate("query", "SELECT max(n) FROM t", "--format", "csv", "--home", home).out.splitlines()[1] == "2"
    assert lakegate("retract", "t/n1.csv", "--home", home).code == 0
    assert lakegate("backup", backup, "--home", home).code == 0
    shutil.rmtree(home)
    assert lakegate("restore", backup, "--home", home).code == 0
    assert "is missing" not in lakegate("doctor", "--home", home).out
    assert lakegate(*total).out.splitlines()[1] == "2"
    assert lakegate("doctor", "--home", home).code == 0
