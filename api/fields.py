"""Fields of paths, queries and headers as OpenAPI; what they may be comes from the modules that check them. Pure."""

from typing import Any

from api.download import FORMATS
from api.filters import DEFAULT_LIMIT, ESCAPE, MOST_ROWS, OPERATORS
from api.forms import GUARDS, SHAPES
from api.saved import NAME as QUESTION_NAME
from api.schemas import LIMIT, TEXT

Field = dict[str, Any]

ID = {"name": "id", "in": "path", "required": True, "schema": TEXT, "description": "The answer's id."}
NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT, "description": "The dataset's name."}
WEBHOOK = {"name": "id", "in": "path", "required": True, "schema": TEXT, "description": "The webhook's id."}
PAGE = {"name": "page", "in": "query", "schema": TEXT, "description": "The `next` of the page before."}
PAGE_LIMIT = {"name": "limit", "in": "query", "schema": LIMIT, "description": "The most rows of this page."}
SELECT = {"name": "select", "in": "query", "schema": TEXT, "description": "Columns, by commas; all without it."}
ORDER = {
    "name": "order",
    "in": "query",
    "schema": TEXT,
    "description": "Columns, by commas; `-` before one: descending.",
}
ROWS_LIMIT = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_LIMIT},
}
FILTERS = {
    "name": "filters",
    "in": "query",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": TEXT},
    "description": (
        "A column and what it must be: `carrier=UA`, `dep_delay=gt.10`; operators "
        f"{', '.join(OPERATORS)}. A column called like another field is written `{ESCAPE}limit`."
    ),
    "example": {"carrier": "UA", "dep_delay": "gt.10"},
}
SHAPE = {
    "name": "shape",
    "in": "query",
    "schema": {"enum": list(SHAPES), "default": SHAPES[0]},
    "description": "Whether a JSON row is an array or an object by column name.",
}
GUARD = {
    "name": "guard",
    "in": "query",
    "schema": {"enum": list(GUARDS)},
    "description": "In CSV: an apostrophe before texts that a spreadsheet would take for a formula.",
}
FORMAT = {"name": "format", "in": "query", "schema": {"enum": list(FORMATS), "default": "csv"}}
TICKET = {"name": "ticket", "in": "path", "required": True, "schema": TEXT, "description": "From the redirect."}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": TEXT, "description": "The ETag that you have."}

CACHE_CONTROL = {
    "name": "Cache-Control",
    "in": "header",
    "schema": TEXT,
    "description": "`no-cache` computes anew; `max-age=N` takes an answer that was computed in the last N seconds.",
}
QUESTION = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^" + QUESTION_NAME.pattern.replace(r"\Z", "$")},
    "description": "What you call the question.",
}
VERSION = {
    "name": "version",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1},
    "description": "One of the last versions; the latest without it.",
}
CODE = {"name": "code", "in": "path", "required": True, "schema": TEXT, "description": "A problem's code."}
