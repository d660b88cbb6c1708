"""An answer's rows in the form that was asked for: whole, by pages, or by a link.

JSON goes through `response.answered`; every other form tells in headers what JSON tells in its envelope.
"""

from dataclasses import replace

from api.edge import Entered
from api.forms import CONTENT_TYPES, PLAIN, Wanted
from api.problem import Pairs
from api.request import MAX_LIMIT, Paged
from api.response import PRIVATE, Reply, answered, in_objects, page_body, tagged
from athena import ask
from athena.ask import Sheet
from athena.forms import Form
from athena.question import Answer, Receipt, State


def first_rows(entered: Entered, answer: Answer, wanted: Wanted) -> Reply:
    """A final answer: JSON with its first page, or all its rows (their first page, on AWS) in another form.

    Outside of JSON a failed answer raises what it failed with.
    """
    if_none_match = entered.incoming.if_none_match
    if wanted is PLAIN:
        return answered(answer, if_none_match=if_none_match)
    if wanted.form is Form.JSON:
        page = answer.page
        if page is not None and wanted.objects:
            answer = replace(answer, page=replace(page, fragment=in_objects(page.fragment)))
        return answered(answer, if_none_match=if_none_match, variant="objects" if wanted.objects else "")
    tags = tagged(answer, wanted.form)
    if answer.state is State.SUCCEEDED and tags.matches(if_none_match):
        return Reply(304, tags.headers)
    reply = _from(entered, answer.id, Paged(None, None), wanted)
    about: Pairs = (("Lakegate-Answer", answer.id), ("Lakegate-Cache", answer.cache))
    return replace(reply, headers=(*reply.headers, *about, *tags.headers))


def more_rows(entered: Entered, answer_id: str, paged: Paged, wanted: Wanted) -> Reply:
    """A page of an answer; without a limit everything from there on, where that needs no memory."""
    if wanted.form is not Form.JSON:
        return _from(entered, answer_id, paged, wanted)
    sheet = _sheet(entered, answer_id, paged, Form.JSON)
    fragment = in_objects(sheet.page.fragment) if wanted.objects else sheet.page.fragment
    body = page_body(answer_id, fragment, sheet.receipt, sheet.next)
    return Reply(200, _headers(Form.JSON) + _link(answer_id, sheet, paged.limit, wanted), body)


def _from(entered: Entered, answer_id: str, paged: Paged, wanted: Wanted) -> Reply:
    form, limit = wanted.form, paged.limit
    if limit is None:
        lake, caller = entered.visit.parts.lake, entered.caller
        flow = ask.stream(lake, caller, answer_id, form=form, token=paged.token)
        if flow is not None:
            return Reply(200, _headers(form) + _told(flow.receipt), chunks=flow.chunks)
        paged = replace(paged, limit=MAX_LIMIT)
    sheet = _sheet(entered, answer_id, paged, form)
    headers = _headers(form) + _told(sheet.receipt) + _link(answer_id, sheet, limit, wanted)
    return Reply(200, headers, sheet.page.fragment)


def _sheet(entered: Entered, answer_id: str, paged: Paged, form: Form) -> Sheet:
    lake = entered.visit.parts.lake
    return ask.page(lake, entered.caller, answer_id, token=paged.token, limit=paged.limit, form=form)


def _headers(form: Form) -> Pairs:
    return (("Content-Type", CONTENT_TYPES[form]), ("Cache-Control", PRIVATE))


def _told(receipt: Receipt) -> Pairs:
    """What the envelope of JSON says: rows of the whole answer, and whether the row limit cut it."""
    return (
        ("Lakegate-Row-Count", str(receipt.row_count)),
        ("Lakegate-Truncated", "true" if receipt.truncated else "false"),
    )


def _link(answer_id: str, sheet: Sheet, limit: int | None, wanted: Wanted) -> Pairs:
    """The next page, asked for as this one was."""
    if sheet.next is None:
        return ()
    size = "" if limit is None else f"&limit={limit}"
    details = "&shape=objects" if wanted.objects else "&guard=formulas" if wanted.form is Form.GUARDED_CSV else ""
    return (("Link", f'</v1/queries/{answer_id}/rows?page={sheet.next}{size}{details}>; rel="next"'),)
