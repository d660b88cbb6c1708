"""The stage's own secrets in Parameter Store: what signs the ids of answers, and what masked values are salted with."""

import secrets

from botocore.exceptions import ClientError

from athena.settings_aws import secrets_path
from infra.deployment.account import Account, code_of
from infra.deployment.stage import tags_of

# Hex digits made here are the stage's own; CloudFormation cannot make a SecureString.
_SECRETS = {"secret": 32, "salt": 16}


def make_secrets(stage: str, account: Account) -> None:
    """Make those that are missing; none is ever written over."""
    ssm = account.client("ssm")
    for name, size_bytes in _SECRETS.items():
        try:
            ssm.put_parameter(
                Name=f"{secrets_path(stage)}{name}",
                Value=secrets.token_hex(size_bytes),
                Type="SecureString",
                Tags=[{"Key": key, "Value": value} for key, value in tags_of(stage).items()],
            )
        except ClientError as error:
            if code_of(error) != "ParameterAlreadyExists":
                raise


def secret_version(stage: str, account: Account) -> int:
    """How often what signs has been put."""
    return int(account.client("ssm").get_parameter(Name=f"{secrets_path(stage)}secret")["Parameter"]["Version"])


def renew_secret(stage: str, account: Account) -> None:
    """Put another one: whatever starts from now on signs with it."""
    account.client("ssm").put_parameter(
        Name=f"{secrets_path(stage)}secret",
        Value=secrets.token_hex(_SECRETS["secret"]),
        Type="SecureString",
        Overwrite=True,
    )
