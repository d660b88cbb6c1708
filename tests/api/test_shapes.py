"""What is described is what is read: a body that its schema takes is read, and one that the schema refuses is not.

The judge of the schema is another's validator (jsonschema_rs), fed with `/openapi.json` as it is served.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from api.app import API_VERSION
from api.bodies import Object
from api.openapi import encoded
from api.problem import WrongRequest
from api.question import QUESTION, read_json
from api.saved import RUN, TO_SAVE
from api.shapes import INT64_MAX, INT64_MIN
from api.webhooks import TO_ADD

DESCRIBED = json.loads(encoded(version=API_VERSION, embedded=True))["components"]["schemas"]
READ: dict[str, Object] = {"Question": QUESTION, "QuestionToSave": TO_SAVE, "Run": RUN, "WebhookToAdd": TO_ADD}

TEXTS = st.one_of(st.sampled_from(["", " ", "\n", "a b", "use", "date", "a\n"]), st.text(max_size=5))
FLOATS = st.one_of(st.sampled_from([1.0, 3.5, 25.1, -0.1, 1e300]), st.floats(allow_nan=False, allow_infinity=False))
EDGES = st.sampled_from([-1, 0, 1, 24, 25, 26, 10**9, 10**9 + 1, 2**31 - 1, 2**31, INT64_MIN, INT64_MAX])
LONG = st.sampled_from(["x" * count for count in (1000, 1001, 2000, 2001, 16_384, 16_385)])
PLAIN = st.one_of(st.none(), st.booleans(), EDGES, FLOATS, TEXTS)
NAMES = st.one_of(st.sampled_from(["type", "default", "optional", "a"]), st.text(max_size=3))
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)), max_leaves=6
)
PARAMETER = st.fixed_dictionaries({"type": st.just("date")}, optional={"optional": st.booleans(), "default": PLAIN})
ODD_PARAMETER = st.fixed_dictionaries({"type": PLAIN}, optional={"optional": PLAIN, "default": ANYTHING, "x": PLAIN})
DECLARED = st.dictionaries(NAMES, PARAMETER, max_size=2)
MANY = st.sampled_from(
    [*([0] * count for count in (1000, 1001)), *({str(at): 0 for at in range(count)} for count in (50, 51))]
)
MANY_DECLARED = st.sampled_from([{str(at): {"type": "date"} for at in range(count)} for count in (50, 51)])
GIVEN = st.dictionaries(NAMES, PLAIN, max_size=2)
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "sql": st.just("SELECT 1"),
    "description": st.text(max_size=5),
    "parameters": st.one_of(st.none(), GIVEN),
    "wait_seconds": st.one_of(st.integers(0, 25), st.floats(0, 25)),
    "limit": st.one_of(st.none(), st.integers(1, 9)),
    "cache": st.sampled_from(["use", "refresh"]),
    "version": st.one_of(st.none(), st.integers(1, 9)),
    "url": st.just("https://a/"),
    "dataset": st.text(max_size=5),
    "saved": st.text(max_size=5),
}
ODD = st.one_of(
    *(EDGES, EDGES, FLOATS, TEXTS, LONG, PLAIN, ANYTHING),
    *(st.lists(PLAIN, max_size=2), st.lists(ANYTHING, max_size=2), st.dictionaries(NAMES, ANYTHING, max_size=2)),
    *(MANY, MANY_DECLARED, st.dictionaries(NAMES, ODD_PARAMETER, max_size=1)),
)


@st.composite
def bodies(draw: st.DrawFn, shape: Object) -> Any:
    """A right object; or one with something else in one place: another value, a field less, a field more."""
    right = RIGHT if shape is not TO_SAVE else {**RIGHT, "parameters": DECLARED}
    body = {name: draw(right[name]) for name in shape.fields if shape.fields[name].required or draw(st.booleans())}
    if shape.one_of and not draw(st.sampled_from([False] * 9 + [True])):
        for name in shape.one_of:
            body.pop(name, None)
        body[draw(st.sampled_from(shape.one_of))] = "stays"
    place = draw(st.sampled_from([None, "less", "more", "whole", *shape.fields, *shape.fields]))
    if place == "whole":
        return draw(ANYTHING)
    if place == "more":
        body[draw(st.sampled_from(["cach", "SQL", "", "type"]))] = draw(PLAIN)
    elif place == "less" and body:
        del body[draw(st.sampled_from(sorted(body)))]
    elif place is not None and place != "less":
        body[place] = draw(ODD)
    return body


def is_read(shape: Object, body: Any) -> bool:
    """Whether the reader takes the body, as it comes over the wire."""
    try:
        shape.read(read_json(json.dumps(body).encode()))
    except WrongRequest as refused:
        assert (refused.status, refused.code) == (400, "invalid-request")
        assert refused.message and refused.remedy
        return False
    return True


@pytest.mark.parametrize("name", READ)
def test_what_is_described_is_what_is_read(name: str) -> None:
    schema = Draft202012Validator(DESCRIBED[name])

    @settings(max_examples=500)
    @given(body=bodies(READ[name]))
    def holds(body: Any) -> None:
        described = schema.is_valid(body)
        assert is_read(READ[name], body) is described, body

    holds()


@pytest.mark.parametrize("name", READ)
def test_every_body_that_is_read_is_described_and_held_to_it(name: str) -> None:
    whole, least = EXAMPLES[name]
    schema = Draft202012Validator(DESCRIBED[name])
    assert set(READ[name].fields) == set(DESCRIBED[name]["properties"])
    for body in (whole, least):
        assert schema.is_valid(body) and is_read(READ[name], body)
    for field in least:
        lacking = {key: value for key, value in least.items() if key != field}
        assert not schema.is_valid(lacking) and not is_read(READ[name], lacking)


EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Question": (
        {"sql": "SELECT ?", "parameters": [1], "wait_seconds": 0.5, "limit": 3.0, "cache": "refresh"},
        {"sql": "SELECT 1"},
    ),
    "QuestionToSave": (
        {
            "sql": "SELECT :a",
            "description": "",
            "parameters": {"a": {"type": "int", "default": 1, "optional": True}},
            "limit": None,
        },
        {"sql": "SELECT 1"},
    ),
    "Run": ({"parameters": {"a": None}, "version": 1, "wait_seconds": 0, "limit": 1, "cache": "use"}, {}),
    "WebhookToAdd": ({"url": "https://a/", "saved": "late"}, {"url": "https://a/", "dataset": "stays"}),
}


def test_a_whole_number_of_more_than_64_bits_is_refused_although_no_schema_can_say_so() -> None:
    for value, taken in ((INT64_MAX, True), (INT64_MAX + 1, False), (INT64_MIN - 1, False), (1e300, True)):
        assert is_read(QUESTION, {"sql": "SELECT ?", "parameters": [value]}) is taken
        assert is_read(QUESTION, {"sql": "SELECT :a", "parameters": {"a": value}}) is taken


@pytest.mark.parametrize(
    ("name", "field", "last", "beyond"),
    [
        ("Question", "wait_seconds", 25, 26),
        ("Question", "limit", 2**31 - 1, 2**31),
        ("Question", "parameters", [0] * 1000, [0] * 1001),
        ("QuestionToSave", "description", "x" * 1000, "x" * 1001),
        ("QuestionToSave", "sql", "x" * 16_384, "x" * 16_385),
        ("Run", "version", 10**9, 10**9 + 1),
        ("WebhookToAdd", "url", "x" * 2000, "x" * 2001),
    ],
)
def test_bounds_are_described_as_they_are_held(name: str, field: str, last: Any, beyond: Any) -> None:
    schema = Draft202012Validator(DESCRIBED[name])
    for value, taken in ((last, True), (beyond, False)):
        body = {**EXAMPLES[name][1], field: value}
        assert (schema.is_valid(body), is_read(READ[name], body)) == (taken, taken)
