"""Whose token it is, by the claims that a gateway has verified and by our own list of clients."""

import pytest

from api.callers.claims import Claims
from api.callers.clients import Client, DynamoClients
from api.request import Incoming
from athena.errors import LakegateError, Refused, Unauthenticated
from tests.cloud import Cloud

MACHINE = {"token_use": "access", "scope": "lakegate/query", "client_id": "machine1"}
PERSON = {**MACHINE, "client_id": "console", "username": "ada", "cognito:groups": "[staff partner-delta]"}


@pytest.fixture
def clients(cloud: Cloud) -> DynamoClients:
    made = DynamoClients(cloud.table())
    made.put(Client("machine1", "united"))
    made.put(Client("console", None))
    return made


def incoming(claims: dict[str, str]) -> Incoming:
    return Incoming("GET", "/v1/datasets", {}, b"", authorization="Bearer x", claims=claims)


def test_a_machine_is_the_partner_that_its_client_is_listed_for(clients: DynamoClients) -> None:
    assert Claims(clients).identify(incoming(MACHINE)).partner == "united"


def test_a_person_is_the_partner_of_the_group(clients: DynamoClients) -> None:
    assert Claims(clients).identify(incoming(PERSON)).partner == "delta"


def test_a_machines_groups_are_not_looked_at(clients: DynamoClients) -> None:
    claims = {**MACHINE, "cognito:groups": "[partner-delta]"}
    assert Claims(clients).identify(incoming(claims)).partner == "united"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {**MACHINE, "client_id": "of-another-app"},
        {**MACHINE, "client_id": ""},
        {**MACHINE, "client_id": "machine1/../grant"},
        {**MACHINE, "token_use": "id"},
        {**MACHINE, "scope": "openid"},
        {**MACHINE, "scope": "lakegate/query.other"},
        {**PERSON, "cognito:groups": "[partners]"},
        {**PERSON, "cognito:groups": "[partner-delta partner-united]"},
        {**PERSON, "cognito:groups": "[partner-]"},
        {name: value for name, value in PERSON.items() if name != "cognito:groups"},
    ],
    ids=lambda claims: " ".join(claims.values())[:60] or "none",
)
def test_every_other_token_gets_one_answer(clients: DynamoClients, claims: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated) as caught:
        Claims(clients).identify(incoming(claims))
    assert caught.value.message == "The token is of no client that may ask here."


def test_a_client_that_is_taken_off_the_list_is_nobody_at_once(clients: DynamoClients) -> None:
    clients.remove("machine1")
    with pytest.raises(Unauthenticated):
        Claims(clients).identify(incoming(MACHINE))


@pytest.mark.parametrize("client", [Client("a b", "united"), Client("abc", "../united")], ids=["id", "partner"])
def test_what_no_pool_and_no_grant_can_be_called_is_not_listed(clients: DynamoClients, client: Client) -> None:
    with pytest.raises(Refused) as caught:
        clients.put(client)
    assert isinstance(caught.value, LakegateError)
    assert caught.value.remedy
