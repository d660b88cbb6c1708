"""Files of this machine into a stage's landing, and what became of them: put → wait for the job's report."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from athena.s3 import Bucket
from etl.aws.landing import S3Landing
from etl.history import report_of
from etl.landing import Key, checked_key, checked_keys
from etl.report import Report
from infra.deployment.account import Account, calling
from infra.deployment.push import settings_of

_LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """Which files are whose, and how long to wait for their reports; `sleep` is between two looks."""

    files: Sequence[Path]
    dataset: str
    source: str
    wait_seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Landed:
    """What was reported so far, and the keys of which nothing was heard yet."""

    reports: tuple[Report, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Put:
    """A file that lies under `key`: `known` are the reports that there were before, `same` says that it lay there."""

    key: Key
    known: frozenset[str]
    same: bool


def load_into(stage: str, order: Order, account: Account, say: Callable[[str], None]) -> Landed:
    """Put the files and wait until each has a report. Raises `NotFound` without the stage, `Refused` for a file that
    cannot be a landing file: nothing is put then."""
    with calling(f"loading into stage {stage}"):
        name, _, prefix = settings_of(stage, account).owners.removeprefix("s3://").partition("/")
        s3 = account.client("s3")
        files = Bucket(s3, name, prefix=f"{prefix}landing/", code="storage-unavailable")
        reports = Bucket(s3, name, prefix=f"{prefix}reports/", code="storage-unavailable")
        checked_keys(order.files, dataset=order.dataset, source=order.source)  # before anything is put
        return put_and_follow(order, files, reports, say)


def put_and_follow(order: Order, files: Bucket, reports: Bucket, say: Callable[[str], None]) -> Landed:
    """Put the files below `files` and wait for what comes below `reports`."""
    put = []
    for file in order.files:
        say(f"uploading {file.name} to s3://{files.name}/{files.prefix}")
        put.append(_put(file, order, files, reports))
    return _followed(put, order, reports)


def _put(file: Path, order: Order, files: Bucket, reports: Bucket) -> _Put:
    key = checked_key(file, dataset=order.dataset, source=order.source)
    before, known = files.find(key.text), frozenset(_reports_of(key, reports))
    S3Landing(files).put(file, dataset=order.dataset, source=order.source)
    after = files.find(key.text)
    same = before is not None and after is not None and (before.tag, before.size_bytes) == (after.tag, after.size_bytes)
    return _Put(key, known, same)


def _followed(put: list[_Put], order: Order, reports: Bucket) -> Landed:
    end = order.clock() + order.wait_seconds
    found: list[Report] = []
    waiting = put
    while True:
        again = []
        for one in waiting:
            fresh = sorted(set(_reports_of(one.key, reports)) - one.known)
            found += [report_of(json.loads(reports.get(name))) for name in fresh]
            if one.same and one.known and not fresh:
                # The same bytes again are the same landing file: no job looks at them twice.
                found.append(Report("unchanged", one.key.dataset, one.key.source, one.key.text))
            elif not fresh:
                again.append(one)
        waiting = again
        if not waiting or order.clock() >= end:
            return Landed(tuple(found), tuple(one.key.text for one in waiting))
        order.sleep(_LOOK_SECONDS)


def _reports_of(key: Key, reports: Bucket) -> list[str]:
    """Names of the reports on the file and on its members."""
    there = (one.key for one in reports.listing(key.text))
    return [name for name in there if name.endswith(".json") and name.removeprefix(key.text)[:1] in ("/", "!")]
