"""The end of a stage. Data stay unless that is asked for: buckets, tables and the user pool are retained by stacks."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from athena.settings_aws import SECRETS, secrets_path
from infra.deployment.account import Account, calling, code_of
from infra.deployment.held import Held, held
from infra.deployment.stacks import Stacks
from infra.deployment.stage import check_stage, config_name, root_name

_GONE = frozenset(
    [
        "EntityNotFoundException",
        "NoSuchBucket",
        "ParameterNotFound",
        "ResourceNotFoundException",
    ]
)


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


def _delete(stage: str, found: Held, account: Account, say: Callable[[str], None]) -> None:
    for name in found.databases:
        _gone_is_fine(lambda name=name: account.client("glue").delete_database(Name=name), say, f"database {name}")  # type: ignore[misc]
    for name in found.tables:
        _gone_is_fine(lambda name=name: _delete_table(account, name), say, f"table {name}")  # type: ignore[misc]
    for name in found.pools:
        _gone_is_fine(lambda name=name: _delete_pool(account, stage, name), say, f"user pool {name}")  # type: ignore[misc]
    for name in found.logs:
        _gone_is_fine(lambda name=name: account.client("logs").delete_log_group(logGroupName=name), say, f"log {name}")  # type: ignore[misc]
    for name in SECRETS:
        full = f"{secrets_path(stage)}{name}"
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
