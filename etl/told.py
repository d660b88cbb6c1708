"""Who hears of a home's events: partners by their webhooks of new rows, the owner of files that failed."""

import os
from collections.abc import Callable
from pathlib import Path

import orjson

from athena.events import DatasetUpdated, Event, LoadFailed
from etl.disk import writing

FAILURES = "failed.jsonl"


def told_at_home(notices: Callable[[DatasetUpdated], None], reports: Path) -> Callable[[Event], None]:
    """What delivers an event of a home: `DatasetUpdated` to `notices`, `LoadFailed` as a line of
    `reports/failed.jsonl`, at least once each (`id` says which is which). Raises `Failed` ("disk")."""

    def tell(event: Event) -> None:
        if isinstance(event, LoadFailed):
            append(reports / FAILURES, event)
        else:
            notices(event)

    return tell


def append(path: Path, event: LoadFailed) -> None:
    """One more line, on the disk for good; whole, however many processes write."""
    with writing(path, "Make room on the disk; it is told again."):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(orjson.dumps(event) + b"\n")
            os.fsync(file.fileno())
