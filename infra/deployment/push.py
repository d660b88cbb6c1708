"""Contracts and grants from a folder to a stage: validated all, then put where they are read, each version kept.

A folder is what a home is: `datasets/<name>.toml` and `partners/<name>.toml`. The job reads contracts below `owners`,
the API reads grants from the state table. The config bucket, which is versioned, keeps all of it below `pushed/`.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from athena.dynamodb import Table
from athena.entitlement import grant_problems
from athena.errors import Failed, NotFound, Refused
from athena.grants import Grant
from athena.grants.dynamodb import DynamoGrants
from athena.grants.toml import grant_text
from athena.heads import Head
from athena.heads.dynamodb import DynamoHeads
from athena.lake import Clock, utc_now
from athena.leases.dynamodb import DynamoLeases
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings, read_settings_without_secrets
from etl.aws.contracts import S3Contracts
from infra.deployment.account import Account, calling
from infra.deployment.stage import check_stage
from infra.deployment.wanted import check_against, read_wanted

Sleep = Callable[[float], None]


_LEASE = "to push"  # no dataset's name
# A push that was killed holds up the next one no longer than this.
_LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was put, and how many were there already."""

    contracts: tuple[str, ...]
    grants: tuple[str, ...]
    unchanged: int


def push(stage: str, folder: Path, account: Account, *, clock: Clock = utc_now, sleep: Sleep = time.sleep) -> Pushed:
    """Put what differs. Nothing is put when anything is wrong. Raises `Refused` with all that is, and `Failed`
    (`push-busy`) while somebody else pushes to the stage."""
    wanted = read_wanted(folder)
    with calling(f"pushing to stage {stage}"):
        settings, config = settings_of(stage, account), config_bucket(stage, account)
        state = Table(account.client("dynamodb"), settings.state_table)
        with _alone(DynamoLeases(state, clock), stage, sleep):
            check_against(_heads(state), wanted.grants)
            put = _put_contracts(wanted.contracts, settings, config, account)
            granted = _put_grants(wanted.grants.values(), state, config)
    return Pushed(put, granted, wanted.size - len(put) - len(granted))


@contextmanager
def _alone(leases: DynamoLeases, stage: str, sleep: Sleep) -> Iterator[None]:
    """While nobody else pushes: two pushes at once come out as one after the other."""
    waited, holder = 0, uuid.uuid4().hex
    while (lease := leases.acquire(_LEASE, holder, seconds=_LEASE_SECONDS)) is None:
        if (waited := waited + 1) > _LEASE_SECONDS:
            raise Failed(
                f"Somebody else is pushing to stage {stage}.", "Push again once they are done.", code="push-busy"
            )
        sleep(1.0)
    try:
        yield
    finally:
        leases.release(lease)


def _heads(state: Table) -> dict[str, Head]:
    return {head.dataset: head for head in DynamoHeads(state).all()}


def settings_of(stage: str, account: Account) -> AwsSettings:
    """The stage's settings. Raises `NotFound` when there is no such stage."""
    parts_of(stage, account)
    return read_settings_without_secrets(stage, {}, account.client("ssm"))


def config_bucket(stage: str, account: Account) -> Bucket:
    """The stage's versioned bucket. Raises `NotFound` when there is no such stage."""
    name = parts_of(stage, account)["config_bucket"]
    return Bucket(account.client("s3"), name, prefix="pushed/", code="storage-unavailable")


def parts_of(stage: str, account: Account) -> dict[str, str]:
    """What the stacks tell under `/lakegate/<stage>/stack/`, by name. Raises `NotFound` when there is no such stage."""
    check_stage(stage)
    path = f"/lakegate/{stage}/stack/"
    pages = account.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
    found = {one["Name"].removeprefix(path): str(one["Value"]) for page in pages for one in page["Parameters"]}
    if not {"config_bucket", "user_pool", "token_url", "api_url"} <= set(found):
        raise NotFound(
            f"There is no stage {stage!r} in {account.region}, or it was begun and never finished.",
            f"Make it with `lakegate deploy --stage {stage}`, or name another AWS_PROFILE or region.",
            code="no-stage",
        )
    return found


def check_grant(grant: Grant, state: Table) -> None:
    """Raises `Refused` with everything that does not fit the stage's datasets."""
    problems = grant_problems(grant, _heads(state))
    if problems:
        raise Refused(
            f"The grant of {grant.partner} does not fit the stage: {'; '.join(one.rstrip('.') for one in problems)}.",
            "Mend it, or load the dataset's first file; nothing was granted.",
            code="grant-invalid",
        )


def _put_contracts(
    texts: Mapping[str, str], settings: AwsSettings, config: Bucket, account: Account
) -> tuple[str, ...]:
    name, _, prefix = settings.owners.removeprefix("s3://").partition("/")
    place = S3Contracts(Bucket(account.client("s3"), name, prefix=f"{prefix}datasets/", code="storage-unavailable"))
    changed = [dataset for dataset, text in texts.items() if _there(place, dataset) != text]
    for dataset in changed:
        config.put(f"datasets/{dataset}.toml", texts[dataset].encode())
        place.save(dataset, texts[dataset])
    return tuple(changed)


def _there(place: S3Contracts, dataset: str) -> str | None:
    """The contract that is there; one that cannot be read is as good as none."""
    try:
        return place.text(dataset)
    except Refused:
        return None


def _put_grants(grants: Iterable[Grant], state: Table, config: Bucket) -> tuple[str, ...]:
    stored = DynamoGrants(state)
    changed = [one for one in grants if stored.get(one.partner) != one]
    for grant in changed:
        put_grant(grant, stored, config)
    return tuple(grant.partner for grant in changed)


def put_grant(grant: Grant, stored: DynamoGrants, config: Bucket) -> None:
    """Grant it from the next request on, and keep this version."""
    keep_grant(grant, config)
    stored.put(grant)


def keep_grant(grant: Grant, config: Bucket) -> None:
    """One more version of the partner's grant."""
    config.put(f"partners/{grant.partner}.toml", grant_text(grant).encode())
