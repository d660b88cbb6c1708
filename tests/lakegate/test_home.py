"""A home is found from where one stands, or made where nothing foreign lies."""

from pathlib import Path

import pytest

from athena.errors import LakegateError, Refused
from athena.settings import read_settings
from lakegate.home import find_home, init_home


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
