"""The page at `/docs`: Swagger UI from our own origin, to read the interface, sign in and try it out.

The files are those of a package that a home installs anyway, and of which the function on AWS carries them; nothing is
fetched from anybody else, and the policy of the page forbids it. `flask_swagger_ui` is found and never imported: Flask
is not loaded.
"""

import gzip
import hashlib
import json
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from api.callers import SCOPE
from api.problem import WrongRequest
from api.response import Reply

# The token endpoint is elsewhere on AWS. Swagger UI writes style attributes, and draws its icons from data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'{token_origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HTML_TYPE, SCRIPT_TYPE, STYLE_TYPE = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css"
START = "start.js"
TYPES = {
    "swagger-ui-bundle.js": SCRIPT_TYPE,
    "swagger-ui.css": STYLE_TYPE,
    START: SCRIPT_TYPE,
}
# Beside the JSON interface, and so not in its description.
PATHS = frozenset(["/", "/docs", "/docs/{file}"])

# Without a leading slash, so that a proxy may serve the lake below a path of its own.
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lakegate</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="interface"></div>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  // Otherwise a wrong secret has the browser ask for a password of its own.
  requestInterceptor: (request) => ({ ...request, credentials: "omit" }),
});
ui.initOAuth({ scopes: %s });
"""


def page(*, token_url: str, if_none_match: str | None) -> Reply:
    """The page itself."""
    to = urlsplit(token_url)
    origin = f" {to.scheme}://{to.netloc}" if to.netloc else ""
    reply = _sent(_PAGE, HTML_TYPE, if_none_match)
    return reply.with_headers((("Content-Security-Policy", POLICY.format(token_origin=origin)),))


def file(name: str, *, if_none_match: str | None) -> Reply:
    """One of the files that the page names; raises `WrongRequest` (404) for any other."""
    if name not in TYPES:
        raise WrongRequest(
            "There is no such file.", "GET /docs is the page.", status=HTTPStatus.NOT_FOUND, code="not-found"
        )
    return _sent(_content(name), TYPES[name], if_none_match)


@cache
def _content(name: str) -> bytes:
    if name == START:
        return (_START % json.dumps(SCOPE)).encode()
    found = find_spec("flask_swagger_ui")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the package flask-swagger-ui is not installed")
    path = Path(next(iter(found.submodule_search_locations))) / "dist" / name
    # The function on AWS carries it compressed.
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())


def _sent(body: bytes, content_type: str, if_none_match: str | None) -> Reply:
    tag = f'"{_digest(body)}"'
    headers = (("ETag", tag), ("Cache-Control", "public, no-cache"))
    if if_none_match is not None and tag in if_none_match:
        return Reply(HTTPStatus.NOT_MODIFIED, headers)
    secured = ("Referrer-Policy", "no-referrer")
    return Reply(HTTPStatus.OK, (("Content-Type", content_type), *headers, secured), body)


@cache
def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
