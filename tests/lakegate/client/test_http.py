"""What the HTTP client makes of a server that is slow, busy, forgetful, gone, or no Lakegate server at all."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from athena.errors import Busy, Failed, LakegateError, LimitExceeded, NotFound, Unauthenticated
from lakegate.client import Query
from lakegate.client.http import TRIES, Credentials, HttpLink

Script = list[tuple[int, dict[str, str], Any]]
ANSWER = {
    "id": "q_1",
    "state": "SUCCEEDED",
    "cache": "miss",
    "columns": [{"name": "n", "type": "long"}],
    "rows": [["1"]],
    "row_count": 1,
    "truncated": False,
    "next": None,
    "snapshots": {},
    "submitted_at": "2026-05-01T00:00:00.000Z",
    "expires_at": "2026-05-08T00:00:00.000Z",
}


class Scripted:
    """A server that gives tokens `t1`, `t2` … and answers all else by its script; `seen` is what was asked."""

    def __init__(self) -> None:
        self.script: Script = []
        self.seen: list[tuple[str, str, str]] = []
        self.tokens = 0
        self.lifetime_seconds = 3600
        self.paused: list[float] = []

    def reply(self, method: str, path: str, bearer: str) -> tuple[int, dict[str, str], Any]:
        if path == "/oauth2/token":
            self.tokens += 1
            return 200, {}, {"access_token": f"t{self.tokens}", "expires_in": self.lifetime_seconds}
        self.seen.append((method, path, bearer))
        return self.script.pop(0) if self.script else (200, {}, ANSWER)


@pytest.fixture
def server() -> Iterator[tuple[Scripted, HttpLink]]:
    """The server and a link to it that notes its pauses instead of making them."""
    scripted = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = scripted.reply(
                self.command, self.path, self.headers.get("Authorization", "").removeprefix("Bearer ")
            )
            if status == 0:
                self.close_connection = True
                return
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{listening.server_port}"
    link = HttpLink(url, Credentials("me", "secret", f"{url}/oauth2/token"), sleep=scripted.paused.append)
    try:
        yield scripted, link
    finally:
        link.close()
        listening.shutdown()
        listening.server_close()
        thread.join()


def problem(code: str) -> dict[str, str]:
    return {"title": "t", "code": code, "detail": "What happened.", "remedy": "Do this."}


def test_a_token_is_used_again_and_renewed_when_it_is_refused(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    link.ask(Query("SELECT 1"))
    scripted.script = [(401, {}, problem("unauthenticated"))]
    link.ask(Query("SELECT 1"))
    assert [bearer for _, _, bearer in scripted.seen] == ["t1", "t1", "t2"]


def test_a_token_that_is_about_to_end_is_renewed_before(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    scripted.lifetime_seconds = 0
    link.ask(Query("SELECT 1"))
    link._token = (link._token[0], 0.0) if link._token else None
    link.ask(Query("SELECT 1"))
    assert [bearer for _, _, bearer in scripted.seen] == ["t1", "t2"]


def test_credentials_that_do_not_hold_are_not_tried_for_ever(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    scripted.script = [(401, {}, problem("unauthenticated"))] * 9
    with pytest.raises(Unauthenticated, match="What happened"):
        link.ask(Query("SELECT 1"))
    assert len(scripted.seen) == 2


def test_what_is_worth_a_retry_is_repeated_as_late_as_the_server_says(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    busy = problem("busy")
    scripted.script = [
        (503, {"Retry-After": "3"}, busy),
        (429, {"Retry-After": "7"}, busy),
        (0, {}, b""),
        (502, {}, b""),
    ]
    assert link.ask(Query("SELECT 1")).row_count == 1
    assert scripted.paused[:2] == [3.0, 7.0] and len(scripted.paused) == 4


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        ((503, {}, problem("busy")), Busy, "busy"),
        ((429, {"Retry-After": "9"}, problem("rate-limit")), LimitExceeded, "rate-limit"),
        ((404, {}, problem("not-found")), NotFound, "not-found"),
        ((500, {}, b"<html>"), Failed, "failed"),
        ((200, {}, b"<html>"), Failed, "server-unreachable"),
        ((0, {}, b""), Failed, "server-unreachable"),
    ],
    ids=["busy", "limit", "not-found", "broken", "not-ours", "gone"],
)
def test_what_stays_wrong_is_told_as_it_is(
    server: tuple[Scripted, HttpLink],
    reply: tuple[int, dict[str, str], Any],
    error: type[LakegateError],
    code: str,
) -> None:
    scripted, link = server
    scripted.script = [reply] * TRIES
    with pytest.raises(error) as raised:
        link.ask(Query("SELECT 1"))
    assert raised.value.code == code


def test_a_question_is_looked_at_until_it_is_final(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    running = {**ANSWER, "state": "RUNNING", "columns": [], "rows": []}
    scripted.script = [(202, {}, running), (200, {}, running), (200, {}, ANSWER)]
    standing = link.ask(Query("SELECT 1"))
    assert link.look(standing, seconds=5).state == "SUCCEEDED"
    assert [path for _, path, _ in scripted.seen] == ["/v1/queries", "/v1/queries/q_1", "/v1/queries/q_1"]


def test_a_link_to_another_host_gets_no_token(server: tuple[Scripted, HttpLink]) -> None:
    scripted, link = server
    more = {**ANSWER, "next": "p2"}
    scripted.script = [(200, {}, more), (303, {"Location": "/elsewhere"}, b""), (404, {}, problem("not-found"))]
    standing = link.ask(Query("SELECT 1"))
    scripted.script.append((200, {}, {"rows": [["1"], ["2"]], "next": None}))
    assert sum(batch.num_rows for batch in link.batches(standing)) == 2
    assert [(path, bearer) for _, path, bearer in scripted.seen[1:3]] == [
        ("/v1/queries/q_1/download?format=arrow", "t1"),
        ("/elsewhere", ""),
    ]
