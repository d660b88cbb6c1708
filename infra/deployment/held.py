"""What of a stage outlives its stacks, found by name: also when there are no stacks any more."""

from dataclasses import dataclass

from infra.deployment.account import Account


@dataclass(frozen=True, slots=True)
class Held:
    """Names, by kind; of user pools their ids."""

    buckets: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.buckets, *self.tables, *self.pools, *self.databases, *self.logs)


def held(stage: str, account: Account) -> Held:
    """What there is now, whether its stacks are there or not."""
    prefix = f"lakegate-{stage}"
    buckets = [one["Name"] for one in account.client("s3").list_buckets().get("Buckets", ())]
    pages = account.client("dynamodb").get_paginator("list_tables").paginate()
    tables = [name for page in pages for name in page["TableNames"]]
    pools = account.client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
    databases = account.client("glue").get_paginator("get_databases").paginate()
    logs = account.client("logs").get_paginator("describe_log_groups").paginate()
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
        tuple(
            name
            for name in groups
            if name.rpartition("/")[2] == prefix or f"/{prefix}-" in name or name.startswith(f"/lakegate/{stage}/")
        ),
    )
