"""A partner tries to read what was not granted, over real HTTP: rows, columns, tables, files, metadata.

The partner sees `flights` where `carrier = 'C0'`, without `tailnum`. Hidden values hold a marker; the hidden rows of
`code` are no numbers, so that a cast that meets them fails.
"""

import json
from collections.abc import Iterator

import pytest

from lakegate.serve import Listening
from tests.lakegate.server import Client, Got, client, serving
from tests.stories.market import CARRIERS, MARKER, ROWS_EACH, Market, market


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return market(tmp_path_factory.mktemp("attempts") / "home")


@pytest.fixture(scope="module")
def at(place: Market) -> Iterator[Listening]:
    with serving(place.settings.home) as listening:
        yield listening


@pytest.fixture(scope="module")
def http(at: Listening, place: Market) -> Iterator[Client]:
    with client(at, place.issued["C0"]) as found:
        yield found


def assert_no_secret(got: Got) -> None:
    assert MARKER.encode() not in got.body
    for carrier in CARRIERS[1:]:
        assert f'"{carrier}"'.encode() not in got.body


HIDDEN = {
    "a table": "SELECT * FROM payroll",
    "a table by its lake": "SELECT * FROM lake.payroll",
    "a table in capitals and quotes": 'SELECT * FROM "LAKE"."PAYROLL"',
    "a table under a CTE of its own name": "WITH payroll AS (SELECT * FROM payroll) SELECT * FROM payroll",
    "a table under another's name": "WITH flights AS (SELECT * FROM payroll) SELECT * FROM flights",
    "a table in a set operation": "SELECT carrier FROM flights UNION ALL SELECT name FROM payroll",
    "a table in EXISTS": "SELECT carrier FROM flights WHERE EXISTS (SELECT 1 FROM payroll WHERE salary LIKE 'S%')",
    "a table in ORDER BY": "SELECT carrier FROM flights ORDER BY (SELECT max(name) FROM payroll)",
    "a table in a scalar subquery": "SELECT (SELECT max(salary) FROM payroll)",
    "a column": "SELECT tailnum FROM flights",
    "a column by its table": "SELECT f.tailnum FROM flights f",
    "a column in WHERE": "SELECT carrier FROM flights WHERE tailnum LIKE 'S%'",
    "a column in ORDER BY": "SELECT carrier FROM flights ORDER BY tailnum",
    "a column in a join": "SELECT a.carrier FROM flights a JOIN flights b ON a.tailnum = b.tailnum",
    "a system column": "SELECT _file FROM flights",
    "a table that is not there": "SELECT * FROM nothing",
    "a column that is not there": "SELECT nothing FROM flights",
}


