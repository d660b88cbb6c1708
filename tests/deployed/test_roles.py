"""What each role may and may not do, asked of the emulator, which evaluates the templates' own policies."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployed.asking import load
from tests.deployed.conftest import Stage

pytestmark = pytest.mark.deploy

READERS = ("api", "dispatcher", "job", "notices", "reconciler")
# Who signs and masks nothing.
UNSIGNING = ("analyst", "dispatcher", "job", "notices", "notices-schedule", "reconciler", "schedule")
SCHEDULES = ("schedule", "notices-schedule")

# role, service, operation, its arguments; {…} are the stage's outputs.
Asked = tuple[str, str, str, dict[str, Any]]


def _get(bucket: str, key: str) -> dict[str, Any]:
    return {"Bucket": bucket, "Key": key}


def _put(bucket: str, key: str) -> dict[str, Any]:
    return {"Bucket": bucket, "Key": key, "Body": b"x"}


_HEAD = {"TableName": "{StateTable}", "Key": {"pk": {"S": "head"}, "sk": {"S": "flights"}}}
_GRANT = {"TableName": "{StateTable}", "Key": {"pk": {"S": "grant"}, "sk": {"S": "united"}}}
_SETTINGS = {"Path": "/lakegate/test/"}
_SECRETS = {"Path": "/lakegate-secrets/test/", "WithDecryption": True}
_RUN = {"JobName": "{Job}", "Arguments": {"--stage": "nobody"}}
_TABLE = {"DatabaseName": "{Database}", "Name": "flights"}
_QUERY = {"QueryString": "SELECT 1", "QueryExecutionContext": {"Database": "{Database}"}}

MAY: dict[str, Asked] = {
    "dispatcher-writes-manifests": ("dispatcher", "s3", "put_object", _put("{WarehouseBucket}", "manifests/x")),
    "reconciler-lists-landing": (
        *("reconciler", "s3", "list_objects_v2"),
        {"Bucket": "{LandingBucket}", "Prefix": "landing/"},
    ),
    "job-reads-landing": ("job", "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "job-writes-warehouse": ("job", "s3", "put_object", _put("{WarehouseBucket}", "{Database}/x")),
    "job-reads-heads": ("job", "dynamodb", "get_item", _HEAD),
    "notices-reads-grants": ("notices", "dynamodb", "get_item", _GRANT),
    "notices-reads-heads": ("notices", "dynamodb", "get_item", _HEAD),
    "api-reads-grants": ("api", "dynamodb", "get_item", _GRANT),
    "api-reads-heads": ("api", "dynamodb", "get_item", _HEAD),
    "api-writes-answers": ("api", "s3", "put_object", _put("{ResultsBucket}", "answers/x")),
    "api-reads-secrets": ("api", "ssm", "get_parameters_by_path", _SECRETS),
    **{f"{role}-reads-settings": (role, "ssm", "get_parameters_by_path", _SETTINGS) for role in READERS},
    "analyst-finds-tables": ("analyst", "glue", "get_table", _TABLE),
    "analyst-reads-tables": ("analyst", "s3", "get_object", _get("{WarehouseBucket}", "{Database}/x")),
    "analyst-writes-own-results": ("analyst", "s3", "put_object", _put("{ResultsBucket}", "analysts/x")),
}
MAY_NOT: dict[str, Asked] = {
    "dispatcher-reads-answers": ("dispatcher", "s3", "get_object", _get("{ResultsBucket}", "answers/x")),
    "dispatcher-reads-landing": ("dispatcher", "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "dispatcher-reads-grants": ("dispatcher", "dynamodb", "get_item", _GRANT),
    "dispatcher-writes-tables": ("dispatcher", "s3", "put_object", _put("{WarehouseBucket}", "{Database}/x")),
    "reconciler-reads-rows": ("reconciler", "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "reconciler-reads-grants": ("reconciler", "dynamodb", "get_item", _GRANT),
    "job-reads-answers": ("job", "s3", "get_object", _get("{ResultsBucket}", "answers/x")),
    "job-reads-grants": ("job", "dynamodb", "get_item", _GRANT),
    "job-removes-landing-files": ("job", "s3", "delete_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "api-writes-warehouse": ("api", "s3", "put_object", _put("{WarehouseBucket}", "{Database}/x")),
    "api-reads-landing": ("api", "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "api-removes-grants": ("api", "dynamodb", "delete_item", _GRANT),
    "api-removes-heads": ("api", "dynamodb", "delete_item", _HEAD),
    "api-reads-analysts-results": ("api", "s3", "get_object", _get("{ResultsBucket}", "analysts/x")),
    **{f"{role}-reads-secrets": (role, "ssm", "get_parameters_by_path", _SECRETS) for role in UNSIGNING},
    "job-adds-clients": ("job", "cognito-idp", "list_user_pools", {"MaxResults": 1}),
    "job-lends-itself-a-role": ("job", "iam", "list_roles", {}),
    **{
        f"{role}-reads-landing": (role, "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv"))
        for role in (*SCHEDULES, "notices")
    },
    **{f"{role}-reads-grants": (role, "dynamodb", "get_item", _GRANT) for role in SCHEDULES},
    **{
        f"{role}-invokes-the-api": (role, "lambda", "invoke", {"FunctionName": "{AliasArn}"})
        for role in (*SCHEDULES, "notices")
    },
    "notices-reads-answers": ("notices", "s3", "get_object", _get("{ResultsBucket}", "answers/x")),
    "notices-reads-rows": ("notices", "s3", "get_object", _get("{WarehouseBucket}", "{Database}/x")),
    "notices-removes-grants": ("notices", "dynamodb", "delete_item", _GRANT),
    "notices-removes-heads": ("notices", "dynamodb", "delete_item", _HEAD),
    "api-starts-jobs": ("api", "glue", "start_job_run", _RUN),
    "api-asks-as-an-analyst": (
        *("api", "athena", "start_query_execution"),
        {**_QUERY, "WorkGroup": "{AnalystsWorkGroup}"},
    ),
    "analyst-starts-jobs": ("analyst", "glue", "start_job_run", _RUN),
    "analyst-finds-rejects": ("analyst", "glue", "get_table", {**_TABLE, "Name": "flights__rejects"}),
    "analyst-reads-landing": ("analyst", "s3", "get_object", _get("{LandingBucket}", "landing/flights/one.csv")),
    "analyst-reads-rejects": (
        *("analyst", "s3", "get_object"),
        _get("{WarehouseBucket}", "{Database}/flights__rejects/data/x"),
    ),
    "analyst-reads-answers": ("analyst", "s3", "get_object", _get("{ResultsBucket}", "answers/x")),
    "analyst-writes-tables": ("analyst", "s3", "put_object", _put("{WarehouseBucket}", "{Database}/x")),
    "analyst-asks-as-a-partner": (
        *("analyst", "athena", "start_query_execution"),
        {**_QUERY, "WorkGroup": "{PartnersWorkGroup}"},
    ),
    "analyst-reads-grants": ("analyst", "dynamodb", "get_item", _GRANT),
}


@pytest.fixture(scope="module")
def clients(stage: Stage) -> Callable[[str, str], Any]:
    """Clients with a role's rights, of a stage in which everything that is asked for is there."""
    load(stage)
    owner, outputs = stage.aws.client("s3"), stage.outputs
    for bucket, key in (("ResultsBucket", "answers/x"), ("ResultsBucket", "analysts/x")):
        owner.put_object(Bucket=outputs[bucket], Key=key, Body=b"x")
    for key in ("x", "flights__rejects/data/x"):
        owner.put_object(Bucket=outputs["WarehouseBucket"], Key=f"{outputs['Database']}/{key}", Body=b"x")
    # People become analysts by the identity pool, which the emulator does not lend roles by: the owner does.
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    for role in ("analyst", *SCHEDULES):
        stage.aws.client("iam").update_assume_role_policy(
            RoleName=f"lakegate-{stage.name}-{role}",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
    return lambda role, service: stage.aws.client_as(f"lakegate-{stage.name}-{role}", service)


def _filled(value: Any, outputs: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**outputs)
    if isinstance(value, dict):
        return {key: _filled(one, outputs) for key, one in value.items()}
    return value


def _called(stage: Stage, clients: Callable[[str, str], Any], asked: Asked) -> str:
    role, service, operation, arguments = asked
    try:
        getattr(clients(role, service), operation)(**_filled(arguments, stage.outputs))
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.mark.parametrize("what", MAY)
def test_role_can_do_what_it_needs(stage: Stage, clients: Callable[[str, str], Any], what: str) -> None:
    assert _called(stage, clients, MAY[what]) == "done"


@pytest.mark.parametrize("what", MAY_NOT)
def test_role_is_denied_what_it_must_not(stage: Stage, clients: Callable[[str, str], Any], what: str) -> None:
    assert _called(stage, clients, MAY_NOT[what]) in ("AccessDenied", "AccessDeniedException")


def test_every_role_of_the_stage_has_been_denied_something(stage: Stage) -> None:
    found = stage.aws.client("iam").get_paginator("list_roles").paginate()
    names = {one["RoleName"] for page in found for one in page["Roles"]}
    prefix = f"lakegate-{stage.name}-"
    # The one without a name of ours is AWS's own right to write the gateway's log.
    there = {name.removeprefix(prefix) for name in names if name.startswith(prefix) and "AccountLogRole" not in name}
    assert there == {asked[0] for asked in MAY_NOT.values()}
