"""Saved questions: a partner's own SQL by name, with typed parameters, checked when it is saved and at each run."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import orjson

from api.edge import Entered
from api.question import Asked, freshness, read_cache, read_fields, read_limit, read_wait_seconds, whole
from api.request import Incoming, one_each, shown, wrong
from api.response import JSON_TYPE, PRIVATE, Reply, instant
from api.values import EXPECTED, literal
from athena.check import check, placeholders
from athena.dataset import DataType, parse_type
from athena.errors import Busy, NotFound, Refused
from athena.lake import Lake
from athena.question import Caller, Question, Scalar
from athena.saved import KEPT_VERSIONS, SavedParameter, SavedQuestion, SavedVersion

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
MAX_SAVED, MAX_SQL_LENGTH, MAX_PARAMETERS, MAX_DESCRIPTION = 200, 16_384, 50, 1000
FIELDS = ("sql", "description", "parameters", "limit")
PARAMETER_FIELDS = ("type", "default", "optional")
RUN_FIELDS = ("parameters", "version", "wait_seconds", "limit", "cache")
_TRIES = 5
_SAMPLES: dict[str, Scalar] = {"string": "", "boolean": True, "int": 1, "long": 1, "float": 1.0, "double": 1.0}


def save(entered: Entered, name: str) -> Reply:
    """201 for a new question, 200 for a new version; what is the same already stays as it is."""
    lake, partner = entered.visit.parts.lake, _partner(entered)
    one_each(entered.incoming)
    if not NAME.match(name):
        raise wrong(f"{shown(name)} cannot name a question.", "Use a-z, 0-9, _ and -, 63 at most.", "name")
    wanted = _read_version(entered.incoming, lake.clock())
    _check(lake, entered.caller, wanted)
    for _ in range(_TRIES):
        known = lake.saved.get(partner, name)
        if known is None and len(lake.saved.all(partner)) >= MAX_SAVED:
            raise Refused(
                f"You have {MAX_SAVED} saved questions.", "Delete one that you need no more.", code="saved-limit"
            )
        if known is not None and _same(known.latest, wanted):
            return _told(known, known.latest)
        version = _numbered(wanted, 1 if known is None else known.latest.version + 1)
        kept = () if known is None else known.versions[-KEPT_VERSIONS + 1 :]
        question = SavedQuestion(partner, name, (*kept, version))
        if lake.saved.put(question, before=None if known is None else known.latest.version):
            return _told(question, version, status=HTTPStatus.CREATED if known is None else HTTPStatus.OK)
    raise Busy("Others are saving this question.", "Save it again in a moment.")


def saved(entered: Entered, name: str) -> Reply:
    """One question, in its latest version or in the one that `version` names."""
    given = one_each(entered.incoming, "version").get("version")
    number = None if given is None else int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    question = _found(entered, name)
    return _told(question, _version(question, number))


def listed(entered: Entered) -> Reply:
    """All of a partner's questions."""
    one_each(entered.incoming)
    questions = entered.visit.parts.lake.saved.all(_partner(entered))
    return _json({"saved": [_described(question, question.latest) for question in questions]})


def forget(entered: Entered, name: str) -> Reply:
    """204 once it is gone."""
    one_each(entered.incoming)
    if not entered.visit.parts.lake.saved.remove(_partner(entered), name):
        raise _no_such_question()
    return Reply(HTTPStatus.NO_CONTENT)


def read_run(entered: Entered, name: str) -> Asked:
    """The question of a run, its values typed; raises `WrongRequest` that points to the wrong one."""
    one_each(entered.incoming, "shape", "guard")
    fields = read_fields(entered.incoming.body or b"{}", RUN_FIELDS, "a run")
    number = fields.get("version")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        raise wrong("version is no number.", "Send a whole number, or leave it out for the latest.", "version")
    version = _version(_found(entered, name), number)
    cache, oldest = freshness(entered.incoming, read_cache(fields))
    question = Question(
        caller=entered.caller,
        sql=version.sql,
        parameters=_values(version.parameters, {} if fields.get("parameters") is None else fields["parameters"]),
        limit=read_limit(fields) or version.limit,
        cache=cache,
        max_age_seconds=oldest,
        request_id=entered.visit.request_id,
    )
    return Asked(question, read_wait_seconds(fields))


def typed(kind: DataType, given: object) -> Scalar:
    """A JSON value as one of a column type; raises `ValueError` when it is none.

    >>> typed(DataType("date"), "2026-11-21"), typed(DataType("long"), "7"), typed(DataType("decimal", 9, 2), 1)
    (datetime.date(2026, 11, 21), 7, Decimal('1'))
    """
    if kind.name == "boolean" and isinstance(given, bool):
        return given
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(given)
    text = given if isinstance(given, str) else repr(given)
    if kind.name == "string" and not isinstance(given, str):
        raise ValueError(given)
    literal(kind, text)
    return _READ[kind.name](text)


def _values(declared: tuple[SavedParameter, ...], given: object) -> Mapping[str, Scalar]:
    if not isinstance(given, dict):
        raise wrong("parameters is no object.", "Send the values by name.", "parameters")
    names = [parameter.name for parameter in declared]
    for name in given:
        if name not in names:
            raise wrong(
                f"{shown(name)} is no parameter of it.", f"It has {', '.join(names) or 'none'}.", "parameters", name
            )
    found: dict[str, Scalar] = {}
    for parameter in declared:
        value = given.get(parameter.name, parameter.default)
        if value is None and not parameter.optional:
            raise wrong(f"{parameter.name} has no value.", "Send one.", "parameters", parameter.name)
        found[parameter.name] = None if value is None else _typed(parameter, value, "parameters", parameter.name)
    return found


