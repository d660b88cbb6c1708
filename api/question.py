"""The body of `POST /v1/queries`: JSON from a stranger → a question, or a refusal that points to the field."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.problem import WrongRequest
from api.request import Incoming, check_limit, max_age, one_each, shortened, shown, wrong
from athena.question import CacheUse, Caller, Question, Scalar

MAX_BODY_BYTES = 1024 * 1024
MAX_WAIT_SECONDS = 25
DEFAULT_WAIT_SECONDS = 10
MAX_PARAMETERS = 1000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

FIELDS = ("sql", "parameters", "wait_seconds", "limit", "cache")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and for how long the caller is ready to wait for its answer."""

    question: Question
    wait_seconds: float


def read_question(incoming: Incoming, caller: Caller, *, request_id: str = "") -> Asked:
    """The question in a request's body; raises `WrongRequest` with a pointer to the wrong field."""
    one_each(incoming, "shape", "guard")
    fields = read_fields(incoming.body, FIELDS, "a question")
    cache, oldest = freshness(incoming, read_cache(fields))
    question = Question(
        caller=caller,
        sql=_sql(fields.get("sql")),
        parameters=_parameters(fields.get("parameters")),
        limit=read_limit(fields),
        cache=cache,
        max_age_seconds=oldest,
        request_id=request_id,
    )
    return Asked(question, read_wait_seconds(fields))


def read_fields(body: bytes, known: tuple[str, ...], what: str) -> dict[str, Any]:
    """The object in a body; raises `WrongRequest` for fields that are not in `known`."""
    fields = read_object(body)
    for name in fields:
        if name not in known:
            raise wrong(f"{shown(name)} is no field of {what}.", f"Use {', '.join(known)}.", name)
    return fields


def freshness(incoming: Incoming, cache: CacheUse) -> tuple[CacheUse, int | None]:
    """How an answer may be had, and how old it may be, with what `Cache-Control` says of it."""
    oldest = max_age(incoming.cache_control)
    # An answer of age 0 is one that is made now.
    return ("refresh" if oldest == 0 else cache), oldest


def read_limit(fields: Mapping[str, Any]) -> int | None:
    """`limit`, None when it is left out."""
    return None if fields.get("limit") is None else check_limit(fields["limit"])


def read_object(body: bytes) -> dict[str, Any]:
    """One JSON object, strictly: UTF-8, finite numbers, every name once.

    >>> read_object(b'{"sql": "SELECT 1"}')
    {'sql': 'SELECT 1'}
    """
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON at line {error.lineno}, column {error.colno}.") from error
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8 at byte {error.start}.") from error
    except RecursionError as error:
        raise _malformed("The body nests too deeply.") from error
    except ValueError as error:
        raise _malformed("The body holds NaN, a number beyond any type, or one name twice.") from error
    if not isinstance(document, dict):
        raise wrong("The body is no JSON object.", 'Send {"sql": "SELECT …"}.')
    return document


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


def _sql(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong("sql is missing or no text.", 'Send {"sql": "SELECT …"}.', "sql")
    return whole(value, "sql")


def _parameters(value: object) -> tuple[Scalar, ...] | Mapping[str, Scalar]:
    if value is None:
        return ()
    if not isinstance(value, list | dict):
        raise wrong("parameters is neither a list nor an object.", "Send a list, or an object by name.", "parameters")
    if len(value) > MAX_PARAMETERS:
        raise wrong(f"There are {len(value)} parameters.", f"At most {MAX_PARAMETERS} are taken.", "parameters")
    if isinstance(value, dict):
        return {whole(name, "parameters"): _scalar(item, name) for name, item in value.items()}
    return tuple(_scalar(item, str(at)) for at, item in enumerate(value))


def _scalar(value: object, name: str) -> Scalar:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return whole(value, "parameters", name)
    if not isinstance(value, int):
        remedy = "Send text, a number, true, false or null."
        raise wrong(f"Parameter {shown(name)} is a list or an object.", remedy, "parameters", name)
    if not INT64_MIN <= value <= INT64_MAX:
        remedy = "Send it as text and CAST it to a decimal."
        raise wrong(f"Parameter {shown(name)} is beyond 64 bits.", remedy, "parameters", name)
    return value


def whole(text: str, *path: str) -> str:
    """`text` when it can be sent and stored; `WrongRequest` otherwise."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise wrong(f"{shortened(path[0])} holds half a surrogate pair.", "Send whole characters.", *path) from error
    return text


def read_cache(fields: Mapping[str, Any]) -> CacheUse:
    """`cache`."""
    value = fields.get("cache", "use")
    if value == "use":
        return "use"
    if value == "refresh":
        return "refresh"
    raise wrong("cache is neither use nor refresh.", 'Send "use" or "refresh", or leave it out.', "cache")


def read_wait_seconds(fields: Mapping[str, Any]) -> float:
    """`wait_seconds`."""
    value = fields.get("wait_seconds", DEFAULT_WAIT_SECONDS)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_WAIT_SECONDS:
        remedy = f"Send 0 to {MAX_WAIT_SECONDS}, or leave it out for {DEFAULT_WAIT_SECONDS}."
        raise wrong("wait_seconds is no number in its range.", remedy, "wait_seconds")
    return float(value)
