"""The end of a stage. Data stay unless that is asked for: buckets, tables and the user pool are retained by stacks."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.deployment.account import Account, calling, code_of
from infra.deployment.deploy import check_stage, config_name, root_name
from infra.deployment.stacks import Stacks

_SECRETS = ("secret", "salt")
_GONE = frozenset(
    [
        "EntityNotFoundException",
        "NoSuchBucket",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
    ]
)


@dataclass(frozen=True, slots=True)
class Held:
    """What of a stage outlives its stacks, by name."""

    buckets: tuple[str, ...]
    tables: tuple[str, ...]
    pools: tuple[str, ...]
    databases: tuple[str, ...]
    queues: tuple[str, ...]
    logs: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.buckets, *self.tables, *self.pools, *self.databases, *self.queues, *self.logs)


def destroy(stage: str, account: Account, say: Callable[[str], None], *, delete_data: bool) -> Held:
    """Take the stage away; what was kept, or with `delete_data` what was deleted. May be repeated until it is done."""
    check_stage(stage)
    with calling(f"destroying stage {stage}"):
        found = held(stage, account)
        stacks = Stacks(account.client("cloudformation"), say)
        stacks.remove(root_name(stage))
        if delete_data:
            _delete(stage, found, account, say)
            stacks.remove(config_name(stage))
        return found


def held(stage: str, account: Account) -> Held:
    """What of a stage would outlive its stacks; found by name, so that it is found after they are gone."""
    prefix = f"lakegate-{stage}"
    buckets = [one["Name"] for one in account.client("s3").list_buckets().get("Buckets", ())]
    pages = account.client("dynamodb").get_paginator("list_tables").paginate()
    tables = [name for page in pages for name in page["TableNames"]]
    pools = account.client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
    databases = account.client("glue").get_paginator("get_databases").paginate()
    logs = account.client("logs").get_paginator("describe_log_groups").paginate()
    queues = account.client("sqs").list_queues(QueueNamePrefix=f"{prefix}-dead-letters").get("QueueUrls", ())
    groups = [group["logGroupName"] for page in logs for group in page["logGroups"]]
    return Held(
        tuple(name for name in buckets if name.startswith(f"{prefix}-")),
        tuple(name for name in tables if name.startswith(f"{prefix}-")),
        tuple(pool["Id"] for page in pools for pool in page["UserPools"] if pool["Name"] == prefix),
        tuple(
            one["Name"]
            for page in databases
            for one in page["DatabaseList"]
            if str(one.get("LocationUri", "")).startswith(f"s3://{prefix}-warehouse-")
        ),
        tuple(queues),
        tuple(name for name in groups if name.rpartition("/")[2] == prefix or f"/{prefix}-" in name),
    )


def _delete(stage: str, found: Held, account: Account, say: Callable[[str], None]) -> None:
    for name in found.databases:
        _gone_is_fine(lambda name=name: account.client("glue").delete_database(Name=name), say, f"database {name}")  # type: ignore[misc]
    for name in found.tables:
        _gone_is_fine(lambda name=name: _delete_table(account, name), say, f"table {name}")  # type: ignore[misc]
    for name in found.pools:
        _gone_is_fine(lambda name=name: _delete_pool(account, stage, name), say, f"user pool {name}")  # type: ignore[misc]
    for name in found.queues:
        _gone_is_fine(lambda name=name: account.client("sqs").delete_queue(QueueUrl=name), say, f"queue {name}")  # type: ignore[misc]
    for name in found.logs:
        _gone_is_fine(lambda name=name: account.client("logs").delete_log_group(logGroupName=name), say, f"log {name}")  # type: ignore[misc]
    for name in _SECRETS:
        full = f"/lakegate/{stage}/{name}"
        _gone_is_fine(lambda full=full: account.client("ssm").delete_parameter(Name=full), say, full)  # type: ignore[misc]
    for name in found.buckets:
        _gone_is_fine(lambda name=name: _delete_bucket(account, name), say, f"bucket {name}")  # type: ignore[misc]


def _gone_is_fine(call: Callable[[], object], say: Callable[[str], None], what: str) -> None:
    say(f"deleting {what}")
    try:
        call()
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise


def _delete_table(account: Account, name: str) -> None:
    dynamodb = account.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)


def _delete_pool(account: Account, stage: str, pool: str) -> None:
    cognito = account.client("cognito-idp")
    domain = cognito.describe_user_pool(UserPoolId=pool)["UserPool"].get("Domain")
    if domain:
        cognito.delete_user_pool_domain(Domain=domain, UserPoolId=pool)
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool)


def _delete_bucket(account: Account, name: str) -> None:
    s3 = account.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    s3.delete_bucket(Bucket=name)
