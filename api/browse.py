"""Rows of a dataset without SQL: the query fields become a statement, which is asked like any other.

fields → conditions → statement → ask (the same cache) → page → the place of the next one
"""

import csv
import math
from dataclasses import replace
from io import StringIO
from urllib.parse import urlencode

import orjson

from api.edge import Entered
from api.filters import Browsing, read_browsing
from api.forms import CONTENT_TYPES, Wanted
from api.keyset import FLOATING, Key, Place, following, read_place, sign_place, statement
from api.question import freshness
from api.response import PRIVATE, Reply, answered, in_objects, pending
from api.waiting import waited
from athena import ask, catalogue
from athena.dataset import DataType
from athena.forms import Form
from athena.page import csv_header
from athena.question import Answer, Question, State

WAIT_SECONDS = 10.0


def browse(entered: Entered, dataset: str, wanted: Wanted) -> Reply:
    """A page of a dataset's rows as this partner may see them."""
    lake, caller, incoming = entered.visit.parts.lake, entered.caller, entered.incoming
    visible = catalogue.dataset(lake, caller, dataset).columns
    asked = read_browsing(incoming, dataset, visible)
    place = read_place(asked, caller, secret=lake.secret)
    sql, parameters = statement(asked, place)
    cache, oldest = freshness(incoming, "use")
    question = Question(caller, sql, parameters, cache=cache, max_age_seconds=oldest)
    answer, park = waited(entered, question, WAIT_SECONDS)
    if not answer.state.final:
        return pending(answer, park=park)
    if answer.state is not State.SUCCEEDED and wanted.form is Form.JSON:
        return answered(answer)
    return _page(entered, answer, asked, place, wanted)


def _page(entered: Entered, answer: Answer, asked: Browsing, place: Place, wanted: Wanted) -> Reply:
    lake, caller = entered.visit.parts.lake, entered.caller
    sheet = ask.page(lake, caller, answer.id, limit=asked.limit)
    count, token = sheet.page.row_count, None
    if count == asked.limit or sheet.next is not None:
        behind = following(asked, place, _keys(entered, answer, asked, sheet.page.fragment, count))
        token = sign_place(behind, asked, caller, secret=lake.secret)
    link = () if token is None else (("Link", f'<{_address(entered, asked.dataset, token)}>; rel="next"'),)
    if wanted.form is Form.JSON:
        fragment = in_objects(sheet.page.fragment) if wanted.objects else sheet.page.fragment
        shown = replace(answer, page=replace(sheet.page, fragment=fragment), next=token)
        shown = replace(shown, receipt=replace(sheet.receipt, row_count=count, truncated=False))
        variant = f"rows-{asked.limit}" + ("-objects" if wanted.objects else "")
        reply = answered(shown, if_none_match=entered.incoming.if_none_match, variant=variant)
        return replace(reply, headers=(*reply.headers, *link))
    whole = ask.page(lake, caller, answer.id, limit=count or 1, form=wanted.form).page.fragment
    if wanted.form.is_csv and asked.page is not None:
        # One header for all pages, as they follow each other.
        whole = whole.removeprefix(csv_header(sheet.receipt.columns, guarded=wanted.form is Form.GUARDED_CSV))
    told = (
        ("Content-Type", CONTENT_TYPES[wanted.form]),
        ("Cache-Control", PRIVATE),
        ("Lakegate-Answer", answer.id),
        ("Lakegate-Cache", answer.cache),
        ("Lakegate-Row-Count", str(count)),
        ("Lakegate-Truncated", "false"),
    )
    return Reply(200, (*told, *link), whole)


def _keys(entered: Entered, answer: Answer, asked: Browsing, fragment: bytes, count: int) -> list[Key]:
    """The values of each row in the columns of the order, as text; None is NULL."""
    names = [column.name for column in asked.columns]
    at = [names.index(one.column.name) for one in asked.order]
    rows = orjson.loads(b"{%b}" % fragment)["rows"]
    unclear = [
        place for place in at if asked.columns[place].type.name in FLOATING and any(r[place] is None for r in rows)
    ]
    if unclear:
        # JSON has null for NaN and infinity as well; CSV tells them apart.
        lake, caller = entered.visit.parts.lake, entered.caller
        content = ask.page(lake, caller, answer.id, limit=count, form=Form.CSV).page.fragment.decode()
        exact = list(csv.reader(StringIO(content, newline="")))[1:]
        for row, texts in zip(rows, exact, strict=True):
            for place in unclear:
                row[place] = texts[place] or None
    return [
        tuple(_text(row[place], one.column.type) for place, one in zip(at, asked.order, strict=True)) for row in rows
    ]


def _text(value: object, kind: DataType) -> str | None:
    """One text for each value that the engine takes for the same: both zeros are one, and each NaN."""
    if value is None:
        return None
    if kind.name not in FLOATING:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    number = float(str(value)) + 0.0
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _address(entered: Entered, dataset: str, token: str) -> str:
    fields = {name: values for name, values in entered.incoming.query.items() if name != "page"}
    return f"/v1/datasets/{dataset}/rows?{urlencode({**fields, 'page': (token,)}, doseq=True)}"
