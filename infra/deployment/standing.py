"""How a stage stands: its stacks, and what waits."""

from collections.abc import Mapping
from dataclasses import dataclass

from athena.errors import NotFound
from infra.deployment.account import Account, calling
from infra.deployment.stacks import Stacks
from infra.deployment.stage import check_stage, config_name, root_name


@dataclass(frozen=True, slots=True)
class Standing:
    """`waiting` and `dead` count messages: of files that wait for a job, and of those that nobody could deal with."""

    stage: str
    state: str
    release: str
    waiting: int
    dead: int
    outputs: Mapping[str, str]


def standing(stage: str, account: Account) -> Standing:
    """How it stands now. Raises `NotFound` when there is no such stage."""
    check_stage(stage)
    with calling(f"looking at stage {stage}"):
        stacks = Stacks(account.client("cloudformation"), lambda _: None)
        root = stacks.look(root_name(stage))
        if not root.exists:
            begun = stacks.look(config_name(stage)).exists
            raise NotFound(
                f"Stage {stage!r} was begun in {account.region} and never finished."
                if begun
                else f"There is no stage {stage!r} in {account.region}.",
                f"Run `lakegate deploy --stage {stage}`, or name another AWS_PROFILE or region.",
                code="no-stage",
            )
        waiting, dead = (_messages(account, root.outputs.get(name, "")) for name in ("LandingQueue", "DeadLetters"))
        return Standing(stage, root.state, root.parameters.get("Release", ""), waiting, dead, root.outputs)


def _messages(account: Account, queue: str) -> int:
    if not queue:
        return 0
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
