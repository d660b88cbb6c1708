"""A stage as far as pushing and partners need one, in the emulated AWS that tests share: no function, no gateway."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.callers.clients import DynamoClients
from athena.dataset import Column, DataType
from athena.dynamodb import Table
from athena.grants.dynamodb import DynamoGrants
from athena.heads import Head
from athena.heads.dynamodb import DynamoHeads
from lakegate.emulate.stack import create_bucket, create_lake
from tests.cloud import AT_ONCE, Cloud


@dataclass(frozen=True)
class Stage:
    """A stage with the dataset `stays`."""

    name: str
    cloud: Cloud
    settings: dict[str, str]
    pool: str

    @property
    def state(self) -> Table:
        return Table(self.cloud.client("dynamodb"), self.settings["state_table"], AT_ONCE)

    @property
    def grants(self) -> DynamoGrants:
        return DynamoGrants(self.state)

    @property
    def clients(self) -> DynamoClients:
        return DynamoClients(self.state)

    def machines(self) -> list[dict[str, Any]]:
        """The pool's clients."""
        found: list[dict[str, Any]] = self.cloud.client("cognito-idp").list_user_pool_clients(UserPoolId=self.pool)[
            "UserPoolClients"
        ]
        return found

    def versions(self, key: str) -> list[str]:
        """What the config bucket has held under the key, oldest first."""
        s3 = self.cloud.client("s3")
        bucket = f"lakegate-{self.name}-config-here"
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"pushed/{key}").get("Versions", [])
        read = [s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"]) for one in found]
        return [one["Body"].read().decode() for one in reversed(read)]

    def contract(self, dataset: str) -> str | None:
        """The contract as the job reads it."""
        s3 = self.cloud.client("s3")
        found = s3.list_objects_v2(Bucket=f"lakegate-{self.name}-landing", Prefix=f"datasets/{dataset}.toml")
        if not found["KeyCount"]:
            return None
        read = s3.get_object(Bucket=f"lakegate-{self.name}-landing", Key=f"datasets/{dataset}.toml")
        text: str = read["Body"].read().decode()
        return text


def make_stage(cloud: Cloud) -> Stage:
    """A stage of its own."""
    name = f"s{uuid.uuid4().hex[:8]}"
    settings = create_lake(cloud.client, name)
    pool = cloud.client("cognito-idp").create_user_pool(PoolName=f"lakegate-{name}")["UserPool"]["Id"]
    s3, bucket = cloud.client("s3"), f"lakegate-{name}-config-here"
    create_bucket(s3, bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    parts = {"config_bucket": bucket, "user_pool": pool, "token_url": "https://token", "api_url": "https://api"}
    for part, value in parts.items():
        cloud.client("ssm").put_parameter(Name=f"/lakegate/{name}/stack/{part}", Value=value, Type="String")
    made = Stage(name, cloud, settings, pool)
    columns = (Column("hotel", DataType("string")), Column("guests", DataType("long")))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    DynamoHeads(made.state).publish(Head("stays", "1", "1", "s3://x", at, 1, columns))
    return made
