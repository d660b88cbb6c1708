"""What was deleted or written over comes back as it was at an instant: objects from their versions, items of the state
table from its continuous backup. Nothing that is newer is taken away."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from athena.errors import Failed
from infra.deployment.account import Account, calling, code_of
from infra.deployment.standing import standing

What = Literal["files", "contracts", "tables"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object; `marker` says that it is a deletion."""

    key: str
    id: str
    made_at: datetime
    newest: bool
    marker: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of a versioned bucket below `prefix`."""

    client: Any
    bucket: str
    prefix: str

    def at(self, instant: datetime) -> dict[str, Version]:
        """What lay there at that time, by key."""
        found: dict[str, Version] = {}
        for one in self.versions():
            if one.made_at <= instant and (one.key not in found or found[one.key].made_at < one.made_at):
                found[one.key] = one
        return {key: one for key, one in found.items() if not one.marker}

    def versions(self) -> Iterator[Version]:
        """All of them, and every deletion; of one key the newest first."""
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for one in page.get(kind, ()):
                    yield Version(
                        one["Key"], one["VersionId"], one["LastModified"], one["IsLatest"], kind == "DeleteMarkers"
                    )

    def text(self, version: Version) -> str:
        """The content of a version."""
        got = self.client.get_object(Bucket=self.bucket, Key=version.key, VersionId=version.id)
        return str(got["Body"].read().decode("utf-8-sig"))


def recover(
    stage: str, what: What, prefix: str, at: datetime, account: Account, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Bring back what differs from how it was at that time; which keys. What came later and was not there stays."""
    with calling(f"recovering {what} of stage {stage}"):
        outputs = standing(stage, account).outputs
        bucket, below = {
            "files": (outputs["LandingBucket"], "landing/"),
            "contracts": (outputs["LandingBucket"], "datasets/"),
            "tables": (outputs["WarehouseBucket"], f"{outputs['Database']}/"),
        }[what]
        objects = Objects(account.client("s3"), bucket, below + prefix)
        back = [one for one in objects.at(at).values() if not one.newest]
        for one in sorted(back, key=lambda one: one.key):
            say(f"recovering s3://{bucket}/{one.key} of {one.made_at:%Y-%m-%d %H:%M:%S} UTC")
            source = {"Bucket": bucket, "Key": one.key, "VersionId": one.id}
            objects.client.copy_object(Bucket=bucket, Key=one.key, CopySource=source)
        return tuple(sorted(one.key for one in back))


@dataclass(frozen=True, slots=True)
class Restored:
    """How many items came back, and the table beside the live one that they were taken from."""

    items: int
    table: str


def recover_state(stage: str, at: datetime, account: Account, say: Callable[[str], None]) -> Restored:
    """Restore the state table to that time beside the live one, and put back the items that are missing there. The
    table beside stays, for a look. May be repeated; raises `Failed` when DynamoDB cannot restore it."""
    with calling(f"recovering the state of stage {stage}"):
        live = standing(stage, account).outputs["StateTable"]
        beside = f"{live}-{at:%Y%m%d-%H%M%S}"
        dynamodb = account.client("dynamodb")
        _restore(dynamodb, live, beside, at, say)
        items = 0
        for page in dynamodb.get_paginator("scan").paginate(TableName=beside, ConsistentRead=True):
            items += sum(_put_if_absent(dynamodb, live, item) for item in page["Items"])
        return Restored(items, beside)


def _restore(dynamodb: Any, live: str, beside: str, at: datetime, say: Callable[[str], None]) -> None:
    try:
        dynamodb.restore_table_to_point_in_time(SourceTableName=live, TargetTableName=beside, RestoreDateTime=at)
        say(f"restoring {live} as it was at {at:%Y-%m-%d %H:%M:%S} UTC into {beside}: this takes minutes")
    except ClientError as error:
        if code_of(error) not in ("TableAlreadyExistsException", "TableInUseException"):
            raise
    while (state := dynamodb.describe_table(TableName=beside)["Table"]["TableStatus"]) == "CREATING":
        time.sleep(5.0)
    if state != "ACTIVE":
        raise Failed(
            f"The table {beside} is {state}.",
            "Delete it, and run the same command again with another instant.",
            code="deployment-failed",
        )


def _put_if_absent(dynamodb: Any, table: str, item: dict[str, Any]) -> bool:
    try:
        dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if code_of(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True