@pytest.mark.parametrize("sql", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_hidden_does_not_exist(http: Client, sql: str) -> None:
    got = http.ask(sql)
    assert (got.status, got.json()["code"]) == (404, "not-found")
    assert got.json()["detail"] == http.ask("SELECT * FROM nothing").json()["detail"]
    assert_no_secret(got)


REFUSED = {
    "a file": "SELECT * FROM read_parquet('{tables}/**/*.parquet')",
    "a file by name": "SELECT * FROM '{tables}/data.parquet'",
    "a text file": "SELECT * FROM read_text('{home}/lakegate.toml')",
    "a credential file": "SELECT * FROM read_csv('/etc/passwd')",
    "the state": "SELECT * FROM sqlite_scan('{home}/state.sqlite', 'clients')",
    "a file's statistics": "SELECT * FROM parquet_metadata('{tables}/data.parquet')",
    "SQL in a string": "SELECT * FROM query('SELECT * FROM payroll')",
    "the engine's tables": "SELECT * FROM duckdb_tables()",
    "the engine's settings": "SELECT current_setting('temp_directory')",
    "a second statement": "SELECT 1; DROP TABLE payroll",
    "a copy": "COPY (SELECT 1) TO '{home}/stolen.csv'",
    "an attachment": "ATTACH '{home}/state.sqlite'",
    "a plan": "EXPLAIN SELECT * FROM payroll",
    "an old state": "SELECT * FROM flights FOR VERSION AS OF 1",
    "a sample": "SELECT * FROM flights TABLESAMPLE BERNOULLI (50)",
    "the environment": "SELECT getenv('HOME')",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_plain_select_is_refused(http: Client, place: Market, sql: str) -> None:
    settings = place.settings
    got = http.ask(sql.format(home=settings.home, tables=settings.tables))
    assert got.status in (400, 404)
    assert got.json()["code"] in ("sql-unsupported", "sql-syntax", "not-found")
    assert_no_secret(got)
    assert not (settings.home / "stolen.csv").exists()


METADATA = {
    "files of a table": 'SELECT * FROM "flights$files"',
    "snapshots of a table": 'SELECT * FROM "flights$snapshots"',
    "the information schema": "SELECT * FROM information_schema.columns",
    "the catalog of PostgreSQL": "SELECT * FROM pg_catalog.pg_class",
}


@pytest.mark.parametrize("sql", METADATA.values(), ids=METADATA.keys())
def test_metadata_is_not_there(http: Client, sql: str) -> None:
    got = http.ask(sql)
    assert got.status in (400, 404)
    assert_no_secret(got)


# Each must end as on a database that holds the rows of C0 alone, where every code is a number.
ORACLES = {
    "a cast in a join": "SELECT count(*) FROM flights f JOIN (SELECT 7 AS n) x ON CAST(f.code AS INTEGER) >= x.n",
    "a cast in WHERE": "SELECT count(*) FROM flights WHERE CAST(code AS INTEGER) >= 0",
    "a guess by failure": f"SELECT count(*) FROM flights WHERE CAST(CASE WHEN code LIKE '{MARKER}%' THEN 'x' \
ELSE '1' END AS INTEGER) = 1",
    "a division by a guess": f"SELECT sum(1 / (CASE WHEN code LIKE '{MARKER}%' THEN 0 ELSE 1 END)) FROM flights",
    "a cast in ORDER BY": "SELECT number FROM flights ORDER BY CAST(code AS INTEGER)",
    "a cast under a negation": "SELECT count(*) FROM flights WHERE NOT (CAST(code AS INTEGER) < 0 OR carrier <> 'C0')",
    "an OR": "SELECT count(*) FROM flights WHERE carrier = 'C0' OR carrier = 'C1' OR 1 = 1",
    "every row": "SELECT * FROM flights",
    "a count": "SELECT count(*), count(DISTINCT carrier), min(carrier), max(code) FROM flights",
    "a join with itself": "SELECT b.carrier, b.code FROM flights a FULL JOIN flights b ON a.number = b.number + 100",
    "a whole row": "SELECT CAST(ROW(carrier, code) AS JSON) FROM flights",
    "a failure on purpose": "SELECT CAST(carrier AS INTEGER) FROM flights",
}


@pytest.mark.parametrize("sql", ORACLES.values(), ids=ORACLES.keys())
def test_hidden_rows_decide_nothing(http: Client, sql: str) -> None:
    got = http.ask(sql, wait_seconds=25)
    assert got.status in (200, 400)
    assert_no_secret(got)
    if "CAST(code AS INTEGER)" in sql or "CAST(f.code" in sql or "THEN" in sql:
        assert (got.status, got.json().get("state")) == (200, "SUCCEEDED"), got.body


def test_what_is_granted_is_answered_whole(http: Client) -> None:
    got = http.ask("SELECT count(*), min(number), max(number) FROM flights WHERE carrier = 'C0'")
    assert got.json()["rows"] == [[str(ROWS_EACH), 0, ROWS_EACH - 1]]


def test_nobody_else_can_read_leave_or_page_through_an_answer(http: Client, at: Listening, place: Market) -> None:
    mine = http.ask("SELECT * FROM flights ORDER BY number").json()["id"]
    with client(at, place.issued["C1"]) as other:
        for method, path in (("GET", ""), ("GET", "/rows"), ("DELETE", "")):
            got = other.send(method, f"/v1/queries/{mine}{path}")
            assert (got.status, got.json()["code"]) == (404, "not-found")
            assert other.send(method, f"/v1/queries/{mine[:-2]}{path}").body == got.body
    assert len(http.get(f"/v1/queries/{mine}/rows").json()["rows"]) == ROWS_EACH


def test_the_dataset_pages_show_what_is_granted_and_nothing_else(http: Client) -> None:
    listed = http.get("/v1/datasets").json()["datasets"]
    assert [one["name"] for one in listed] == ["flights"]
    one = http.get("/v1/datasets/flights").json()
    assert [column["name"] for column in one["columns"]] == ["carrier", "number", "code", "day"]
    assert "rows" not in one
    assert http.get("/v1/datasets/payroll").body == http.get("/v1/datasets/nothing").body


def test_an_edited_grant_acts_on_the_next_request(http: Client, place: Market) -> None:
    asked = http.ask("SELECT count(*) FROM flights WHERE number >= 0")
    where = f"/v1/queries/{asked.json()['id']}"
    assert http.get(where).status == 200
    path = place.settings.partners / "partner_c0.toml"
    text = path.read_text()
    path.write_text(text.replace("'C0'", "'C0' AND number < 5"))
    try:
        assert (http.get(where).status, http.get(f"{where}/rows").json()["code"]) == (410, "grant-changed")
        assert http.ask("SELECT count(*) FROM flights WHERE number >= 0").json()["rows"] == [["5"]]
        path.unlink()
        assert http.ask("SELECT count(*) FROM flights WHERE number >= 0").status == 404
        assert http.get("/v1/datasets").json() == {"datasets": []}
    finally:
        path.write_text(text)
    assert json.loads(http.get(where).body)["rows"] == [[str(ROWS_EACH)]]


def test_a_revoked_client_is_refused_on_the_next_request(at: Listening, place: Market) -> None:
    from api.callers.credentials import Credentials

    credentials = Credentials.embedded(place.settings)
    issued = credentials.add_client("partner_c2")
    with client(at, issued) as http:
        assert http.ask("SELECT count(*) FROM flights").status == 200
        credentials.revoke_client(issued.client_id)
        assert http.ask("SELECT count(*) FROM flights").status == 401
