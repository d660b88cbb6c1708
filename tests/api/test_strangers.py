"""Whatever strangers send is answered with a documented status, never with a 5xx."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.callers.credentials import Credentials
from api.edge import Visit
from api.embedded import app
from api.gateway import Arrival, respond
from api.openapi import document
from api.parts import Parts
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.lake import Lake
from athena.settings import HOME_FILE

PATHS = document(version="1", embedded=True)["paths"]
ROUTES = sorted((path, method.upper()) for path, operations in PATHS.items() for method in operations)

# Header values as the wire can carry them: no line breaks, no NUL.
HEADER = st.text(st.characters(blacklist_characters="\r\n\0", max_codepoint=255), max_size=60)
CLAIM = HEADER | HEADER.map("Bearer {}".format) | HEADER.map("Basic {}".format)
WORD = st.text(max_size=40) | st.from_regex(r"\A[A-Za-z0-9_\-]{1,80}\Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
QUESTION = st.fixed_dictionaries(
    {"sql": st.sampled_from(["SELECT ?", "SELECT 1", "SELECT :a", "SELECT * FROM flights"]) | st.text(max_size=60)},
    optional={"parameters": JSON, "wait_seconds": JSON, "limit": JSON, "cache": JSON, "more": JSON},
)
BODY = (QUESTION | JSON).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, str]]:
    folder = tmp_path_factory.mktemp("strangers")
    (folder / HOME_FILE).write_text("version = 1\n")
    (folder / "partners").mkdir()
    with Lake.embedded(folder) as lake:
        parts = Parts.embedded(lake)
        write_grant(lake.settings.partners, Grant("united", "", {"flights": DatasetGrant()}, Limits(), ""))
        assert parts.tokens is not None
        yield parts, parts.tokens.issue(Credentials.embedded(lake.settings).add_client("united").client_id)


def documented(path: str, method: str, status: int) -> bool:
    return str(status) in PATHS[path][method.lower()]["responses"]


def sent(parts: Parts, path: str, method: str, **rest: Any) -> int:
    arrival = Arrival(method, path, rest.get("query", ""), rest.get("headers", {}), rest.get("body", b""))
    return respond(app, arrival, Visit(parts, request_id="r", may_park=True)).status


@settings(max_examples=200)
@given(route=st.sampled_from(ROUTES), word=WORD, page=WORD, limit=WORD, accept=HEADER, tag=HEADER, body=BODY)
@example(("/v1/queries/{id}", "GET"), "q_" + "A" * 120, "", "", "", "", b"")
@example(("/v1/queries/{id}/rows", "GET"), "q_é", "Zz==", "1", "text/csv", "*", b"")
@example(("/v1/datasets/{name}", "GET"), "../secret\0", "", "", "", "", b"")
def test_partners_get_documented_answers_to_anything(
    home: tuple[Parts, str],
    route: tuple[str, str],
    word: str,
    page: str,
    limit: str,
    accept: str,
    tag: str,
    body: bytes,
) -> None:
    parts, token = home
    path, method = route
    filled = path.replace("{id}", word or "x").replace("{name}", word or "x")
    headers = {"authorization": f"Bearer {token}", "accept": accept, "if-none-match": tag}
    if filled.count("/") == path.count("/"):
        status = sent(parts, filled, method, headers=headers, body=body)
        assert documented(path, method, status), status
    if path.endswith("/rows"):
        query = urlencode({"page": page, "limit": limit}, errors="replace")
        assert documented(path, method, sent(parts, path.replace("{id}", "q_1"), method, headers=headers, query=query))


@settings(max_examples=150)
@given(
    authorization=HEADER | HEADER.map("Bearer {}".format) | HEADER.map("Basic {}".format), body=st.binary(max_size=80)
)
def test_strangers_get_401_or_400_whatever_they_claim(home: tuple[Parts, str], authorization: str, body: bytes) -> None:
    parts, _ = home
    headers = {"authorization": authorization}
    assert sent(parts, "/v1/datasets", "GET", headers=headers) == 401
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}
    assert sent(parts, "/oauth2/token", "POST", headers=form, body=body) in (400, 401)
