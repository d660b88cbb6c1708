"""The composition root of the read side."""

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from athena.errors import Refused
from athena.keys import kept_secret
from athena.lake import Lake
from athena.settings import HOME_FILE
from tests.lakes import FLIGHTS, Home


def test_a_folder_that_is_no_home_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        Lake.embedded(tmp_path)
    assert caught.value.code == "no-home"


def test_opening_and_closing_a_home_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / HOME_FILE).write_text("")
    before = set(threading.enumerate())  # some of them may end meanwhile
    with Lake.embedded(tmp_path) as lake:
        assert lake.heads.all() == ()
        assert set(threading.enumerate()) <= before


def test_secrets_are_for_the_owner_alone_and_stay_the_same(tmp_path: Path) -> None:
    (tmp_path / HOME_FILE).write_text("")
    with Lake.embedded(tmp_path) as first, Lake.embedded(tmp_path) as second:
        assert (first.secret, first.salt) == (second.secret, second.salt)
        assert first.secret.hex() != first.salt
    for key in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_two_who_make_a_secret_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "some.key"
    start, found = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        found.append(kept_secret(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [key.name for key in path.parent.iterdir()] == ["some.key"]


def test_while_a_commit_is_open_the_catalog_says_where_a_table_stands(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.opened() as (whole, _):
        old = home.publish(whole, home.tables.append("flights", FLIGHTS))
        new = home.tables.append("flights", FLIGHTS)
        lake = replace(whole, settled=lambda name: new if name == "flights" else None)
        assert lake.head("flights") == old
        lake.heads.intend("flights", "c1")
        assert lake.head("flights") == new
        lake.heads.intend("unborn", "c2")
        assert lake.head("unborn") is None
        assert lake.head("nothing") is None
    home.tables.close()
