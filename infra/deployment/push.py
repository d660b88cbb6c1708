"""Contracts and grants from a folder to a stage: validated all, then put where they are read, each version kept.

A folder is what a home is: `datasets/<name>.toml` and `partners/<name>.toml`. The job reads contracts below `owners`,
the API reads grants from the state table. The config bucket, which is versioned, keeps all of it below `pushed/`.
"""

from dataclasses import dataclass
from pathlib import Path

from athena.dynamodb import Table
from athena.entitlement import grant_problems
from athena.errors import NotFound, Refused
from athena.grants import Grant
from athena.grants.dynamodb import DynamoGrants
from athena.grants.files import read_grant
from athena.grants.toml import grant_text
from athena.heads.dynamodb import DynamoHeads
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings, read_aws_settings
from etl.aws.contracts import S3Contracts
from etl.contract_file import read_contract
from infra.deployment.account import Account, calling
from infra.deployment.stacks import Stacks
from infra.deployment.stage import check_stage, config_name


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was put, and how many were there already."""

    contracts: tuple[str, ...]
    grants: tuple[str, ...]
    unchanged: int


def push(stage: str, folder: Path, account: Account) -> Pushed:
    """Put what differs. Nothing is put when anything is wrong. Raises `Refused` with all that is."""
    contracts, grants = sorted((folder / "datasets").glob("*.toml")), sorted((folder / "partners").glob("*.toml"))
    if not contracts and not grants:
        raise Refused(
            f"{folder} holds neither datasets/*.toml nor partners/*.toml.",
            "Name a folder that does; a home is one.",
            code="nothing-to-push",
        )
    for path in contracts:
        read_contract(path)
    read = [read_grant(path) for path in grants]
    with calling(f"pushing to stage {stage}"):
        settings, config = settings_of(stage, account), config_bucket(stage, account)
        state = Table(account.client("dynamodb"), settings.state_table)
        check_grants(read, state)
        texts = {path.stem: path.read_text(encoding="utf-8-sig") for path in contracts}
        put = _put_contracts(texts, settings, config, account)
        granted = _put_grants(read, state, config)
    return Pushed(put, granted, len(contracts) + len(grants) - len(put) - len(granted))


def settings_of(stage: str, account: Account) -> AwsSettings:
    """The stage's settings. Raises `NotFound` when there is no such stage."""
    check_stage(stage)
    config_bucket(stage, account)
    return read_aws_settings(stage, {}, account.client("ssm"))


def config_bucket(stage: str, account: Account) -> Bucket:
    """The stage's versioned bucket. Raises `NotFound` when there is no such stage."""
    stack = Stacks(account.client("cloudformation"), lambda _: None).look(config_name(stage))
    if not stack.exists or "ConfigBucket" not in stack.outputs:
        raise NotFound(
            f"There is no stage {stage!r} in {account.region}.",
            f"Make it with `lakegate deploy --stage {stage}`, or name another AWS_PROFILE or region.",
            code="no-stage",
        )
    return Bucket(account.client("s3"), stack.outputs["ConfigBucket"], prefix="pushed/", code="storage-unavailable")


def check_grants(grants: list[Grant], state: Table) -> None:
    """Raises `Refused` with everything that does not fit the stage's datasets."""
    heads = {head.dataset: head for head in DynamoHeads(state).all()}
    problems = [f"{one.partner}: {problem.rstrip('.')}" for one in grants for problem in grant_problems(one, heads)]
    if problems:
        raise Refused(
            f"Grants do not fit the stage: {'; '.join(problems)}.",
            "Mend them, or load the dataset's first file; nothing was pushed.",
            code="grant-invalid",
        )


def _put_contracts(texts: dict[str, str], settings: AwsSettings, config: Bucket, account: Account) -> tuple[str, ...]:
    name, _, prefix = settings.owners.removeprefix("s3://").partition("/")
    place = S3Contracts(Bucket(account.client("s3"), name, prefix=f"{prefix}datasets/", code="storage-unavailable"))
    changed = [dataset for dataset, text in texts.items() if place.text(dataset) != text]
    for dataset in changed:
        config.put(f"datasets/{dataset}.toml", texts[dataset].encode())
        place.save(dataset, texts[dataset])
    return tuple(changed)


def _put_grants(grants: list[Grant], state: Table, config: Bucket) -> tuple[str, ...]:
    stored = DynamoGrants(state)
    changed = [one for one in grants if stored.get(one.partner) != one]
    for grant in changed:
        put_grant(grant, stored, config)
    return tuple(grant.partner for grant in changed)


def put_grant(grant: Grant, stored: DynamoGrants, config: Bucket) -> None:
    """Grant it from the next request on, and keep this version."""
    config.put(f"partners/{grant.partner}.toml", grant_text(grant).encode())
    stored.put(grant)
