"""Saved questions: a partner's own SQL by name, with typed parameters, checked when it is saved and at each run."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import orjson

from api.bodies import ByName, Field, Nullable, Object
from api.edge import Entered
from api.question import CACHE, LIMIT, WAIT, Asked, freshness, read_json
from api.request import Incoming, one_each, shown, wrong
from api.response import JSON_TYPE, PRIVATE, Reply, instant
from api.shapes import NOT_BLANK, Flag, Scalar, Text, Whole
from api.values import EXPECTED, literal
from athena.check import check, placeholders
from athena.dataset import DataType, parse_type
from athena.errors import Busy, NotFound, Refused
from athena.lake import Lake
from athena.question import Caller, Question
from athena.question import Scalar as Value
from athena.saved import KEPT_VERSIONS, SavedParameter, SavedQuestion, SavedVersion

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
MAX_SAVED, MAX_SQL_LENGTH, MAX_PARAMETERS, MAX_DESCRIPTION, MAX_VERSION = 200, 16_384, 50, 1000, 10**9
PARAMETER = Object(
    "a parameter",
    {
        "type": Field(Text(remedy='Send {"type": "date"}.'), "A column type.", required=True),
        "optional": Field(Flag(), default=False),
        "default": Field(Scalar(), "Taken when a run gives none."),
    },
)
TO_SAVE = Object(
    "a saved question",
    {
        "sql": Field(
            Text(most=MAX_SQL_LENGTH, pattern=NOT_BLANK, remedy='Send {"sql": "SELECT …"}.'),
            "One SELECT; its values are :names.",
            required=True,
        ),
        "description": Field(Text(most=MAX_DESCRIPTION, remedy="Send a shorter text."), default=""),
        "parameters": Field(
            ByName(PARAMETER, MAX_PARAMETERS, 'Send {"origin": {"type": "string"}}.'), "Each :name of sql.", default={}
        ),
        "limit": LIMIT,
    },
)
VERSION = Field(Nullable(Whole(1, MAX_VERSION)), "One of the last versions; the latest without it.")
RUN = Object(
    "a run",
    {
        "parameters": Field(Nullable(ByName(Scalar(), MAX_PARAMETERS, "Send the values by name.")), "Values by name."),
        "version": VERSION,
        "wait_seconds": WAIT,
        "limit": LIMIT,
        "cache": CACHE,
    },
)
_TRIES = 5
_SAMPLES: dict[str, Value] = {"string": "", "boolean": True, "int": 1, "long": 1, "float": 1.0, "double": 1.0}


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
    fields = RUN.read(read_json(entered.incoming.body or b"{}"))
    version = _version(_found(entered, name), fields["version"])
    cache, oldest = freshness(entered.incoming, fields["cache"])
    question = Question(
        caller=entered.caller,
        sql=version.sql,
        parameters=_values(version.parameters, fields["parameters"] or {}),
        limit=fields["limit"] or version.limit,
        cache=cache,
        max_age_seconds=oldest,
        request_id=entered.visit.request_id,
    )
    return Asked(question, float(fields["wait_seconds"]))


def typed(kind: DataType, given: object) -> Value:
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


def _values(declared: tuple[SavedParameter, ...], given: Mapping[str, Value]) -> Mapping[str, Value]:
    names = [parameter.name for parameter in declared]
    for name in given:
        if name not in names:
            raise wrong(
                f"{shown(name)} is no parameter of it.", f"It has {', '.join(names) or 'none'}.", "parameters", name
            )
    found: dict[str, Value] = {}
    for parameter in declared:
        value = given.get(parameter.name, parameter.default)
        if value is None and not parameter.optional:
            raise wrong(f"{parameter.name} has no value.", "Send one.", "parameters", parameter.name)
        found[parameter.name] = None if value is None else _typed(parameter, value, "parameters", parameter.name)
    return found


def _typed(parameter: SavedParameter, value: object, *path: str) -> Value:
    kind = parse_type(parameter.type)
    try:
        return typed(kind, value)
    except (ValueError, OverflowError) as error:
        expected = EXPECTED[kind.name]
        raise wrong(f"{parameter.name} is no {kind}.", f"Send {expected}.", *path) from error


def _read_version(incoming: Incoming, now: datetime) -> SavedVersion:
    fields = TO_SAVE.read(read_json(incoming.body))
    declared = tuple(_parameter(name, given) for name, given in fields["parameters"].items())
    return SavedVersion(0, fields["sql"], fields["description"], declared, fields["limit"], now)


def _parameter(name: str, given: Mapping[str, Any]) -> SavedParameter:
    path = ("parameters", name)
    try:
        kind = str(parse_type(given["type"]))
    except Refused as error:
        raise wrong(error.message, error.remedy, *path, "type") from error
    default = given["default"]
    parameter = SavedParameter(name, kind, None, given["optional"])
    if default is None:
        return parameter
    _typed(parameter, default, *path, "default")
    text = default if isinstance(default, str) else orjson.dumps(default).decode()
    return replace(parameter, default=text)


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


def _sample(kind: DataType) -> Value:
    moments: dict[str, Value] = {"date": date(2000, 1, 1), "timestamp": datetime(2000, 1, 1), "decimal": Decimal(1)}
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


_READ: dict[str, Callable[[str], Value]] = {
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
