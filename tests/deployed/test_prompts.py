"""What `deploy` and `destroy` ask before they change anything: without the right answer nothing changes."""

import re
from collections.abc import Iterator

import pytest

from infra.deployment.account import Account
from infra.deployment.held import held
from infra.deployment.standing import standing
from tests.deployed.conftest import Stage
from tests.deployed.emulated import Ministack
from tests.deployed.reader import Reader

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def reader(aws: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    made = Reader(tmp_path_factory.mktemp("asked"), aws)
    made.typed("git clone -q <this repository> lakegate && cd lakegate")
    made.typed("export AWS_PROFILE=<your profile> AWS_DEFAULT_REGION=<your region>")
    return made


@pytest.fixture
def begun(reader: Reader) -> Iterator[str]:
    """A stage that is begun by what is asked here, and nothing of it is left."""
    yield "asked"
    reader.typed("lakegate destroy --stage asked --delete-data --yes")


@pytest.mark.parametrize("delete", ["", " --delete-data"])
def test_destroy_asks_and_refuses_without_a_terminal_and_for_another_name(
    stage: Stage, reader: Reader, delete: str
) -> None:
    command = f"lakegate destroy --stage {stage.name}{delete}"
    said = reader.typed(f"{command} < /dev/null", code=1)
    assert "there is nobody to ask. Add --yes if you are sure." in said
    said = reader.typed(command, ("tset",), code=1)
    assert f"Destroy stage {stage.name}" in said
    assert ("DELETE ALL DATA" in said) == bool(delete)
    assert f"That is not `{stage.name}`. Nothing was changed. [not-confirmed]" in said
    assert standing(stage.name, Account()).state in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def test_deploy_shows_the_changes_and_makes_nothing_unless_it_is_told_to(reader: Reader, begun: str) -> None:
    said = reader.typed(f"lakegate deploy --stage {begun} < /dev/null", code=1)
    assert "there is nobody to ask. Add --yes if you are sure. [not-confirmed]" in said
    said = reader.typed(f"lakegate deploy --stage {begun}", ("yes",), code=1)
    assert re.search(rf"Carry out \d+ changes to lakegate-{begun}\?", said)
    assert "AWS::CloudFormation::Stack" in said
    assert f"That is not `{begun}`. Nothing was changed. [not-confirmed]" in said
    found = held(begun, Account())
    assert [name.partition(f"lakegate-{begun}-")[2].partition("-")[0] for name in found.buckets] == ["config"]
    assert not found.tables


def test_rollback_to_a_version_that_is_not_there_says_where_to_look(stage: Stage, reader: Reader) -> None:
    command = f"lakegate rollback --stage {stage.name}"
    said = reader.typed(f"{command} --to 99 --yes", code=1)
    assert f"Stage {stage.name} has no version 99. `{command} --list` shows which there are. [no-version]" in said
    assert "live" in reader.typed(f"{command} --list")
