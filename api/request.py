"""What came in, read once at the edge into frozen values; whatever is not documented is refused there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from api.problem import WrongRequest

MAX_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request. `route` is the template that matched; query fields keep every value that was given; `claims` are
    those of a token that a gateway in front has verified (none in the embedded home)."""

    method: str
    route: str
    query: Mapping[str, tuple[str, ...]]
    body: bytes
    authorization: str | None = None
    accept: str | None = None
    if_none_match: str | None = None
    cache_control: str | None = None
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paged:
    """The query fields of a page of rows, checked."""

    token: str | None
    limit: int | None


def read_page(incoming: Incoming) -> Paged:
    """Which page is wanted; raises `WrongRequest` for unknown, repeated or malformed fields."""
    given = one_each(incoming, "page", "limit", "shape", "guard")
    digits = given.get("limit")
    if digits is None:
        return Paged(given.get("page"), None)
    limit = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else 0
    return Paged(given.get("page"), check_limit(limit))


def max_age(cache_control: str | None) -> int | None:
    """How old, in seconds, an answer may be for a `Cache-Control` header; None when it does not say. `no-cache` is 0.

    What is not understood is passed over, as RFC 9111 has it (section 5.2).

    >>> max_age("max-age=60"), max_age("No-Cache"), max_age("no-store, max-age=x"), max_age(None)
    (60, 0, None, None)
    """
    if cache_control is None:
        return None
    said = [directive.strip() for directive in cache_control.lower().split(",")]
    ages = [digits for name, _, digits in (one.partition("=") for one in said) if name == "max-age"]
    found = [min(int(age), MAX_LIMIT) for age in ages if age.isascii() and age.isdigit() and len(age) <= 20]
    return 0 if "no-cache" in said else min(found, default=None)


def check_limit(value: object) -> int:
    """`value` when it is a whole number of at least 1; `WrongRequest` otherwise."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_LIMIT:
        raise wrong("limit is no whole number of at least 1.", f"Send 1 to {MAX_LIMIT}, or leave it out.", "limit")
    return value


def one_each(incoming: Incoming, *names: str) -> dict[str, str]:
    """The query fields by name; raises `WrongRequest` for any that is not in `names` or stands there twice."""
    for name, values in incoming.query.items():
        if name not in names:
            known = f"Known here: {', '.join(names)}." if names else "This route takes none."
            raise wrong(f"{shown(name)} is no query field.", known, name)
        if len(values) != 1:
            raise wrong(f"{name} stands there {len(values)} times.", "Give it once.", name)
    return {name: values[0] for name, values in incoming.query.items()}


def wrong(message: str, remedy: str, *path: str) -> WrongRequest:
    """A 400 for the field at `path`, told as a JSON pointer (RFC 6901).

    >>> wrong("no", "yes", "parameters", "a/b").pointer
    '/parameters/a~1b'
    """
    pointer = "".join("/" + shortened(step).replace("~", "~0").replace("/", "~1") for step in path)
    return WrongRequest(message, remedy, pointer=pointer)


def shortened(text: str) -> str:
    """Enough of a caller's own word to know it by, in characters that can be sent.

    >>> shortened("x" * 50) == "x" * 40 + "…"
    True
    """
    sendable = text[:41].encode("utf-8", "replace").decode()
    return sendable if len(text) <= 40 else sendable[:40] + "…"


def shown(name: str) -> str:
    """The same in quotes."""
    return repr(shortened(name))


def accepted(accept: str | None, offered: tuple[str, ...]) -> str:
    """Which of `offered` an `Accept` header likes best (RFC 9110, section 12.5.1); 406 when it takes none.

    >>> accepted("text/csv;q=0.9, application/json;q=0.5", ("application/json", "text/csv"))
    'text/csv'
    >>> accepted(None, ("application/json", "text/csv"))
    'application/json'
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = weights(accept)
    best, quality = "", 0.0
    for media_type in offered:
        if _quality(media_type, ranges) > quality:
            best, quality = media_type, _quality(media_type, ranges)
    if not best:
        raise WrongRequest(
            "None of the media types in Accept is made here.",
            f"Use {' or '.join(offered)}.",
            status=HTTPStatus.NOT_ACCEPTABLE,
            code="not-acceptable",
        )
    return best


def weights(header: str) -> dict[str, float]:
    """What a header of preferences names, with the weight of each.

    >>> weights("gzip;q=0.5, br")
    {'gzip': 0.5, 'br': 1.0}
    """
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        given = [option[2:] for option in options if option.startswith("q=")]
        found[name] = _weight(given[0]) if given else 1.0
    return found


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
