"""What `lakegate push` puts where it is read, what it refuses, and that two at once come out as one after the other."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from athena.errors import Failed, Refused
from athena.leases.dynamodb import DynamoLeases
from infra.deployment.account import Account
from infra.deployment.push import push
from tests.cloud import Cloud
from tests.lakegate.conftest import Command
from tests.lakegate.stages import Stage, make_stage

CONTRACT = 'inferred = false\n[columns]\nhotel = { type = "string" }\nguests = { type = "long" }\n'
GRANT = "[datasets.stays]\nrows = \"hotel = 'Aurora'\"\n"
Put = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def account(cloud: Cloud) -> Iterator[Account]:
    """Clients of the emulated AWS, made once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.emulator.environment.items():
            patch.setenv(name, value)
        yield Account()


@pytest.fixture
def stage(cloud: Cloud, account: Account) -> Stage:
    """A stage of its own."""
    return make_stage(cloud)


@pytest.fixture(scope="module")
def bare(cloud: Cloud, account: Account) -> Stage:
    """A stage into which nothing is ever put."""
    return make_stage(cloud)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file of the folder that is pushed."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def pushed(lakegate: Command, stage: Stage, folder: Path) -> Any:
    done = lakegate("push", folder, "--stage", stage.name, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_what_differs_is_put_and_every_version_kept(lakegate: Command, stage: Stage, put: Put, tmp_path: Path) -> None:
    put("datasets/stays.toml", CONTRACT)
    put("partners/aurora.toml", GRANT)
    assert pushed(lakegate, stage, tmp_path) == {
        **{"stage": stage.name, "contracts": ["stays"], "grants": ["aurora"]},
        "unchanged": 0,
    }
    assert stage.contract("stays") == CONTRACT
    again = pushed(lakegate, stage, tmp_path)
    assert (again["contracts"], again["grants"], again["unchanged"]) == ([], [], 2)

    put("datasets/stays.toml", f"description = 'Nights'\n{CONTRACT}")
    put("partners/aurora.toml", GRANT.replace("Aurora", "Borealis"))
    assert pushed(lakegate, stage, tmp_path)["unchanged"] == 0
    granted = stage.grants.get("aurora")
    assert granted is not None
    assert granted.datasets["stays"].rows == "hotel = 'Borealis'"
    assert stage.versions("datasets/stays.toml") == [CONTRACT, f"description = 'Nights'\n{CONTRACT}"]
    assert ["Aurora" in one for one in stage.versions("partners/aurora.toml")] == [True, False]


BROKEN = [
    ("datasets/other.toml", "[columns]\nday = { type = 'dat' }\n", "contract-invalid", "other.toml, line 2", "date"),
    ("datasets/other.toml", "[columns\n", "contract-invalid", "other.toml", "line 1"),
    ("datasets/No-Name.toml", CONTRACT, "dataset-name", "No-Name", "lower-case"),
    ("partners/borealis.toml", "[datasets.stays]\nrow = 'x'\n", "grant-invalid", "borealis.toml", "rows"),
    ("partners/borealis.toml", "[datasets.stays\n", "grant-invalid", "borealis.toml", "line 1"),
    ("partners/Bo Realis.toml", GRANT, "partner-name", "Bo Realis.toml", "lower-case"),
    ("partners/borealis.toml", "\n[datasets.nothing]\n", "grant-invalid", "borealis.toml, line 2", "no such dataset"),
    ("partners/borealis.toml", "[datasets.stays]\ncolumns = ['gusts']\n", "grant-invalid", "line 1", "gusts"),
    ("partners/borealis.toml", "[datasets.stays]\nrows = 'hotel = 1'\n", "grant-invalid", "line 1", "hotel"),
    ("partners/borealis.toml", "[datasets.stays]\nrows = 'guests ='\n", "grant-invalid", "line 1", "stays"),
]


@pytest.mark.parametrize(("name", "text", "code", "place", "hint"), BROKEN, ids=range(len(BROKEN)))
def test_broken_file_is_named_with_its_remedy_and_nothing_is_put(
    bare: Stage, account: Account, put: Put, name: str, text: str, code: str, place: str, hint: str
) -> None:
    put("datasets/stays.toml", CONTRACT)
    put("partners/aurora.toml", GRANT)
    folder = put(name, text).parents[1]
    with pytest.raises(Refused) as refused:
        push(bare.name, folder, account)
    told = f"{refused.value.message} {refused.value.remedy}"
    assert (refused.value.code, place in told, hint in told) == (code, True, True), told
    assert refused.value.remedy.endswith("Nothing was pushed.")
    assert (bare.contract("stays"), bare.grants.partners(), bare.versions("")) == (None, (), [])


def test_all_that_is_wrong_is_told_at_once(lakegate: Command, bare: Stage, put: Put, tmp_path: Path) -> None:
    put("datasets/stays.toml", "x = 1\n")
    put("partners/aurora.toml", "y = 2\n")
    put("partners/borealis.toml", GRANT)
    done = lakegate("push", tmp_path, "--stage", bare.name)
    assert (done.code, done.out) == (1, "")
    assert "stays.toml, line 1" in done.err
    assert "aurora.toml" in done.err
    assert "Mend all 2; nothing was pushed" in done.err
    assert bare.grants.partners() == ()


def test_folder_without_anything_is_refused(bare: Stage, account: Account, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="neither datasets") as refused:
        push(bare.name, tmp_path, account)
    assert refused.value.code == "nothing-to-push"


def test_contract_that_nobody_can_read_is_put_over(stage: Stage, account: Account, put: Put) -> None:
    bucket = f"lakegate-{stage.name}-landing"
    stage.cloud.client("s3").put_object(Bucket=bucket, Key="datasets/stays.toml", Body=b"\xff\xfe")
    folder = put("datasets/stays.toml", CONTRACT).parents[1]
    assert push(stage.name, folder, account).contracts == ("stays",)
    assert stage.contract("stays") == CONTRACT


def test_two_pushes_at_once_come_out_as_one_after_the_other(stage: Stage, put: Put, tmp_path: Path) -> None:
    names = [f"partner{number}" for number in range(6)]
    folders = [tmp_path / hotel for hotel in ("Aurora", "Borealis")]
    for folder in folders:
        for name in names:
            path = folder / "partners" / f"{name}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(GRANT.replace("Aurora", folder.name), encoding="utf-8")
    with ThreadPoolExecutor() as threads:
        put_there = list(threads.map(lambda folder: push(stage.name, folder, Account()).grants, folders))
    assert put_there == [tuple(names), tuple(names)]
    granted = [stage.grants.get(name) for name in names]
    assert len({one.datasets["stays"].rows for one in granted if one}) == 1
    assert {len(stage.versions(f"partners/{name}.toml")) for name in names} == {2}


def test_push_waits_for_another_and_gives_up_in_words(stage: Stage, account: Account, put: Put, tmp_path: Path) -> None:
    put("partners/aurora.toml", GRANT)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    lease = DynamoLeases(stage.state, lambda: at).acquire("to push", "somebody", seconds=60)
    assert lease is not None
    with pytest.raises(Failed, match="Somebody else is pushing") as busy:
        push(stage.name, tmp_path, account, clock=lambda: at, sleep=lambda _: None)
    assert busy.value.code == "push-busy"
    # A push that was killed holds up nobody for longer than its lease.
    assert push(stage.name, tmp_path, account, sleep=lambda _: None).grants == ("aurora",)
