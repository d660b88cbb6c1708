"""Partners from the command line: a grant that fits, a secret that is shown once, a revoke that counts at once."""

import json
from pathlib import Path

import pytest

from tests.lakegate.conftest import Command


@pytest.fixture
def loaded(lakegate: Command, home: Path, stays_file: Path) -> Path:
    assert lakegate("load", stays_file, "--dataset", "stays", "--home", home).code == 0
    return home


def test_a_partner_is_added_listed_shown_and_revoked(lakegate: Command, loaded: Path) -> None:
    added = lakegate("partner", "add", "aurora", "--dataset", "stays", "--description", "A", "--json", "--home", loaded)
    issued = json.loads(added.out)
    assert issued["partner"] == "aurora"
    assert Path(issued["grant"]).is_file()
    (listed,) = json.loads(lakegate("partner", "list", "--json", "--home", loaded).out)
    assert (listed["name"], list(listed["datasets"])) == ("aurora", ["stays"])
    shown = lakegate("partner", "show", "aurora", "--home", loaded)
    assert issued["client_id"] in shown.out
    assert issued["client_secret"] not in shown.out + lakegate("partner", "list", "--home", loaded).out
    revoked = json.loads(lakegate("partner", "revoke", "aurora", "--json", "--home", loaded).out)
    assert revoked == {"partner": "aurora", "clients_revoked": 1, "grant_removed": True}
    assert json.loads(lakegate("partner", "list", "--json", "--home", loaded).out) == []


def test_the_secret_is_kept_nowhere(lakegate: Command, loaded: Path) -> None:
    issued = json.loads(lakegate("partner", "add", "aurora", "-d", "stays", "--json", "--home", loaded).out)
    secret = issued["client_secret"].encode()
    holders = [path for path in loaded.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert holders == []


def test_adding_again_makes_one_more_client_that_can_be_revoked_alone(lakegate: Command, loaded: Path) -> None:
    lakegate("partner", "add", "aurora", "-d", "stays", "--home", loaded)
    second = json.loads(lakegate("partner", "add", "aurora", "--json", "--home", loaded).out)
    done = lakegate("partner", "revoke", "aurora", "--client", second["client_id"], "--home", loaded)
    assert done.code == 0
    shown = json.loads(lakegate("partner", "show", "aurora", "--json", "--home", loaded).out)
    assert [client["revoked_at"] is None for client in shown["clients"]] == [True, False]
    assert list(shown["datasets"]) == ["stays"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), "no-grant", "--dataset"),
        (("-d", "nothing"), "grant-invalid", "nothing"),
        (("-d", "stays", "--columns", "hotel,gusts"), "grant-invalid", "gusts"),
        (("-d", "stays", "--rows", "pilot = 'x'"), "grant-invalid", "pilot"),
        (("-d", "stays", "--rows", "hotel ="), "grant-invalid", "rows"),
    ],
)
def test_a_grant_that_does_not_fit_is_not_written(
    lakegate: Command, loaded: Path, options: tuple[str, ...], code: str, said: str
) -> None:
    done = lakegate("partner", "add", "aurora", *options, "--home", loaded)
    assert (done.code, done.out) == (1, "")
    assert f"[{code}]" in done.err
    assert said in done.err
    assert list((loaded / "partners").iterdir()) == []
    assert json.loads(lakegate("partner", "list", "--json", "--home", loaded).out) == []


def test_rows_go_with_one_dataset(lakegate: Command, loaded: Path) -> None:
    done = lakegate("partner", "add", "aurora", "--rows", "hotel = 'Aurora'", "--home", loaded)
    assert done.code == 2


def test_a_grant_that_is_there_is_edited_and_not_overwritten(lakegate: Command, loaded: Path) -> None:
    lakegate("partner", "add", "aurora", "-d", "stays", "--home", loaded)
    done = lakegate("partner", "add", "aurora", "-d", "stays", "--rows", "guests > 3", "--home", loaded)
    assert done.code == 1
    assert "[partner-exists]" in done.err


@pytest.mark.parametrize("command", ["show", "revoke"])
def test_an_unknown_partner_is_said_so(lakegate: Command, loaded: Path, command: str) -> None:
    done = lakegate("partner", command, "nobody", "--home", loaded)
    assert (done.code, done.out) == (1, "")
    assert "[no-partner]" in done.err


@pytest.mark.parametrize("name", ["../evil", "A", "", "a b", "a/b"])
def test_a_name_cannot_leave_the_folder(lakegate: Command, loaded: Path, name: str) -> None:
    done = lakegate("partner", "add", name, "-d", "stays", "--home", loaded)
    assert done.code in (1, 2)
    assert [path.name for path in (loaded / "partners").iterdir()] == []
