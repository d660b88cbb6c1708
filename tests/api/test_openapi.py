import json
import re
from typing import Any

import pytest

from api.app import API_VERSION
from api.docs import PATHS as PAGES
from api.embedded import app
from api.openapi import document, encoded
from api.saved import NAME

DOCUMENT = document(version=API_VERSION, embedded=True)


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_every_route_is_documented_and_nothing_else() -> None:
    served = {(path, method.lower()) for path, entries in app.routes.items() for method in entries if path not in PAGES}
    documented = {(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert documented == served


def test_operations_are_named_like_their_views() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert app.routes[path][method.upper()].view_name == operation["operationId"]


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) <= known


def test_names_are_described_as_they_are_read() -> None:
    (name,) = DOCUMENT["paths"]["/v1/saved/{name}"]["delete"]["parameters"]
    pattern = name["schema"]["pattern"]
    assert (pattern[0], pattern[-1]) == ("^", "$") and "\\" not in pattern
    for given in ("late", "l-1_x", "Late", "1", "late\n", "", "x" * 64):
        assert bool(NAME.match(given)) is bool(re.search(pattern.removesuffix("$") + r"\Z", given))


@pytest.mark.parametrize("path", ["/oauth2/token", "/.well-known/jwks.json"])
def test_the_token_endpoint_is_documented_where_it_is_ours(path: str) -> None:
    elsewhere = json.loads(encoded(version=API_VERSION, embedded=False))
    assert path in DOCUMENT["paths"] and path not in elsewhere["paths"]
