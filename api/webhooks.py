"""Webhooks: where a partner wants to be told that a dataset, or the data of a saved question, has changed."""

from base64 import b64encode
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson

from api.bodies import Field, Object
from api.edge import Entered
from api.question import read_json
from api.request import one_each, wrong
from api.response import JSON_TYPE, PRIVATE, Reply, instant
from api.shapes import Text
from athena import catalogue
from athena.errors import NotFound, Refused
from athena.notices import Notice, Notices, Webhook
from athena.notices.reach import reachable
from athena.notices.sign import SECRET_PREFIX

MAX_WEBHOOKS, MAX_URL_LENGTH = 20, 2000
_REMEDY = f"Send an https address of at most {MAX_URL_LENGTH} characters, without user, password or fragment."
_ADDRESS = Text(most=MAX_URL_LENGTH, pattern="^[!-~]+$", remedy=_REMEDY)
URL = Field(_ADDRESS, "Where to send notices; https.", required=True)
DATASET = Field(Text(), "Told when it has changed.")
SAVED = Field(Text(), "A saved question: told when a dataset of it has changed.")
TO_ADD = Object("a webhook", {"url": URL, "dataset": DATASET, "saved": SAVED}, one_of=("dataset", "saved"))
_ID_BYTES, _SECRET_BYTES = 12, 32


def register(entered: Entered) -> Reply:
    """201 with the secret that signs notices, told this once."""
    one_each(entered.incoming)
    lake, notices, partner = entered.visit.parts.lake, _notices(entered), _partner(entered)
    fields = TO_ADD.read(read_json(entered.incoming.body))
    dataset, saved = fields["dataset"], fields["saved"]
    checked = _checked(fields["url"], lake.settings.webhook_networks)
    if dataset is not None:
        catalogue.dataset(lake, entered.caller, dataset)
    elif lake.saved.get(partner, saved) is None:
        raise NotFound("There is no such saved question.", "GET /v1/saved lists yours.")
    if len(notices.webhooks(partner)) >= MAX_WEBHOOKS:
        raise Refused(f"You have {MAX_WEBHOOKS} webhooks.", "Delete one that you need no more.", code="webhook-limit")
    webhook = Webhook(
        id=f"w_{lake.random_bytes(_ID_BYTES).hex()}",
        partner=partner,
        url=checked,
        dataset=dataset,
        saved=saved,
        secret=SECRET_PREFIX + b64encode(lake.random_bytes(_SECRET_BYTES)).decode(),
        created_at=lake.clock(),
    )
    notices.register(webhook)
    return _json({**_described(webhook), "secret": webhook.secret}, HTTPStatus.CREATED)


def listed(entered: Entered) -> Reply:
    """All of a partner's webhooks, without their secrets."""
    one_each(entered.incoming)
    return _json({"webhooks": [_described(webhook) for webhook in _notices(entered).webhooks(_partner(entered))]})


def forget(entered: Entered, webhook_id: str) -> Reply:
    """204 once it is gone."""
    one_each(entered.incoming)
    if not _notices(entered).remove(_partner(entered), webhook_id):
        raise _no_such_webhook()
    return Reply(HTTPStatus.NO_CONTENT)


def dead(entered: Entered, webhook_id: str) -> Reply:
    """The notices that were given up."""
    one_each(entered.incoming)
    found = _notices(entered).dead(_found(entered, webhook_id).id)
    return _json({"dead": [_given_up(notice) for notice in found]})


def revive(entered: Entered, webhook_id: str) -> Reply:
    """Send them once more; how many there are."""
    one_each(entered.incoming)
    revived = _notices(entered).revive(_found(entered, webhook_id).id, entered.visit.parts.lake.clock())
    return _json({"revived": revived})


def _checked(url: str, networks: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong("url is no address.", _REMEDY, "url") from error
    schemes = ("https", "http") if networks else ("https",)
    if parts.scheme not in schemes or not host or port == 0 or "@" in parts.netloc or parts.fragment:
        raise wrong("url is not one that can be told.", _REMEDY, "url")
    try:
        literal = str(ip_address(host))
    except ValueError:
        return url  # a name: judged by what it leads to, each time that something is sent
    if not reachable(literal, networks):
        raise wrong("url leads to no public address.", "Name a host that the internet can reach.", "url")
    return url


def _found(entered: Entered, webhook_id: str) -> Webhook:
    for webhook in _notices(entered).webhooks(_partner(entered)):
        if webhook.id == webhook_id:
            return webhook
    raise _no_such_webhook()


def _notices(entered: Entered) -> Notices:
    return entered.visit.parts.notices


def _partner(entered: Entered) -> str:
    if entered.caller.partner is None:
        raise _no_such_webhook()
    return entered.caller.partner


def _described(webhook: Webhook) -> dict[str, object]:
    watched = {"dataset": webhook.dataset} if webhook.saved is None else {"saved": webhook.saved}
    return {"id": webhook.id, "url": webhook.url, **watched, "created_at": instant(webhook.created_at)}


def _given_up(notice: Notice) -> dict[str, object]:
    content = orjson.loads(notice.body)
    return {"id": notice.id, "notice": content, "attempts": notice.attempts, "error": notice.error}


def _json(document: object, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status, (("Content-Type", JSON_TYPE), ("Cache-Control", PRIVATE)), orjson.dumps(document))


def _no_such_webhook() -> NotFound:
    return NotFound("There is no such webhook.", "GET /v1/webhooks lists yours.")
