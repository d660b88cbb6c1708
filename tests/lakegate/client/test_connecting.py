"""Which lake `connect` means."""

from pathlib import Path

import pytest

from athena.errors import NotFound, Refused, Unauthenticated
from lakegate import connect
from lakegate.connecting import find_target
from lakegate.listening import Listening


def test_an_argument_is_a_url_or_a_folder() -> None:
    assert find_target("https://lake.example", None, {}, Path("/")).url == "https://lake.example"
    assert find_target("some/home", None, {}, Path("/")).home == Path("some/home")
    assert find_target(None, "prod", {}, Path("/")).stage == "prod"


def test_arguments_win_over_the_environment_and_that_over_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lakegate.toml").write_text("version = 1\n")
    environment = {"LAKEGATE_STAGE": "s", "LAKEGATE_HOME": "/h", "LAKEGATE_URL": "http://u"}
    assert find_target("x", None, environment, tmp_path).home == Path("x")
    assert find_target(None, None, environment, tmp_path).url == "http://u"
    assert find_target(None, None, {"LAKEGATE_STAGE": "s", "LAKEGATE_HOME": "/h"}, tmp_path).home == Path("/h")
    assert find_target(None, None, {"LAKEGATE_STAGE": "s"}, tmp_path).stage == "s"
    assert find_target(None, None, {}, tmp_path / "deep" / "er").home == tmp_path


def test_a_file_may_name_a_server_or_a_stage_and_never_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "lakegate.toml"
    file.write_text('url = "https://lake.example"\nclient_id = "c"\n')
    found = find_target(None, None, {}, tmp_path)
    assert (found.url, found.client_id, found.told_by) == ("https://lake.example", "c", str(file))
    file.write_text('stage = "prod"\n')
    assert find_target(None, None, {}, tmp_path).stage == "prod"
    file.write_text('url = "https://lake.example"\nclient_secret = "s"\n')
    with pytest.raises(Refused, match="holds a secret"):
        find_target(None, None, {}, tmp_path)


def test_nothing_to_connect_to_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="LAKEGATE_URL") as refusal:
        find_target(None, None, {}, tmp_path)
    assert refusal.value.code == "no-lake"
    with pytest.raises(Refused, match="Name one of them"):
        find_target("x", "s", {}, tmp_path)


def test_a_partner_who_is_none_and_wrong_credentials_are_refused(typed_home: Path, server: Listening) -> None:
    with pytest.raises(NotFound, match="nobody"):
        connect(typed_home, partner="nobody")
    with pytest.raises(Refused, match="credentials"):
        connect(server.url, partner="eve")
    with (
        connect(server.url, client_id="eve", client_secret="wrong") as lake,
        pytest.raises(Unauthenticated, match="gives no token"),
    ):
        lake.datasets()
    with pytest.raises(Refused, match="LAKEGATE_CLIENT_ID"):
        connect(server.url)
