import json

import pytest

from api.problem import as_problem
from athena.errors import (
    Busy,
    Damaged,
    Failed,
    Gone,
    LakegateError,
    LimitExceeded,
    NotFound,
    OutcomeUnknown,
    Refused,
    SqlRefused,
    Unauthenticated,
)

HIDDEN = "/srv/home/state.sqlite: row 7 of lake.flights holds 'SECRET'"


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (Refused("a", "b", code="sql-syntax"), 400, {}),
        (Refused("a", "b", code="sql-unsupported"), 400, {}),
        (Refused("a", "b", code="answer-not-ready"), 409, {}),
        (NotFound("a", "b"), 404, {}),
        (Gone("a", "b", code="grant-changed"), 410, {}),
        (Unauthenticated("a", "b"), 401, {"WWW-Authenticate": 'Bearer realm="lakegate"'}),
        (LimitExceeded("a", "b", retry_after_seconds=7), 429, {"Retry-After": "7"}),
        (Busy("a", "b", retry_after_seconds=3), 503, {"Retry-After": "3"}),
        (Failed("a", "b", code="engine-lost"), 503, {"Retry-After": "5"}),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_what_concerns_the_caller_keeps_its_words(error: LakegateError, status: int, headers: dict[str, str]) -> None:
    problem = as_problem(error)
    assert (problem.status, problem.code, problem.detail, problem.remedy) == (status, error.code, "a", "b")
    assert dict(problem.headers) == headers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Failed(HIDDEN, HIDDEN, code="state-unavailable"), 503, "state-unavailable"),
        (OutcomeUnknown(HIDDEN, HIDDEN), 503, "outcome-unknown"),
        (Damaged(HIDDEN, HIDDEN, code="state-damaged"), 500, "internal"),
        (LakegateError(HIDDEN, HIDDEN), 500, "internal"),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_what_went_wrong_here_is_told_without_details(error: LakegateError, status: int, code: str) -> None:
    problem = as_problem(error)
    assert (problem.status, problem.code) == (status, code)
    assert b"SECRET" not in problem.body()
    assert "request id" in problem.remedy


def test_a_statement_that_is_wrong_is_told_with_its_place() -> None:
    document = json.loads(as_problem(SqlRefused("a", "b", code="sql-syntax", line=2, column=7)).body())
    assert (document["status"], document["line"], document["column"]) == (400, 2, 7)
    assert "line" not in json.loads(as_problem(SqlRefused("a", "b")).body())


def test_the_body_is_problem_details() -> None:
    document = json.loads(as_problem(Refused("It is wrong: ü.", "Mend it.", code="sql-syntax")).body())
    assert document == {
        "type": "/problems/sql-syntax",
        "title": "Bad Request",
        "status": 400,
        "code": "sql-syntax",
        "detail": "It is wrong: ü.",
        "remedy": "Mend it.",
    }
