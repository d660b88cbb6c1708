"""Change notices, from a load to a receiver: signed, tried again, given up, and never sent where they must not go."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from athena.events import DatasetUpdated
from athena.lake import Lake
from athena.notices import RETRY_SECONDS, Webhook
from athena.notices.notifier import Notifier
from athena.notices.sqlite import SqliteNotices
from athena.settings import HOME_FILE
from lakegate.cli import run
from tests.clock import SetClock
from tests.lakegate.conftest import home_of_stays
from tests.lakegate.server import JSON, Client, Got, client, credentials, serving

LOCAL = 'webhook_networks = ["127.0.0.0/8"]\n'


class Receiver:
    """What arrived, and what is answered: `status`, with a `Location` to itself."""

    def __init__(self) -> None:
        self.got: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.status = 204
        self.url = ""

    def next(self) -> tuple[dict[str, str], bytes]:
        return self.got.get(timeout=120)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/changed?of=stays"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = home_of_stays(tmp_path)
    (made / "partners").mkdir(exist_ok=True)
    (made / "partners" / "aurora.toml").write_text("[datasets.stays]\nrows = \"hotel = 'Aurora'\"\n")
    (made / "partners" / "other.toml").write_text("[datasets.stays]\n")
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def load(home: Path, file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    assert run(["load", str(file), "--dataset", "stays", "--home", str(home)]) == 0


def post(http: Client, path: str, document: object) -> Got:
    return http.send("POST", path, json.dumps(document).encode(), JSON)


def test_a_load_is_told_signed_to_who_watches_the_dataset_or_a_question_of_it(home: Path, receiver: Receiver) -> None:
    with (home / HOME_FILE).open("a") as file:
        file.write(LOCAL)
    with serving(home) as at, client(at, credentials(home, "aurora")) as http:
        http.send("PUT", "/v1/saved/guests", json.dumps({"sql": "SELECT guests FROM stays"}).encode(), JSON)
        made = [post(http, "/v1/webhooks", {"url": receiver.url, **what}).json() for what in WATCHED]
        assert all("secret" not in hook for hook in http.get("/v1/webhooks").json()["webhooks"])
        load(home, home.parent / "more.csv", "hotel,day,guests,note\nAurora,2026-06-01,1,\n")
        secrets = {hook["id"]: hook["secret"] for hook in made}
        told = [verified(*receiver.next(), list(secrets.values())) for _ in made]
        snapshot = http.get("/v1/datasets/stays").json()["snapshot"]
    assert sorted(one["type"] for one in told) == ["dataset.updated", "saved.updated"]
    for one in told:
        assert (one["data"]["dataset"], one["data"]["snapshot"]) == ("stays", snapshot)
        assert "rows" not in json.dumps(one)


WATCHED: tuple[dict[str, str], ...] = ({"dataset": "stays"}, {"saved": "guests"})


def verified(headers: dict[str, str], body: bytes, secrets: list[str]) -> Any:
    """The content, verified by what docs/partners.md shows."""
    page = (Path(__file__).parents[2] / "docs" / "partners.md").read_text(encoding="utf-8")
    (example,) = [block for block in page.split("```") if "def is_genuine" in block]
    shown: dict[str, Any] = {}
    exec(example.removeprefix("python"), shown)
    assert any(shown["is_genuine"](secret, headers, body) for secret in secrets)
    assert not any(shown["is_genuine"](secret, headers, body + b" ") for secret in secrets)
    stale = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1000)}
    assert not any(shown["is_genuine"](secret, stale, body) for secret in secrets)
    return json.loads(body)


def test_a_webhook_belongs_to_its_partner_and_is_checked(home: Path) -> None:
    with (
        serving(home) as at,
        client(at, credentials(home, "aurora")) as http,
        client(at, credentials(home, "other")) as other,
    ):
        made = post(http, "/v1/webhooks", {"url": "https://partner.example/x", "dataset": "stays"})
        assert made.status == 201
        path = f"/v1/webhooks/{made.json()['id']}"
        assert other.get("/v1/webhooks").json() == {"webhooks": []}
        assert [other.send("DELETE", path).status, other.get(f"{path}/dead").status] == [404, 404]
        assert http.get(f"{path}/dead").json() == {"dead": []}
        for wrong in WRONG:
            got = post(http, "/v1/webhooks", wrong)
            assert (got.status, got.json()["code"]) in ((400, "invalid-request"), (404, "not-found")), wrong
        for _ in range(19):
            assert post(http, "/v1/webhooks", {"url": "https://partner.example/x", "dataset": "stays"}).status == 201
        full = post(http, "/v1/webhooks", {"url": "https://partner.example/x", "dataset": "stays"})
        assert (full.status, full.json()["code"]) == (400, "webhook-limit")
        assert http.send("DELETE", path).status == 204
        assert http.send("DELETE", path).status == 404


WRONG: tuple[dict[str, object], ...] = (
    {"url": "http://partner.example/", "dataset": "stays"},
    {"url": "https://10.0.0.1/", "dataset": "stays"},
    {"url": "https://[::1]/", "dataset": "stays"},
    {"url": "https://169.254.169.254/latest", "dataset": "stays"},
    {"url": "https://user:pass@partner.example/", "dataset": "stays"},
    {"url": "file:///etc/passwd", "dataset": "stays"},
    {"url": "https://partner.example:99999/", "dataset": "stays"},
    {"url": "https://partner.example/\r\nX: y", "dataset": "stays"},
    {"url": 7, "dataset": "stays"},
    {"url": "https://partner.example/"},
    {"url": "https://partner.example/", "dataset": "nothing"},
    {"url": "https://partner.example/", "saved": "nothing"},
    {"url": "https://partner.example/", "dataset": "stays", "saved": "x"},
)


@contextmanager
def notifier(
    home: Path, url: str, *, networks: tuple[str, ...] = ("127.0.0.0/8",)
) -> Iterator[tuple[Notifier, SetClock]]:
    """A notifier with one webhook of aurora's, a clock of its own, and names that lead to 127.0.0.1."""
    clock = SetClock()
    with Lake.embedded(home) as opened:
        lake = replace(opened, clock=clock, settings=replace(opened.settings, webhook_networks=networks))
        notices = SqliteNotices(lake.settings.state)
        notices.register(Webhook("w_1", "aurora", url, "stays", None, "whsec_c2VjcmV0", clock()))
        made = Notifier(lake, notices, lambda host, port: ["127.0.0.1"], lambda: 1.0)
        notices.heard(DatasetUpdated("c_1", "stays", "1", "1", clock(), 1, 0))
        made.spread()
        yield made, clock


