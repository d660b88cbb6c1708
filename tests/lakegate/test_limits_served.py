"""Limits on the wire: 429, headers, usage."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.callers.credentials import Issued
from lakegate.serve import Listening
from tests.lakegate.conftest import home_of_stays
from tests.lakegate.server import Client, Got, client, credentials, serving

COUNT = "SELECT count(*) AS n FROM stays"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_of_stays(tmp_path_factory.mktemp("limits"))


@pytest.fixture(scope="module")
def at(home: Path) -> Iterator[Listening]:
    with serving(home) as listening:
        yield listening


Joins = Callable[[str, str], Client]


@pytest.fixture
def joins(home: Path, at: Listening) -> Iterator[Joins]:
    """Makes a partner with limits, and their client."""
    with ExitStack() as stack:
        yield lambda name, limits: stack.enter_context(client(at, partner(home, name, limits)))


def partner(home: Path, name: str, limits: str) -> Issued:
    """A new partner's credentials."""
    (home / "partners").mkdir(exist_ok=True)
    (home / "partners" / f"{name}.toml").write_text(f"[datasets.stays]\n[limits]\n{limits}\n")
    return credentials(home, name)


def within_a_minute(joins: Joins) -> tuple[Client, list[Got], Got]:
    """A partner who may ask three times a minute, their three answers, and the fourth, all of one minute."""
    for turn in itertools.count():
        # Other limits on rows are other questions: each partner's first answer is a miss.
        http = joins(f"aurora_{turn}", f"queries_per_minute = 3\nresult_rows = {100 + turn}")
        minute = time.time() // 60
        got = [http.ask(COUNT, wait_seconds=25) for _ in range(3)]
        fourth = http.ask(COUNT, {"If-None-Match": got[0].headers.get("etag", "")})
        if time.time() // 60 == minute and got[0].status == 200:
            return http, got, fourth
    raise AssertionError


def test_a_rate_is_told_on_answers_and_then_refused(joins: Joins) -> None:
    http, got, unchanged = within_a_minute(joins)
    assert [one.status for one in got] == [200, 200, 200]
    assert [one.json()["cache"] for one in got] == ["miss", "hit", "hit"]
    left = [one.headers["ratelimit"].split(";")[1] for one in got]
    assert left == ["r=2", "r=1", "r=0"]
    assert all(one.headers["ratelimit-policy"] == '"minute";q=3;w=60' for one in got)
    assert unchanged.status == 429
    assert unchanged.json()["code"] == "rate-limit"
    assert 1 <= int(unchanged.headers["retry-after"]) <= 60
    assert unchanged.headers["ratelimit"] == f'"minute";r=0;t={unchanged.headers["retry-after"]}'
    used = http.get("/v1/usage").json()
    assert (used["today"]["hit"], used["today"]["miss"], used["today"]["limited"]) == (2, 1, 1)
    assert used["limits"]["queries_per_minute"] == 3


def test_no_limit_is_no_header(joins: Joins) -> None:
    http = joins("borealis", "")
    assert "ratelimit" not in http.ask(COUNT).headers


def test_a_caller_may_ask_for_a_new_answer(joins: Joins) -> None:
    http = joins("cirrus", "result_rows = 7")
    first = http.ask(COUNT)
    assert first.json()["cache"] == "miss"
    assert http.ask(COUNT, {"Cache-Control": "max-age=600"}).json()["cache"] == "hit"
    for header in ("no-cache", "max-age=0"):
        again = http.ask(COUNT, {"Cache-Control": header})
        assert (again.json()["cache"], again.headers["etag"]) == ("miss", first.headers["etag"])
    assert http.ask(COUNT, cache="refresh").json()["cache"] == "miss"
    assert http.ask(COUNT, {"Cache-Control": "private, x=1"}).json()["cache"] == "hit"
    assert http.ask(COUNT, {"If-None-Match": first.headers["etag"]}).status == 304


def test_usage_needs_a_token_and_a_grant(home: Path, at: Listening, joins: Joins) -> None:
    with client(at) as http:
        assert http.get("/v1/usage").status == 401
    gone = joins("gone", "")
    (home / "partners" / "gone.toml").unlink()
    assert gone.get("/v1/usage").status in (401, 404)
    assert joins("odd", "").get("/v1/usage?x=1").status == 400
