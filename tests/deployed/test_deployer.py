"""A stage deployed, looked at and ended with the role of deployer.yaml, which can touch no other stage.

CloudFormation makes the parts with the rights of whoever deploys; the emulator's makes them with nobody's. So this
shows the calls of our own commands, not those that CloudFormation makes for them.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.deployment.account import Account
from infra.deployment.destroy import destroy
from infra.deployment.push import push
from infra.deployment.release import Release
from infra.deployment.standing import standing
from tests.deployed.conftest import Stage, deployed_to
from tests.deployed.emulated import ACCOUNT

pytestmark = pytest.mark.deploy

NAME = "lent"
TEMPLATE = Path(__file__).parents[2] / "infra" / "templates" / "deployer.yaml"


@pytest.fixture
def lent(stage: Stage) -> Iterator[None]:
    """The environment of somebody who has taken the role."""
    stacks = stage.aws.client("cloudformation")
    told = {"Stage": NAME, "DeployedBy": f"arn:aws:iam::{ACCOUNT}:root"}
    stacks.create_stack(
        StackName=f"lakegate-deploy-{NAME}",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in told.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName=f"lakegate-deploy-{NAME}", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    before = dict(os.environ)
    os.environ.update(stage.aws.role(f"lakegate-deploy-{NAME}"))
    yield
    os.environ.clear()
    os.environ.update(before)


def denied(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


@pytest.mark.usefixtures("lent")
def test_role_deploys_and_ends_its_own_stage_and_no_other(stage: Stage, release: Release, tmp_path: Path) -> None:
    outputs = deployed_to(stage.aws, NAME, release).outputs
    assert standing(NAME, Account()).state == "CREATE_COMPLETE"
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "nobody.toml").write_text("description = 'Sees nothing'\n", encoding="utf-8")
    assert push(NAME, tmp_path, Account()).grants == ("nobody",)
    account, theirs = Account(), stage.outputs
    other: dict[str, Callable[[], Any]] = {
        "files": lambda: account.client("s3").list_objects_v2(Bucket=theirs["LandingBucket"]),
        "state": lambda: account.client("dynamodb").scan(TableName=theirs["StateTable"]),
        "stack": lambda: account.client("cloudformation").delete_stack(StackName=f"lakegate-{stage.name}"),
        "secrets": lambda: account.client("ssm").get_parameters_by_path(Path=f"/lakegate-secrets/{stage.name}/"),
        "function": lambda: account.client("lambda").invoke(FunctionName=f"lakegate-{stage.name}-api"),
        "queue": lambda: account.client("sqs").receive_message(
            QueueUrl=account.client("sqs").get_queue_url(QueueName=theirs["LandingQueue"])["QueueUrl"]
        ),
        "role": lambda: account.client("iam").delete_role(RoleName=f"lakegate-{stage.name}-api"),
        "new role": lambda: account.client("iam").create_role(RoleName="mine", AssumeRolePolicyDocument="{}"),
        "own rights": lambda: account.client("iam").put_role_policy(
            RoleName=f"lakegate-deploy-{NAME}", PolicyName="all", PolicyDocument="{}"
        ),
        "key": lambda: account.client("iam").create_access_key(UserName="owner"),
    }
    assert [what for what, call in other.items() if not denied(call)] == []

    # Without --delete-data: user pools are bounded by their tags, which the emulator tells no policy of.
    kept = destroy(NAME, Account(), lambda _: None, delete_data=False)
    assert outputs["StateTable"] in kept.tables
