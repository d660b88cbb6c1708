"""What a notice says and how it is signed: https://www.standardwebhooks.com (symmetric, `v1`). Pure."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from athena.events import DatasetUpdated
from athena.notices import Notice, Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 no secret


def notice_of(webhook: Webhook, event: DatasetUpdated, now: datetime) -> Notice:
    """The notice of an event to a webhook; counts of rows stay out of it: they may not be the partner's to know."""
    told: dict[str, object] = {} if webhook.saved is None else {"saved": webhook.saved}
    told |= {"dataset": event.dataset}
    told |= {"snapshot": {"id": event.snapshot_id, "committed_at": _instant(event.committed_at)}}
    kind = "dataset.updated" if webhook.saved is None else "saved.updated"
    document = {"type": kind, "timestamp": _instant(event.committed_at), "data": told}
    digest = hashlib.sha256(f"{webhook.id} {event.id}".encode()).hexdigest()
    body = json.dumps(document, separators=(",", ":"))
    return Notice(f"n_{digest[:32]}", webhook.id, event.dataset, body, attempts=0, due_at=now)


def headers(notice: Notice, secret: str, now: datetime) -> dict[str, str]:
    """What the receiver verifies it by.

    >>> notice = Notice("n_1", "w_1", "stays", "{}", 0, datetime(2026, 11, 21, tzinfo=UTC))
    >>> headers(notice, "whsec_c2VjcmV0", notice.due_at)["webhook-signature"]
    'v1,1BkNkKNjIVNrD2uKkc4DJoKxy1/Iw5YebeiJD+ZeFro='
    """
    sent_at = str(int(now.timestamp()))
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.new(key, f"{notice.id}.{sent_at}.{notice.body}".encode(), hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "lakegate",
        "webhook-id": notice.id,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{b64encode(signed).decode()}",
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
