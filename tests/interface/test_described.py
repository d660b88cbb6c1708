"""Schemathesis over the whole interface, signed in: no 5xx, no undocumented answer, no answer against its schema.

Requests are made from the description, right and wrong ones; names, ids and statements that exist are mixed in, so
that not everything ends at the door.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from api.app import API_VERSION
from api.openapi import document
from tests.lakegate.conftest import home_of_stays
from tests.lakegate.server import JSON, client, credentials, serving

DOCUMENT = document(version=API_VERSION, embedded=True)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
LABELS = sorted(f"{method.upper()} {path}" for path, operations in DOCUMENT["paths"].items() for method in operations)
SHORT, LONG = 15, 400
TOKEN = "POST /oauth2/token"
STATEMENTS = (
    "SELECT hotel, day, note FROM stays ORDER BY day",
    "SELECT count(*) AS n FROM stays",
    "SELECT hotel FROM",
    "SELECT 1/0 FROM stays",
    "SELECT now() AS n",
    "SELECT * FROM nothing",
)
SAVED = {"sql": "SELECT guests FROM stays WHERE guests > :least", "parameters": {"least": {"type": "int"}}}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]

LENIENT = [check for check in CHECKS if check is not checks.negative_data_rejection]


@dataclass(frozen=True, slots=True)
class There:
    """A server, a partner's headers and secret, and what exists by the name of its place in a path."""

    url: str
    bearer: str
    basic: str
    places: dict[str, list[str]]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    home = home_of_stays(tmp_path_factory.mktemp("described"))
    (home / "partners").mkdir(exist_ok=True)
    (home / "partners" / "aurora.toml").write_text("[datasets.stays]\n")
    issued = credentials(home, "aurora")
    with serving(home) as at, client(at) as anonymous, client(at, issued) as http:
        ids = [http.ask(sql, limit=3).json()["id"] for sql in STATEMENTS[:2]]
        assert http.send("PUT", "/v1/saved/late", json.dumps(SAVED).encode(), JSON).status == 201
        link = http.get(f"/v1/queries/{ids[0]}/download?format=csv").json()["url"]
        basic = b64encode(f"{issued.client_id}:{issued.secret}".encode()).decode()
        places = {"id": ids, "name": ["stays", "late"], "code": ["sql-syntax"], "ticket": [link.rpartition("/")[2]]}
        yield There(at.url, f"Bearer {anonymous.token(issued)}", f"Basic {basic}", places)


def check(label: str, there: There, examples: int) -> None:
    """So many requests to one operation, each answer checked."""
    method, _, path = label.partition(" ")
    operation = SCHEMA[path][method]
    authorization = there.basic if label == TOKEN else there.bearer

    @settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=any_case(operation), drawn=st.data())
    def ask(case: Any, drawn: st.DataObject) -> None:
        for place in case.path_parameters or {}:
            if place in there.places and drawn.draw(st.booleans()):
                case.path_parameters[place] = drawn.draw(st.sampled_from(there.places[place]))
        if drawn.draw(st.booleans()):
            make_plain(case, drawn)
        response = case.call(
            base_url=there.url, headers={"Authorization": authorization}, allow_redirects=False, timeout=60
        )
        case.validate_response(response, checks=CHECKS if sent_whole(case, response.request.url) else LENIENT)

    ask()


def make_plain(case: Any, drawn: st.DataObject) -> None:
    """A request as most are: nothing but what it needs."""
    case.query = {}
    case.headers = {}
    schema = str(case.operation.definition.raw.get("requestBody", ""))
    if "Question" in schema:
        case.body = {
            "sql": drawn.draw(st.sampled_from(STATEMENTS)),
            "wait_seconds": drawn.draw(st.sampled_from([0, 5])),
        }
    elif "Run" in schema:
        case.body = {"parameters": {"least": drawn.draw(st.sampled_from([3, "x", None]))}}
    elif "TokenRequest" in schema:
        case.body = {"grant_type": "client_credentials"}


def sent_whole(case: Any, url: str | None) -> bool:
    """Whether every query field is on the wire: an empty list is none, and what was wrong may be gone with it."""
    return set(case.query or {}) <= set(parse_qs(urlsplit(url or "").query, keep_blank_values=True))


def any_case(operation: Any) -> st.SearchStrategy[Any]:
    """Requests as described, and others."""
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


@pytest.mark.parametrize("label", LABELS)
def test_answers_are_as_described(label: str, there: There) -> None:
    check(label, there, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("label", LABELS)
def test_very_many_answers_are_as_described(label: str, there: There) -> None:
    check(label, there, LONG)
