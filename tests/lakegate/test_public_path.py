"""A lake that a proxy serves below a path: whatever address is given out leads there again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lakegate as face
from api.callers.credentials import Issued
from lakegate.cli import run
from lakegate.home import init_home
from lakegate.serve import Listening
from tests.lakegate.conftest import Command, home_of_stays
from tests.lakegate.server import JSON, Client, client, credentials, serving

SQL = "SELECT hotel, guests FROM stays ORDER BY guests"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = "".join(f"Aurora,{guests}\n" for guests in range(9))
    home = home_of_stays(tmp_path_factory.mktemp("below"), f"hotel,guests\n{rows}")
    (home / "lakegate.toml").write_text('version = 1\npublic_path = "/data/lake"\n', encoding="utf-8")
    assert run(["partner", "add", "aurora", "--dataset", "stays", "--home", str(home)]) == 0
    return home


@pytest.fixture(scope="module")
def issued(home: Path) -> Issued:
    return credentials(home, "aurora")


@pytest.fixture(scope="module")
def at(home: Path) -> Iterator[Listening]:
    with serving(home) as listening:
        yield listening


@pytest.fixture
def http(at: Listening, issued: Issued) -> Iterator[Client]:
    with client(at, issued) as found:
        yield found


# A proxy may pass the path on, or take off what it serves below.
@pytest.mark.parametrize("sent", ["/data/lake", ""])
def test_every_page_leads_below_the_path(http: Client, sent: str) -> None:
    path, rows = f"{sent}/v1/datasets/stays/rows?order=guests&limit=4", []
    while path:
        got = http.get(path)
        assert got.status == 200, got.body
        rows += [guests for _, guests in got.json()["rows"]]
        path = _next(got.headers.get("link"))
    assert rows == list(range(9))
    answer = http.ask(SQL).json()["id"]
    path, rows = f"{sent}/v1/queries/{answer}/rows?limit=4", []
    while path:
        got = http.get(path, headers={"Accept": "text/csv"})
        # A page is as long as the one before it.
        rows.append([int(line.split(",")[1]) for line in got.body.decode().splitlines() if line[-1].isdigit()])
        path = _next(got.headers.get("link"))
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_downloads_and_problems_lead_below_the_path(http: Client) -> None:
    answer = http.ask(SQL).json()["id"]
    got = http.get(f"/v1/queries/{answer}/download?format=csv")
    assert got.status == 303
    assert got.headers["location"] == got.json()["url"]
    assert got.json()["url"].startswith("/data/lake/v1/downloads/")
    assert http.get(got.json()["url"]).body.count(b"Aurora") == 9
    problem = http.get("/data/lake/v1/datasets/nothing").json()
    assert problem["type"] == "/data/lake/problems/not-found"
    assert http.get(problem["type"]).status == 200


def test_no_header_of_a_request_says_where_links_lead(http: Client) -> None:
    headers = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    got = http.get("/v1/datasets/stays/rows?limit=1", headers=headers)
    assert "evil" not in got.headers["link"]
    got = http.send("POST", "/v1/queries", b'{"sql": "SELCT"}', {**JSON, **headers})
    assert "evil" not in got.json()["type"]


def test_the_client_works_below_the_path(at: Listening, issued: Issued) -> None:
    below = f"{at.url}/data/lake"
    with face.connect(below, client_id=issued.client_id, client_secret=issued.secret) as lake:
        assert [row["guests"] for row in lake.sql(SQL).rows()] == list(range(9))


@pytest.mark.parametrize("wrong", ["lake", "/lake/", "/a//b", "/a b", "https://data.example/lake", "/.."])
def test_what_is_no_path_is_refused(lakegate: Command, tmp_path: Path, wrong: str) -> None:
    home = init_home(tmp_path / "home").home
    (home / "lakegate.toml").write_text(f'version = 1\npublic_path = "{wrong}"\n', encoding="utf-8")
    done = lakegate("datasets", "--home", home)
    assert done.code == 1
    assert f"public_path is '{wrong}'" in done.err
    assert 'as in "/lake"' in done.err
    assert "[settings-invalid]" in done.err


def _next(link: str | None) -> str:
    found = re.fullmatch(r'<(/data/lake/[^>]+)>; rel="next"', link or "")
    assert link is None or found is not None, link
    return found[1] if found else ""
