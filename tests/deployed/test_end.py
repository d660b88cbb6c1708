"""The end of a stage, and another one of its name over what it has left."""

from dataclasses import replace
from typing import Any

import pytest

from athena.errors import Failed
from infra.deployment.account import Account
from infra.deployment.deploy import Teller, deploy
from infra.deployment.destroy import destroy
from infra.deployment.held import Held, held
from infra.deployment.release import Release
from infra.deployment.stacks import Stacks
from infra.deployment.standing import standing
from tests.deployed.conftest import PARAMETERS, Stage, deployed_to, yes

pytestmark = pytest.mark.deploy

NAME = "ended"
BUCKETS = ("LandingBucket", "ResultsBucket", "WarehouseBucket")
ITEM = {"pk": {"S": "head"}, "sk": {"S": "flights"}}


def put_data(stage: Stage, outputs: dict[str, str]) -> None:
    for bucket in BUCKETS:
        stage.aws.client("s3").put_object(Bucket=outputs[bucket], Key="x", Body=bucket.encode())
    stage.aws.client("dynamodb").put_item(TableName=outputs["StateTable"], Item=ITEM)
    stage.aws.client("glue").create_table(DatabaseName=outputs["Database"], TableInput={"Name": "flights"})


def data(stage: Stage, outputs: dict[str, str]) -> list[Any]:
    """What was put there, read back by the owner."""
    s3 = stage.aws.client("s3")
    read: list[Any] = [s3.get_object(Bucket=outputs[bucket], Key="x")["Body"].read().decode() for bucket in BUCKETS]
    read.append(stage.aws.client("dynamodb").get_item(TableName=outputs["StateTable"], Key=ITEM)["Item"])
    read.append(stage.aws.client("glue").get_table(DatabaseName=outputs["Database"], Name="flights")["Table"]["Name"])
    return read


def is_there(stack: str) -> bool:
    return Stacks(Account().client("cloudformation"), lambda _: None).look(stack).exists


@pytest.fixture
def ended(stage: Stage, release: Release) -> dict[str, str]:
    """The outputs of a stage that held data and was destroyed without --delete-data."""
    outputs = dict(deployed_to(stage.aws, NAME, release).outputs)
    put_data(stage, outputs)
    destroy(NAME, Account(), lambda _: None, delete_data=False)
    return outputs


def test_destroyed_stage_keeps_its_data_and_another_of_its_name_takes_them_over(
    stage: Stage, release: Release, ended: dict[str, str]
) -> None:
    kept = held(NAME, Account())
    assert not is_there(f"lakegate-{NAME}")
    assert {ended[bucket] for bucket in (*BUCKETS, "LogsBucket")} < set(kept.buckets)
    assert (kept.tables, kept.databases) == ((ended["CacheTable"], ended["StateTable"]), (ended["Database"],))
    whole = [*BUCKETS, ITEM, "flights"]
    assert data(stage, ended) == whole

    said: list[str] = []
    again = deploy(NAME, release, Account(), PARAMETERS, Teller(said.append, yes))
    assert any(line.startswith("taking over") and ended["StateTable"] in line for line in said)
    assert any("user pool" in line and "partner rotate" in line for line in said)
    new = {"ApiUrl", "UserPoolId", "BrowserClientId", "ProbeClientId", "IdentityPoolId", "AliasArn"}
    assert {name for name in ended if again.outputs[name] != ended[name]} <= new
    assert data(stage, ended) == whole

    # The next one brings the usual templates, in which what was taken over has its usual name.
    assert deployed_to(stage.aws, NAME, release).done
    assert standing(NAME, Account()).state == "UPDATE_COMPLETE"
    assert data(stage, ended) == whole

    destroy(NAME, Account(), lambda _: None, delete_data=True)
    assert held(NAME, Account()) == Held()
    assert not is_there(f"lakegate-{NAME}-config")
    assert standing(stage.name, Account()).state in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    # Of a stage that is gone there is nothing to take away, and no fault in trying.
    assert destroy(NAME, Account(), lambda _: None, delete_data=True) == Held()


def test_first_deployment_that_fails_leaves_nothing_of_which_it_could_go(stage: Stage, release: Release) -> None:
    broken = release.templates["operations.yaml"].replace("AWS::Events::Rule", "AWS::Events::NoSuchThing")
    worse = replace(release, templates={**release.templates, "operations.yaml": broken})
    with pytest.raises(Failed, match="NoSuchThing") as failed:
        deployed_to(stage.aws, "failing", worse)
    assert "run the same command again" in failed.value.remedy
    left = held("failing", Account())
    assert [name for name in left.buckets if "-config-" not in name] == []
    assert (left.tables, left.logs, left.databases) == (("lakegate-failing-state",), (), ())
    # The table is protected against deletion: the next try takes it over.
    assert deployed_to(stage.aws, "failing", release).done
    destroy("failing", Account(), lambda _: None, delete_data=True)
    assert held("failing", Account()) == Held()
