"""Partners of a stage: grants in its state, and machines' clients in its user pool, listed in its state as well.

The list decides: a client that is not on it is nobody, from the next request on and whatever tokens are out. So a new
client is listed last, and one that goes is taken off first; what an interrupted run leaves in the pool is worth nothing
and goes with the next `revoke` or `rotate` of the partner.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from api.callers import SCOPE
from api.callers.clients import Client as Listed
from api.callers.clients import DynamoClients
from api.callers.credentials import Client, Issued
from athena.dynamodb import Table
from athena.errors import Gone, Refused
from athena.grants import Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from infra.deployment.account import Account, calling, code_of
from infra.deployment.push import check_grant, config_bucket, keep_grant, parts_of, put_grant, settings_of


@dataclass(frozen=True)
class StagePartners:
    """The partners of one stage. Raises `NotFound` (`no-stage`), `Refused` and `Failed` as `calling` says."""

    stage: str
    account: Account

    def names(self) -> tuple[str, ...]:
        """Who has a grant or a client."""
        with self._calling("listing partners"):
            listed = {one.partner for one in self._clients.all() if one.partner}
            return tuple(sorted({*self._grants.partners(), *listed}))

    def grant(self, name: str) -> Grant | None:
        """What the partner may see now."""
        with self._calling(f"reading the grant of {name}"):
            return self._grants.get(name)

    def clients(self, name: str) -> tuple[Client, ...]:
        """The partner's clients that may ask, oldest first."""
        with self._calling(f"listing clients of {name}"):
            there = set(self._machines(name))
            found = [
                Client(one.client_id, name, one.created_at)
                for one in self._clients.all()
                if one.partner == name and one.client_id in there and one.created_at
            ]
            return tuple(sorted(found, key=lambda one: (one.created_at, one.client_id)))

    def is_known(self, name: str) -> bool:
        """Whether there is or ever was such a partner."""
        with self._calling(f"looking for {name}"):
            try:
                config_bucket(self.stage, self.account).get(f"partners/{name}.toml")
            except Gone:
                return self._grants.get(name) is not None or any(self._machines(name))
            return True

    def admit(self, name: str, wished: Grant | None) -> Mapping[str, str]:
        """See to it that there is a grant. Raises `Refused`: `partner-exists` when there is another one,
        `grant-invalid` when the wish does not fit the stage, `no-grant` when there is neither grant nor wish."""
        with self._calling(f"granting {name}"):
            known = self._grants.get(name)
            if known is None and (wished is None or not wished.datasets):
                raise Refused(
                    f"{name} has no grant in stage {self.stage}.",
                    f"Name what they may see with --dataset, or push partners/{name}.toml first.",
                    code="no-grant",
                )
            if known is not None and wished is not None and _told(known) != _told(wished):
                raise Refused(
                    f"{name} has another grant in stage {self.stage} already.",
                    f"Change it by `lakegate push --stage {self.stage}`; without --dataset this makes one more client.",
                    code="partner-exists",
                )
            if known is None and wished is not None:
                check_grant(wished, self._state)
                put_grant(wished, self._grants, config_bucket(self.stage, self.account))
            return {}

    def add_client(self, name: str) -> Issued:
        """One more client; its secret is known to nobody else from now on."""
        with self._calling(f"adding a client of {name}"):
            made = self._pool.create_user_pool_client(
                UserPoolId=self._parts["user_pool"],
                ClientName=self._client_name(name),
                GenerateSecret=True,
                AllowedOAuthFlowsUserPoolClient=True,
                AllowedOAuthFlows=["client_credentials"],
                AllowedOAuthScopes=[SCOPE],
                EnableTokenRevocation=True,
                AccessTokenValidity=60,
                TokenValidityUnits={"AccessToken": "minutes"},
            )["UserPoolClient"]
            self._clients.put(Listed(made["ClientId"], name))
            return Issued(made["ClientId"], made["ClientSecret"])

    def addresses(self) -> Mapping[str, str]:
        """Where tokens and answers are to be had."""
        return {name: self._parts[name] for name in ("token_url", "api_url")}

    def revoke_client(self, client_id: str) -> None:
        """Refuse it from the next request on; one that is gone is refused already."""
        with self._calling(f"revoking client {client_id}"):
            self._clients.remove(client_id)
            try:
                self._pool.delete_user_pool_client(UserPoolId=self._parts["user_pool"], ClientId=client_id)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise

    def revoke_clients(self, name: str) -> int:
        """Refuse all of the partner's clients, those too that an interrupted run has left; how many could ask."""
        with self._calling(f"revoking {name}"):
            listed = {one.client_id for one in self._clients.all() if one.partner == name}
            there = sorted({*listed, *self._machines(name)})
        for client_id in there:
            self.revoke_client(client_id)
        return len(listed)

    def remove_grant(self, name: str) -> bool:
        """Grant nothing from the next request on; whether there was anything. Its versions are kept; the newest says
        nothing, so that whoever pulls what was pushed by then does not grant it again."""
        with self._calling(f"revoking {name}"):
            granted = name in self._grants.partners()
            self._grants.remove(name)
            if granted:
                keep_grant(Grant(name, "", {}, Limits(), ""), config_bucket(self.stage, self.account))
            return granted

    def _machines(self, name: str) -> Iterator[str]:
        pages = self._pool.get_paginator("list_user_pool_clients").paginate(UserPoolId=self._parts["user_pool"])
        found = (one for page in pages for one in page["UserPoolClients"])
        return (one["ClientId"] for one in found if one["ClientName"] == self._client_name(name))

    def _client_name(self, partner: str) -> str:
        # Not to be mistaken for the stack's own, such as `-browser`.
        return f"lakegate-{self.stage}-partner-{partner}"

    def _calling(self, doing: str) -> Any:
        return calling(f"{doing} in stage {self.stage}")

    @cached_property
    def _state(self) -> Table:
        return Table(self.account.client("dynamodb"), settings_of(self.stage, self.account).state_table)

    @property
    def _grants(self) -> DynamoGrants:
        return DynamoGrants(self._state)

    @property
    def _clients(self) -> DynamoClients:
        return DynamoClients(self._state)

    @property
    def _pool(self) -> Any:
        return self.account.client("cognito-idp")

    @cached_property
    def _parts(self) -> Mapping[str, str]:
        return parts_of(self.stage, self.account)


def _told(grant: Grant) -> tuple[object, ...]:
    """What a wish can say of a grant."""
    return grant.datasets, grant.description
