"""A file that S3 has and does not hand out holds up no other, and is loaded once it may be read."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from etl.ingest import reconcile
from tests.cloud import Cloud
from tests.disturbed import Application, Between, between
from tests.home import reports_of
from tests.trigger import Trigger

KEYS = tuple(f"t/{name}.csv" for name in "abcde")


def withholding(key: str, code: str) -> Between:
    """An S3 that shows an object and refuses its bytes: of a foreign key, or in an archive."""

    def held(environ: dict[str, Any], start: Callable[..., Any], answer: Application) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(key):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()]
        return answer(environ, start)

    return held


def rows(cloud: Cloud, trigger: Trigger, dataset: str = "t") -> Counter[str]:
    return Counter(cloud.rows(trigger.settings, dataset)["_file"].to_pylist())


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidObjectState"])
def test_the_other_files_of_a_job_are_loaded(cloud: Cloud, code: str) -> None:
    trigger = Trigger(cloud, cloud.writing())
    for number, key in enumerate(KEYS):
        cloud.drop(trigger.settings, key, f"n\n{number}\n")
    with between(cloud, withholding(KEYS[2], code)):
        trigger.dispatch()
        assert [trigger.run(manifest) for manifest in trigger.started()] == [False]  # Glue tells that it failed
        assert rows(cloud, trigger) == Counter({*KEYS} - {KEYS[2]})
    trigger.reconcile()
    assert rows(cloud, trigger) == Counter(KEYS)
    assert reports_of(reconcile(cloud.intake(trigger.settings))) == ()


def test_the_other_datasets_of_a_reconciliation_are_loaded(cloud: Cloud) -> None:
    trigger = Trigger(cloud, cloud.writing())
    for key in ("a/a.csv", "t/a.csv"):
        cloud.drop(trigger.settings, key, "n\n1\n")
    with between(cloud, withholding("a/a.csv", "AccessDenied")):
        done = reconcile(cloud.intake(trigger.settings))
    assert rows(cloud, trigger) == Counter(["t/a.csv"])
    assert [report.file for report in done.reports] == ["t/a.csv"]
    (unread,) = done.unread
    assert (unread.code, unread.message) == ("unreadable", "a/a.csv cannot be read: S3 does not hand it out.")
    assert "restore it from its archive" in unread.remedy
