"""Many clients of many partners at once: every answer is the asker's own."""

import random
import threading
from collections.abc import Iterator

import pytest

from lakegate.serve import Listening
from tests.lakegate.server import Client, client, serving
from tests.stories.market import CARRIERS, ROWS_EACH, Market, market

CLIENTS = 32
# The same text from everybody: what is shared is the text, never the answer.
SHARED = "SELECT carrier, count(*) AS flights, min(number) AS low, max(number) AS high FROM flights GROUP BY carrier"
LISTED = "SELECT carrier, number, code FROM flights WHERE number % ? = 0 ORDER BY number"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return market(tmp_path_factory.mktemp("own") / "home")


@pytest.fixture(scope="module")
def at(place: Market) -> Iterator[Listening]:
    with serving(place.settings.home) as listening:
        yield listening


def expected(carrier: str, every: int) -> list[int]:
    first = CARRIERS.index(carrier) * ROWS_EACH
    return [number for number in range(first, first + ROWS_EACH) if number % every == 0]


class Asker(threading.Thread):
    """One client of one partner, which asks and checks."""

    def __init__(self, at: Listening, token: str, carrier: str, *, requests: int, ids: dict[str, str]) -> None:
        super().__init__()
        self._client = Client(at, token)
        self._carrier = carrier
        self._requests = requests
        self._ids = ids
        self._choice = random.Random(f"{carrier}{id(self)}")
        self.wrong: list[str] = []
        self.outcomes: set[str] = set()

    def run(self) -> None:
        for _ in range(self._requests):
            self._choice.choice((self._count, self._count, self._list, self._look, self._look_at_another))()
        self._client.close()

    def _count(self) -> None:
        got = self._client.ask(SHARED)
        first = CARRIERS.index(self._carrier) * ROWS_EACH
        self._check(got.json().get("rows"), [[self._carrier, str(ROWS_EACH), first, first + ROWS_EACH - 1]])
        self._ids[self._carrier] = got.json()["id"]
        self.outcomes.add(got.json()["cache"])

    def _list(self) -> None:
        every = self._choice.randint(2, 12)
        rows = self._client.ask(LISTED, parameters=[every]).json()["rows"]
        self._check([row[1] for row in rows], expected(self._carrier, every))
        self._check({row[0] for row in rows} - {self._carrier}, set())

    def _look(self) -> None:
        if self._carrier in self._ids:
            got = self._client.get(f"/v1/queries/{self._ids[self._carrier]}")
            self._check(got.json().get("rows", [[None]])[0][0], self._carrier)

    def _look_at_another(self) -> None:
        for carrier, answer_id in list(self._ids.items()):
            if carrier != self._carrier:
                got = self._client.get(f"/v1/queries/{answer_id}/rows")
                self._check((got.status, self._carrier.encode() in got.body), (404, False))
                return

    def _check(self, found: object, right: object) -> None:
        if found != right:
            self.wrong.append(f"{self._carrier}: {found!r} is not {right!r}")


def run_clients(place: Market, at: Listening, *, requests: int) -> None:
    tokens = {}
    for carrier, issued in place.issued.items():
        with client(at) as http:
            tokens[carrier] = http.token(issued)
    ids: dict[str, str] = {}
    carriers = [CARRIERS[at_ % len(CARRIERS)] for at_ in range(CLIENTS)]
    askers = [Asker(at, tokens[carrier], carrier, requests=requests, ids=ids) for carrier in carriers]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert [wrong for asker in askers for wrong in asker.wrong] == []
    assert "hit" in set().union(*(asker.outcomes for asker in askers))


def test_every_answer_is_the_askers_own(place: Market, at: Listening) -> None:
    run_clients(place, at, requests=60)


@pytest.mark.long
def test_every_answer_is_the_askers_own_over_many_requests(place: Market, at: Listening) -> None:
    run_clients(place, at, requests=300)
