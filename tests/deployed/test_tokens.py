"""Tokens that do not hold are refused by the gateway's authorizer, or by our own look-up behind it."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.deployed.asking import ask, listed, token_of, united
from tests.deployed.conftest import Stage

pytestmark = pytest.mark.deploy
Made = Callable[[Stage, str], str | None]


def _segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _read(token: str, part: int) -> dict[str, Any]:
    text = token.split(".")[part]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def tampered(_: Stage, good: str) -> str:
    head, _body, signature = good.split(".")
    return f"{head}.{_segment({**_read(good, 1), 'client_id': 'another'})}.{signature}"


def forged(_: Stage, good: str) -> str:
    return jwt.encode(_read(good, 0), _read(good, 1), RSAKey.generate_key(2048))


def unsigned(_: Stage, good: str) -> str:
    return f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{good.split('.')[1]}."


def _client(stage: Stage, pool: str, scope: str, **more: Any) -> tuple[str, str]:
    made = stage.aws.client("cognito-idp").create_user_pool_client(
        UserPoolId=pool,
        ClientName="other",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=[scope],
        **more,
    )["UserPoolClient"]
    listed(stage, made["ClientId"])
    return made["ClientId"], made["ClientSecret"]


def of_another_pool(stage: Stage, _: str) -> str:
    cognito = stage.aws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    scopes = [{"ScopeName": "query", "ScopeDescription": "the same"}]
    cognito.create_resource_server(UserPoolId=pool, Identifier="lakegate", Name="x", Scopes=scopes)
    return token_of(stage, *_client(stage, pool, "lakegate/query"))


def expired(stage: Stage, _: str) -> str:
    pool = stage.outputs["UserPoolId"]
    # AWS takes 300 at least, the emulator any number.
    short = {"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "seconds"}}
    client_id, secret = _client(stage, pool, "lakegate/query", **short)
    token = token_of(stage, client_id, secret)
    time.sleep(2.5)
    return token


def of_another_scope(stage: Stage, _: str) -> str:
    pool, cognito = stage.outputs["UserPoolId"], stage.aws.client("cognito-idp")
    scopes = [{"ScopeName": "read", "ScopeDescription": "another"}]
    cognito.create_resource_server(UserPoolId=pool, Identifier="other", Name="x", Scopes=scopes)
    return token_of(stage, *_client(stage, pool, "other/read"), scope="other/read")


def of_an_unknown_client(stage: Stage, _: str) -> str:
    pool, probe = stage.outputs["UserPoolId"], stage.outputs["ProbeClientId"]
    found = stage.aws.client("cognito-idp").describe_user_pool_client(UserPoolId=pool, ClientId=probe)
    return token_of(stage, probe, found["UserPoolClient"]["ClientSecret"])


BAD: dict[str, Made] = {
    "missing": lambda *_: None,
    "garbage": lambda *_: "garbage",
    "tampered": tampered,
    "forged-key": forged,
    "alg-none": unsigned,
    "wrong-pool": of_another_pool,
    "expired": expired,
    "wrong-scope": of_another_scope,
    "unknown-client": of_an_unknown_client,
}


@pytest.fixture(scope="module")
def good(stage: Stage) -> str:
    machine = united(stage)
    return token_of(stage, machine.client_id, machine.secret)


@pytest.mark.parametrize("kind", BAD)
def test_bad_token_is_refused_and_a_good_one_beside_it_is_not(stage: Stage, good: str, kind: str) -> None:
    refused = ask(stage, BAD[kind](stage, good))
    assert refused.status in (401, 403), (kind, refused.status, refused.data)
    assert b"UA" not in refused.data
    assert ask(stage, good).status == 200
