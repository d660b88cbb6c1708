"""A partner of a stage: a grant, and a machine's client in the stage's user pool."""

from dataclasses import dataclass

from api.callers import SCOPE
from api.callers.clients import Client, DynamoClients
from athena.dynamodb import Table
from athena.errors import Refused
from athena.grants import Grant
from athena.grants.dynamodb import DynamoGrants
from infra.deployment.account import Account, calling
from infra.deployment.push import check_grants, config_bucket, put_grant, settings_of
from infra.deployment.stacks import Stacks
from infra.deployment.stage import root_name


@dataclass(frozen=True, slots=True)
class Machine:
    """Who may fetch tokens, and where; `secret` is known to nobody else from now on."""

    client_id: str
    secret: str
    token_url: str
    api_url: str


def add_partner(stage: str, partner: str, grant: Grant | None, account: Account) -> Machine:
    """One more client of `partner`, whose grant is `grant` from now on, or the one that is there.

    Raises `Refused`: `no-grant` when there is none, `partner-exists` when there is one already and another is given.
    """
    with calling(f"adding {partner} to stage {stage}"):
        settings, config = settings_of(stage, account), config_bucket(stage, account)
        state = Table(account.client("dynamodb"), settings.state_table)
        grants = DynamoGrants(state)
        known = grants.get(partner)
        if known is None and grant is None:
            raise Refused(
                f"{partner} has no grant in stage {stage}.",
                "Name what they may see with --dataset, or push partners/<name>.toml first.",
                code="no-grant",
            )
        if grant is not None:
            if known is not None and (known.datasets, known.description) != (grant.datasets, grant.description):
                raise Refused(
                    f"{partner} has another grant in stage {stage} already.",
                    f"Change it with `lakegate push --stage {stage}`; without --dataset this makes one more client.",
                    code="partner-exists",
                )
            check_grants([grant], state)
            put_grant(grant, grants, config)
        outputs = Stacks(account.client("cloudformation"), lambda _: None).look(root_name(stage)).outputs
        made = account.client("cognito-idp").create_user_pool_client(
            UserPoolId=outputs["UserPoolId"],
            ClientName=f"lakegate-{stage}-{partner}",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=[SCOPE],
            EnableTokenRevocation=True,
            AccessTokenValidity=60,
            TokenValidityUnits={"AccessToken": "minutes"},
        )["UserPoolClient"]
        # Only from here on is the client anybody: one that was made and is not listed is told that nobody knows it.
        DynamoClients(state).put(Client(made["ClientId"], partner))
        return Machine(made["ClientId"], made["ClientSecret"], outputs["TokenUrl"], outputs["ApiUrl"])