def _typed(parameter: SavedParameter, value: object, *path: str) -> Scalar:
    kind = parse_type(parameter.type)
    try:
        return typed(kind, value)
    except (ValueError, OverflowError) as error:
        expected = EXPECTED[kind.name]
        raise wrong(f"{parameter.name} is no {kind}.", f"Send {expected}.", *path) from error


def _read_version(incoming: Incoming, now: datetime) -> SavedVersion:
    fields = read_fields(incoming.body, FIELDS, "a saved question")
    sql, description = fields.get("sql"), fields.get("description", "")
    if not isinstance(sql, str) or not sql.strip() or len(sql) > MAX_SQL_LENGTH:
        raise wrong(f"sql is missing, no text, or longer than {MAX_SQL_LENGTH}.", 'Send {"sql": "SELECT …"}.', "sql")
    if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
        raise wrong(f"description is no text of up to {MAX_DESCRIPTION}.", "Shorten it.", "description")
    whole(description, "description")
    parameters = fields.get("parameters", {})
    if not isinstance(parameters, dict) or len(parameters) > MAX_PARAMETERS:
        remedy = 'Send {"origin": {"type": "string"}}, with at most ' + f"{MAX_PARAMETERS} of them."
        raise wrong("parameters is no object by name.", remedy, "parameters")
    declared = tuple(_parameter(name, given) for name, given in parameters.items())
    return SavedVersion(0, sql, description, declared, read_limit(fields), now)


def _parameter(name: str, given: Any) -> SavedParameter:
    path = ("parameters", name)
    if not isinstance(given, dict) or not set(given) <= set(PARAMETER_FIELDS) or not isinstance(given.get("type"), str):
        raise wrong(f"{shown(name)} is not described as a parameter is.", 'Send {"type": "date"}.', *path)
    try:
        kind = str(parse_type(given["type"]))
    except Refused as error:
        raise wrong(error.message, error.remedy, *path, "type") from error
    optional, default = given.get("optional", False), given.get("default")
    if not isinstance(optional, bool):
        raise wrong("optional is neither true nor false.", "Leave it out, or send true.", *path, "optional")
    parameter = SavedParameter(name, kind, None, optional)
    if default is None:
        return parameter
    _typed(parameter, default, *path, "default")
    text = default if isinstance(default, str) else orjson.dumps(default).decode()
    return SavedParameter(name, kind, text, optional)


def _check(lake: Lake, caller: Caller, version: SavedVersion) -> None:
    """That it could be asked now; each run asks anew."""
    names = placeholders(lake, version.sql)
    declared = {parameter.name for parameter in version.parameters}
    if any(name.startswith("?") for name in names):
        raise wrong("The statement has a ? for a value.", "Name its values: :origin, and describe each.", "sql")
    for name in sorted(set(names) ^ declared):
        what = "is not described" if name in names else "is not in the statement"
        raise wrong(f"Parameter {shown(name)} {what}.", "Describe every :name of the statement.", "parameters", name)
    samples = {parameter.name: _sample(parse_type(parameter.type)) for parameter in version.parameters}
    check(lake, Question(caller, version.sql, samples, version.limit))


def _sample(kind: DataType) -> Scalar:
    moments: dict[str, Scalar] = {"date": date(2000, 1, 1), "timestamp": datetime(2000, 1, 1), "decimal": Decimal(1)}
    return {**_SAMPLES, **moments, "timestamptz": datetime(2000, 1, 1, tzinfo=UTC)}[kind.name]


def _found(entered: Entered, name: str) -> SavedQuestion:
    question = entered.visit.parts.lake.saved.get(_partner(entered), name) if NAME.match(name) else None
    if question is None:
        raise _no_such_question()
    return question


def _version(question: SavedQuestion, number: int | None) -> SavedVersion:
    if number is None:
        return question.latest
    for version in question.versions:
        if version.version == number:
            return version
    raise _no_such_question()


def _partner(entered: Entered) -> str:
    if entered.caller.partner is None:
        raise _no_such_question()
    return entered.caller.partner


def _same(known: SavedVersion, wanted: SavedVersion) -> bool:
    return _content(known) == _content(wanted)


def _content(version: SavedVersion) -> tuple[object, ...]:
    return version.sql, version.description, version.parameters, version.limit


def _numbered(version: SavedVersion, number: int) -> SavedVersion:
    return replace(version, version=number)


def _told(question: SavedQuestion, version: SavedVersion, *, status: int = HTTPStatus.OK) -> Reply:
    return _json(_described(question, version), status=status)


def _described(question: SavedQuestion, version: SavedVersion) -> dict[str, object]:
    return {
        "name": question.name,
        "version": version.version,
        "versions": [one.version for one in question.versions],
        "sql": version.sql,
        "description": version.description,
        "parameters": {
            one.name: {"type": one.type, "optional": one.optional}
            | ({} if one.default is None else {"default": one.default})
            for one in version.parameters
        },
        "limit": version.limit,
        "saved_at": instant(version.saved_at),
    }


def _json(document: object, *, status: int = HTTPStatus.OK) -> Reply:
    return Reply(int(status), (("Content-Type", JSON_TYPE), ("Cache-Control", PRIVATE)), orjson.dumps(document))


def _no_such_question() -> NotFound:
    return NotFound("There is no such saved question.", "GET /v1/saved lists yours.")


_READ: dict[str, Callable[[str], Scalar]] = {
    "string": str,
    "boolean": lambda text: text == "true",
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
}
