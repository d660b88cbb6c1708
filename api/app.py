"""The HTTP interface that partners meet: every route a few lines over the read story."""

from api import docs, webhooks
from api.browse import browse
from api.download import read_form, redirect
from api.edge import App, enter, visited
from api.explained import explanation
from api.forms import FORM_FIELDS, PLAIN, read_wanted
from api.openapi import encoded
from api.question import read_question
from api.request import one_each, read_page
from api.response import (
    JSON_TYPE,
    LATER,
    PUBLIC,
    Reply,
    answered,
    dataset_body,
    json_reply,
    listing_body,
    pending,
    usage_body,
)
from api.rows import first_rows, more_rows
from api.saved import forget, listed, read_run, save, saved
from api.waiting import waited
from athena import accounting, ask, catalogue

# The interface's own, not the package's: it changes with what partners meet.
API_VERSION = "1.0"

# Longer pages take a thread: copying and compressing them would hold up the others.
MAX_AT_ONCE_BYTES = 256 * 1024

app = App("lakegate")


@app.view("/v1/queries", "POST", content_types=[JSON_TYPE])
def post_query() -> Reply:
    """Ask; 200 with the first page, or 202 with where to look for it."""
    entered = enter()
    wanted = read_wanted(entered.incoming)
    asked = read_question(entered.incoming, entered.caller, request_id=entered.visit.request_id)
    lake, visit = entered.visit.parts.lake, entered.visit
    if visit.at_once:
        known = ask.at_once(lake, asked.question, most_page_bytes=MAX_AT_ONCE_BYTES) if wanted is PLAIN else None
        if known is None:
            return LATER
        visit.cache = known.cache
        visit.rate = known.rate
        return answered(known, if_none_match=entered.incoming.if_none_match)
    answer, park = waited(entered, asked.question, asked.wait_seconds)
    if not answer.state.final:
        return pending(answer, park=park)
    return first_rows(entered, answer, wanted)


@app.view("/v1/queries/{id}", "GET")
def get_query(id: str) -> Reply:
    """Where a question stands, with its first page when it is answered."""
    entered = enter()
    one_each(entered.incoming, *FORM_FIELDS)
    wanted = read_wanted(entered.incoming)
    answer = ask.wait(entered.visit.parts.lake, entered.caller, id, seconds=entered.visit.linger_seconds)
    return first_rows(entered, answer, wanted) if answer.state.final else answered(answer)


@app.view("/v1/queries/{id}", "DELETE")
def delete_query(id: str) -> Reply:
    """Leave a question; its run stops unless others have joined."""
    entered = enter()
    one_each(entered.incoming)
    return answered(ask.cancel(entered.visit.parts.lake, entered.caller, id))


@app.view("/v1/queries/{id}/rows", "GET")
def get_rows(id: str) -> Reply:
    """A page of an answer; `Link` (and `next`, in JSON) leads to the following one."""
    entered = enter()
    paged = read_page(entered.incoming)
    return more_rows(entered, id, paged, read_wanted(entered.incoming))


@app.view("/v1/queries/{id}/download", "GET")
def get_download(id: str) -> Reply:
    """A link to the whole answer as one file, for a minute."""
    entered = enter()
    return redirect(entered, id, read_form(entered))


@app.view("/v1/datasets", "GET")
def get_datasets() -> Reply:
    """What this partner may ask about."""
    entered = enter()
    one_each(entered.incoming)
    return json_reply(listing_body(catalogue.datasets(entered.visit.parts.lake, entered.caller)))


@app.view("/v1/datasets/{name}", "GET")
def get_dataset(name: str) -> Reply:
    """One dataset as this partner sees it."""
    entered = enter()
    one_each(entered.incoming)
    return json_reply(dataset_body(catalogue.dataset(entered.visit.parts.lake, entered.caller, name)))


@app.view("/v1/datasets/{name}/rows", "GET")
def get_dataset_rows(name: str) -> Reply:
    """Rows of a dataset without SQL: select, filters, order, limit and pages by query fields."""
    entered = enter()
    return browse(entered, name, read_wanted(entered.incoming))


@app.view("/v1/usage", "GET")
def get_usage() -> Reply:
    """What this partner has asked, and may still ask."""
    entered = enter()
    one_each(entered.incoming)
    return json_reply(usage_body(accounting.usage(entered.visit.parts.lake, entered.caller)))


@app.view("/v1/saved", "GET")
def get_all_saved() -> Reply:
    """This partner's saved questions."""
    return listed(enter())


@app.view("/v1/saved/{name}", "PUT", content_types=[JSON_TYPE])
def put_saved(name: str) -> Reply:
    """Save a question under a name, as a new version when there is one already."""
    return save(enter(), name)


@app.view("/v1/saved/{name}", "GET")
def get_saved(name: str) -> Reply:
    """A saved question."""
    return saved(enter(), name)


@app.view("/v1/saved/{name}", "DELETE")
def delete_saved(name: str) -> Reply:
    """Forget a saved question with all its versions."""
    return forget(enter(), name)


@app.view("/v1/saved/{name}/runs", "POST", content_types=[JSON_TYPE])
def post_run(name: str) -> Reply:
    """Ask a saved question; as `POST /v1/queries` from there on."""
    entered = enter()
    wanted = read_wanted(entered.incoming)
    asked = read_run(entered, name)
    answer, park = waited(entered, asked.question, asked.wait_seconds)
    if not answer.state.final:
        return pending(answer, park=park)
    return first_rows(entered, answer, wanted)


@app.view("/v1/webhooks", "POST", content_types=[JSON_TYPE])
def post_webhook() -> Reply:
    """Be told of changes."""
    return webhooks.register(enter())


@app.view("/v1/webhooks", "GET")
def get_webhooks() -> Reply:
    """This partner's webhooks."""
    return webhooks.listed(enter())


@app.view("/v1/webhooks/{id}", "DELETE")
def delete_webhook(id: str) -> Reply:
    """Be told no more."""
    return webhooks.forget(enter(), id)


@app.view("/v1/webhooks/{id}/dead", "GET")
def get_dead(id: str) -> Reply:
    """What could not be delivered."""
    return webhooks.dead(enter(), id)


@app.view("/v1/webhooks/{id}/dead", "POST", content_types=[JSON_TYPE])
def post_dead(id: str) -> Reply:
    """Deliver it once more."""
    return webhooks.revive(enter(), id)


@app.view("/problems/{code}", "GET", public=True)
def get_problem(code: str) -> Reply:
    """What a problem's code means: where its `type` leads."""
    return explanation(code)


@app.view("/healthz", "GET", public=True)
def get_health() -> Reply:
    """That the server answers; nothing of the lake is touched."""
    return json_reply(b'{"status":"ok"}')


@app.view("/openapi.json", "GET", public=True)
def get_openapi() -> Reply:
    """The interface as OpenAPI 3.1."""
    visit, _ = visited()
    parts = visit.parts
    body = encoded(version=API_VERSION, embedded=parts.tokens is not None, token_url=parts.token_url)
    return json_reply(body, cache_control=PUBLIC)


@app.view("/docs", "GET", public=True)
def get_docs() -> Reply:
    """Swagger UI."""
    visit, incoming = visited()
    return docs.page(token_url=visit.parts.token_url, if_none_match=incoming.if_none_match)


@app.view("/docs/{file}", "GET", public=True)
def get_docs_file(file: str) -> Reply:
    """What Swagger UI consists of."""
    _, incoming = visited()
    return docs.file(file, if_none_match=incoming.if_none_match)
