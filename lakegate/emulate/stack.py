"""What a lake needs of AWS, made by calls: tables and buckets as the stack's templates define them."""

from typing import Any


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
