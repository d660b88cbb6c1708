"""A file in, a partner's question out, through everything that is deployed."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from api.callers.clients import Client, DynamoClients
from athena.dynamodb import Table
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from tests.deployed.conftest import Stage

HTTP = urllib3.PoolManager()
pytestmark = pytest.mark.deploy


def until(wanted: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """What `wanted` gives as soon as it is anything."""
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
    return found


def token_of(stage: Stage, client_id: str, secret: str) -> str:
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    found = HTTP.request(
        "POST",
        f"{stage.aws.url}/oauth2/token",
        body="grant_type=client_credentials&scope=lakegate/query",
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert found.status == 200, found.data
    return str(found.json()["access_token"])


def ask(stage: Stage, token: str, sql: str) -> Any:
    return HTTP.request(
        "POST",
        f"{stage.api}/v1/queries",
        body=json.dumps({"sql": sql, "wait_seconds": 20}),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )


def test_file_becomes_a_table_and_a_partner_asks_it(stage: Stage) -> None:
    content = "carrier,flights\nUA,3\nAA,4\nUA,5\n"
    bucket = stage.outputs["LandingBucket"]
    stage.aws.client("s3").put_object(Bucket=bucket, Key="landing/flights/one.csv", Body=content.encode())
    until(lambda: stage.aws.handover.runs)
    state = Table(stage.aws.client("dynamodb"), stage.outputs["StateTable"])
    DynamoGrants(state).put(Grant("united", "", {"flights": DatasetGrant(rows="carrier = 'UA'")}, Limits(), ""))
    made = stage.aws.client("cognito-idp").create_user_pool_client(
        UserPoolId=stage.outputs["UserPoolId"],
        ClientName="united",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["lakegate/query"],
        AllowedOAuthFlowsUserPoolClient=True,
    )["UserPoolClient"]
    DynamoClients(state).put(Client(made["ClientId"], "united"))
    token = token_of(stage, made["ClientId"], made["ClientSecret"])
    sql = "SELECT carrier, sum(flights) AS n FROM flights GROUP BY carrier"
    first = ask(stage, token, sql)
    assert first.status == 200, first.data
    second = ask(stage, token, sql)
    assert first.json()["rows"] == [["UA", "8"]]
    assert (first.json()["cache"], second.json()["cache"]) == ("miss", "hit")
