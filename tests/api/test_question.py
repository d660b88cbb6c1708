import json
from typing import Any

import pytest

from api.problem import WrongRequest
from api.question import MAX_PARAMETERS, read_question
from api.request import Incoming
from athena.question import Caller

CALLER = Caller("united")


def posted(body: bytes | dict[str, Any] | list[Any], query: dict[str, tuple[str, ...]] | None = None) -> Incoming:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Incoming("POST", "/v1/queries", query or {}, content)


def test_a_question_needs_nothing_but_its_sql() -> None:
    asked = read_question(posted({"sql": "SELECT 1"}), CALLER)
    assert (asked.question.caller, asked.question.sql, asked.question.parameters) == (CALLER, "SELECT 1", ())
    assert (asked.question.limit, asked.question.cache, asked.wait_seconds) == (None, "use", 10.0)


def test_every_field_is_taken_over() -> None:
    body = {
        "sql": "SELECT ?",
        "parameters": ["a", 1, 1.5, True, None],
        "wait_seconds": 0,
        "limit": 3,
        "cache": "refresh",
    }
    asked = read_question(posted(body), CALLER)
    assert asked.question.parameters == ("a", 1, 1.5, True, None)
    assert [type(value) for value in asked.question.parameters] == [str, int, float, bool, type(None)]
    assert (asked.question.limit, asked.question.cache, asked.wait_seconds) == (3, "refresh", 0.0)


def test_parameters_may_have_names() -> None:
    assert read_question(posted({"sql": "SELECT :a", "parameters": {"a": 1}}), CALLER).question.parameters == {"a": 1}


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("sql", None, "/sql"),
        ("sql", 1, "/sql"),
        ("sql", "  ", "/sql"),
        ("sql", "\ud800", "/sql"),
        ("parameters", "a", "/parameters"),
        ("parameters", [[1]], "/parameters/0"),
        ("parameters", [1, {"a": 1}], "/parameters/1"),
        ("parameters", {"a/b": []}, "/parameters/a~1b"),
        ("parameters", [2**63], "/parameters/0"),
        ("parameters", [-(2**63) - 1], "/parameters/0"),
        ("parameters", ["\udfff"], "/parameters/0"),
        ("parameters", [0] * (MAX_PARAMETERS + 1), "/parameters"),
        ("wait_seconds", -1, "/wait_seconds"),
        ("wait_seconds", 25.1, "/wait_seconds"),
        ("wait_seconds", "10", "/wait_seconds"),
        ("wait_seconds", True, "/wait_seconds"),
        ("wait_seconds", None, "/wait_seconds"),
        ("limit", 0, "/limit"),
        ("limit", 1.5, "/limit"),
        ("limit", True, "/limit"),
        ("limit", 2**31, "/limit"),
        ("cache", "no", "/cache"),
        ("cache", None, "/cache"),
        ("cach", "use", "/cach"),
        ("x" * 100, 1, "/" + "x" * 40 + "…"),
    ],
)
def test_a_wrong_field_is_pointed_to(field: str, value: object, pointer: str) -> None:
    with pytest.raises(WrongRequest) as refused:
        read_question(posted({"sql": "SELECT 1", field: value}), CALLER)
    assert (refused.value.status, refused.value.code, refused.value.pointer) == (400, "invalid-request", pointer)
    assert refused.value.message and refused.value.remedy


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"sql": "SELECT 1",}',
        b'{"sql": "SELECT 1"} x',
        b'{"sql": "SELECT 1", "sql": "SELECT 2"}',
        b'{"sql": "SELECT 1", "limit": NaN}',
        b'{"sql": "SELECT 1", "parameters": [1e999]}',
        b'{"sql": "SELECT 1", "parameters": [-Infinity]}',
        b'{"sql": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 5000,
    ],
    ids=range(12),
)
def test_what_is_not_one_plain_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(WrongRequest) as refused:
        read_question(posted(body), CALLER)
    assert (refused.value.status, refused.value.code) == (400, "malformed-json")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"SELECT 1"', b"1"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WrongRequest, match="no JSON object"):
        read_question(posted(body), CALLER)


def test_nothing_may_stand_behind_the_question_mark() -> None:
    with pytest.raises(WrongRequest, match="'sql' is no query field"):
        read_question(posted({"sql": "SELECT 1"}, {"sql": ("SELECT 2",)}), CALLER)
