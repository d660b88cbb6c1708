"""The pages that problems link to: `/problems/<code>`, from the texts of docs/problems.md (`make docs`)."""

import json
from functools import cache
from html import escape
from pathlib import Path

from api.response import PUBLIC, Reply
from athena.errors import NotFound

TEXTS = Path(__file__).with_name("problems.json")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{code} - Lakegate</title></head>
<body><h1><code>{code}</code></h1><p>{meaning}</p><p><strong>What to do:</strong> {remedy}</p></body></html>
"""


def explanation(code: str) -> Reply:
    """What a code means in general and what to do; raises `NotFound` for a code that there is not."""
    if code not in _texts():
        raise NotFound("There is no such problem.", "Take the type of a problem as it is.")
    meaning, remedy = _texts()[code]
    page = _PAGE.format(code=escape(code), meaning=escape(meaning), remedy=escape(remedy))
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", PUBLIC))
    return Reply(200, (*headers, ("Content-Security-Policy", "default-src 'none'")), page.encode())


@cache
def _texts() -> dict[str, tuple[str, str]]:
    return {code: (meaning, remedy) for code, (meaning, remedy) in json.loads(TEXTS.read_bytes()).items()}
