"""The server's log: one JSON object per line on stderr."""

import json
import logging
import sys
from datetime import UTC, datetime

from api.response import instant

ACCESS, LOADS = "lakegate.access", "lakegate.loads"


class JsonLines(logging.Formatter):
    """What the logs of requests and loads say is JSON already; everything else becomes an object with `message`."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name in (ACCESS, LOADS):
            return record.getMessage()
        at = instant(datetime.fromtimestamp(record.created, UTC))
        message = super().format(record)
        return json.dumps({"at": at, "level": record.levelname, "logger": record.name, "message": message})


def log_to_stderr() -> None:
    """Send what our loggers say to stderr, unless somebody has set them up already."""
    for name in ("lakegate", "api", "etl", "athena"):
        log = logging.getLogger(name)
        if log.handlers:
            continue
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
