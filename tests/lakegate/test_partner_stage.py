"""Partners of a stage by the commands that a home has: one suite for both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakegate.home import init_home
from tests.cloud import Cloud
from tests.lakegate.conftest import STAYS, Command
from tests.lakegate.stages import Stage, make_stage

Ask = Callable[..., Any]


@pytest.fixture
def stage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in cloud.emulator.environment.items():
        monkeypatch.setenv(name, value)
    return make_stage(cloud)


@pytest.fixture(params=["home", "stage"])
def where(request: pytest.FixtureRequest, lakegate: Command, tmp_path: Path) -> tuple[str, str]:
    """The option that names a home or a stage with the dataset `stays`."""
    if request.param == "stage":
        return "--stage", request.getfixturevalue("stage").name
    home = init_home(tmp_path / "home").home
    (tmp_path / "stays.csv").write_text(STAYS, encoding="utf-8")
    assert lakegate("load", tmp_path / "stays.csv", "--dataset", "stays", "--home", home).code == 0
    return "--home", str(home)


@pytest.fixture
def partner(lakegate: Command, where: tuple[str, str]) -> Ask:
    """Runs `lakegate partner …` there; what it printed as JSON."""

    def run(*arguments: str) -> Any:
        done = lakegate("partner", *arguments, *where, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


def ids(document: Any) -> list[str]:
    return [one["client_id"] for one in document["clients"] if one["revoked_at"] is None]


def test_partner_is_added_listed_shown_rotated_and_revoked(partner: Ask) -> None:
    assert partner("list") == []
    first = partner("add", "aurora", "-d", "stays", "--rows", "hotel = 'Aurora'", "--description", "Aurora Hotels")
    second = partner("add", "aurora")
    assert first["client_id"] != second["client_id"]
    (listed,) = partner("list")
    shown = partner("show", "aurora")
    assert listed == shown
    assert (shown["name"], shown["description"]) == ("aurora", "Aurora Hotels")
    assert shown["datasets"] == {"stays": {"rows": "hotel = 'Aurora'", "columns": ["*"], "mask": {}}}
    assert set(ids(shown)) == {first["client_id"], second["client_id"]}
    assert first["client_secret"] not in json.dumps(shown)

    ended = partner("revoke", "aurora", "--client", first["client_id"])
    assert ended == {"partner": "aurora", "clients_revoked": 1, "grant_removed": False}
    assert ids(partner("show", "aurora")) == [second["client_id"]]

    third = partner("rotate", "aurora")
    assert third["clients_revoked"] == [second["client_id"]]
    assert ids(partner("show", "aurora")) == [third["client_id"]]
    assert partner("show", "aurora")["datasets"] == shown["datasets"]

    gone = {"partner": "aurora", "clients_revoked": 1, "grant_removed": True}
    assert partner("revoke", "aurora") == gone
    assert partner("revoke", "aurora") == {**gone, "clients_revoked": 0, "grant_removed": False}
    assert partner("list") == []


def test_rotating_one_client_leaves_the_others(partner: Ask) -> None:
    first = partner("add", "aurora", "-d", "stays")
    second = partner("add", "aurora")
    third = partner("rotate", "aurora", "--client", first["client_id"])
    assert third["clients_revoked"] == [first["client_id"]]
    assert set(ids(partner("show", "aurora"))) == {second["client_id"], third["client_id"]}


REFUSED = [
    ("show nobody", "no-partner", "partner list"),
    ("revoke nobody", "no-partner", "partner list"),
    ("rotate nobody", "no-partner", "partner list"),
    ("revoke aurora --client c_0", "no-partner", "partner list"),
    ("add borealis", "no-grant", "--dataset"),
    ("add borealis -d nothing", "grant-invalid", "nothing was"),
    ("add aurora -d stays --columns hotel", "partner-exists", "without --dataset"),
]


def test_what_cannot_be_is_refused_alike(lakegate: Command, partner: Ask, where: tuple[str, str]) -> None:
    issued = partner("add", "aurora", "-d", "stays")
    for words, code, remedy in REFUSED:
        done = lakegate("partner", *words.split(), *where)
        assert (done.code, done.out) == (1, ""), words
        assert f"[{code}]" in done.err, words
        assert remedy in done.err, words
    assert ids(partner("show", "aurora")) == [issued["client_id"]]


def test_secret_of_a_stage_is_shown_once_with_the_addresses(lakegate: Command, stage: Stage) -> None:
    added = lakegate("partner", "add", "aurora", "-d", "stays", "--stage", stage.name)
    secret = next(line.split()[-1] for line in added.out.splitlines() if line.startswith("client secret"))
    assert len(secret) > 20
    assert "https://token" in added.out
    assert "https://api" in added.out
    shown = [lakegate("partner", word, "aurora", "--stage", stage.name) for word in ("show", "rotate", "revoke")]
    assert secret not in "".join(done.out + done.err for done in shown)
    assert stage.machines() == []


def test_what_an_interrupted_revoke_left_in_the_pool_goes_with_the_next(lakegate: Command, stage: Stage) -> None:
    issued = json.loads(lakegate("partner", "add", "aurora", "-d", "stays", "--stage", stage.name, "--json").out)
    stage.grants.remove("aurora")
    stage.clients.remove(issued["client_id"])
    assert len(stage.machines()) == 1
    assert lakegate("partner", "revoke", "aurora", "--stage", stage.name).code == 0
    assert stage.machines() == []


def test_client_of_a_pool_that_is_gone_is_no_client(lakegate: Command, stage: Stage) -> None:
    issued = json.loads(lakegate("partner", "add", "aurora", "-d", "stays", "--stage", stage.name, "--json").out)
    pool = stage.cloud.client("cognito-idp")
    pool.delete_user_pool_client(UserPoolId=stage.pool, ClientId=issued["client_id"])
    shown = json.loads(lakegate("partner", "show", "aurora", "--stage", stage.name, "--json").out)
    assert ids(shown) == []
    assert json.loads(lakegate("partner", "rotate", "aurora", "--stage", stage.name, "--json").out)["client_id"]


def test_partner_named_as_a_client_of_the_stack_takes_nothing_from_it(lakegate: Command, stage: Stage) -> None:
    pool = stage.cloud.client("cognito-idp")
    for name in ("browser", "probe"):
        pool.create_user_pool_client(UserPoolId=stage.pool, ClientName=f"lakegate-{stage.name}-{name}")
        assert lakegate("partner", "add", name, "-d", "stays", "--stage", stage.name).code == 0
        assert lakegate("partner", "revoke", name, "--stage", stage.name).code == 0
    assert {one["ClientName"].rpartition("-")[2] for one in stage.machines()} == {"browser", "probe"}


def test_stage_that_is_not_there_is_told(lakegate: Command, stage: Stage) -> None:
    done = lakegate("partner", "list", "--stage", "nowhere")
    assert done.code == 1
    assert "[no-stage]" in done.err
    assert "lakegate deploy --stage nowhere" in done.err
