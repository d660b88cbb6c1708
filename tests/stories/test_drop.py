"""A file dropped beside a running server can be asked for; a corrected one makes another answer."""

import time
from pathlib import Path

from api.callers.credentials import Credentials
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from lakegate.home import init_home
from tests.lakegate.server import Client, Got, client, serving

SQL = "SELECT carrier, sum(seats) AS seats FROM flights GROUP BY carrier ORDER BY carrier"


def until_answered(http: Client, rows: list[list[object]]) -> Got:
    deadline = time.monotonic() + 120
    while True:
        got = http.ask(SQL)
        if got.status == 200 and got.json().get("rows") == rows:
            return got
        assert time.monotonic() < deadline, got.body
        time.sleep(0.1)


def test_a_dropped_file_is_answered_from_and_a_corrected_one_makes_another_answer(tmp_path: Path) -> None:
    settings = init_home(tmp_path / "home")
    write_grant(settings.partners, Grant("united", "", {"flights": DatasetGrant()}, Limits(), ""))
    issued = Credentials.embedded(settings).add_client("united")
    folder = settings.landing / "flights"
    folder.mkdir(parents=True)
    with serving(settings.home, watch=True) as at, client(at, issued) as http:
        assert http.ask(SQL).status == 404
        (folder / "may.csv").write_text("carrier,seats\nUA,100\nUA,80\nDL,50\n")
        first = until_answered(http, [["DL", "50"], ["UA", "180"]])
        again = http.ask(SQL)
        assert (again.json()["cache"], again.headers["etag"]) == ("hit", first.headers["etag"])
        assert http.ask(SQL, {"If-None-Match": first.headers["etag"]}).status == 304

        (folder / "may.csv").write_text("carrier,seats\nUA,100\n")
        corrected = until_answered(http, [["UA", "100"]])
        assert corrected.headers["etag"] != first.headers["etag"]
        assert http.ask(SQL, {"If-None-Match": first.headers["etag"]}).status == 200
