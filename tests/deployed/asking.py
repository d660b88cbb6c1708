"""Partners of a deployed stage: how they are made, fetch tokens and ask."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import urllib3

from api.callers.clients import Client, DynamoClients
from api.callers.credentials import Issued
from athena.dynamodb import Table
from athena.grants import DatasetGrant, Grant, Limits
from infra.deployment.account import Account
from infra.deployment.partner import StagePartners
from tests.deployed.conftest import Stage

HTTP = urllib3.PoolManager()
FLIGHTS = "carrier,flights\nUA,3\nAA,4\nUA,5\n"
SQL = "SELECT carrier, sum(flights) AS n FROM flights GROUP BY carrier"


def until(wanted: Callable[[], Any], *, seconds: float = 600.0) -> Any:
    """What `wanted` gives as soon as it is anything."""
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
    return found


def load(stage: Stage) -> None:
    """Three flights, by the whole way from landing; once."""
    runs = stage.aws.handover.runs
    if not runs:
        body = FLIGHTS.encode()
        bucket = stage.outputs["LandingBucket"]
        stage.aws.client("s3").put_object(Bucket=bucket, Key="landing/flights/one.csv", Body=body)
        until(lambda: runs)
        assert "flights" in runs[0]


def partners_of(stage: Stage) -> StagePartners:
    """The stage's partners, as `lakegate partner --stage` knows them."""
    return StagePartners(stage.name, Account())


def united(stage: Stage) -> Issued:
    """One more machine of a partner who may see United's flights."""
    load(stage)
    partners = partners_of(stage)
    grant = Grant("united", "", {"flights": DatasetGrant(rows="carrier = 'UA'")}, Limits(), "")
    partners.admit("united", grant)
    return partners.add_client("united")


def listed(stage: Stage, client_id: str) -> None:
    """Make a client one of the partner's."""
    DynamoClients(Table(stage.aws.client("dynamodb"), stage.outputs["StateTable"])).put(Client(client_id, "united"))


def token_of(stage: Stage, client_id: str, secret: str, scope: str = "lakegate/query") -> str:
    """An access token, from the pool's own endpoint."""
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    found = HTTP.request(
        "POST",
        f"{stage.aws.url}/oauth2/token",
        body=f"grant_type=client_credentials&scope={scope}",
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert found.status == 200, found.data
    return str(found.json()["access_token"])


def ask(stage: Stage, token: str | None, sql: str = SQL) -> Any:
    """The gateway's answer."""
    return HTTP.request(
        "POST",
        f"{stage.api}/v1/queries",
        body=json.dumps({"sql": sql, "wait_seconds": 20}),
        headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
    )
