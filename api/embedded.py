"""The same app with the routes that only a home of its own has: its token endpoint, public keys and downloads.

On AWS these are Cognito's and S3's, so that `api/app.py`, which is packaged, does not have them.
"""

import json
from http import HTTPStatus

from api.app import app
from api.download import download
from api.edge import visited
from api.openapi import FORM_TYPE
from api.problem import INTERNAL
from api.response import PUBLIC, Reply, json_reply, problem_reply

__all__ = ["app"]


@app.view("/oauth2/token", "POST", content_types=[FORM_TYPE])
def post_token() -> Reply:
    """Client credentials → bearer token."""
    visit, incoming = visited()
    if visit.parts.exchange is None:
        return problem_reply(INTERNAL)
    granted = visit.parts.exchange.grant(incoming)
    document = {
        "access_token": granted.access_token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": granted.scope,
    }
    return json_reply(json.dumps(document).encode(), cache_control="no-store")


@app.view("/.well-known/jwks.json", "GET")
def get_keys() -> Reply:
    """The public keys that tokens are verified with."""
    visit, _ = visited()
    if visit.parts.tokens is None:
        return problem_reply(INTERNAL)
    return json_reply(json.dumps(visit.parts.tokens.published()).encode(), cache_control=PUBLIC)


@app.view("/v1/downloads/{ticket}", "GET")
def get_file(ticket: str) -> Reply:
    """The whole answer that a link leads to; the link itself is the credential."""
    visit, _ = visited()
    return download(visit.parts.lake, ticket)


@app.view("/", "GET")
def get_root() -> Reply:
    """To where people want to be who open the address in a browser."""
    return Reply(HTTPStatus.TEMPORARY_REDIRECT, (("Location", "docs"), ("Cache-Control", PUBLIC)))
