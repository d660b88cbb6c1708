"""The JSON that goes in and out, as JSON Schema (2020-12, which OpenAPI 3.1 uses). Pure.

What is sent to us is described by the very shapes that read it (`api/shapes.py`).
"""

from dataclasses import fields
from typing import Any

from api.question import LIMIT as MOST_ROWS
from api.question import QUESTION
from api.request import MAX_LIMIT
from api.saved import PARAMETER, RUN, TO_SAVE
from api.webhooks import DATASET, SAVED, TO_ADD, URL
from athena.accounting import Counts
from athena.grants import Limits
from athena.question import State

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INSTANT: Schema = {"type": "string", "format": "date-time"}
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
TOKEN: Schema = {"type": ["string", "null"], "description": "Give it as `page` to read on; null on the last page."}
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}

RATE_HEADERS: Schema = {
    "RateLimit-Policy": {"schema": TEXT, "description": 'Questions in so many seconds: `"minute";q=120;w=60`.'},
    "RateLimit": {"schema": TEXT, "description": 'What is left, seconds until it is renewed: `"minute";r=7;t=35`.'},
}


def components() -> dict[str, Schema]:
    """Every schema by its name in `#/components/schemas`."""
    return {
        "Question": QUESTION.schema(),
        "Answer": _answer(),
        "Page": _page(),
        "Link": _object({"url": TEXT, "expires_at": INSTANT}),
        "Parts": _object({"parts": _list("Part"), "row_count": COUNT, "expires_at": INSTANT}),
        "Part": _object({"url": TEXT, "size_bytes": COUNT, "rows": COUNT}),
        "Unloading": _object({"state": {"const": "RUNNING"}}),
        "ResultColumn": _object({"name": TEXT, "type": TEXT}),
        "Snapshot": _object({"id": TEXT, "committed_at": INSTANT}),
        "Failure": _object({"code": TEXT, "detail": TEXT, "remedy": TEXT}),
        "Datasets": _object({"datasets": _list("Dataset")}),
        "Dataset": _dataset(),
        "Column": _column(),
        "Usage": _usage(),
        "Counts": _object(_counts(), required=[name for name in _counts() if name != "scanned_bytes"]),
        "Limits": _object({one.name: {**COUNT, "type": ["integer", "null"]} for one in fields(Limits)}),
        "Health": _object({"status": {"const": "ok"}}),
        "TokenRequest": _token_request(),
        "Token": _object({"access_token": TEXT, "token_type": {"const": "Bearer"}, "expires_in": COUNT, "scope": TEXT}),
        "Keys": _object({"keys": {"type": "array", "items": {"type": "object"}}}),
        "Problem": _problem(),
        **_saved(),
        **_webhooks(),
    }


def ref(name: str) -> Schema:
    """A reference to one of the components.

    >>> ref("Answer")
    {'$ref': '#/components/schemas/Answer'}
    """
    return {"$ref": f"#/components/schemas/{name}"}


def _saved() -> dict[str, Schema]:
    number: Schema = {"type": "integer", "minimum": 1}
    kept = {
        "name": TEXT,
        "version": number,
        "versions": {"type": "array", "items": number},
        "sql": TEXT,
        "description": TEXT,
        "parameters": {"type": "object", "additionalProperties": PARAMETER.schema()},
        "limit": MOST_ROWS.schema(),
        "saved_at": INSTANT,
    }
    return {
        "QuestionToSave": TO_SAVE.schema(),
        "SavedQuestion": _object(kept),
        "SavedQuestions": _object({"saved": _list("SavedQuestion")}),
        "Run": RUN.schema(),
    }


def _webhooks() -> dict[str, Schema]:
    watched = {"dataset": DATASET.schema(), "saved": SAVED.schema()}
    kept = {"id": TEXT, "url": URL.schema(), **watched, "created_at": INSTANT}
    needed = ["id", "url", "created_at"]
    secret = {**TEXT, "description": "What notices are signed with."}
    notice = _object({"id": TEXT, "notice": {"type": "object"}, "attempts": COUNT, "error": TEXT})
    return {
        "WebhookToAdd": TO_ADD.schema(),
        "Webhook": _object(kept, required=needed),
        "NewWebhook": _object({**kept, "secret": secret}, required=[*needed, "secret"]),
        "Webhooks": _object({"webhooks": _list("Webhook")}),
        "DeadNotices": _object({"dead": {"type": "array", "items": notice}}),
        "Revived": _object({"revived": COUNT}),
    }


