"""A file in, a partner's question out, through everything that is deployed."""

import pytest

from tests.deployed.asking import ask, token_of, united
from tests.deployed.conftest import Stage

pytestmark = pytest.mark.deploy

# Nobody else asks this.
ONCE = "SELECT carrier, sum(flights) AS n FROM flights WHERE flights < 1000 GROUP BY carrier"


def test_file_becomes_a_table_and_a_partner_asks_it_twice(stage: Stage) -> None:
    machine = united(stage)
    token = token_of(stage, machine.client_id, machine.secret)
    before = len(stage.aws.handover.athena.executions)
    first, second = ask(stage, token, ONCE), ask(stage, token, ONCE)
    assert (first.status, second.status) == (200, 200), (first.data, second.data)
    assert first.json()["rows"] == second.json()["rows"] == [["UA", "8"]]
    assert (first.json()["cache"], second.json()["cache"]) == ("miss", "hit")
    assert len(stage.aws.handover.athena.executions) == before + 1