def test_what_is_not_taken_is_tried_again_later_and_given_up_in_the_end(home: Path, receiver: Receiver) -> None:
    receiver.status = 500
    with notifier(home, receiver.url) as (telling, clock):
        ids = []
        for pause in RETRY_SECONDS:
            assert telling.send_one()
            ids.append(receiver.next()[0]["webhook-id"])
            clock.move(seconds=pause - 1)
            assert not telling.send_one()
            clock.move(seconds=2)
        assert telling.send_one()
        receiver.next()
        clock.move(seconds=10**6)
        assert not telling.send_one()
        (dead,) = telling.notices.dead("w_1")
        assert (dead.attempts, len(set(ids)), "answered 500" in dead.error) == (7, 1, True)
        receiver.status = 200
        assert telling.notices.revive("w_1", clock()) == 1
        assert telling.send_one() and not telling.send_one()
        assert (receiver.next()[0]["webhook-id"], telling.notices.dead("w_1")) == (ids[0], ())


def test_an_event_that_is_heard_twice_is_told_once(home: Path, receiver: Receiver) -> None:
    with notifier(home, receiver.url) as (telling, clock):
        assert telling.send_one()
        telling.notices.heard(DatasetUpdated("c_1", "stays", "1", "1", clock(), 1, 0))
        telling.spread()
        assert not telling.send_one()


def test_a_redirect_is_not_followed(home: Path, receiver: Receiver) -> None:
    receiver.status = 307
    with notifier(home, receiver.url) as (telling, _):
        assert telling.send_one()
        receiver.next()
        with pytest.raises(Empty):
            receiver.got.get(timeout=0.2)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("networks", [(), ("10.0.0.0/8",)], ids=["none", "other"])
def test_a_name_that_leads_inside_is_not_told(
    home: Path, receiver: Receiver, networks: tuple[str, ...], scheme: str
) -> None:
    url = receiver.url.replace("http://127.0.0.1", f"{scheme}://partner.example")
    with notifier(home, url, networks=networks) as (telling, clock):
        assert telling.send_one()
        clock.move(seconds=10**6)
        due = telling.notices.claim(clock(), clock() + timedelta(seconds=1))
        assert due is not None and "no public address" in due.error
    assert receiver.got.empty()


def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_led(home: Path, receiver: Receiver) -> None:
    looked_up = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append((host, port))
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.9"]

    url = receiver.url.replace("127.0.0.1", "partner.example")
    with notifier(home, url) as (telling, _):
        assert replace(telling, resolve=resolve).send_one()
        assert receiver.next()[0]["host"].startswith("partner.example:")
        assert [host for host, _ in looked_up] == ["partner.example"]


def test_who_may_not_see_the_dataset_any_more_is_told_nothing(home: Path, receiver: Receiver) -> None:
    with notifier(home, receiver.url) as (telling, clock):
        (home / "partners" / "aurora.toml").unlink()
        assert telling.send_one()
        telling.notices.heard(DatasetUpdated("c_2", "stays", "2", "2", clock(), 1, 0))
        telling.spread()
        assert not telling.send_one()
    assert receiver.got.empty()
