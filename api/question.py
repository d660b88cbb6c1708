"""The body of `POST /v1/queries`: JSON from a stranger → a question, or a refusal that points to the field."""

import json
import math
from dataclasses import dataclass
from typing import Any

from api.bodies import Field, Nullable, Object, Values
from api.problem import WrongRequest
from api.request import MAX_LIMIT, Incoming, max_age, one_each
from api.shapes import NOT_BLANK, Number, Text, Whole, Word
from athena.question import CacheUse, Caller, Question

MAX_BODY_BYTES = 1024 * 1024
MAX_WAIT_SECONDS = 25
DEFAULT_WAIT_SECONDS = 10
MAX_PARAMETERS = 1000

LIMIT = Field(Nullable(Whole(1, MAX_LIMIT)), "The most rows of the whole answer.")
WAIT = Field(
    Number(0, MAX_WAIT_SECONDS, f"Send 0 to {MAX_WAIT_SECONDS}, or leave it out for {DEFAULT_WAIT_SECONDS}."),
    "How long to wait for the answer, in seconds, before 202.",
    default=DEFAULT_WAIT_SECONDS,
)
CACHE = Field(Word(("use", "refresh")), default="use")
QUESTION = Object(
    "a question",
    {
        "sql": Field(
            Text(pattern=NOT_BLANK, remedy='Send {"sql": "SELECT …"}.'),
            "One SELECT in Athena's dialect.",
            required=True,
        ),
        "parameters": Field(Values(MAX_PARAMETERS), "Values for ? in their order, or by name.", default=()),
        "wait_seconds": WAIT,
        "limit": LIMIT,
        "cache": CACHE,
    },
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and for how long the caller is ready to wait for its answer."""

    question: Question
    wait_seconds: float


def read_question(incoming: Incoming, caller: Caller, *, request_id: str = "") -> Asked:
    """The question in a request's body; raises `WrongRequest` with a pointer to the wrong field."""
    one_each(incoming, "shape", "guard")
    fields = QUESTION.read(read_json(incoming.body))
    cache, oldest = freshness(incoming, fields["cache"])
    question = Question(
        caller=caller,
        sql=fields["sql"],
        parameters=fields["parameters"],
        limit=fields["limit"],
        cache=cache,
        max_age_seconds=oldest,
        request_id=request_id,
    )
    return Asked(question, float(fields["wait_seconds"]))


def freshness(incoming: Incoming, cache: CacheUse) -> tuple[CacheUse, int | None]:
    """How an answer may be had, and how old it may be, with what `Cache-Control` says of it."""
    oldest = max_age(incoming.cache_control)
    # An answer of age 0 is one that is made now.
    return ("refresh" if oldest == 0 else cache), oldest


def read_json(body: bytes) -> Any:
    """What a body says, strictly: UTF-8, finite numbers, every name once.

    >>> read_json(b'{"sql": "SELECT 1"}')
    {'sql': 'SELECT 1'}
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON at line {error.lineno}, column {error.colno}.") from error
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8 at byte {error.start}.") from error
    except RecursionError as error:
        raise _malformed("The body nests too deeply.") from error
    except ValueError as error:
        raise _malformed("The body holds NaN, a number beyond any type, or one name twice.") from error


def _malformed(message: str) -> WrongRequest:
    return WrongRequest(message, "Send one JSON object as RFC 8259 has it.", code="malformed-json")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