def _answer() -> Schema:
    properties: dict[str, Schema] = {
        "id": TEXT,
        "state": {"enum": [state.value for state in State]},
        "cache": {"enum": ["hit", "miss", "joined", "bypass"]},
        "columns": _list("ResultColumn"),
        "rows": _rows(),
        "row_count": {**COUNT, "description": "Rows of the whole answer."},
        "truncated": {"type": "boolean", "description": "The row limit cut the answer off."},
        "next": TOKEN,
        "snapshots": {"type": "object", "additionalProperties": ref("Snapshot")},
        "submitted_at": INSTANT,
        "expires_at": INSTANT,
        "warnings": {"type": "array", "items": TEXT},
        "error": ref("Failure"),
    }
    return _object(properties, required=["id", "state", "cache", "snapshots", "submitted_at", "expires_at"])


def _page() -> Schema:
    properties: dict[str, Schema] = {
        "id": TEXT,
        "columns": _list("ResultColumn"),
        "rows": _rows(),
        "row_count": {**COUNT, "description": "Rows of the whole answer."},
        "truncated": {"type": "boolean", "description": "The row limit cut the answer off."},
        "next": TOKEN,
    }
    return _object(properties)


def _dataset() -> Schema:
    properties = {
        "name": TEXT,
        "description": TEXT,
        "columns": _list("Column"),
        "snapshot": ref("Snapshot"),
        "rows": {**COUNT, "description": "Left out where the caller may see only some of the rows."},
    }
    return _object(properties, required=["name", "description", "columns", "snapshot"])


def _usage() -> Schema:
    counts = _counts()
    whole = _object({"days": COUNT, **counts}, required=["days", *(name for name in counts if name != "scanned_bytes")])
    minute = _object({"used": COUNT, "ends_at": INSTANT})
    limits = {"oneOf": [ref("Limits"), {"type": "null"}]}
    return _object({"today": ref("Counts"), "all": whole, "minute": minute, "limits": limits})


def _counts() -> dict[str, Schema]:
    counts: dict[str, Schema] = {one.name: COUNT for one in fields(Counts)}
    counts["hit_rate"] = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    counts["scanned_bytes"] = {**COUNT, "description": "Left out where you may see only some of the rows."}
    return counts


def _column() -> Schema:
    properties = {"name": TEXT, "type": TEXT, "required": {"type": "boolean"}, "unit": TEXT, "description": TEXT}
    return _object(properties, required=["name", "type", "required"])


def _token_request() -> Schema:
    properties = {
        "grant_type": {"const": "client_credentials"},
        "scope": TEXT,
        "client_id": TEXT,
        "client_secret": TEXT,
    }
    return {**_object(properties, required=["grant_type"]), "additionalProperties": True}


def _problem() -> Schema:
    properties: dict[str, Schema] = {
        "type": {**TEXT, "description": "Leads to the page that explains the code."},
        "title": TEXT,
        "status": {"type": "integer"},
        "code": {**TEXT, "description": "Stable; one of docs/problems.md."},
        "detail": {**TEXT, "description": "What happened."},
        "remedy": {**TEXT, "description": "What to do now."},
        "pointer": {**TEXT, "description": "The wrong field as a JSON pointer."},
        "line": {"type": "integer", "minimum": 1, "description": "Where in the statement."},
        "column": {"type": "integer", "minimum": 1, "description": "Where in that line."},
        "error": {**TEXT, "description": "OAuth's own code, at the token endpoint."},
        "error_description": TEXT,
    }
    return _object(properties, required=["type", "title", "status", "code", "detail", "remedy"])


def _rows() -> Schema:
    row = {"anyOf": [{"type": "array", "items": SCALAR}, {"type": "object", "additionalProperties": SCALAR}]}
    return {"type": "array", "items": row}


def _list(name: str) -> Schema:
    return {"type": "array", "items": ref(name)}


def _object(properties: dict[str, Schema], *, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }
