"""A stage's life: repeated, interrupted, changed, beside another, and ended."""

from dataclasses import replace
from typing import Any

import pytest

from infra.deployment.account import Account
from infra.deployment.deploy import Teller, deploy
from infra.deployment.held import held
from infra.deployment.release import Release
from infra.deployment.standing import standing
from tests.deployed.conftest import PARAMETERS, Stage, deployed_to, yes
from tests.deployed.emulated import Ministack

pytestmark = pytest.mark.deploy


class Killed(BaseException):
    """The process is gone: nothing catches it."""


def killed_at(aws: Ministack, stage: str, release: Release, operation: str, after: bool) -> None:
    """A deployment that ends before, or right after, its first call of `operation`."""
    account = Account()
    client = account.client("cloudformation" if "ChangeSet" in operation else "s3")
    service = client.meta.service_model.service_id.hyphenize()

    def end(**_: Any) -> None:
        raise Killed

    client.meta.events.register(f"{'after' if after else 'before'}-call.{service}.{operation}", end)
    with pytest.raises(Killed):
        deploy(stage, release, account, PARAMETERS, Teller(lambda _: None, yes))


def test_deployment_without_a_change_changes_nothing(stage: Stage) -> None:
    assert deployed_to(stage.aws, stage.name, stage.release).changes == 0
    assert standing(stage.name, Account()).state == "CREATE_COMPLETE"


def test_deployment_killed_at_three_points_continues_and_shares_nothing_with_another(
    stage: Stage, release: Release
) -> None:
    killed_at(stage.aws, "second", release, "PutObject", after=True)
    killed_at(stage.aws, "second", release, "ExecuteChangeSet", after=False)
    killed_at(stage.aws, "second", release, "ExecuteChangeSet", after=True)
    done = deployed_to(stage.aws, "second", release)
    first, second = stage.outputs, dict(done.outputs)
    assert set(first) == set(second)
    assert {name for name in first if first[name] == second[name]} == {"TopicsKey"} & set(first)
    assert not set(held("test", Account()).names()) & set(held("second", Account()).names())


def test_update_publishes_another_version_behind_the_same_address(stage: Stage) -> None:
    changed = replace(
        stage.release, parameters={**stage.release.parameters, "JobWheelsKey": "code/other.gluewheels.zip"}
    )
    before = standing(stage.name, Account())
    done = deployed_to(stage.aws, stage.name, changed)
    after = standing(stage.name, Account())
    assert done.changes
    assert after.release != before.release
    assert after.outputs["ApiUrl"] == before.outputs["ApiUrl"]
    job = stage.aws.client("glue").get_job(JobName=stage.outputs["Job"])["Job"]
    assert job["DefaultArguments"]["--additional-python-modules"].endswith("/code/other.gluewheels.zip")
