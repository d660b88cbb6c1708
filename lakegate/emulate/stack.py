"""What a lake needs of AWS, made by calls: tables and buckets as the stack's templates define them."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from athena.settings_aws import SECRETS, secrets_path

LAKE = "lake"


def create_table(dynamodb: Any, name: str) -> None:
    """A DynamoDB table with the keys `pk` and `sk` whose items end with `ttl`."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})


def create_bucket(s3: Any, name: str) -> None:
    """An S3 bucket in the client's region."""
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)


def create_workgroup(athena: Any, name: str, output_location: str) -> None:
    """An Athena work group whose result location no client can change."""
    athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": output_location},
            "EnforceWorkGroupConfiguration": True,
            "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        },
    )


def create_database(glue: Any, location: str) -> None:
    """The lake's database of the Glue catalog, whose tables lie at `location`; one that is there stays."""
    try:
        glue.create_database(DatabaseInput={"Name": LAKE, "LocationUri": location})
    except glue.exceptions.AlreadyExistsException:
        return


def create_landing(client: Callable[[str], Any], name: str) -> str:
    """What lies between a file that lands and a job: S3 tells EventBridge, a rule tells the queue, whose dispatcher
    starts the Glue job `name`. The queue's address."""
    sqs, events, bucket = client("sqs"), client("events"), f"{name}-landing"
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": 5}
    # A message that was not dealt with is there again as soon as this is over.
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "1"}
    queue: str = sqs.create_queue(QueueName=f"{name}-landing", Attributes=attributes)["QueueUrl"]
    wanted = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "landing/"}]}},
    }
    events.put_rule(Name=f"{name}-landing", EventPattern=json.dumps(wanted), State="ENABLED")
    events.put_targets(Rule=f"{name}-landing", Targets=[{"Id": "queue", "Arn": _arn(sqs, queue)}])
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    client("glue").create_job(
        Name=name,
        Role="arn:aws:iam::123456789012:role/emulated",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{name}-tables/job/glue_job.py", "PythonVersion": "3"},
        GlueVersion="5.0",
        ExecutionProperty={"MaxConcurrentRuns": 10},
    )
    return queue


def _arn(sqs: Any, queue: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def create_lake(client: Callable[[str], Any], stage: str) -> dict[str, str]:
    """Everything that a lake needs, named for `stage`, and its settings under `/lakegate/<stage>/` in SSM.

    `client` makes a client of a service. Gives back the settings, which `athena/settings_aws.py` reads.
    """
    name = f"lakegate-{stage}"
    s3, dynamodb = client("s3"), client("dynamodb")
    for bucket in ("landing", "tables", "results"):
        create_bucket(s3, f"{name}-{bucket}")
    for table in ("state", "cache"):
        create_table(dynamodb, f"{name}-{table}")
    create_workgroup(client("athena"), name, f"s3://{name}-results/answers/")
    create_database(client("glue"), f"s3://{name}-tables/{LAKE}")
    client("events").create_event_bus(Name=name)
    queue = create_landing(client, name)
    settings = {
        "results": f"s3://{name}-results/answers/",
        "state_table": f"{name}-state",
        "cache_table": f"{name}-cache",
        "workgroup": name,
        "event_bus": name,
        "owners": f"s3://{name}-landing/",
        "tables": f"s3://{name}-tables/",
        "queue": queue,
        "job": name,
        "secret": secrets.token_hex(32),
        "salt": secrets.token_hex(16),
    }
    ssm = client("ssm")
    for key, value in settings.items():
        secret = key in SECRETS
        name = f"{secrets_path(stage)}{key}" if secret else f"/lakegate/{stage}/{key}"
        ssm.put_parameter(Name=name, Value=value, Type="SecureString" if secret else "String")
    return settings
