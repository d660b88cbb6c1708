"""The function on AWS that tells partners' webhooks of changes.

    EventBridge (DatasetUpdated) → SQS ─┬─▶ heard → spread → sent
    schedule, every minute ─────────────┘            what failed, and is due again

What a webhook does not take is tried again for hours by the schedule, and then lies among its partner's dead notices.
The queue's own dead letters are events that could not even be kept.
"""

import json
import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from api.on_lambda import log_as_json
from athena.errors import LakegateError
from athena.events import DatasetUpdated
from athena.lake import Lake
from athena.notices.notifier import SEND_SECONDS, Notifier
from athena.records import decode

# A try that has begun is finished, and its outcome kept.
RESERVE_SECONDS = SEND_SECONDS + 10
log = logging.getLogger("lakegate.notifier")


def on_change(event: Mapping[str, Any], context: Any, notifier: Notifier) -> dict[str, Any]:
    """Keep what is told of, make notices of it, and send what is due; which messages have to come again.

    The answer's form: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failed = [record["messageId"] for record in event.get("Records", []) if not _heard(record, notifier)]
    notifier.spread()
    notifier.send_due(lambda: context.get_remaining_time_in_millis() / 1000 > RESERVE_SECONDS)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _heard(record: Mapping[str, Any], notifier: Notifier) -> bool:
    try:
        detail = json.loads(record["body"])["detail"]
        notifier.notices.heard(decode(DatasetUpdated, json.dumps(detail).encode()))
    except (LakegateError, KeyError, TypeError, ValueError) as error:
        log.error("message %s is not heard: %s", record["messageId"], type(error).__name__)
        return False
    return True


def tell(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The handler."""
    return on_change(event, context, _notifier())


@cache
def _notifier() -> Notifier:
    from athena.audit.stream import StreamAudit
    from athena.aws import client
    from athena.aws_lake import state_of
    from athena.notices.dynamodb import DynamoNotices
    from athena.settings_aws import stage_settings

    log_as_json()
    settings = stage_settings(os.environ, lambda: client("ssm"))
    lake = Lake.aws(settings, audit=StreamAudit())
    return Notifier.of(lake, DynamoNotices(state_of(settings), lake.clock))
